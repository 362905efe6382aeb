//! Queries invitations one by one, where they are few or the platform's list cannot be read.

use super::{Round, SweepError, Sweeper, is_open, unreadable};
use crate::engine::Dispatch;
use crate::error::{Error, ErrorScope};
use crate::invitation::{Event, Failure};
use crate::ports::WatchedInvitation;
use crate::usecases::write_back::SyncOutcome;

/// The outcome of querying some invitations.
pub(super) struct Asked {
    /// Whether all of them were queried.
    pub(super) all: bool,
    /// The last failure of the whole connection, if it does not work at present.
    pub(super) failed: Option<Failure>,
}

impl Sweeper {
    /// The maximum number of open invitations queried in one sweep.
    const MAX_OPEN_ASKED: usize = 80;

    /// The same for ended ones that are watched for re-scores.
    const MAX_ENDED_ASKED: usize = 20;

    /// Queries some one by one: first those that were left out last time. Those that cannot be read for long are
    /// reported.
    pub(super) async fn ask_some(
        &self,
        round: &mut Round<'_>,
        waiting: &[WatchedInvitation],
    ) -> Result<Asked, SweepError> {
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
                    // The connection does not work: only that is reported, if it has lasted.
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

    /// Queries one result. Boxed: it would be a large future for its callers. Returns whether the invitation can wait,
    /// and the failure if the connection does not work. An unreadable row does not hide the others; the log and the
    /// doctor report it.
    async fn ask(&self, one: &WatchedInvitation) -> Result<(bool, Option<Failure>), Error> {
        /// An invitation with this many failures may wait for the usual interval.
        const MAX_EARLY_TRIES: u32 = 10;
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
            }) => (times > MAX_EARLY_TRIES, None),
            Ok(SyncOutcome::Unavailable {
                scope: ErrorScope::Connection,
                ..
            }) => {
                let row = self.engine.ledger.load(&one.key).await?;
                (false, row.and_then(|row| row.failure))
            }
        })
    }

    /// For an invitation that is not queried because the connection does not work: reports that, if it has lasted.
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

/// The invitations whose turn it is, at most `limit`: by name, round robin, beginning after the last one.
pub(super) fn turn<'a>(
    mut all: Vec<&'a WatchedInvitation>,
    last: Option<&str>,
    limit: usize,
) -> Vec<&'a WatchedInvitation> {
    all.sort_by_cached_key(|one| one.key.name());
    let begin = last.map_or(0, |last| {
        all.partition_point(|one| one.key.name().as_str() <= last)
    });
    let begin = if begin == all.len() { 0 } else { begin };
    all.rotate_left(begin);
    all.truncate(limit);
    all
}
