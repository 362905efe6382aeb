//! The single place that changes invitations, enqueues what follows and publishes: apply the event, save the row on
//! condition that nobody else changed it, then run the effects.

mod definitions;

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

use crate::clock::Clock;
use crate::error::{CallError, Error, StoreError};
use crate::events::{DomainEvent, What};
use crate::ids::{AssessmentRef, InvitationKey, TenantId};
use crate::invitation::{Effect, Event, Failure, Invitation, NotApplicable, Schedule, State};
use crate::metrics;
use crate::ports::{Definitions, Events, Inserted, Ledger, Queue, Saved, Sweeps, Tenants};
use crate::tenant::{Mapping, Tenant};
use crate::timing::{Timing, after, seconds};
use crate::work::Work;

pub use definitions::DefinitionCache;

/// What every use case that changes invitations needs.
#[derive(Clone)]
pub struct Engine {
    /// The invitations.
    pub ledger: Arc<dyn Ledger>,
    /// The sweeps.
    pub sweeps: Arc<dyn Sweeps>,
    /// The configuration.
    pub tenants: Arc<dyn Tenants>,
    /// The stored versions of mappings.
    pub definitions: Arc<dyn Definitions>,
    /// The queue for follow-up work.
    pub queue: Arc<dyn Queue>,
    /// The domain events.
    pub events: Arc<dyn Events>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The intervals.
    pub timing: Arc<Timing>,
}

/// The outcome of applying an event.
pub enum Applied {
    /// It was saved; this is the row now.
    Yes(Box<Invitation>),
    /// Another writer changed the row first.
    Conflict,
    /// The event does not apply to the row.
    Rejected(NotApplicable),
}

/// Who handles the row's next step after a change.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Dispatch {
    /// A worker: it is enqueued.
    Enqueue,
    /// The caller.
    Inline,
}

impl Engine {
    /// The current time.
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

    /// Loads a row to act on. A row that a clock that was ahead wrote is not acted on: its times are moved back and
    /// saved, and it becomes due by them.
    pub(crate) async fn load(&self, key: &InvitationKey) -> Result<Option<Invitation>, StoreError> {
        let Some(row) = self.ledger.load(key).await? else {
            return Ok(None);
        };
        let Some(next) = row.set_back(self.now(), &self.timing) else {
            return Ok(Some(row));
        };
        tracing::warn!(tenant = %key.tenant, invitation = %key.name(), "invitation written by a clock that was ahead, times moved back");
        // On a conflict the other writer has corrected it.
        self.ledger.save(&next).await?;
        Ok(None)
    }

    /// Inserts an entry. A new one that is to be invited is published, and enqueued if it is due.
    pub(crate) async fn insert(&self, row: &Invitation) -> Result<Inserted, StoreError> {
        let inserted = self.ledger.insert(row).await?;
        if inserted != Inserted::New || row.state != State::Detected {
            return Ok(inserted);
        }
        let key = &row.key;
        tracing::info!(tenant = %key.tenant, invitation = %key.name(), "entry detected");
        if let Schedule::At { at, step } = row.schedule
            && at <= self.now()
        {
            self.enqueue(vec![Work::step(key.clone(), step)]).await;
        }
        self.publish(What::Detected {
            invitation: key.clone(),
        })
        .await;
        Ok(inserted)
    }

    /// Applies `event` to `row` and saves the result. `definition` is the row's own: see [`Engine::definition`].
    pub async fn apply(
        &self,
        row: &Invitation,
        event: Event,
        definition: Option<&Mapping>,
        dispatch: Dispatch,
    ) -> Result<Applied, StoreError> {
        let what = event.name();
        let now = self.now();
        let expires = definition.and_then(|mapping| mapping.expires_after_days);
        let transition = match row.apply(event, now, &self.timing, expires) {
            Ok(transition) => transition,
            Err(error) => {
                if let NotApplicable::Double { .. } = error {
                    tracing::error!(tenant = %row.key.tenant, invitation = %row.key.name(), %error, "candidate invited twice");
                }
                return Ok(Applied::Rejected(error));
            }
        };
        let mut queued = Vec::new();
        let mut published = Vec::new();
        for effect in transition.effects {
            match effect {
                // Before the row is saved: a sweep scheduled for nothing is harmless, a saved row that is never swept
                // is not.
                Effect::Watch(assessment) => {
                    self.schedule_sweep(&row.key.tenant, &assessment).await?;
                }
                Effect::Queue(work) => queued.push(work),
                Effect::Publish(event) => published.push(event),
            }
        }
        if self.ledger.save(&transition.next).await? == Saved::Conflict {
            return Ok(Applied::Conflict);
        }
        metrics::applied(what, &transition.next, now);
        tracing::info!(
            tenant = %row.key.tenant,
            invitation = %row.key.name(),
            state = transition.next.state.name(),
            revision = transition.next.revision,
            reported = transition.next.report.revision,
            event = what,
            "invitation changed"
        );
        if dispatch == Dispatch::Enqueue && !queued.is_empty() {
            self.enqueue(queued).await;
        }
        if !published.is_empty() {
            self.events.publish(published).await;
        }
        Ok(Applied::Yes(Box::new(transition.next)))
    }

    /// Applies an event that has to be saved whatever else happens to the row meanwhile: on a conflict, what `revise`
    /// makes of it for the newer row. Returns the row before and after it, if the event was saved.
    pub(crate) async fn apply_to_newest(
        &self,
        row: &Invitation,
        mut event: Event,
        definition: Option<&Mapping>,
        revise: impl Fn(&Invitation, Event) -> Event + Send,
    ) -> Result<Option<(Invitation, Invitation)>, StoreError> {
        let mut row = row.clone();
        loop {
            match self
                .apply(&row, event.clone(), definition, Dispatch::Enqueue)
                .await?
            {
                Applied::Yes(next) => return Ok(Some((row, *next))),
                Applied::Rejected(_) => return Ok(None),
                Applied::Conflict => match self.ledger.load(&row.key).await? {
                    Some(newer) => {
                        event = revise(&newer, event);
                        row = newer;
                    }
                    None => return Ok(None),
                },
            }
        }
    }

    /// Publishes an event that has just happened.
    pub(crate) async fn publish(&self, what: What) {
        let at = self.now();
        self.events.publish(vec![DomainEvent { at, what }]).await;
    }

    /// Enqueues work. A failure is only logged, because the rows are due for it. Returns whether the queue took it.
    pub async fn enqueue(&self, work: Vec<Work>) -> bool {
        let pushed = self.queue.push(work).await;
        if let Err(error) = &pushed {
            tracing::warn!(%error, "work not enqueued, it stays due");
        }
        pushed.is_ok()
    }

    /// Schedules a sweep of the assessment soon. If one is scheduled already, this reads and writes nothing.
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

    /// The failure that `error` amounts to, with the time of the next attempt. `key` is of what failed.
    pub(crate) fn retry_later(
        &self,
        error: &CallError,
        before: Option<&Failure>,
        key: &impl fmt::Display,
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
