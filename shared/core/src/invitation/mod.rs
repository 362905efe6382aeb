//! The invitation: a row of the ledger.

mod event;
mod reasons;
mod report;
#[cfg(test)]
mod tests;
mod transition;

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};

pub use event::{Effect, Event, NotApplicable, Transition};
pub use report::{ActionRecord, NextTry, Part, PartFailure, PartState, Report, Writer};
pub(crate) use transition::watch_limit;

use crate::error::CallError;
use crate::ids::{
    ApplicationId, AssessmentRef, CandidateId, DefinitionId, InvitationKey, Reference,
    StatusHistoryId, VacancyId,
};
use crate::meeting::Appointment;
use crate::report::Moment;
use crate::result::{ResultSnapshot, Status};

/// A row of the ledger. It changes only through [`Invitation::apply`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Invitation {
    pub key: InvitationKey,
    /// The version; every save names the one it expects.
    pub version: u64,
    pub candidate: CandidateId,
    pub vacancy: VacancyId,
    /// The version of the mapping that it was made under, which decides everything about it, however the mapping
    /// changes. `None`, of an earlier program: the present mapping decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub definition: Option<DefinitionId>,
    /// The assessment, as its definition says. Where the definition creates interviews: the created one, once it
    /// exists.
    pub assessment: AssessmentRef,
    /// When a live interview takes place, once that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub appointment: Option<Appointment>,
    /// Whether the candidate is only added to a talent pool: nothing is expected of them there, so nothing is watched.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pooled: bool,
    pub entry: Entry,
    /// The first value of [`Entry::seen_at`], if the clock that wrote it was ahead and it was moved back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_seen_at: Option<Timestamp>,
    pub state: State,
    /// How often sending was begun.
    pub attempts: u32,
    /// Why the next step of inviting was deferred; once the platform has the invitation, why its result could not be
    /// read when it was last requested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[serde(alias = "trouble")]
    pub failure: Option<Failure>,
    /// Whether the recruiter is notified that the result cannot be read, because that has lasted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub result_overdue: bool,
    /// A keyed digest of the address that was last sent to, while a lookup may need it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_to: Option<String>,
    /// When the next step of inviting is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[serde(alias = "next_try")]
    pub retry_at: Option<Timestamp>,
    /// The platform's reference, once it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Reference>,
    /// The candidate's link, where the platform gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invite_link: Option<String>,
    /// When the platform accepted it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invited_at: Option<Timestamp>,
    /// When it ended; updated if a late result ends it again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// The last result found on the platform.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[serde(alias = "finding")]
    pub snapshot: Option<ResultSnapshot>,
    /// The change token that the last sweep saw on the platform's list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[serde(alias = "marker")]
    pub change_token: Option<String>,
    /// Counts reportable changes; 0: none.
    pub revision: u32,
    /// What Eploy shows of it.
    pub report: Report,
    /// When and why to look at it again.
    #[serde(alias = "wake")]
    pub schedule: Schedule,
    /// When what came of it was removed, because its time of keeping was over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forgotten_at: Option<Timestamp>,
    /// The events, oldest first.
    #[serde(alias = "story")]
    pub history: Vec<HistoryEntry>,
}

/// An application's entry into a trigger stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When Stagecall detected it.
    pub seen_at: Timestamp,
    /// When it happened, by Eploy's status history, where that is readable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entered_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history: Option<StatusHistoryId>,
    /// The application's modification date when it was last checked, in Eploy's own time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified: Option<Timestamp>,
    /// When the application was first seen away from the trigger stage; its next sighting there is a new entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_at: Option<Timestamp>,
    /// When the mapping was turned on: an application that entered before then belongs to the baseline and is not
    /// invited. `None` where that does not matter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
}

impl Entry {
    /// One that was seen at this time, and of which nothing else is known.
    pub fn seen(at: Timestamp) -> Self {
        Self {
            seen_at: at,
            entered_at: None,
            history: None,
            modified: None,
            left_at: None,
            not_before: None,
        }
    }
}

