//! Asking a platform for invitations one by one, where they are few or its list cannot be read.

use super::{Round, Stop, Sweeper, is_open, unreadable};
use crate::error::{Error, ErrorScope};
use crate::invitation::{Event, Failure};
use crate::ports::WatchedInvitation;
use crate::usecases::engine::Dispatch;
use crate::usecases::write_back::SyncOutcome;

/// What asking for some one by one came to.
pub(super) struct Asked {
    /// Whether all of them could be.
    pub(super) all: bool,
    /// That nothing works at present, as the last of them has it.
    pub(super) failed: Option<Failure>,
}

impl Sweeper {
    /// How many open invitations are asked for one by one in one sweep.
    const MAX_OPEN_ASKED: usize = 80;

    /// The same of those that have ended and are followed for re-scores.
    const MAX_ENDED_ASKED: usize = 20;

    /// Asks for some one by one: first those that were not asked for when it was last done. Those of whom nothing can be
    /// learned for long are told of.
    pub(super) async fn ask_some(
        &self,
        round: &mut Round<'_>,
        waiting: &[WatchedInvitation],
    ) -> Result<Asked, Stop> {
        let (open, ended): (Vec<_>, Vec<_>) = waiting.iter().partition(|one| is_open(one));
        let mut asked = Asked {
            all: open.len() <= Self::MAX_OPEN_ASKED && ended.len() <= Self::MAX_ENDED_ASKED,
            failed: None,
        };
        let mut after = match &round.failing {
            Some(failing) => [failing.open_after.clone(), failing.ended_after.clone()],
            None => [None, None],
        };
        let turns = [(open, Self::MAX_OPEN_ASKED), (ended, Self::MAX_ENDED_ASKED)];
        for (of, (all, most)) in turns.into_iter().enumerate() {
            for one in turn(all, after[of].as_deref(), most) {
                self.checkpoint(round).await?;
                if asked.failed.is_some() {
                    // Nothing works at present; only that is to be told, if it has been so for long.
                    self.overdue(round, one).await?;
                } else {
                    let (all, failed) = self.ask(one).await?;
                    asked.all &= all;
                    asked.failed = failed;
                }
                after[of] = Some(one.key.name());
                if let Some(failing) = &mut round.failing {
                    [failing.open_after, failing.ended_after] = after.clone();
                }
            }
        }
        Ok(asked)
    }

    /// Asks for the result of one. On the heap: it would be a large future for its callers. Returns whether it need not be
    /// asked for again soon, and what is wrong if nothing works at present. One whose row cannot be read does not hide the
    /// others; whoever reads the log or asks the doctor is told of it.
    async fn ask(&self, one: &WatchedInvitation) -> Result<(bool, Option<Failure>), Error> {
        /// One that was refused so often may wait for the usual interval.
        const SOON: u32 = 10;
        let asking = self.write_back.sync_result(&one.key, None, None);
        Ok(match Box::pin(asking).await {
            Err(Error::Store(error)) if error.lasting => {
                unreadable(one, &error);
                (false, None)
            }
            Err(error) => return Err(error),
            Ok(SyncOutcome::Recorded) => (true, None),
            Ok(SyncOutcome::Later) => (false, None),
            Ok(SyncOutcome::Unavailable {
                scope: ErrorScope::Record,
                times,
            }) => (times > SOON, None),
            Ok(SyncOutcome::Unavailable {
                scope: ErrorScope::Connection,
                ..
            }) => {
                let row = self.engine.ledger.load(&one.key).await?;
                (false, row.and_then(|row| row.failure))
            }
        })
    }

    /// Of one that is not even asked for, because nothing works: that it is so, if it has been for long.
    async fn overdue(&self, round: &Round<'_>, one: &WatchedInvitation) -> Result<(), Error> {
        let Some(failing) = &round.failing else {
            return Ok(());
        };
        if !failing
            .failure
            .is_overdue(self.engine.now(), &self.engine.timing)
        {
            return Ok(());
        }
        let row = match self.engine.ledger.load(&one.key).await {
            Err(error) if error.lasting => {
                unreadable(one, &error);
                return Ok(());
            }
            row => row?,
        };
        if let Some(row) = row.filter(|row| row.state.is_open()) {
            let since = row.failure.as_ref().map(|before| before.first_failed_at);
            let failure = Failure {
                first_failed_at: since.map_or(failing.failure.first_failed_at, |since| {
                    since.min(failing.failure.first_failed_at)
                }),
                ..failing.failure.clone()
            };
            let event = Event::ResultUnavailable(failure);
            self.engine
                .apply(&row, event, None, Dispatch::Enqueue)
                .await?;
        }
        Ok(())
    }
}

/// Whose turn it is, at most so many: by name, going round, those after the last one first.
pub(super) fn turn<'a>(
    mut all: Vec<&'a WatchedInvitation>,
    last: Option<&str>,
    most: usize,
) -> Vec<&'a WatchedInvitation> {
    all.sort_by_cached_key(|one| one.key.name());
    let begin = last.map_or(0, |last| {
        all.partition_point(|one| one.key.name().as_str() <= last)
    });
    let begin = if begin == all.len() { 0 } else { begin };
    all.rotate_left(begin);
    all.truncate(most);
    all
}
