//! Time, as the core sees it: asked for, never slept for.

use jiff::Timestamp;

/// Tells the time. Injected, so that a test or a simulation decides what time it is.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// Until when a piece of work may go on before it should stop and save its progress.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Option<Timestamp>);

impl Deadline {
    /// No end: the embedded host.
    pub const NONE: Self = Self(None);

    /// Stop by `at`.
    pub fn at(at: Timestamp) -> Self {
        Self(Some(at))
    }

    /// Whether it is time to stop.
    pub fn passed(self, now: Timestamp) -> bool {
        self.0.is_some_and(|at| now >= at)
    }
}
