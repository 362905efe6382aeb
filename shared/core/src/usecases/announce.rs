//! Announces a hire: check that it is a new one, publish it, and deliver it to the tenant's HRMS until that confirms
//! it.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Map, Value};

use super::merged::merged_into;
use super::stage_check::StageCheck;
use crate::announcement::{
    Announcement, Event, FailReason, Hire, HireKey, HiredCandidate, NotApplicable, Notification,
    Outcome, SkipReason, State, named, webhook,
};
use crate::clock::Deadline;
use crate::engine::Engine;
use crate::error::{CallError, Error, StoreError};
use crate::events::What;
use crate::invitation::Failure;
use crate::ports::{Announcements, EployConnections, Hrms, HrmsAnswer, Purpose, Saved, Webhook};
use crate::tenant::{HirePlan, HrmsEndpoint, Tenant};
use crate::timing::{after, seconds};
use crate::work::{Handled, Handler, Kind, Work};

/// Announces hires.
#[derive(Clone)]
pub struct HireNotifier {
    /// Configuration, events, queue and clock.
    pub engine: Engine,
    /// The announcements.
    pub announcements: Arc<dyn Announcements>,
    /// The connections to Eploy.
    pub eploy: Arc<dyn EployConnections>,
    /// The client of the tenants' HRMS.
    pub hrms: Arc<dyn Hrms>,
}

/// The outcome of a request for redelivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redelivery {
    /// It is due now, at the start of the schedule.
    Due,
    /// It is already in progress.
    UnderWay,
    /// There is no announcement of this key.
    Unknown,
    /// The tenant has no HRMS to deliver to.
    NoEndpoint,
}

impl HireNotifier {
    /// Advances an announcement. Calling it twice, or too early, does nothing.
    pub async fn announce(&self, key: &HireKey) -> Result<(), Error> {
        let Some(row) = self.announcements.load_announcement(key).await? else {
            return Ok(());
        };
        if let Some(next) = row.set_back(self.engine.now()) {
            tracing::warn!(tenant = %key.tenant, hire = %key.hire, "announcement written by a clock that was ahead, times moved back");
            self.announcements.save_announcement(&next).await?;
            return Ok(());
        }
        let tenant = self.engine.tenant(&key.tenant).await?;
        if tenant.paused || row.due_at.is_none_or(|at| at > self.engine.now()) {
            return Ok(());
        }
        if self
            .announcements
            .purge_announcement_if_erased(&row)
            .await?
        {
            tracing::warn!(tenant = %key.tenant, hire = %key.hire, "candidate erased, announcement removed without sending");
            return Ok(());
        }
        let plan = tenant.hires.as_ref();
        let row = if row.state == State::Detected {
            let event = match plan {
                Some(plan) => self.confirm(&tenant, plan, &row).await,
                None => Event::Skip(SkipReason::PlanRemoved),
            };
            match self.change(&tenant, &row, event).await? {
                Some(next) => next,
                None => return Ok(()),
            }
        } else {
            row
        };
        if row.state != State::Delivering {
            return Ok(());
        }
        match plan.and_then(|plan| plan.endpoint.as_ref()) {
            Some(endpoint) => self.deliver(&tenant, endpoint, row).await,
            None => self
                .change(&tenant, &row, Event::NoEndpoint)
                .await
                .map(drop)
                .map_err(Error::from),
        }
    }

    /// Delivers an announcement (again) on an operator's request, whatever its outcome. The webhook's id stays the
    /// same, so that a receiver can recognise it.
    pub async fn redeliver(&self, key: &HireKey) -> Result<Redelivery, Error> {
        let tenant = self.engine.tenant(&key.tenant).await?;
        let endpoint = tenant
            .hires
            .as_ref()
            .and_then(|plan| plan.endpoint.as_ref());
        if endpoint.is_none() {
            return Ok(Redelivery::NoEndpoint);
        }
        let Some(row) = self.announcements.load_announcement(key).await? else {
            return Ok(Redelivery::Unknown);
        };
        if matches!(row.state, State::Detected | State::Delivering) {
            return Ok(Redelivery::UnderWay);
        }
        Ok(match self.change(&tenant, &row, Event::Redeliver).await? {
            Some(_) => {
                let work = Work::Announce { key: key.clone() };
                self.engine.enqueue(vec![work]).await;
                Redelivery::Due
            }
            // Another writer changed it just now, which only another redelivery does.
            None => Redelivery::UnderWay,
        })
    }

