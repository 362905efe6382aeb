//! The state machine: from an announcement, an event and the time to the next announcement and what follows from it.
//! Pure: no I/O, no clock, no chance.

use jiff::{SignedDuration, Timestamp};

use super::{Announcement, Attempt, FailReason, Outcome, SkipReason, State};
use crate::ids::{ApplicationId, CandidateId};
use crate::invitation::Failure;
use crate::timing::{Timing, after, seconds, spread};

/// The delays after the first failure, the second, and so on, in seconds: the schedule that the Standard Webhooks
/// specification suggests, ten attempts in three days (shared/hrms/REFERENCE.md §6).
pub const SCHEDULE: [f64; 9] = [
    5.0,
    5.0 * 60.0,
    30.0 * 60.0,
    2.0 * 3600.0,
    5.0 * 3600.0,
    10.0 * 3600.0,
    14.0 * 3600.0,
    20.0 * 3600.0,
    24.0 * 3600.0,
];

/// The longest that a receiver may put an attempt off by `Retry-After`, in seconds: the schedule's longest delay.
const LONGEST_WAIT: f64 = SCHEDULE[SCHEDULE.len() - 1];

/// Something that happens to an announcement.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The hire is real and after the plan was turned on: subscribers are told.
    Confirmed {
        /// When it happened, where Eploy tells.
        hired_at: Option<Timestamp>,
        /// The application, where it could be found.
        application: Option<ApplicationId>,
        /// Whether there is an HRMS to tell.
        endpoint: bool,
    },
    /// Nobody is to be told.
    Skip(SkipReason),
    /// The application, which had left the stage before anybody was told, is there again.
    SeenAgain {
        /// When the plan that is valid now was turned on.
        not_before: Timestamp,
    },
    /// It is another candidate's now: candidates were merged in Eploy.
    CandidateMerged {
        /// Whose.
        candidate: CandidateId,
    },
    /// Something on our side of the HRMS does not work now.
    Deferred {
        /// What.
        failure: Failure,
        /// Until when.
        until: Timestamp,
    },
    /// What is to be told cannot be read, ever.
    Refuse(Failure),
    /// There is no HRMS to tell any more.
    NoEndpoint,
    /// Somebody sets to work on an attempt.
    Begin {
        /// Until when; after that, whether it arrived is unknown, and it is made again.
        lease_until: Timestamp,
    },
    /// An attempt has ended.
    Ended {
        /// Which.
        attempt: u32,
        /// What came of it.
        outcome: Outcome,
        /// For how long the receiver wants to be left alone.
        retry_after: Option<SignedDuration>,
    },
    /// A person wants it delivered (again), whatever became of it.
    Redeliver,
}

impl Event {
    /// A short stable name, for the log and for refusals.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Confirmed { .. } => "confirmed",
            Self::Skip(_) => "skipped",
            Self::SeenAgain { .. } => "seen_again",
            Self::CandidateMerged { .. } => "candidate_merged",
            Self::Deferred { .. } => "deferred",
            Self::Refuse(_) => "refused",
            Self::NoEndpoint => "no_endpoint",
            Self::Begin { .. } => "attempt_begun",
            Self::Ended { .. } => "attempt_ended",
            Self::Redeliver => "redelivered",
        }
    }
}

/// An event that means nothing in the state it met.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{event} does not apply to an announcement that is {state}")]
pub struct NotApplicable {
    /// The event's name.
    pub event: &'static str,
    /// The state's name.
    pub state: &'static str,
}

/// What subscribers are to be told once a transition was saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// The hire itself.
    Hired,
    /// That the HRMS was told in vain.
    Undelivered,
}

/// An applied event.
#[derive(Clone, Debug, PartialEq)]
pub struct Transition {
    /// The announcement as it is to be saved, with the next version.
    pub next: Announcement,
    /// What to tell subscribers once it is saved.
    pub told: Option<Told>,
}

impl Announcement {
    /// Applies `event` at `now`.
    ///
    /// # Errors
    /// [`NotApplicable`] if the event means nothing in this state; nothing is to be saved then.
    pub fn apply(
        &self,
        event: Event,
        now: Timestamp,
        timing: &Timing,
    ) -> Result<Transition, NotApplicable> {
        let mut next = self.clone();
        let no = NotApplicable {
            event: event.name(),
            state: self.state.name(),
        };
        if !next.take(event, now, timing) {
            return Err(no);
        }
        next.version += 1;
        let told = match (&self.state, &next.state) {
            (before, after) if before == after => None,
            (_, State::Failed(_)) => Some(Told::Undelivered),
            (State::Detected | State::Skipped(_), State::Delivering | State::Published) => {
                Some(Told::Hired)
            }
            _ => None,
        };
        Ok(Transition { next, told })
    }

