//! When an invitation is handled again if nothing happens.

use jiff::{SignedDuration, Timestamp};

use crate::invitation::{Failure, Invitation, Schedule, State, Step};
use crate::timing::{Timing, after, seconds};

/// What an event means for the watch.
pub(super) struct Watch {
    /// Whether a delivery is responsible for the report, if there is one to write.
    pub(super) carried: bool,
    /// Whether the platform was read without a hint: by a sweep, or for an operator.
    pub(super) looked: bool,
    /// The mapping's own expiry.
    pub(super) expires_after_days: Option<u32>,
}

impl Invitation {
    /// For how long the due step was not attempted, because the tenant was paused or no worker was running. Short times
    /// do not count: a queue may take a while.
    pub(super) fn idle(&self, now: Timestamp) -> SignedDuration {
        match self.schedule {
            Schedule::At { at, .. } if now.duration_since(at) > Failure::IDLE => {
                now.duration_since(at)
            }
            _ => SignedDuration::ZERO,
        }
    }

    /// The usual schedule, by state.
    pub(super) fn usual_schedule(
        &self,
        before: &Self,
        watch: &Watch,
        now: Timestamp,
        timing: &Timing,
    ) -> Schedule {
        let was_watched = matches!(before.schedule, Schedule::Sweep { .. });
        match self.state {
            State::Detected => {
                return Schedule::At {
                    at: self.retry_at.unwrap_or(now),
                    step: Step::Invite,
                };
            }
            State::Sending { lease_until } => {
                return Schedule::At {
                    at: self.retry_at.map_or(lease_until, |at| at.max(lease_until)),
                    step: Step::Invite,
                };
            }
            _ => {}
        }
        if self.unreported() {
            if let Some(lease_until) = self.report.lease_until
                && lease_until > now
            {
                if watch.carried && was_watched {
                    return before.schedule.clone();
                }
                return Schedule::At {
                    at: lease_until,
                    step: Step::WriteBack,
                };
            }
            let is_deferred = matches!(
                before.schedule,
                Schedule::At {
                    step: Step::WriteBack,
                    ..
                }
            ) && before.revision == self.revision;
            return if is_deferred {
                before.schedule.clone()
            } else {
                Schedule::At {
                    at: now,
                    step: Step::WriteBack,
                }
            };
        }
        if self.reference.is_none() || self.pooled || self.forgotten_at.is_some() {
            return Schedule::Never;
        }
        if was_watched && !watch.looked {
            return before.schedule.clone();
        }
        self.watched(now, timing, watch)
    }

    /// The schedule of an invitation that only the platform can move.
    pub(super) fn watched(&self, now: Timestamp, timing: &Timing, watch: &Watch) -> Schedule {
        let until = if self.state.is_open() {
            self.invited_at
                .zip(watch.expires_after_days)
                .map(|(at, days)| after(at, SignedDuration::from_hours(i64::from(days) * 24)))
        } else {
            Some(after(
                self.ended_at.unwrap_or(now),
                seconds(timing.follow_seconds),
            ))
        };
        Schedule::Sweep {
            until,
            level: self.state.level(),
        }
    }
}

/// The maximum number of days that an invitation without an end of its own is watched.
const MAX_OPEN_DAYS: i64 = 365;

/// The end of the watch at this level: as its schedule says, and for an open one after a year at most.
pub(crate) fn watch_limit(
    until: Option<Timestamp>,
    level: u8,
    invited_at: Option<Timestamp>,
) -> Option<Timestamp> {
    let open = level <= State::Started.level();
    let longest = SignedDuration::from_hours(MAX_OPEN_DAYS * 24);
    until.or_else(|| invited_at.filter(|_| open).map(|at| after(at, longest)))
}
