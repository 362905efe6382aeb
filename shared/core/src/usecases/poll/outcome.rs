//! Saves a poll's progress and its outcome in the tenant's state.

use super::{PollBudget, PollError, Poller};
use crate::error::{CallError, ErrorScope, Phase, StoreError};
use crate::events::What;
use crate::ids::TenantId;
use crate::invitation::Failure;
use crate::ports::{Saved, Suspension, TenantState};
use crate::timing::{after, seconds};

impl Poller {
    /// Saves the state as the version after the one that it was read or saved as. Unless it is certainly saved, its
    /// version stays: with the next one it could overwrite what another poll saved as this one meanwhile.
    pub(super) async fn save(
        &self,
        id: &TenantId,
        state: &mut TenantState,
    ) -> Result<Saved, StoreError> {
        state.saved_at = Some(self.engine.now());
        state.version += 1;
        let saved = self.states.save_state(id, state).await;
        if !matches!(saved, Ok(Saved::Saved)) {
            state.version -= 1;
        }
        saved
    }

    /// Defers the next poll after something of ours failed.
    pub(super) async fn defer(&self, id: &TenantId, mut state: TenantState) {
        state.poll.failures = state.poll.failures.saturating_add(1);
        let pause = self.engine.timing.backoff(state.poll.failures, id.as_str());
        state.due_at = state.due_at.max(after(self.engine.now(), pause));
        // Fails if the store does not work at all, and then the poll stays due; if another poll was faster; or if a
        // save that seemed to fail had worked, and then the poll is due when the lease that it took expires.
        let _ = self.save(id, &mut state).await;
    }

    /// Between two pages: whether there is time for another. A long poll renews its lease meanwhile and saves its
    /// progress.
    pub(super) async fn checkpoint(
        &self,
        budget: &mut PollBudget,
        tenant: &TenantId,
        state: &mut TenantState,
    ) -> Result<(), PollError> {
        let now = self.engine.now();
        if budget.deadline.passed(now) {
            return Err(PollError::Deadline);
        }
        if now >= budget.hold_at {
            let lease = self.engine.timing.lease_seconds;
            state.due_at = self.engine.in_seconds(lease);
            if self.save(tenant, state).await? == Saved::Conflict {
                return Err(PollError::Overtaken);
            }
            budget.hold_at = self.engine.in_seconds(lease / 2.0);
        }
        Ok(())
    }

    /// Records a poll that read everything.
    pub(super) async fn succeeded(
        &self,
        id: &TenantId,
        state: &mut TenantState,
        found: usize,
        interval: f64,
    ) {
        let now = self.engine.now();
        state.poll.last_ok = Some(now);
        state.poll.failures = 0;
        state.poll.failure = None;
        state.due_at = after(now, seconds(interval));
        if state.suspended.take().is_some() {
            tracing::info!(tenant = %id, "tenant resumed");
            let what = What::Resumed { tenant: id.clone() };
            self.engine.publish(what).await;
        }
        if found > 0 {
            tracing::info!(tenant = %id, found, "poll completed");
        } else {
            tracing::debug!(tenant = %id, "poll completed, nothing new");
        }
    }

    /// Records a poll that failed.
    pub(super) async fn failed(&self, id: &TenantId, state: &mut TenantState, error: &CallError) {
        let now = self.engine.now();
        state.poll.failures = state.poll.failures.saturating_add(1);
        let mut delay = self.engine.timing.backoff(state.poll.failures, id.as_str());
        if error.phase == Phase::Throttled {
            // A rate limit ends soon: retried often enough to notice, and no later than a broken connection.
            delay = delay.min(seconds(self.engine.timing.suspend_seconds));
        }
        state.due_at = after(now, delay);
        if error.scope == ErrorScope::Connection {
            let pause = after(now, seconds(self.engine.timing.suspend_seconds));
            state.due_at = error.retry_at.map_or(pause, |at| at.max(state.due_at));
            state.poll.failure = None;
            let before = state.suspended.take();
            if before
                .as_ref()
                .is_none_or(|before| before.failure.code != error.code)
            {
                tracing::error!(tenant = %id, code = error.code, %error, "tenant suspended");
                let what = What::Suspended {
                    tenant: id.clone(),
                    code: error.code.to_owned(),
                };
                self.engine.publish(what).await;
            }
            state.suspended = Some(Suspension {
                failure: Failure::from_call(
                    error,
                    before.as_ref().map(|before| &before.failure),
                    now,
                ),
                until: state.due_at,
            });
        } else {
            state.due_at = error
                .retry_at
                .map_or(state.due_at, |at| at.max(state.due_at));
            state.poll.failure = Some(Failure::from_call(error, state.poll.failure.as_ref(), now));
            tracing::warn!(tenant = %id, code = error.code, failures = state.poll.failures, %error, "poll failed");
        }
    }
}

/// Seconds until the next poll: as configured, unless the remaining allowance of the day has to be spread thinner.
pub(super) fn interval(wish: f64, day_left: f64, polls_left: f64) -> f64 {
    let spread = day_left.max(0.0) / polls_left.max(1.0);
    wish.max(spread)
}

/// The running average of the pages per poll, in hundredths. One large reading defers the next poll only briefly; many
/// defer it longer.
pub(super) fn average(before: u32, pages: u32) -> u32 {
    let before = if before == 0 { 100 } else { before };
    let next = (u64::from(before) * 7 + u64::from(pages.max(1)) * 100) / 8;
    u32::try_from(next).unwrap_or(u32::MAX)
}
