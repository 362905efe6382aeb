//! Time, as the core sees it: read, never waited for.

use jiff::{SignedDuration, Timestamp};

use crate::timing::after;

/// Reads the time. Injected, so that tests and simulations control it.
pub trait Clock: Send + Sync {
    /// The current time.
    fn now(&self) -> Timestamp;
}

#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// When work should stop and save its progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline(Option<Timestamp>);

impl Deadline {
    /// No deadline: the embedded host.
    pub const NONE: Self = Self(None);

    /// Stop by `at`.
    pub fn at(at: Timestamp) -> Self {
        Self(Some(at))
    }

    /// The same deadline, later by this much.
    #[must_use]
    pub fn later(self, by: SignedDuration) -> Self {
        Self(self.0.map(|at| after(at, by)))
    }

    /// Whether the deadline has passed.
    pub fn passed(self, now: Timestamp) -> bool {
        self.0.is_some_and(|at| now >= at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_has_passed_from_its_moment_on() {
        let at = Timestamp::from_second(1_800_000_000).unwrap();
        let just_before = Timestamp::from_nanosecond(at.as_nanosecond() - 1).unwrap();
        assert!(!Deadline::at(at).passed(just_before));
        assert!(Deadline::at(at).passed(at));
        assert!(!Deadline::NONE.passed(Timestamp::MAX));
        let later = Deadline::at(just_before).later(SignedDuration::from_nanos(1));
        assert!(!later.passed(just_before) && later.passed(at));
        let never = Deadline::NONE.later(SignedDuration::from_secs(1));
        assert!(!never.passed(Timestamp::MAX));
    }

    #[test]
    fn the_machines_clock_tells_the_machines_time() {
        let (before, now, after) = (Timestamp::now(), SystemClock.now(), Timestamp::now());
        assert!(before <= now && now <= after, "{before} {now} {after}");
    }
}