    /// Whether it is a hire, from after the plan was turned on.
    async fn confirm(&self, tenant: &Tenant, plan: &HirePlan, row: &Announcement) -> Event {
        let confirmed = |hired_at, application| Event::Confirmed {
            hired_at,
            application,
            endpoint: plan.endpoint.is_some(),
        };
        let eploy = match self.eploy.eploy(tenant, Purpose::WriteBack).await {
            Ok(eploy) => eploy,
            Err(error) => return self.defer(row, &error),
        };
        match &row.key.hire {
            Hire::Placement(_) => match eploy.application_of(&row.candidate, &row.vacancy).await {
                Ok(application) => confirmed(None, application),
                // Without the application the announcement is still useful.
                Err(error) if !error.may_retry() => confirmed(None, None),
                Err(error) => self.defer(row, &error),
            },
            Hire::Application(id) => {
                let hired = |position: &_| plan.triggers().iter().any(|one| one.matches(position));
                match StageCheck::of(&*eploy, id, hired).await {
                    Err(error) => self.defer(row, &error),
                    Ok(StageCheck::NotAtStage) => Event::Skip(SkipReason::MovedOn),
                    // The baseline reading had missed it.
                    Ok(StageCheck::AtStage(_, Some(entry))) if entry.is_before(row.not_before) => {
                        Event::Skip(SkipReason::Baseline)
                    }
                    Ok(StageCheck::AtStage(_, entry)) => {
                        confirmed(entry.and_then(|entry| entry.at), None)
                    }
                }
            }
        }
    }

    /// One attempt: read the configured fields, claim, send, save.
    async fn deliver(
        &self,
        tenant: &Tenant,
        endpoint: &HrmsEndpoint,
        row: Announcement,
    ) -> Result<(), Error> {
        let person = match self.person(tenant, endpoint, &row).await {
            Ok(person) => person,
            Err(event) => {
                self.change(tenant, &row, event).await?;
                return Ok(());
            }
        };
        let timing = &self.engine.timing;
        let lease_until = self.engine.in_seconds(timing.lease_seconds);
        let begun = self
            .change(tenant, &row, Event::Begin { lease_until })
            .await?;
        let Some((row, attempt)) = begun
            .filter(|row| row.state == State::Delivering)
            .and_then(|row| row.attempts.last().cloned().map(|attempt| (row, attempt)))
        else {
            return Ok(());
        };
        let at = self.engine.now();
        // A call that could outlive its lease would overlap with the next attempt.
        if after(at, seconds(timing.call_seconds)) > lease_until {
            return Ok(());
        }
        let notice = Webhook {
            id: row.key.webhook_id(),
            at,
            again: attempt.number > 1,
            body: webhook(&HiredCandidate::of(&row, &tenant.eploy), person),
        };
        let ended = match self.hrms.deliver(tenant, endpoint, &notice).await {
            Ok(answer) => {
                log_answer(&row, &answer);
                Event::Ended {
                    attempt: attempt.number,
                    outcome: Outcome::Answered(answer.status),
                    retry_after: answer.retry_after,
                }
            }
            Err(error) => {
                tracing::warn!(tenant = %tenant.id, hire = %row.key.hire, attempt = attempt.number, code = error.code, %error, "delivery of a hire to the HRMS failed");
                Event::Ended {
                    attempt: attempt.number,
                    outcome: Outcome::Unanswered(error.code.to_owned()),
                    retry_after: None,
                }
            }
        };
        self.change(tenant, &row, ended).await?;
        Ok(())
    }

