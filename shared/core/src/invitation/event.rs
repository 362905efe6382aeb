//! What can happen to an invitation, and what may follow.

use jiff::Timestamp;

use super::{FailReason, Failure, Invitation, Report, SkipReason};
use crate::events::DomainEvent;
use crate::ids::{AssessmentId, AssessmentRef, CandidateId, Reference, StatusHistoryId};
use crate::meeting::Appointment;
use crate::result::ResultSnapshot;
use crate::work::Work;

/// Something that happens to an invitation.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Which live interview it is for, and when that is: on record before anybody is told.
    Scheduled {
        /// The interview.
        assessment: AssessmentId,
        /// When.
        appointment: Appointment,
    },
    /// A sender takes it, having seen the application at the trigger.
    Claim {
        /// Until when it may be at work.
        lease_until: Timestamp,
        /// When the application entered, where the status history tells.
        entered_at: Option<Timestamp>,
        /// The row of the status history.
        history: Option<StatusHistoryId>,
        /// The digest of the address that is sent to, see [`Invitation::sent_to`].
        sent_to: Option<String>,
    },
    /// The next step of inviting cannot be made now; nothing was sent.
    Deferred {
        /// The attempt whose claim the speaker holds; `None` before any claim. A sender whose lease ran out, and who
        /// wakes up late, thereby cannot undo another's claim.
        claim: Option<u32>,
        /// Why.
        failure: Failure,
        /// Until when.
        until: Timestamp,
    },
    /// The call was made, and whether it took effect is not known.
    OutcomeUnknown {
        /// Of which attempt.
        attempt: u32,
        /// Why.
        failure: Failure,
        /// When to look it up: once a request that is still on its way must have arrived.
        look_up_at: Timestamp,
    },
    /// The look-up itself did not work.
    LookupDeferred {
        /// Why.
        failure: Failure,
        /// Until when.
        until: Timestamp,
    },
    /// The platform was asked and does not have it: it may be sent again.
    LookupNotFound {
        /// When, if the call before had failed; at once if its sender had simply gone.
        again_at: Option<Timestamp>,
    },
    /// The platform has it.
    Sent {
        /// Under this reference.
        reference: Reference,
        /// With this link for the candidate.
        link: Option<String>,
        /// Whether it was found there and not just sent.
        adopted: bool,
        /// The sender's claim on the report, if it goes on to write it.
        writer: Option<Writer>,
    },
    /// It is not to be sent.
    Skip {
        /// As in [`Event::Deferred`].
        claim: Option<u32>,
        /// Why.
        reason: SkipReason,
    },
    /// It cannot be sent, ever.
    Fail {
        /// As in [`Event::Deferred`].
        claim: Option<u32>,
        /// Why.
        reason: FailReason,
    },
    /// The platform was asked for its result.
    Observed {
        /// What it said.
        snapshot: ResultSnapshot,
        /// The mark that a sweep saw on its list.
        change_token: Option<String>,
        /// Until when the observer will be at work on the report, if it goes on to write one.
        lease_until: Option<Timestamp>,
        /// Whether a stored delivery brought the observer, and stays due until the report is written or the row is due
        /// itself. While the lease runs, such a row stays watched: it is the delivery that comes back to it.
        carried: bool,
    },
    /// The platform could not be asked for the result.
    ResultUnavailable(Failure),
    /// The time until which it was watched is over.
    WatchExpired,
    /// The application was seen away from the trigger stage.
    Left,
    /// The application was looked at and is still in the same stay at the stage.
    StillThere {
        /// Its modification date, in Eploy's own time.
        modified: Option<Timestamp>,
    },
    /// Its application is another candidate's now: candidates were merged in Eploy.
    CandidateMerged {
        /// Whose it is.
        candidate: CandidateId,
    },
    /// Somebody sets to work on the report.
    ReportBegun(Writer),
    /// Part of the report was written; the rest is going on.
    ReportProgress(Report),
    /// Eploy shows `report.revision`, but for the parts that were given up.
    Reported(Report),
    /// A writer whose lease had run out may have written over a newer report, one that somebody is still at work on too.
    ReportStale,
    /// Reporting cannot be finished now.
    ReportDeferred {
        /// What of it was written, and what failed.
        report: Report,
        /// Until when.
        until: Timestamp,
    },
    /// An operator wants it tried again now: what waits goes on at once; what failed before the platform had it begins
    /// anew, with a look-up where a call was made.
    Retry,
    /// An operator takes it back. Whoever says so sees to it that the platform does, too.
    Cancel,
    /// Its time of keeping is over: what came of it is removed, and nothing is ever done about it again. What it is,
    /// that it was, and the platform's reference stay, so that nobody is invited twice.
    Purge,
}

impl Event {
    /// A short stable name, for the story and for refusals.
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
            Self::Left => "left_stage",
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

/// A writer's claim on the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Writer {
    /// Until when it may be at work.
    pub lease_until: Timestamp,
    /// Whether it may create the action.
    pub creates_action: bool,
}

/// An event that means nothing, or nothing new, in the state it met.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotApplicable {
    /// The state has moved past it.
    #[error("{event} does not apply to an invitation that is {state}")]
    Past {
        /// The event's name.
        event: &'static str,
        /// The state's name.
        state: &'static str,
    },
    /// Everything it says is known.
    #[error("{event}: nothing new")]
    NothingNew {
        /// The event's name.
        event: &'static str,
    },
    /// The platform turns out to hold a second invitation. Never silent: a person has to look.
    #[error(
        "the platform has a second invitation, {second}, beside {first}. Cancel one of them there"
    )]
    Double {
        /// The reference on record.
        first: Reference,
        /// The other one.
        second: Reference,
    },
}

/// What is to be done after a transition was saved. All of it may be lost without harm: the saved row is due for it.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Hand out work now instead of waiting for the clock.
    Queue(Work),
    /// Tell subscribers.
    Publish(DomainEvent),
    /// The assessment has an invitation to watch: see that it is swept.
    Watch(AssessmentRef),
}

/// An applied event.
#[derive(Clone, Debug, PartialEq)]
pub struct Transition {
    /// The invitation as it is to be saved, with the next version.
    pub next: Invitation,
    /// What to do once it is saved.
    pub effects: Vec<Effect>,
}
