//! The limit of an account's calls in a second.

use jiff::Timestamp;

/// The calls of the present second.
#[derive(Default)]
pub(crate) struct Throttle {
    second: i64,
    calls: u32,
}

impl Throttle {
    /// Counts a call. Returns whether it is one too many.
    pub(crate) fn exceeds(&mut self, most: Option<u32>, now: Timestamp) -> bool {
        if self.second != now.as_second() {
            self.second = now.as_second();
            self.calls = 0;
        }
        self.calls += 1;
        most.is_some_and(|most| self.calls > most)
    }
}