/// Where an invitation stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// The entry was detected; nothing was sent.
    Detected,
    /// Claimed by a sender until the lease expires. An expired lease means *unknown*, never *not sent*.
    Sending {
        /// The end of the lease; after that the outcome is to be looked up.
        lease_until: Timestamp,
    },
    /// The platform accepted it.
    Invited,
    /// The candidate began.
    Started,
    /// The candidate finished. A later re-score is a new revision, not a new state.
    Completed,
    /// The time to take it ran out.
    Expired,
    Declined,
    /// The message could not be delivered.
    Bounced,
    /// It was withdrawn on the platform.
    Cancelled,
    /// Deliberately not sent.
    Skipped(SkipReason),
    /// Permanently failed: not sent, or broken on the platform.
    Failed(FailReason),
}

/// Why an invitation was deliberately not sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SkipReason {
    /// The application was already at the stage when the mapping was turned on.
    Baseline,
    /// The application left the stage before the invitation went out.
    MovedOn,
    /// The platform already has the candidate for this assessment, through this other invitation of ours or, if `None`,
    /// from elsewhere.
    Duplicate(Option<InvitationKey>),
    /// The mapping was paused when the application entered.
    Paused,
    /// The mapping was removed before the invitation went out.
    MappingRemoved,
    /// Its vacancy or its trigger was taken out of the mapping before the invitation went out.
    MappingChanged,
    /// An operator cancelled it before it went out.
    Cancelled,
}

/// Why an invitation permanently failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailReason {
    /// The candidate has no e-mail address in Eploy.
    NoEmail,
    /// The platform or Eploy refused it.
    Refused(Failure),
    /// Tried for too long.
    GaveUp(Failure),
    /// Tried for too long without learning whether the platform accepted it.
    OutcomeUnknown(Failure),
    /// The platform reported a failure.
    OnPlatform,
    /// The platform has it, but its result could not be read for too long.
    Unanswered(Failure),
}

impl State {
    /// How far along it is. An invitation's level never decreases.
    pub fn level(&self) -> u8 {
        match self {
            Self::Detected | Self::Sending { .. } => 0,
            // Below `Invited`: if the platform accepted it after all, the state can still advance.
            Self::Skipped(_)
            | Self::Failed(
                FailReason::NoEmail
                | FailReason::Refused(_)
                | FailReason::GaveUp(_)
                | FailReason::OutcomeUnknown(_),
            ) => 1,
            Self::Invited => 2,
            Self::Started => 3,
            Self::Expired
            | Self::Declined
            | Self::Bounced
            | Self::Cancelled
            | Self::Failed(FailReason::OnPlatform | FailReason::Unanswered(_)) => 4,
            // Above the other endings: a result that the platform has reaches Eploy even if it came late.
            Self::Completed => 5,
        }
    }

    /// Whether the platform may still change it before its end.
    pub fn is_open(&self) -> bool {
        matches!(self, Self::Invited | Self::Started)
    }

    /// A short stable name, for tables, filters and metrics.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Detected => "detected",
            Self::Sending { .. } => "sending",
            Self::Invited => "invited",
            Self::Started => "started",
            Self::Completed => "completed",
            Self::Expired => "expired",
            Self::Declined => "declined",
            Self::Bounced => "bounced",
            Self::Cancelled => "cancelled",
            Self::Skipped(_) => "skipped",
            Self::Failed(_) => "failed",
        }
    }

    /// The state for a platform's status.
    pub fn of(status: Status) -> Self {
        match status {
            Status::Queued | Status::Sent | Status::Opened => Self::Invited,
            Status::Bounced => Self::Bounced,
            Status::Started => Self::Started,
            Status::Completed | Status::Graded | Status::Verified => Self::Completed,
            Status::Expired => Self::Expired,
            Status::Cancelled => Self::Cancelled,
            Status::Declined => Self::Declined,
            Status::Failed => Self::Failed(FailReason::OnPlatform),
        }
    }
}

/// Why something failed, in words for people; from a [`CallError`], so without personal data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The kind of problem.
    pub code: String,
    /// What went wrong.
    pub problem: String,
    pub remedy: String,
    /// When the first of the failures in a row was.
    #[serde(alias = "since")]
    pub first_failed_at: Timestamp,
    /// The number of failures in a row.
    #[serde(alias = "times")]
    pub attempts: u32,
}

