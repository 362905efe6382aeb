//! Where every change of an invitation is made: apply the event, save the row on condition that nobody else changed
//! it, then let the effects out.

use std::sync::Arc;

use jiff::Timestamp;

use crate::clock::Clock;
use crate::error::{CallError, Error, StoreError};
use crate::ids::{AssessmentRef, InvitationKey, TenantId};
use crate::invitation::{Effect, Event, Failure, Invitation, NotApplicable};
use crate::ports::{Definitions, Events, Ledger, Queue, Saved, Sweeps, Tenants};
use crate::tenant::Tenant;
use crate::timing::{Timing, after, seconds};

/// What every use case that changes invitations needs.
#[derive(Clone)]
pub struct Engine {
    /// The rows.
    pub ledger: Arc<dyn Ledger>,
    /// The sweeps.
    pub sweeps: Arc<dyn Sweeps>,
    /// The configuration.
    pub tenants: Arc<dyn Tenants>,
    /// The mappings as they were.
    pub definitions: Arc<dyn Definitions>,
    /// Where work is handed out.
    pub queue: Arc<dyn Queue>,
    /// Where subscribers are told.
    pub events: Arc<dyn Events>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The intervals.
    pub timing: Arc<Timing>,
}

/// What came of a change.
pub enum Applied {
    /// It is on record, and this is the row now.
    Yes(Box<Invitation>),
    /// Somebody else changed the row first.
    Conflict,
    /// The event means nothing to the row.
    Rejected(NotApplicable),
}

/// Whether to hand out the row's next step after a change.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Dispatch {
    /// Yes.
    Enqueue,
    /// No: the caller goes on with it.
    Inline,
}

impl Engine {
    /// Now.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// `span` seconds from now.
    pub(crate) fn in_seconds(&self, span: f64) -> Timestamp {
        after(self.now(), seconds(span))
    }

    /// The tenant's configuration.
    pub(crate) async fn tenant(&self, id: &TenantId) -> Result<Tenant, Error> {
        self.tenants
            .tenant(id)
            .await?
            .ok_or_else(|| Error::UnknownTenant(id.clone()))
    }

    /// Applies `event` to `row` and saves the outcome.
    pub async fn apply(
        &self,
        row: &Invitation,
        event: Event,
        expires_after_days: Option<u32>,
        dispatch: Dispatch,
    ) -> Result<Applied, StoreError> {
        let what = event.name();
        let transition = match row.apply(event, self.now(), &self.timing, expires_after_days) {
            Ok(transition) => transition,
            Err(no) => return Ok(Applied::Rejected(no)),
        };
        let mut queued = Vec::new();
        let mut published = Vec::new();
        for effect in transition.effects {
            match effect {
                // Before the row is saved: armed for nothing is harmless, saved and never swept is not.
                Effect::Watch(assessment) => {
                    self.schedule_sweep(&row.key.tenant, &assessment).await?
                }
                Effect::Queue(work) => queued.push(work),
                Effect::Publish(event) => published.push(event),
            }
        }
        if self.ledger.save(&transition.next).await? == Saved::Conflict {
            return Ok(Applied::Conflict);
        }
        tracing::info!(
            tenant = %row.key.tenant,
            invitation = %row.key.name(),
            state = transition.next.state.name(),
            revision = transition.next.revision,
            reported = transition.next.report.revision,
            "invitation {what}"
        );
        if dispatch == Dispatch::Enqueue && !queued.is_empty() {
            self.enqueue(queued).await;
        }
        if !published.is_empty() {
            self.events.publish(published).await;
        }
        Ok(Applied::Yes(Box::new(transition.next)))
    }

    /// The row, if it was not written by a clock that was ahead. Else its times are moved back, and it is due by them.
    pub(crate) async fn set_back(&self, row: Invitation) -> Result<Option<Invitation>, StoreError> {
        let Some(next) = row.set_back(self.now(), &self.timing) else {
            return Ok(Some(row));
        };
        tracing::warn!(tenant = %row.key.tenant, invitation = %row.key.name(), "an invitation's times were written by a clock that was ahead; they are moved back");
        // Whoever changed it meanwhile has seen to it.
        self.ledger.save(&next).await?;
        Ok(None)
    }

    /// Hands out work; that it could not be is no failure, because the rows are due for it. Returns whether the queue took
    /// it.
    pub async fn enqueue(&self, work: Vec<crate::work::Work>) -> bool {
        let pushed = self.queue.push(work).await;
        if let Err(error) = &pushed {
            tracing::warn!(%error, "work was not queued and waits for the clock");
        }
        pushed.is_ok()
    }

    /// Sees that the assessment is swept soon. Where it is anyway, that is read and nothing is written.
    async fn schedule_sweep(
        &self,
        tenant: &TenantId,
        assessment: &AssessmentRef,
    ) -> Result<(), StoreError> {
        let at = self.in_seconds(self.timing.sweep_seconds);
        let sweep = self.sweeps.load_sweep(tenant, assessment).await?;
        if sweep.is_armed_for(at) {
            return Ok(());
        }
        self.sweeps.schedule_sweep(tenant, assessment, at).await
    }

    /// The trouble that `error` is, and until when it puts things off.
    pub(crate) fn retry_later(
        &self,
        error: &CallError,
        before: Option<&Failure>,
        key: &InvitationKey,
    ) -> (Failure, Timestamp) {
        let now = self.now();
        let failure = Failure::from_call(error, before, now);
        let mut until = after(now, self.timing.backoff(failure.attempts, &key.to_string()));
        if let Some(not_before) = error.retry_at {
            until = until.max(not_before);
        }
        (failure, until)
    }
}

#[cfg(test)]
mod tests;
