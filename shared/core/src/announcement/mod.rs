//! The announcement of a hire: what subscribers and the tenant's HRMS receive, and its delivery log.

mod payload;
#[cfg(test)]
mod tests;
mod transition;

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

pub(crate) use payload::named;
pub use payload::{HiredCandidate, Linked, webhook};
pub use transition::{Event, NotApplicable, Notification, SCHEDULE, Transition};

use crate::ids::{ApplicationId, CandidateId, PlacementId, TenantId, VacancyId};
use crate::invitation::Failure;

/// The identity of a hire.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hire {
    /// The application that entered the stage of the hired.
    Application(ApplicationId),
    /// The placement that got the status of the hired.
    Placement(PlacementId),
}

impl Hire {
    /// Its kind and its id, for a store's keys.
    pub fn parts(&self) -> (&'static str, &str) {
        match self {
            Self::Application(id) => ("application", id.as_str()),
            Self::Placement(id) => ("placement", id.as_str()),
        }
    }

    /// The hire with these parts.
    pub fn of_parts(kind: &str, id: &str) -> Option<Self> {
        match kind {
            "application" => Some(Self::Application(id.into())),
            "placement" => Some(Self::Placement(id.into())),
            _ => None,
        }
    }
}

impl fmt::Display for Hire {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, id) = self.parts();
        write!(to, "{kind}.{id}")
    }
}

/// What an announcement *is*: one hire of one tenant. It is the primary key of its row, so "announced once" is a
/// property of the key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct HireKey {
    pub tenant: TenantId,
    pub hire: Hire,
}

impl HireKey {
    /// The id of the webhook that tells of it: the same on every attempt and for every redelivery. Without full stops,
    /// because it is signed in front of one (shared/hrms/REFERENCE.md §2).
    pub fn webhook_id(&self) -> String {
        let (kind, id) = self.hire.parts();
        let mut hash = Sha256::new();
        for part in [self.tenant.as_str(), kind, id] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        format!("hire_{}", hex::encode(&hash.finalize()[..16]))
    }
}

impl fmt::Display for HireKey {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{}/{}", self.tenant, self.hire)
    }
}

/// A row of the announcements. It changes only through [`Announcement::apply`]. It holds ids and times, and no personal
/// data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Announcement {
    pub key: HireKey,
    /// The version; every save names the one it expects.
    pub version: u64,
    pub candidate: CandidateId,
    pub vacancy: VacancyId,
    /// The application; of a placement, once it was looked up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application: Option<ApplicationId>,
    /// When Stagecall detected it.
    pub seen_at: Timestamp,
    /// When the plan was turned on: earlier hires are not announced.
    pub not_before: Timestamp,
    /// When it happened, by Eploy's status history, where that is readable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hired_at: Option<Timestamp>,
    pub state: State,
    /// When its next step is due; `None` if nothing is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
    /// Failed attempts since the delivery was begun or restarted.
    #[serde(default)]
    pub tries: u32,
    /// The delivery log, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<Attempt>,
    /// Why its next step was deferred: a failure on our side of the HRMS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[serde(alias = "trouble")]
    pub failure: Option<Failure>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// The hire was detected; nothing was published.
    Detected,
    /// Published; the HRMS has not confirmed it.
    Delivering,
    /// Published; there was no HRMS.
    Published,
    /// The HRMS has confirmed it.
    Delivered,
    /// Deliberately not published.
    Skipped(SkipReason),
    /// Delivery to the HRMS failed. Only a redelivery continues from here.
    Failed(FailReason),
}

/// Why a hire was not published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SkipReason {
    /// Hired before the plan was turned on.
    Baseline,
    /// The application left the stage before the hire was published. Entering it again is a hire.
    MovedOn,
    /// The plan was removed before the hire was published.
    PlanRemoved,
}

/// Why delivery to the HRMS ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailReason {
    /// It answered 410: it accepts nothing more from us.
    Gone,
    /// The whole schedule failed.
    GaveUp,
    /// The configured fields of the person can never be read.
    Refused(Failure),
}

impl State {
    /// A short stable name, for tables, filters and metrics.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Detected => "detected",
            Self::Delivering => "delivering",
            Self::Published => "published",
            Self::Delivered => "delivered",
            Self::Skipped(_) => "skipped",
            Self::Failed(_) => "failed",
        }
    }
}

impl FailReason {
    /// A short stable name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::GaveUp => "gave_up",
            Self::Refused(_) => "refused",
        }
    }
}

/// A line of the delivery log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Counts all attempts, from 1.
    pub number: u32,
    pub at: Timestamp,
    /// Its outcome.
    pub outcome: Outcome,
}

/// The outcome of an attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is in progress; or, once another has begun, it ended without a known outcome.
    Unknown,
    /// The HRMS answered with this status.
    Answered(u16),
    /// There was no answer: a stable name of the kind of problem (`hrms.no_connection`).
    Unanswered(String),
}

impl Outcome {
    /// Whether the HRMS has confirmed it.
    pub fn is_delivered(&self) -> bool {
        matches!(self, Self::Answered(200..300))
    }
}

impl Announcement {
    /// The maximum number of lines in a delivery log; the oldest are dropped first.
    pub const MAX_LOG_LINES: usize = 40;

    /// A newly detected hire, due to be announced at once.
    pub fn detected(
        key: HireKey,
        candidate: CandidateId,
        vacancy: VacancyId,
        seen_at: Timestamp,
        not_before: Timestamp,
    ) -> Self {
        let application = match &key.hire {
            Hire::Application(id) => Some(id.clone()),
            Hire::Placement(_) => None,
        };
        Self {
            key,
            version: 0,
            candidate,
            vacancy,
            application,
            seen_at,
            not_before,
            hired_at: None,
            state: State::Detected,
            due_at: Some(seen_at),
            tries: 0,
            attempts: Vec::new(),
            failure: None,
        }
    }

    /// The same hire, as part of the baseline: saved, so that it is known, and never due.
    pub fn of_baseline(mut self) -> Self {
        self.state = State::Skipped(SkipReason::Baseline);
        self.due_at = None;
        self
    }
}
