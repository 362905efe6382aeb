//! Ending the watch of invitations whose time is over.

use super::{Round, Stop, Sweeper, is_open, unreadable};
use crate::error::{Error, Reach};
use crate::invitation::{Event, watch_limit};
use crate::ports::Waiting;
use crate::timing::after;
use crate::usecases::desk::{Changed, Next};
use crate::usecases::write_back::News;

impl Sweeper {
    /// Ends the watch of those whose time is over. An open one is asked for a last time before it counts as expired; if it
    /// cannot be, it counts as expired a day later all the same, and its report says so. Returns whether there was time for
    /// all of them.
    pub(super) async fn end_watches(
        &self,
        round: &mut Round<'_>,
        waiting: &[Waiting],
    ) -> Result<bool, Stop> {
        // What is wrong with the whole connection is not tried again for each.
        let mut answers = round.not_before.is_none();
        for one in waiting {
            let now = self.desk.now();
            let Some(until) =
                watch_limit(one.until, one.level, one.invited_at).filter(|until| *until <= now)
            else {
                continue;
            };
            match self.go_on(round).await {
                Err(Stop::Deadline) => return Ok(false),
                other => other?,
            }
            let last_chance = after(until, self.desk.timing.overdue());
            if is_open(one) {
                let heard = answers && {
                    let asking = self.write_back.bring_news(&one.key, None, None);
                    match Box::pin(asking).await {
                        Err(Error::Store(error)) if error.lasting => {
                            unreadable(one, &error);
                            false
                        }
                        news => {
                            let news = news?;
                            answers = !matches!(
                                news,
                                News::Unavailable {
                                    reach: Reach::Connection,
                                    ..
                                }
                            );
                            news == News::Recorded
                        }
                    }
                };
                if !heard && now < last_chance {
                    continue;
                }
            }
            let row = match self.desk.ledger.load(&one.key).await {
                Err(error) if error.lasting => {
                    unreadable(one, &error);
                    continue;
                }
                row => row?,
            };
            if let Some(row) = row {
                match self
                    .desk
                    .change(&row, Event::WatchOver, None, Next::HandOut)
                    .await?
                {
                    Changed::To(_) | Changed::Conflict | Changed::No(_) => {}
                }
            }
        }
        Ok(true)
    }
}
