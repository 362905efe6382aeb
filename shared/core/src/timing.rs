//! The intervals of an installation.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// All values are in seconds. The defaults suit real systems; the demo and the tests use shorter ones, so that days of
/// history fit into seconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Timing {
    /// The timeout of one outgoing call.
    pub call_seconds: f64,
    /// The lease of a sender's claim: the time from the claim to the end of its call. Longer than a call may take, so
    /// that a lease cannot expire during a call.
    pub lease_seconds: f64,
    /// How long after a call of unknown outcome its effect is looked up: the request may still arrive. At least as long
    /// as a call may take, except for a sandbox, which controls how long its requests take.
    pub settle_seconds: f64,
    /// First delay after a failure; doubles with each further one.
    pub retry_seconds: f64,
    /// The maximum delay between attempts.
    pub retry_max_seconds: f64,
    /// After how long of failed attempts the recruiter is notified that an invitation is late.
    pub late_seconds: f64,
    /// After how long of failed attempts an invitation is given up and reported as failed.
    pub give_up_seconds: f64,
    /// The minimum time between two sweeps of one assessment.
    pub sweep_seconds: f64,
    /// The maximum time between two sweeps of one assessment with open invitations.
    pub sweep_max_seconds: f64,
    /// How long after its end an invitation is still watched, for re-scores and late results.
    pub follow_seconds: f64,
    /// How often a mapping's stages are checked against Eploy.
    pub recheck_seconds: f64,
    /// The minimum time between two stage scans that look for changes that the feed missed.
    pub scan_seconds: f64,
    /// How long a connection is suspended after its credentials, address or permission were refused.
    pub suspend_seconds: f64,
    /// The delay of the second attempt to deliver a hire to the HRMS. Later delays keep their proportion to it, see
    /// [`crate::announcement::SCHEDULE`].
    pub announce_seconds: f64,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            call_seconds: 30.0,
            lease_seconds: 60.0,
            settle_seconds: 60.0,
            retry_seconds: 30.0,
            retry_max_seconds: 3600.0,
            late_seconds: 1800.0,
            give_up_seconds: 3.0 * 86_400.0,
            sweep_seconds: 900.0,
            sweep_max_seconds: 6.0 * 3600.0,
            follow_seconds: 30.0 * 86_400.0,
            recheck_seconds: 6.0 * 3600.0,
            scan_seconds: 900.0,
            suspend_seconds: 900.0,
            announce_seconds: 5.0,
        }
    }
}

impl Timing {
    /// Problems with these values, each naming its key. A `sandbox` may use shorter values.
    pub fn problems(&self, sandbox: bool) -> Vec<String> {
        let mut problems = Vec::new();
        let all = [
            ("call_seconds", self.call_seconds),
            ("lease_seconds", self.lease_seconds),
            ("settle_seconds", self.settle_seconds),
            ("retry_seconds", self.retry_seconds),
            ("retry_max_seconds", self.retry_max_seconds),
            ("late_seconds", self.late_seconds),
            ("give_up_seconds", self.give_up_seconds),
            ("sweep_seconds", self.sweep_seconds),
            ("sweep_max_seconds", self.sweep_max_seconds),
            ("follow_seconds", self.follow_seconds),
            ("recheck_seconds", self.recheck_seconds),
            ("scan_seconds", self.scan_seconds),
            ("suspend_seconds", self.suspend_seconds),
            ("announce_seconds", self.announce_seconds),
        ];
        for (key, value) in all {
            if !(value > 0.0 && value <= 10.0 * 365.0 * 86_400.0) {
                problems.push(format!(
                    "{key} is {value}; it must be more than 0 and at most ten years"
                ));
            }
        }
        if self.lease_seconds <= self.call_seconds {
            problems.push(format!(
                "lease_seconds ({}) must be more than call_seconds ({}), or a claim could expire during its call",
                self.lease_seconds, self.call_seconds
            ));
        }
        if self.settle_seconds < self.call_seconds && !sandbox {
            problems.push(format!(
                "settle_seconds ({}) must be at least call_seconds ({}), or an invitation could be sent again while the first request is still under way",
                self.settle_seconds, self.call_seconds
            ));
        }
        problems
    }

    /// After how long of failed sweeps people are notified: the time between two sweeps that only look for re-scores, a
    /// day by default.
    pub fn overdue(&self) -> SignedDuration {
        seconds(self.sweep_max_seconds) * 4
    }

    /// How long enqueued work is not enqueued again where the queue cannot tell whether it still has it: longer than a
    /// few calls take, and short enough for work that was lost.
    pub fn enqueue_lease(&self) -> SignedDuration {
        seconds(self.lease_seconds * 4.0)
    }

    /// The delay before attempt number `failures` + 1: exponential, capped, and spread by up to a quarter so that many
    /// rows that failed together do not retry together. The spread is derived from `who`, not random, so that the same
    /// history gives the same times.
    pub fn backoff(&self, failures: u32, who: &str) -> SignedDuration {
        let doubled =
            self.retry_seconds * 2f64.powi(failures.saturating_sub(1).min(30).cast_signed());
        let capped = doubled.min(self.retry_max_seconds);
        seconds(capped * (1.0 - spread(failures, who) / 4.0))
    }
}

