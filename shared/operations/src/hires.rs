//! The announced hires, and their delivery to the HRMS.

use async_trait::async_trait;
use stagecall_core::announcement::{
    Announcement, FailReason, Hire, HireKey, Outcome, SkipReason, State,
};
use stagecall_core::usecases::Redelivery as Asked;

use crate::actor::Actor;
use crate::change::Change;
use crate::error::{Error, Result};
use crate::installation::Installation;

/// A tenant's announcements, the latest change first, at most `limit`.
pub async fn list(on: &Installation, tenant: &str, limit: usize) -> Result<Vec<Announcement>> {
    let tenant = on.known_tenant(tenant).await?;
    Ok(on.announcements.announcements(&tenant, limit).await?)
}

/// The state of an announcement, and the reason.
pub fn state(of: &Announcement) -> String {
    let why = match &of.state {
        State::Skipped(SkipReason::Baseline) => "hired before the plan was turned on",
        State::Skipped(SkipReason::MovedOn) => "it left the stage before the webhook was sent",
        State::Skipped(SkipReason::PlanRemoved) => "the plan for hires was removed",
        State::Failed(FailReason::Gone) => "the HRMS wants no more webhooks (410)",
        State::Failed(FailReason::GaveUp) => {
            "the HRMS did not accept it by the end of the retry schedule"
        }
        State::Failed(FailReason::Refused(failure)) => &failure.problem,
        State::Published => "no HRMS endpoint is configured",
        State::Detected | State::Delivering => match &of.failure {
            Some(failure) => &failure.problem,
            None => return of.state.name().to_owned(),
        },
        State::Delivered => return of.state.name().to_owned(),
    };
    format!("{}: {why}", of.state.name())
}

/// The outcome of an attempt to deliver.
pub fn outcome(of: &Outcome) -> String {
    match of {
        Outcome::Unknown => "unknown".to_owned(),
        Outcome::Answered(status) => format!("HTTP {status}"),
        Outcome::Unanswered(code) => format!("no answer ({code})"),
    }
}

/// Sends the webhook of a hire again, whatever its state; the webhook's id stays the same.
#[derive(Debug)]
pub struct Redelivery {
    row: Announcement,
}

/// What a redelivery did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redelivered {
    /// The webhook is due at once.
    Due,
    /// It is being sent already.
    UnderWay,
}

/// Prepares a redelivery.
///
/// # Errors
/// There is no such tenant or announced hire, or the store fails.
pub async fn redelivery(on: &Installation, tenant: &str, hire: Hire) -> Result<Redelivery> {
    let tenant = on.tenant(tenant).await?.id;
    let key = HireKey { tenant, hire };
    match on.announcements.load_announcement(&key).await? {
        Some(row) => Ok(Redelivery { row }),
        None => Err(unknown(&key)),
    }
}

fn unknown(key: &HireKey) -> Error {
    Error::NotFound(format!(
        "{} has no announced hire {}. List them with: stagecall hires list {}",
        key.tenant, key.hire, key.tenant
    ))
}

#[async_trait]
impl Change for Redelivery {
    type Done = Redelivered;

    fn in_words(&self) -> String {
        let key = &self.row.key;
        format!(
            "The webhook of {} will be sent to the HRMS of {} again, as {}. Its state is {}.",
            key.hire,
            key.tenant,
            key.webhook_id(),
            state(&self.row)
        )
    }

    async fn apply(self, on: &Installation, actor: &Actor) -> Result<Redelivered> {
        let key = &self.row.key;
        match on.ports().hire_notifier().redeliver(key).await? {
            Asked::Due => {
                let (tenant, hire) = (Some(&key.tenant), key.hire.to_string());
                actor.record(on, "hires redeliver", tenant, hire).await?;
                Ok(Redelivered::Due)
            }
            Asked::UnderWay => Ok(Redelivered::UnderWay),
            Asked::Unknown => Err(unknown(key)),
            Asked::NoEndpoint => Err(Error::Invalid(format!(
                "{} has no HRMS endpoint: add hires.endpoint with stagecall tenant apply",
                key.tenant
            ))),
        }
    }
}