    /// Reads the configured fields of the person; they are sent and dropped.
    async fn person(
        &self,
        tenant: &Tenant,
        endpoint: &HrmsEndpoint,
        row: &Announcement,
    ) -> Result<Option<Map<String, Value>>, Event> {
        if endpoint.person.is_empty() {
            return Ok(None);
        }
        let application = match &row.key.hire {
            Hire::Application(id) => Some(id),
            Hire::Placement(_) => row.application.as_ref(),
        };
        let read = async {
            let eploy = self.eploy.eploy(tenant, Purpose::WriteBack).await?;
            match (eploy.candidate(&row.candidate).await, application) {
                (Err(error), Some(id)) => merged_into(&*eploy, id, &row.candidate, error)
                    .await
                    .map(Err),
                (read, _) => read.map(Ok),
            }
        };
        match read.await {
            Ok(Ok(person)) => Ok(Some(named(&person, &endpoint.person))),
            // It is saved at once, and due as before.
            Ok(Err(candidate)) => Err(Event::CandidateMerged { candidate }),
            Err(error) if error.may_retry() => Err(self.defer(row, &error)),
            Err(error) => Err(Event::Refuse(Failure::from_call(
                &error,
                row.failure.as_ref(),
                self.engine.now(),
            ))),
        }
    }

    /// The event for a failure on our side of the HRMS.
    fn defer(&self, row: &Announcement, error: &CallError) -> Event {
        tracing::warn!(tenant = %row.key.tenant, hire = %row.key.hire, code = error.code, %error, "announcement deferred");
        let (failure, until) = self
            .engine
            .retry_later(error, row.failure.as_ref(), &row.key);
        Event::Deferred { failure, until }
    }

    /// Applies `event`, saves the result and publishes. `None` if another writer changed the row first, or the event
    /// does not apply to it.
    async fn change(
        &self,
        tenant: &Tenant,
        row: &Announcement,
        event: Event,
    ) -> Result<Option<Announcement>, StoreError> {
        let what = event.name();
        let transition = match row.apply(event, self.engine.now(), &self.engine.timing) {
            Ok(transition) => transition,
            Err(NotApplicable { event, state }) => {
                tracing::debug!(tenant = %tenant.id, hire = %row.key.hire, event, state, "announcement's event rejected");
                return Ok(None);
            }
        };
        let next = transition.next;
        if self.announcements.save_announcement(&next).await? == Saved::Conflict {
            return Ok(None);
        }
        tracing::info!(tenant = %tenant.id, hire = %next.key.hire, state = next.state.name(), tries = next.tries, event = what, "announcement changed");
        let notification = transition
            .notification
            .map(|notification| match notification {
                Notification::Hired => {
                    What::Hired(Box::new(HiredCandidate::of(&next, &tenant.eploy)))
                }
                Notification::Undelivered => undelivered(&next),
            });
        if let Some(what) = notification {
            self.engine.publish(what).await;
        }
        Ok(Some(next))
    }
}

/// Logs an answer that is not a confirmation.
fn log_answer(row: &Announcement, answer: &HrmsAnswer) {
    if !Outcome::Answered(answer.status).is_delivered() {
        tracing::warn!(tenant = %row.key.tenant, hire = %row.key.hire, status = answer.status, "HRMS refused the announcement of a hire");
    }
}

/// Logs and publishes that delivery failed: never silent, because somebody is not expected at work.
fn undelivered(row: &Announcement) -> What {
    let (reason, remedy) = match &row.state {
        State::Failed(reason @ FailReason::Gone) => (
            reason.name(),
            "The endpoint answered 410: correct its address or take it out of the configuration, then redeliver.",
        ),
        State::Failed(reason @ FailReason::Refused(_)) => (
            reason.name(),
            "Eploy could not be asked about the hire: see the announcement's failure, then redeliver.",
        ),
        State::Failed(reason) => (
            reason.name(),
            "See the delivery log, fix the endpoint, then redeliver.",
        ),
        other => (other.name(), ""),
    };
    tracing::error!(tenant = %row.key.tenant, hire = %row.key.hire, reason, remedy, "hire not delivered to the HRMS");
    What::HireUndelivered {
        tenant: row.key.tenant.clone(),
        hire: row.key.hire.clone(),
        reason: reason.to_owned(),
    }
}

#[async_trait]
impl Handler for HireNotifier {
    fn kind(&self) -> Kind {
        Kind::Announce
    }

    async fn handle(&self, work: Work, _: Deadline) -> Result<Handled, Error> {
        let Work::Announce { key } = work else {
            return Ok(Handled::Misplaced);
        };
        self.announce(&key).await?;
        Ok(Handled::Done)
    }
}

#[cfg(test)]
mod tests;
