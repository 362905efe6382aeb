//! The announcement of a hire: what a subscriber and the tenant's HRMS are told of it, and its delivery log.

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
pub use transition::{Event, NotApplicable, SCHEDULE, Told, Transition};

use crate::ids::{ApplicationId, CandidateId, PlacementId, TenantId, VacancyId};
use crate::invitation::Failure;

/// What a hire is known by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hire {
    /// The application that entered the stage of the hired.
    Application(ApplicationId),
    /// The placement that came to the status of the hired.
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

/// What an announcement *is*: one hire of one tenant. It is the primary key of its row, so "announced once" is a property
/// of the key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct HireKey {
    /// Whose.
    pub tenant: TenantId,
    /// Which.
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

/// A row of the announcements. It changes only through [`Announcement::apply`]. It holds ids and times, and nothing about
/// the person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Announcement {
    /// Which one it is.
    pub key: HireKey,
    /// Counts the changes; every save names the version it expects.
    pub version: u64,
    /// Who is hired.
    pub candidate: CandidateId,
    /// For which vacancy.
    pub vacancy: VacancyId,
    /// By which application; of a placement, once it was looked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application: Option<ApplicationId>,
    /// When Stagecall saw it.
    pub seen_at: Timestamp,
    /// When the plan was turned on: whoever turns out to have been hired before is not announced.
    pub not_before: Timestamp,
    /// When it happened, by Eploy's status history, where that is readable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hired_at: Option<Timestamp>,
    /// Where it stands.
    pub state: State,
    /// When its next step is due; none if nothing is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
    /// Attempts in vain since delivery was begun, or begun anew.
    #[serde(default)]
    pub tries: u32,
    /// The delivery log, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<Attempt>,
    /// Why its next step was put off, if it was: something on this side of the HRMS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[serde(alias = "trouble")]
    pub failure: Option<Failure>,
}

/// Where an announcement stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// The hire was seen; nobody was told.
    Detected,
    /// Subscribers were told; the HRMS has not confirmed it.
    Delivering,
    /// Subscribers were told; there was no HRMS to tell.
    Published,
    /// The HRMS has confirmed it.
    Delivered,
    /// Nobody was told, on purpose.
    Skipped(SkipReason),
    /// The HRMS was told in vain. Only a redelivery goes on from here.
    Failed(FailReason),
}

/// Why nobody was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SkipReason {
    /// Hired before the plan was turned on.
    Baseline,
    /// The application left the stage before anybody was told. Entering it again is a hire.
    MovedOn,
    /// The plan was removed before anybody was told.
    PlanRemoved,
}

/// Why the HRMS is not told any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailReason {
    /// It answered 410: it wants nothing more from here.
    Gone,
    /// The whole schedule was gone through.
    GaveUp,
    /// What the tenant wants told about the person cannot be read, ever.
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
    /// When it was begun.
    pub at: Timestamp,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is under way; or, once another has begun, whoever made it ended without telling.
    Unknown,
    /// This status was answered.
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
    /// The most lines a delivery log keeps; the oldest go first.
    pub const LONGEST_LOG: usize = 40;

    /// A newly seen hire, due to be told at once.
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

    /// The same hire, of before the plan was turned on: on record, so that it is known, and nothing is ever due for it.
    pub fn of_baseline(mut self) -> Self {
        self.state = State::Skipped(SkipReason::Baseline);
        self.due_at = None;
        self
    }
}
