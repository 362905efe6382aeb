//! Failures of an invitation: how long they have lasted, and the names of reasons.

use jiff::{SignedDuration, Timestamp};

use super::{FailReason, Failure, SkipReason};
use crate::timing::{Timing, after, seconds};

impl Failure {
    /// The minimum number of attempts before anything is given up: time without attempts proves nothing.
    pub(super) const TRIES: u32 = 10;

    /// What was due for longer than this was not attempted: the tenant was paused, or no worker was running.
    pub(super) const IDLE: SignedDuration = SignedDuration::from_hours(1);

    /// Subtracts time without attempts from the failure's age, so that the first failure after a pause does not give
    /// up.
    pub(super) fn leave_out(&mut self, idle: SignedDuration, now: Timestamp) {
        self.first_failed_at = after(self.first_failed_at, idle).min(now);
    }

    /// How long it has lasted.
    pub(super) fn lasts(&self, now: Timestamp) -> SignedDuration {
        now.duration_since(self.first_failed_at)
    }

    /// Whether it has lasted so long that the recruiter is notified.
    pub(crate) fn is_late(&self, now: Timestamp, timing: &Timing) -> bool {
        self.lasts(now) >= seconds(timing.late_seconds)
    }

    /// The minimum number of attempts before the recruiter is notified that a result cannot be read.
    const OVERDUE_TRIES: u32 = 3;

    /// Whether a platform was unreachable for so long that people are notified: a day by default.
    pub(crate) fn is_overdue(&self, now: Timestamp, timing: &Timing) -> bool {
        self.attempts >= Self::OVERDUE_TRIES && self.lasts(now) >= timing.overdue()
    }

    /// Whether a result could not be fetched for as long as results are watched at all.
    pub(super) fn is_unanswered(&self, now: Timestamp, timing: &Timing) -> bool {
        self.attempts >= Self::TRIES && self.lasts(now) >= seconds(timing.follow_seconds)
    }

    /// Whether the application is gone, as it was the last time, and was looked for often enough. Whose it was cannot be known
    /// then.
    pub(super) fn is_gone_after(&self, before: Option<&Self>) -> bool {
        let is_gone = |failure: &Self| failure.code == Self::APPLICATION_GONE;
        is_gone(self) && before.is_some_and(is_gone) && self.attempts >= Self::GONE_TRIES
    }

    /// Whether it has gone on for too long, and been tried often enough, to go on.
    pub(crate) fn is_exhausted(&self, now: Timestamp, timing: &Timing) -> bool {
        self.attempts >= Self::TRIES && self.lasts(now) >= seconds(timing.give_up_seconds)
    }
}

impl SkipReason {
    /// A short stable name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::MovedOn => "moved_on",
            Self::Paused => "paused",
            Self::Duplicate(_) => "duplicate",
            Self::MappingRemoved => "mapping_removed",
            Self::MappingChanged => "mapping_changed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl FailReason {
    /// A short stable name of the kind of failure.
    pub fn code(&self) -> &str {
        match self {
            Self::NoEmail => "candidate.no_email",
            Self::Refused(failure) | Self::GaveUp(failure) => &failure.code,
            Self::OutcomeUnknown(_) => "outcome.unknown",
            Self::OnPlatform => "platform.failed",
            Self::Unanswered(_) => "platform.unanswered",
        }
    }
}
