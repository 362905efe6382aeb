//! Polls a tenant: reads Eploy's changed applications into the ledger. The cursor moves only after the ledger has them.

mod baseline;
mod cases;
mod changes;
mod decide;
mod edit;
mod feed;
mod hires;
mod mappings;
mod outcome;
mod overlap;
mod pages;
mod scan;
mod stages;
mod unread;
mod watched;

use std::sync::Arc;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

pub use baseline::turned_on;
pub use cases::{Decided, Evaluation, Reads};
pub use decide::{Decision, decide, decide_by_history};
pub use mappings::{adopt, broken, is_changed, prove, switch, with_proven};
pub use scan::scan_calls_a_day;
pub use watched::Watched;

use self::outcome::{average, interval};
use self::overlap::Passed;
use crate::clock::Deadline;
use crate::engine::Engine;
use crate::error::{CallError, Error, StoreError};
use crate::ids::TenantId;
use crate::metrics;
use crate::ports::{
    Announcements, ChangeFeed, Eploy, EployConnections, PollProgress, Purpose, Saved, TenantState,
    TenantStates,
};
use crate::tenant::{Mapping, Tenant};
use crate::timing::{after, seconds};
use crate::work::{Handled, Handler, Kind, Work};

/// Polls tenants.
#[derive(Clone)]
pub struct Poller {
    /// The engine.
    pub engine: Engine,
    /// The poll state.
    pub states: Arc<dyn TenantStates>,
    /// The announcements of hires.
    pub announcements: Arc<dyn Announcements>,
    /// The connections to Eploy.
    pub eploy: Arc<dyn EployConnections>,
}

/// The outcome of a poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Polled {
    /// It was not due, the tenant is paused, or another poll was faster.
    NotDue,
    /// Everything was read: the number of new entries.
    Done(usize),
    /// It timed out. What was read is saved, and the poll is due again at once.
    Unfinished,
    /// It failed and is due again later.
    Failed,
}

/// Why a poll stopped.
enum PollError {
    /// The deadline passed.
    Deadline,
    /// A call failed.
    Call(CallError),
    /// A store of ours failed.
    Store(StoreError),
    /// Another poll of the tenant was faster.
    Overtaken,
}

impl From<CallError> for PollError {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

impl From<StoreError> for PollError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// The time and pages that a poll may use.
struct PollBudget {
    /// When it stops.
    deadline: Deadline,
    /// When the lease has to be renewed, because another poll would begin then.
    hold_at: Timestamp,
    /// Pages of changes read so far.
    pages: u32,
}

impl Poller {
    /// Polls a tenant if it is due, until `deadline`. If something of ours fails, it is due again after growing delays:
    /// an unreadable row is not requested without a pause.
    pub async fn poll(&self, id: &TenantId, deadline: Deadline) -> Result<Polled, Error> {
        // The state first: with a configuration older than the state, a new mapping would count as removed.
        let stored = self.states.load_state(id).await?;
        let tenant = match self.engine.tenant(id).await {
            Ok(tenant) => tenant,
            Err(error) => {
                if let Some(state) = stored {
                    self.defer(id, state).await;
                }
                return Err(error);
            }
        };
        let now = self.engine.now();
        let mut state = stored.unwrap_or_else(|| TenantState::new(now));
        if state.set_back(now) {
            tracing::warn!(tenant = %id, "tenant state written by a clock that was ahead, times moved back");
            // Saved first: unsaved times would move along with the clock.
            if self.save(id, &mut state).await? == Saved::Conflict {
                return Ok(Polled::NotDue);
            }
        }
        if tenant.paused || state.due_at > now {
            return Ok(Polled::NotDue);
        }
        metrics::poll_began(now.duration_since(state.due_at));
        let adopted = mappings::adopt(&tenant, &mut state, now);
        self.keep_definitions(id, adopted).await?;
        hires::reconcile(&tenant, &mut state, now);
        let mut found = 0;
        let mut budget = PollBudget {
            deadline,
            hold_at: self
                .engine
                .in_seconds(self.engine.timing.lease_seconds / 2.0),
            pages: 0,
        };
        let outcome = match self.eploy.eploy(&tenant, Purpose::Poll).await {
            Ok(eploy) => {
                let read = self
                    .read(&*eploy, &tenant, &mut state, &mut budget, &mut found)
                    .await;
                state.poll.pages_average = average(state.poll.pages_average, budget.pages);
                match (read, eploy.allowance_left().await) {
                    (Ok(()), Ok(left)) => {
                        let wish = f64::from(tenant.eploy.poll_seconds);
                        let day_left = left
                            .resets_at
                            .duration_since(self.engine.now())
                            .as_secs_f64();
                        let polls_left = f64::from(left.calls) * 100.0
                            / f64::from(state.poll.pages_average.max(100));
                        Ok(interval(wish, day_left, polls_left))
                    }
                    (Ok(()), Err(error)) => Err(PollError::Call(error)),
                    (Err(stop), _) => Err(stop),
                }
            }
            Err(error) => Err(PollError::Call(error)),
        };
        let polled = match outcome {
            Ok(interval) => {
                self.succeeded(id, &mut state, found, interval).await;
                Polled::Done(found)
            }
            Err(PollError::Deadline) => {
                state.due_at = self.engine.now();
                Polled::Unfinished
            }
            Err(PollError::Call(error)) => {
                self.failed(id, &mut state, &error).await;
                metrics::poll_failed();
                Polled::Failed
            }
            // Nothing is lost: the cursor did not move.
            Err(PollError::Store(error)) => {
                self.defer(id, state).await;
                return Err(error.into());
            }
            Err(PollError::Overtaken) => {
                tracing::info!(tenant = %id, "poll overtaken by another");
                return Ok(Polled::NotDue);
            }
        };
        if self.save(id, &mut state).await? == Saved::Conflict {
            tracing::info!(tenant = %id, "poll overtaken by another");
            return Ok(Polled::NotDue);
        }
        Ok(polled)
    }

