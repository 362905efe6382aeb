//! Events of an invitation, and what follows from them.

use jiff::Timestamp;

use super::{FailReason, Failure, Invitation, Report, SkipReason, Writer};
use crate::events::DomainEvent;
use crate::ids::{AssessmentId, AssessmentRef, CandidateId, Reference, StatusHistoryId};
use crate::meeting::Appointment;
use crate::result::ResultSnapshot;
use crate::work::Work;

#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The live interview and its time are known: saved before anybody is notified.
    Scheduled {
        assessment: AssessmentId,
        /// When it takes place.
        appointment: Appointment,
    },
    /// A sender claims it, having seen the application at the trigger.
    Claim {
        lease_until: Timestamp,
        /// When the application entered, where the status history shows it.
        entered_at: Option<Timestamp>,
        /// The entry's row in the status history.
        history: Option<StatusHistoryId>,
        /// The digest of the address that is sent to, see [`Invitation::sent_to`].
        sent_to: Option<String>,
    },
    /// The next step of inviting cannot be made now; nothing was sent.
    Deferred {
        /// The attempt whose claim the sender holds; `None` before any claim. So a sender whose lease expired, and who
        /// resumes late, cannot undo another's claim.
        claim: Option<u32>,
        failure: Failure,
        /// The time of the next attempt.
        until: Timestamp,
    },
    /// The call was made, and its effect is unknown.
    OutcomeUnknown {
        attempt: u32,
        failure: Failure,
        /// When to look it up: once a request under way must have arrived.
        look_up_at: Timestamp,
    },
    /// The lookup failed.
    LookupDeferred {
        failure: Failure,
        /// The time of the next attempt.
        until: Timestamp,
    },
    /// The platform does not have it: it may be sent again.
    LookupNotFound {
        /// When to send again, if the call before had failed; at once if its sender had simply died.
        again_at: Option<Timestamp>,
    },
    /// The platform has it.
    Sent {
        reference: Reference,
        link: Option<String>,
        /// Whether it was found there and not just sent.
        adopted: bool,
        /// The sender's claim on the report, if it continues with that.
        writer: Option<Writer>,
    },
    /// It is not to be sent.
    Skip {
        /// As in [`Event::Deferred`].
        claim: Option<u32>,
        reason: SkipReason,
    },
    /// It can never be sent.
    Fail {
        /// As in [`Event::Deferred`].
        claim: Option<u32>,
        reason: FailReason,
    },
    /// The platform returned its result.
    Observed {
        snapshot: ResultSnapshot,
        /// The change token that a sweep saw on the platform's list.
        change_token: Option<String>,
        /// The end of the observer's lease on the report, if it continues with that.
        lease_until: Option<Timestamp>,
        /// Whether the observer works for a stored delivery, which stays due until the report is written or the row
        /// itself is due. During the lease such a row stays watched: the delivery comes back to it.
        carried: bool,
    },
    /// The result could not be fetched from the platform.
    ResultUnavailable(Failure),
    WatchExpired,
    /// The application was seen away from the trigger stage.
    Left {
        /// Its modification date, in Eploy's own time.
        modified: Option<Timestamp>,
    },
    /// The application was checked and is still in the same stay at the stage.
    StillThere {
        /// Its modification date, in Eploy's own time.
        modified: Option<Timestamp>,
    },
    /// Candidates were merged in Eploy: the application belongs to another candidate now.
    CandidateMerged {
        candidate: CandidateId,
    },
    ReportBegun(Writer),
    /// Part of the report was written; the rest follows.
    ReportProgress(Report),
    /// Eploy shows `report.revision`, except for parts that were given up.
    Reported(Report),
    /// A writer whose lease had expired may have written over a newer report that another writer is still working on.
    ReportStale,
    /// The report cannot be finished now.
    ReportDeferred {
        /// What was written, and what failed.
        report: Report,
        /// The time of the next attempt.
        until: Timestamp,
    },
    /// An operator requests a retry: what waits continues at once; what failed before the platform had it starts again,
    /// with a lookup if a call was made.
    Retry,
    /// An operator cancels it. The caller makes sure that the platform withdraws it, too.
    Cancel,
    /// Its retention time is over: its result is removed, and nothing is ever done about it again. Its key, its state
    /// and the platform's reference stay, so that nobody is invited twice.
    Purge,
}

impl Event {
    /// A short stable name, for the history and for refusals.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Scheduled { .. } => "scheduled",
            Self::Claim { .. } => "claimed",
            Self::Deferred { .. } => "deferred",
            Self::OutcomeUnknown { .. } => "outcome_unknown",
            Self::LookupDeferred { .. } => "lookup_deferred",
            Self::LookupNotFound { .. } => "lookup_not_found",
            Self::Sent { adopted: false, .. } => "sent",
            Self::Sent { adopted: true, .. } => "adopted",
            Self::Skip { .. } => "skipped",
            Self::Fail { .. } => "failed",
            Self::Observed { .. } => "observed",
            Self::ResultUnavailable(_) => "result_unavailable",
            Self::WatchExpired => "watch_expired",
            Self::Left { .. } => "left_stage",
            Self::StillThere { .. } => "still_there",
            Self::CandidateMerged { .. } => "candidate_merged",
            Self::ReportBegun(_) => "report_begun",
            Self::ReportProgress(_) => "report_progress",
            Self::Reported(_) => "reported",
            Self::ReportStale => "report_stale",
            Self::ReportDeferred { .. } => "report_deferred",
            Self::Retry => "retried",
            Self::Cancel => "cancelled",
            Self::Purge => "purged",
        }
    }
}

/// An event that does not apply, or changes nothing, in the present state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotApplicable {
    /// The state has moved past it.
    #[error("{event} does not apply to an invitation that is {state}")]
    Past {
        event: &'static str,
        state: &'static str,
    },
    /// Everything in it is known.
    #[error("{event}: nothing new")]
    NothingNew { event: &'static str },
    /// The platform has a second invitation. Never silent: a person has to look.
    #[error(
        "the platform has a second invitation, {second}, beside {first}. Cancel one of them there"
    )]
    Double { first: Reference, second: Reference },
}

/// A follow-up of a saved transition. Losing one is harmless: the saved row is due for it.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Enqueue work now instead of waiting for the clock.
    Queue(Work),
    Publish(DomainEvent),
    /// Schedule a sweep of the assessment, which has an invitation to watch.
    Watch(AssessmentRef),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Transition {
    /// The invitation to be saved, with the next version.
    pub next: Invitation,
    /// What to do once it is saved.
    pub effects: Vec<Effect>,
}