impl Failure {
    /// The kind of problem that an application is which Eploy does not have any more.
    pub const APPLICATION_GONE: &str = "eploy.application_gone";

    /// How often an application has to be missing before it counts as gone for good: a permission that somebody
    /// takes away and gives back looks the same.
    pub const GONE_TRIES: u32 = 3;

    /// The trouble that `error` is, going on from `before`; one that began only later did so by a clock that was ahead, and
    /// counts from `now`.
    pub fn from_call(error: &CallError, before: Option<&Self>, now: Timestamp) -> Self {
        Self {
            code: error.code.to_owned(),
            problem: format!("{}, {}: {}", error.system, error.operation, error.problem),
            remedy: error.remedy.clone(),
            first_failed_at: before.map_or(now, |failure| failure.first_failed_at.min(now)),
            attempts: before
                .map_or(0, |failure| failure.attempts)
                .saturating_add(1),
        }
    }
}

/// When and why an invitation is handled again if nothing happens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// Nothing more to do.
    Never,
    /// At this time, for this step.
    At { at: Timestamp, step: Step },
    /// Whenever its assessment is swept: the platform has it, Eploy shows it, and only the platform can move it. Or a
    /// writer is just updating Eploy, on behalf of a delivery that stays due until that is done.
    ///
    /// It holds the invitation's state at the last sweep, or when the watch began. What a delivery reports in between
    /// does not change it. So the next sweep sees the same change, and would handle it if the delivery were lost, and a
    /// store need not move its index entry of watched invitations.
    #[serde(alias = "watched")]
    Sweep {
        /// The end of the watch. While open: its own expiry, `None` if the platform alone decides. After the end: when
        /// to stop looking for re-scores.
        until: Option<Timestamp>,
        /// The state's level, see [`State::level`].
        #[serde(default)]
        level: u8,
    },
}

/// A step that an invitation can be due for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Send it, or look up whether it was sent.
    Invite,
    /// Update Eploy.
    WriteBack,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryEntry {
    pub at: Timestamp,
    /// The event's short stable name.
    #[serde(deserialize_with = "event_name")]
    pub what: String,
    /// A code, an id or a reason; never personal data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// Reads an event's name. Rows of an earlier program have other names for some.
fn event_name<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let name = String::deserialize(from)?;
    Ok(match name.as_str() {
        "put_off" => "deferred".to_owned(),
        "look_up_put_off" => "lookup_deferred".to_owned(),
        "looked_up_absent" => "lookup_not_found".to_owned(),
        "watch_over" => "watch_expired".to_owned(),
        "report_doubted" => "report_stale".to_owned(),
        "report_put_off" => "report_deferred".to_owned(),
        "arranged" => "scheduled".to_owned(),
        "forgotten" => "purged".to_owned(),
        _ => name,
    })
}

impl Invitation {
    /// The maximum number of history entries; the middle is dropped, the beginning and the end stay.
    pub const MAX_HISTORY_ENTRIES: usize = 60;

    /// A newly detected entry, due to be sent at once, of a mapping whose version is not saved: see
    /// [`Invitation::under`].
    pub fn detected(
        key: InvitationKey,
        candidate: CandidateId,
        vacancy: VacancyId,
        assessment: AssessmentRef,
        entry: Entry,
    ) -> Self {
        let now = entry.seen_at;
        Self {
            key,
            version: 0,
            candidate,
            vacancy,
            definition: None,
            assessment,
            appointment: None,
            pooled: false,
            entry,
            first_seen_at: None,
            state: State::Detected,
            attempts: 0,
            failure: None,
            result_overdue: false,
            sent_to: None,
            retry_at: None,
            reference: None,
            invite_link: None,
            invited_at: None,
            ended_at: None,
            snapshot: None,
            change_token: None,
            revision: 0,
            report: Report::default(),
            schedule: Schedule::At {
                at: now,
                step: Step::Invite,
            },
            forgotten_at: None,
            history: vec![HistoryEntry {
                at: now,
                what: "detected".to_owned(),
                detail: None,
            }],
        }
    }