    /// Reads everything that a poll reads, in order.
    async fn read(
        &self,
        eploy: &dyn Eploy,
        tenant: &Tenant,
        state: &mut TenantState,
        budget: &mut PollBudget,
        found: &mut usize,
    ) -> Result<(), PollError> {
        self.check_mappings(eploy, tenant, state).await?;
        let pause = seconds(self.engine.timing.scan_seconds);
        scan::reconcile(state, eploy.feed(), self.engine.now(), pause);
        // Before the baseline is read, so that what changes meanwhile lies after it; and early enough for an Eploy
        // whose clock or time zone differs from ours. Applications at the stage by then are in the baseline.
        if state.poll.cursor.is_none() {
            state.poll.cursor = self.engine.now().checked_sub(MAX_CLOCK_DIFFERENCE).ok();
        }
        *found += self.look_again(eploy, tenant, state).await?;
        self.hires_baseline(eploy, tenant, state, budget).await?;
        // Other mappings do not wait for the baseline of a new one. A changed mapping first has everything read that
        // changed before, with its earlier definition.
        let mut read = false;
        if mappings::any_on(state) {
            self.read_feed(eploy, tenant, state, budget, found).await?;
            self.switch(tenant, state).await?;
            read = true;
        }
        if mappings::any_turned_on(state) {
            self.baseline(eploy, tenant, state, budget, found).await?;
            read = false;
        }
        if !read {
            self.read_feed(eploy, tenant, state, budget, found).await?;
        }
        if eploy.feed().by != ChangeFeed::StageRoute {
            self.scan(eploy, tenant, state, budget, found).await?;
        }
        self.changed_placements(eploy, tenant, state, budget, found)
            .await
    }

    /// Reads what the feed shows.
    async fn read_feed(
        &self,
        eploy: &dyn Eploy,
        tenant: &Tenant,
        state: &mut TenantState,
        budget: &mut PollBudget,
        found: &mut usize,
    ) -> Result<(), PollError> {
        match eploy.feed().by {
            ChangeFeed::StageRoute => self.scan(eploy, tenant, state, budget, found).await,
            _ => self.changes(eploy, tenant, state, budget, found).await,
        }
    }

    /// Switches to the mappings as configured now.
    async fn switch(&self, tenant: &Tenant, state: &mut TenantState) -> Result<(), PollError> {
        if mappings::is_changed(tenant, state) {
            let watched = self.engine.watched(tenant, state).await?;
            let mut switched = state.clone();
            let changed = mappings::switch(tenant, &mut switched, &watched, self.engine.now());
            self.keep_definitions(&tenant.id, changed).await?;
            // Not before: a poll that fails saves the state, too, and rows would have a definition that is not saved.
            *state = switched;
        }
        Ok(())
    }

    /// Saves these mappings' definitions: invitations are made under them from here on.
    async fn keep_definitions(
        &self,
        tenant: &TenantId,
        mappings: Vec<&Mapping>,
    ) -> Result<(), StoreError> {
        for mapping in mappings {
            let definitions = &self.engine.definitions;
            definitions.save_definition(tenant, mapping).await?;
        }
        Ok(())
    }
}

/// The time that passed before a reading began, capped at two poll intervals: our clock may have been set.
fn passed(
    tenant: &Tenant,
    last_ok: Option<Timestamp>,
    read: &PollProgress,
    now: Timestamp,
) -> Passed {
    Passed {
        last_ok,
        began_at: read.began_at.unwrap_or(now),
        most: SignedDuration::from_secs(i64::from(tenant.eploy.poll_seconds) * 2),
    }
}

/// The maximum difference between Eploy's dates and our clock where both are right: an hour of British summer time, and
/// a margin.
const MAX_CLOCK_DIFFERENCE: SignedDuration = SignedDuration::from_mins(65);

/// The newest change of these records, by id. A date too far ahead counts as now: otherwise the cursor would pass
/// everything that changes until then. If our own clock is behind, more is read each time.
fn newest<'a>(
    tenant: &Tenant,
    kind: &str,
    now: Timestamp,
    dates: impl Iterator<Item = (&'a str, Option<Timestamp>)>,
) -> Option<Timestamp> {
    let most = after(now, MAX_CLOCK_DIFFERENCE);
    dates
        .filter_map(|(id, at)| {
            let at = at?;
            if at > most {
                tracing::warn!(tenant = %tenant.id, kind, id, "record dated in the future, counted as changed now");
                return Some(now);
            }
            Some(at)
        })
        .max()
}

#[async_trait]
impl Handler for Poller {
    fn kind(&self) -> Kind {
        Kind::Poll
    }

    async fn handle(&self, work: Work, deadline: Deadline) -> Result<Handled, Error> {
        let Work::Poll { tenant } = work else {
            return Ok(Handled::Misplaced);
        };
        Ok(match self.poll(&tenant, deadline).await? {
            Polled::Unfinished => Handled::Unfinished,
            Polled::Done(_) | Polled::Failed | Polled::NotDue => Handled::Done,
        })
    }
}

#[cfg(test)]
mod tests;
