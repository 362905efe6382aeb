//! Ends the watch of invitations whose time has passed.

use super::{Round, SweepError, Sweeper, is_open, unreadable};
use crate::engine::{Applied, Dispatch};
use crate::error::{Error, ErrorScope};
use crate::invitation::{Event, watch_limit};
use crate::ports::WatchedInvitation;
use crate::timing::after;
use crate::usecases::write_back::SyncOutcome;

impl Sweeper {
    /// Ends expired watches. An open invitation is queried a last time before it counts as expired; if that fails, it
    /// counts as expired a day later all the same, and its report says so. Returns whether there was time for all of
    /// them.
    pub(super) async fn end_watches(
        &self,
        round: &mut Round<'_>,
        waiting: &[WatchedInvitation],
    ) -> Result<bool, SweepError> {
        // A failure of the whole connection is not repeated for each.
        let mut answers = round.not_before.is_none();
        for one in waiting {
            let now = self.engine.now();
            let Some(until) =
                watch_limit(one.until, one.level, one.invited_at).filter(|until| *until <= now)
            else {
                continue;
            };
            match self.checkpoint(round).await {
                Err(SweepError::Deadline) => return Ok(false),
                other => other?,
            }
            let last_chance = after(until, self.engine.timing.overdue());
            if is_open(one) {
                let fetched = answers && {
                    let asking = self.write_back.sync_result(&one.key, None, None);
                    match Box::pin(asking).await {
                        Err(Error::Store(error)) if error.lasting => {
                            unreadable(one, &error);
                            false
                        }
                        outcome => {
                            let outcome = outcome?;
                            answers = !matches!(
                                outcome,
                                SyncOutcome::Unavailable {
                                    scope: ErrorScope::Connection,
                                    ..
                                }
                            );
                            outcome == SyncOutcome::Recorded
                        }
                    }
                };
                if !fetched && now < last_chance {
                    continue;
                }
            }
            let row = match self.engine.ledger.load(&one.key).await {
                Err(error) if error.lasting => {
                    unreadable(one, &error);
                    continue;
                }
                row => row?,
            };
            if let Some(row) = row {
                match self
                    .engine
                    .apply(&row, Event::WatchExpired, None, Dispatch::Enqueue)
                    .await?
                {
                    Applied::Yes(_) | Applied::Conflict | Applied::Rejected(_) => {}
                }
            }
        }
        Ok(true)
    }
}