    /// The same entry, skipped from the start: saved, so that it is known, and never due.
    pub fn skipped(mut self, reason: SkipReason) -> Self {
        reason.name().clone_into(&mut self.history[0].what);
        self.state = State::Skipped(reason);
        self.schedule = Schedule::Never;
        self
    }

    /// The same entry, due to be sent only at this time.
    pub fn due_at(mut self, at: Timestamp) -> Self {
        self.retry_at = Some(at);
        let step = Step::Invite;
        self.schedule = Schedule::At { at, step };
        self
    }

    /// The same entry, under this version of its mapping.
    pub fn under(mut self, definition: DefinitionId) -> Self {
        self.definition = Some(definition);
        self
    }

    /// The same entry, for a talent pool.
    pub fn for_pool(mut self) -> Self {
        self.pooled = true;
        self
    }

    /// The moment to report at present; `None` if there is nothing to report.
    pub fn moment(&self) -> Option<Moment> {
        match &self.state {
            State::Detected | State::Sending { .. } => {
                (self.revision > 0).then_some(Moment::Delayed)
            }
            State::Failed(_) => Some(Moment::Failed),
            // Skipping is silent, unless the recruiter should know or was notified of the invitation before.
            State::Skipped(_) => (self.revision > 0).then_some(Moment::Failed),
            State::Invited => Some(
                match self.snapshot.as_ref().map(|snapshot| snapshot.status) {
                    Some(Status::Opened) => Moment::Opened,
                    _ => Moment::Invited,
                },
            ),
            State::Started => Some(Moment::Started),
            State::Completed => Some(Moment::Completed),
            State::Expired => Some(Moment::Expired),
            State::Declined => Some(Moment::Declined),
            State::Bounced => Some(Moment::Bounced),
            State::Cancelled => Some(Moment::Cancelled),
        }
    }

    /// Whether it holds its entry: then no other mapping invites for that entry to the same assessment. False for one
    /// that never went out, failed on the platform, or whose application has left since.
    pub fn holds_its_entry(&self) -> bool {
        let came_to_nothing = match &self.state {
            State::Skipped(_) | State::Bounced | State::Cancelled => true,
            State::Failed(reason) => !matches!(
                reason,
                FailReason::OutcomeUnknown(_) | FailReason::Unanswered(_)
            ),
            _ => false,
        };
        !came_to_nothing && self.entry.left_at.is_none()
    }

    /// When it last changed, apart from reporting and failed queries of the platform.
    pub fn settled_at(&self) -> Timestamp {
        const IGNORED: [&str; 5] = [
            "reported",
            "report_deferred",
            "report_stale",
            "result_unavailable",
            "retried",
        ];
        let changes = self.history.iter().rev();
        let last = changes
            .filter(|one| !IGNORED.contains(&one.what.as_str()))
            .map(|one| one.at)
            .next();
        last.max(self.ended_at).unwrap_or(self.entry.seen_at)
    }

    /// The next version of a row that was passed over for an invitation of one of these applications, without its name;
    /// `None` if it was not.
    #[must_use]
    pub fn without_owner(&self, of: &BTreeSet<&ApplicationId>) -> Option<Self> {
        let State::Skipped(SkipReason::Duplicate(Some(owner))) = &self.state else {
            return None;
        };
        of.contains(&owner.application).then(|| Self {
            version: self.version + 1,
            state: State::Skipped(SkipReason::Duplicate(None)),
            ..self.clone()
        })
    }

    /// When something last happened to it.
    pub fn touched_at(&self) -> Timestamp {
        self.history
            .last()
            .map_or(self.entry.seen_at, |last| last.at)
    }

    /// Whether its report says that the platform cannot be asked; then it does not wait for the platform's text.
    pub fn is_unread(&self) -> bool {
        match &self.state {
            State::Expired => self.failure.is_some(),
            State::Failed(FailReason::Unanswered(_)) => true,
            _ => self.result_overdue,
        }
    }

    /// Whether Eploy does not yet show the latest revision.
    pub fn unreported(&self) -> bool {
        self.revision > self.report.revision
    }

    /// Whether a delivery is responsible for the report: the row itself is not due for it.
    pub fn awaits_delivery(&self) -> bool {
        self.unreported() && matches!(self.schedule, Schedule::Sweep { .. })
    }
}
