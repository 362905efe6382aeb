//! The time of an invocation.

use std::time::Duration;

use lambda_runtime::Context;
use stagecall_core::Timestamp;
use stagecall_core::clock::Deadline;
use tokio::time::Instant;

/// The time reserved at the end of an invocation, for the response and the metrics.
const RESERVED: Duration = Duration::from_secs(2);

#[derive(Clone, Copy, Debug)]
pub struct InvocationDeadline {
    /// When running work is stopped.
    pub end: Instant,
    /// Until when new work may be started.
    pub begin_until: Instant,
    /// The same for the core: from then on, paged work stops and saves its progress.
    pub deadline: Deadline,
}

impl InvocationDeadline {
    /// The deadlines of this invocation, if one work item may need as much time as `needs`.
    pub fn of(context: &Context, needs: Duration) -> Self {
        let ends = i64::try_from(context.deadline)
            .ok()
            .and_then(|at| Timestamp::from_millisecond(at).ok())
            .unwrap_or(Timestamp::MAX);
        Self::ending(ends, Timestamp::now(), needs)
    }

    /// The deadlines for an invocation that ends at `ends`, seen at `now`.
    pub fn ending(ends: Timestamp, now: Timestamp, needs: Duration) -> Self {
        // At most a day, so that adding it to a point in time cannot fail.
        let all = Duration::try_from(ends.duration_since(now))
            .unwrap_or_default()
            .min(Duration::from_hours(24));
        let left = all.saturating_sub(RESERVED);
        let begin = left.saturating_sub(needs);
        Self {
            end: Instant::now() + left,
            begin_until: Instant::now() + begin,
            deadline: Deadline::at(now.checked_add(begin).unwrap_or(now)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_window_closes_for_new_work_before_it_ends() {
        let window = InvocationDeadline::ending(at(1100), at(1000), Duration::from_secs(30));
        assert_eq!(window.end - Instant::now(), Duration::from_secs(98));
        assert_eq!(window.begin_until - Instant::now(), Duration::from_secs(68));
        assert!(!window.deadline.passed(at(1067)));
        assert!(window.deadline.passed(at(1068)));
    }

    #[tokio::test(start_paused = true)]
    async fn in_a_window_that_is_over_or_too_short_no_work_starts() {
        for ends in [900, 1000, 1001, 1020] {
            let window = InvocationDeadline::ending(at(ends), at(1000), Duration::from_secs(30));
            assert_eq!(window.begin_until, Instant::now());
            assert!(window.deadline.passed(at(1000)));
        }
    }
}
