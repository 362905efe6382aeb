//! The state machine: from an announcement, an event and the time to the next announcement and its effects. Pure: no
//! I/O, no clock, no randomness.

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

/// The maximum delay that a receiver may ask for by `Retry-After`, in seconds: the schedule's longest delay.
const MAX_WAIT_SECONDS: f64 = SCHEDULE[SCHEDULE.len() - 1];

#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The hire is real and from after the plan was turned on: it is published.
    Confirmed {
        /// When it happened, where Eploy tells.
        hired_at: Option<Timestamp>,
        /// The application, where it could be found.
        application: Option<ApplicationId>,
        /// Whether there is an HRMS to deliver to.
        endpoint: bool,
    },
    /// It is not to be published.
    Skip(SkipReason),
    /// The application, which had left the stage before the hire was published, is there again.
    SeenAgain {
        /// When the present plan was turned on.
        not_before: Timestamp,
    },
    /// It is another candidate's now: candidates were merged in Eploy.
    CandidateMerged { candidate: CandidateId },
    /// Something on our side of the HRMS does not work now.
    Deferred {
        failure: Failure,
        /// The time of the next attempt.
        until: Timestamp,
    },
    /// The configured fields can never be read.
    Refuse(Failure),
    /// There is no HRMS any more.
    NoEndpoint,
    Begin {
        /// The end of its lease; after that its outcome is unknown, and it is repeated.
        lease_until: Timestamp,
    },
    Ended {
        attempt: u32,
        /// Its outcome.
        outcome: Outcome,
        /// How long the receiver asked us to wait.
        retry_after: Option<SignedDuration>,
    },
    /// An operator requests a (re)delivery, whatever the outcome so far.
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

/// An event that does not apply in the present state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{event} does not apply to an announcement that is {state}")]
pub struct NotApplicable {
    pub event: &'static str,
    pub state: &'static str,
}

/// What is published once a transition was saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notification {
    Hired,
    /// The failure of the delivery.
    Undelivered,
}

/// An applied event.
#[derive(Clone, Debug, PartialEq)]
pub struct Transition {
    /// The announcement to be saved, with the next version.
    pub next: Announcement,
    /// What to publish once it is saved.
    pub notification: Option<Notification>,
}

impl Announcement {
    /// Applies `event` at `now`.
    ///
    /// # Errors
    /// [`NotApplicable`] if the event means nothing in this state; then nothing is saved.
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
        if !next.mutate(event, now, timing) {
            return Err(no);
        }
        next.version += 1;
        let notification = match (&self.state, &next.state) {
            (before, after) if before == after => None,
            (_, State::Failed(_)) => Some(Notification::Undelivered),
            (State::Detected | State::Skipped(_), State::Delivering | State::Published) => {
                Some(Notification::Hired)
            }
            _ => None,
        };
        Ok(Transition { next, notification })
    }

    /// Changes the fields. Returns whether the event applied.
    fn mutate(&mut self, event: Event, now: Timestamp, timing: &Timing) -> bool {
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

    /// Starts the delivery at the beginning of the schedule.
    fn deliver(&mut self, now: Timestamp) {
        self.state = State::Delivering;
        self.due_at = Some(now);
        self.tries = 0;
        self.failure = None;
    }

    /// Ends in this state.
    fn rest(&mut self, state: State) {
        self.state = state;
        self.due_at = None;
        self.failure = None;
    }

    fn begin(&mut self, now: Timestamp, lease_until: Timestamp) {
        // An attempt without a known outcome counts as failed; otherwise attempts that always end so would never stop.
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
        let surplus = self.attempts.len().saturating_sub(Self::MAX_LOG_LINES);
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
            // Only the log changes.
            return true;
        }
        if delivered {
            // Whichever attempt delivered it, also one whose lease had expired.
            self.tries = 0;
            self.rest(State::Delivered);
        } else if !newest {
            // Another attempt is in progress and decides.
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

    /// The next attempt: by the schedule, spread by a tenth, or later where the receiver asked for it.
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
            .min(seconds(MAX_WAIT_SECONDS * scale.max(1.0)));
        after(now, scheduled.max(asked))
    }
}