/// A number from 0 to 1 that differs between rows that failed together. Derived from `who` and the number of failures,
/// not random, so that the same history gives the same times.
pub(crate) fn spread(failures: u32, who: &str) -> f64 {
    let mut hash = Sha256::new();
    hash.update(who.as_bytes());
    hash.update(failures.to_be_bytes());
    f64::from(hash.finalize()[0]) / 255.0
}

/// A duration of this many seconds; invalid values become zero.
pub fn seconds(seconds: f64) -> SignedDuration {
    SignedDuration::try_from_secs_f64(seconds).unwrap_or(SignedDuration::ZERO)
}

/// `at` plus `by`, capped at the maximum timestamp.
pub fn after(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_doubles_is_capped_and_spread() {
        let timing = Timing::default();
        let first = timing.backoff(1, "a");
        assert!(first <= seconds(30.0) && first >= seconds(22.4));
        assert!(timing.backoff(3, "a") > seconds(89.0));
        assert!(timing.backoff(4_000_000, "a") <= seconds(3600.0));
        assert_ne!(timing.backoff(1, "a"), timing.backoff(1, "b"));
    }

    #[test]
    fn a_lease_must_outlast_a_call() {
        let timing = Timing {
            lease_seconds: 5.0,
            ..Timing::default()
        };
        assert_eq!(timing.problems(false).len(), 1);
        assert!(Timing::default().problems(false).is_empty());
    }

    #[test]
    fn the_wait_doubles_from_the_first_failure_up_to_the_longest() {
        let timing = Timing::default();
        // Up to a quarter is subtracted, depending on `who`.
        for (failures, most) in [
            (0, 30.0),
            (1, 30.0),
            (2, 60.0),
            (3, 120.0),
            (7, 1920.0),
            (8, 3600.0),
            (u32::MAX, 3600.0),
        ] {
            for who in ["a", "b", "c", "d"] {
                let wait = timing.backoff(failures, who).as_secs_f64();
                assert!(
                    (most * 0.75 - 0.001..=most).contains(&wait),
                    "{who} waits {wait} s after {failures}"
                );
            }
        }
    }

    #[test]
    fn those_who_failed_together_come_back_all_over_the_quarter() {
        let spread: Vec<f64> = (0..200).map(|who| spread(1, &who.to_string())).collect();
        assert!(spread.iter().all(|part| (0.0..=1.0).contains(part)));
        for tenth in 0..10 {
            let (from, to) = (f64::from(tenth) / 10.0, f64::from(tenth + 1) / 10.0);
            assert!(
                spread.iter().any(|part| (from..to).contains(part)),
                "nobody from {from} to {to}"
            );
        }
    }

    #[test]
    fn an_interval_is_more_than_nothing_and_at_most_ten_years() {
        let ten_years = 10.0 * 365.0 * 86_400.0;
        let problems = |follow_seconds| {
            Timing {
                follow_seconds,
                ..Timing::default()
            }
            .problems(false)
        };
        assert_eq!(problems(0.001), Vec::<String>::new());
        assert_eq!(problems(ten_years), Vec::<String>::new());
        for wrong in [0.0, -1.0, ten_years + 1.0, f64::NAN, f64::INFINITY] {
            let problems = problems(wrong);
            assert_eq!(problems.len(), 1, "{problems:#?}");
            assert!(problems[0].starts_with("follow_seconds"), "{problems:#?}");
        }
    }

    #[test]
    fn a_lease_as_long_as_a_call_does_not_outlast_it() {
        let timing = Timing {
            call_seconds: 60.0,
            ..Timing::default()
        };
        assert_eq!(timing.problems(false).len(), 1);
    }

    /// A lookup before the request can have arrived would find nothing.
    #[test]
    fn outside_a_sandbox_nothing_is_looked_up_while_its_request_is_on_its_way() {
        let settling = |settle_seconds| Timing {
            settle_seconds,
            ..Timing::default()
        };
        assert_eq!(settling(30.0).problems(false), Vec::<String>::new());
        let problems = settling(29.9).problems(false);
        assert_eq!(problems.len(), 1, "{problems:#?}");
        assert!(problems[0].starts_with("settle_seconds (29.9)"));
        assert_eq!(settling(29.9).problems(true), Vec::<String>::new());
    }

    #[test]
    fn time_stops_at_its_end_and_nonsense_takes_none() {
        let at = Timestamp::from_second(1_800_000_000).unwrap();
        assert_eq!(after(at, seconds(1.5)).as_millisecond(), 1_800_000_001_500);
        assert_eq!(after(at, SignedDuration::MAX), Timestamp::MAX);
        assert_eq!(seconds(f64::NAN), SignedDuration::ZERO);
    }
}