    /// Changes the fields. Returns whether the event applied.
    fn take(&mut self, event: Event, now: Timestamp, timing: &Timing) -> bool {
        match (event, &self.state) {
            (
                Event::Confirmed {
                    hired_at,
                    application,
                    endpoint,
                },
                State::Detected,
            ) => {
                self.hired_at = hired_at;
                self.application = application.or(self.application.take());
                if endpoint {
                    self.deliver(now);
                } else {
                    self.rest(State::Published);
                }
            }
            (Event::Skip(reason), State::Detected) => self.rest(State::Skipped(reason)),
            (Event::SeenAgain { not_before }, State::Skipped(SkipReason::MovedOn)) => {
                self.state = State::Detected;
                self.seen_at = now;
                self.not_before = not_before;
                self.due_at = Some(now);
            }
            (Event::CandidateMerged { candidate }, _) => self.candidate = candidate,
            (Event::Deferred { failure, .. }, State::Detected | State::Delivering)
                if failure.is_exhausted(now, timing) =>
            {
                self.rest(State::Failed(FailReason::Refused(failure)));
            }
            (Event::Deferred { failure, until }, State::Detected | State::Delivering) => {
                self.failure = Some(failure);
                self.due_at = Some(until);
            }
            (Event::Refuse(failure), State::Delivering) => {
                self.rest(State::Failed(FailReason::Refused(failure)));
            }
            (Event::NoEndpoint, State::Delivering) => self.rest(State::Published),
            (Event::Begin { lease_until }, State::Delivering)
                if self.due_at.is_some_and(|at| at <= now) =>
            {
                self.begin(now, lease_until);
            }
            (
                Event::Ended {
                    attempt,
                    outcome,
                    retry_after,
                },
                _,
            ) => return self.ended(attempt, outcome, retry_after, now, timing),
            (
                Event::Redeliver,
                State::Published | State::Delivered | State::Skipped(_) | State::Failed(_),
            ) => self.deliver(now),
            _ => return false,
        }
        true
    }

    /// Is delivered from now on, from the beginning of the schedule.
    fn deliver(&mut self, now: Timestamp) {
        self.state = State::Delivering;
        self.due_at = Some(now);
        self.tries = 0;
        self.failure = None;
    }

    /// Is done, one way or another.
    fn rest(&mut self, state: State) {
        self.state = state;
        self.due_at = None;
        self.failure = None;
    }

    fn begin(&mut self, now: Timestamp, lease_until: Timestamp) {
        // One that ended without telling was in vain as far as anybody knows; or who always ends so would go on for ever.
        if self
            .attempts
            .last()
            .is_some_and(|last| last.outcome == Outcome::Unknown)
        {
            self.tries += 1;
            if self.tries as usize > SCHEDULE.len() {
                return self.rest(State::Failed(FailReason::GaveUp));
            }
        }
        let number = self.attempts.last().map_or(0, |last| last.number) + 1;
        self.attempts.push(Attempt {
            number,
            at: now,
            outcome: Outcome::Unknown,
        });
        let surplus = self.attempts.len().saturating_sub(Self::LONGEST_LOG);
        self.attempts.drain(..surplus);
        self.failure = None;
        self.due_at = Some(lease_until);
    }

    fn ended(
        &mut self,
        number: u32,
        outcome: Outcome,
        retry_after: Option<SignedDuration>,
        now: Timestamp,
        timing: &Timing,
    ) -> bool {
        let newest = self.attempts.last().map(|last| last.number) == Some(number);
        let Some(attempt) = self
            .attempts
            .iter_mut()
            .find(|one| one.number == number && one.outcome == Outcome::Unknown)
        else {
            return false;
        };
        let (delivered, gone) = (outcome.is_delivered(), outcome == Outcome::Answered(410));
        attempt.outcome = outcome;
        if self.state != State::Delivering {
            // Only the log learns of it.
            return true;
        }
        if delivered {
            // Whoever delivered it, be it one whose lease had run out.
            self.tries = 0;
            self.rest(State::Delivered);
        } else if !newest {
            // Another attempt is under way, and decides.
        } else if gone {
            self.tries += 1;
            self.rest(State::Failed(FailReason::Gone));
        } else {
            self.tries += 1;
            match SCHEDULE.get(self.tries as usize - 1) {
                Some(delay) => self.due_at = Some(self.again_at(*delay, retry_after, now, timing)),
                None => self.rest(State::Failed(FailReason::GaveUp)),
            }
        }
        true
    }

    /// When to try again: by the schedule, spread by a tenth, or later where the receiver asked for it.
    fn again_at(
        &self,
        delay: f64,
        retry_after: Option<SignedDuration>,
        now: Timestamp,
        timing: &Timing,
    ) -> Timestamp {
        let scale = timing.announce_seconds / SCHEDULE[0];
        let spread = 1.0 + spread(self.tries, &self.key.to_string()) / 10.0;
        let scheduled = seconds(delay * scale * spread);
        let asked = retry_after
            .unwrap_or_default()
            .min(seconds(LONGEST_WAIT * scale.max(1.0)));
        after(now, scheduled.max(asked))
    }
}
