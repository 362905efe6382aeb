//! Correction of times that were written while our clock was ahead.
//!
//! Every stored due time was computed from the clock. If the clock was ahead, everything is due too late once it is
//! right again. So each row is compared with the time at which it was written: if that lies in the future, the row's
//! times are moved back by the difference. Then nothing is due later than its own interval from now.
//!
//! A store finds due rows by these times, so it does not return such a row. [`Scheduler::look_ahead`] also enqueues
//! what is not due yet: a host calls it when it starts, and when its clock was set back.
//!
//! [`Scheduler::look_ahead`]: crate::usecases::Scheduler::look_ahead

use jiff::{SignedDuration, Timestamp};

use crate::announcement::Announcement;
use crate::invitation::{Failure, Invitation, NextTry, Schedule, State};
use crate::ports::{MappingStatus, SweepState, TenantState};
use crate::timing::{Timing, after, seconds};

/// Clocks of several processes differ a little. A row that was written further ahead than this was written by a wrong
/// clock.
pub const TOLERANCE: SignedDuration = SignedDuration::from_secs(60);

/// The longest interval of a sweep that watches anything. A day is the longest configured interval and the longest that
/// a platform can ask us to wait; an hour is added for intervals that began a little ago. For a sweep that was
/// scheduled by a clock that was ahead, nothing else shows it.
const MAX_SWEEP_PAUSE: SignedDuration = SignedDuration::from_hours(25);

/// How far Eploy's dates may be ahead of our clock: an hour of British summer time, and a margin.
const MAX_CLOCK_DIFFERENCE: SignedDuration = SignedDuration::from_mins(65);

/// How far back changes are read again if the cursor was taken from a clock that was ahead.
const REREAD_SPAN: SignedDuration = SignedDuration::from_hours(24);

/// Moves times in the future back.
#[derive(Clone, Copy)]
struct Back {
    by: SignedDuration,
    now: Timestamp,
}

impl Back {
    /// For a row that was written at this time; `None` if its clock was right.
    fn of(written_at: Timestamp, now: Timestamp) -> Option<Self> {
        let by = written_at.duration_since(now);
        (by > TOLERANCE).then_some(Self { by, now })
    }

    fn time(self, at: &mut Timestamp) {
        if *at > self.now {
            *at = after(*at, -self.by).max(self.now);
        }
    }

    fn if_any(self, at: &mut Option<Timestamp>) {
        if let Some(at) = at {
            self.time(at);
        }
    }

    fn failure(self, failure: &mut Option<Failure>) {
        if let Some(failure) = failure {
            self.time(&mut failure.first_failed_at);
        }
    }
}

impl TenantState {
    /// Moves the times back if a clock that was ahead saved them. Returns whether one did.
    pub fn set_back(&mut self, now: Timestamp) -> bool {
        let written_at = self.saved_at.max(self.poll.last_ok);
        let Some(back) = written_at.and_then(|at| Back::of(at, now)) else {
            return false;
        };
        back.time(&mut self.due_at);
        back.if_any(&mut self.saved_at);
        back.if_any(&mut self.check_at);
        back.if_any(&mut self.poll.last_ok);
        back.if_any(&mut self.poll.overlap.read_at);
        if let Some(again) = &mut self.poll.again {
            back.time(&mut again.at);
        }
        if let Some(scan) = &mut self.poll.scan {
            back.time(&mut scan.at);
            back.if_any(&mut scan.missed_at);
            back.if_any(&mut scan.completed_at);
            back.failure(&mut scan.failure);
        }
        back.failure(&mut self.poll.failure);
        for one in &mut self.poll.unread {
            back.time(&mut one.at);
        }
        for one in &mut self.proven {
            back.time(&mut one.at);
        }
        if let Some(suspended) = &mut self.suspended {
            back.time(&mut suspended.until);
            back.time(&mut suspended.failure.first_failed_at);
        }
        // When a mapping or plan was really turned on is unknown. An early time is safe: no application that entered
        // since counts as part of the baseline.
        let early = after(now, -REREAD_SPAN);
        for mapping in self.mappings.values_mut() {
            let broken = match &mut mapping.status {
                MappingStatus::Broken { at, .. } => at.as_mut(),
                MappingStatus::Baseline { .. } | MappingStatus::Active => None,
            };
            let parts = mapping.earlier.iter_mut().map(|part| &mut part.since);
            for since in parts.chain(broken).chain([&mut mapping.since]) {
                if *since > now {
                    *since = early;
                }
            }
            if let MappingStatus::Broken { at, .. } = &mut mapping.status {
                back.if_any(at);
            }
        }
        // A cursor is Eploy's time, but the first one is taken from our clock.
        let cursor = |cursor: &mut Option<Timestamp>, reached: Option<Timestamp>| {
            if cursor.is_some_and(|at| at > after(now, MAX_CLOCK_DIFFERENCE)) {
                let sound = reached.filter(|at| *at <= after(now, MAX_CLOCK_DIFFERENCE));
                *cursor = sound.or(Some(early));
            }
        };
        cursor(&mut self.poll.cursor, self.poll.reached);
        self.poll.overlap.read_to = None;
        if let Some(hires) = &mut self.hires {
            back.if_any(&mut hires.overlap.read_at);
            if hires.since > now {
                hires.since = early;
            }
            cursor(&mut hires.cursor, hires.reached);
            hires.overlap.read_to = None;
            back.failure(&mut hires.failure);
        }
        true
    }
}

impl Invitation {
    /// The next version of a row that a clock that was ahead wrote, with its times moved back; `None` if its clock was
    /// right.
    #[must_use]
    pub fn set_back(&self, now: Timestamp, timing: &Timing) -> Option<Self> {
        // A process whose clock was right may have written the row since: the newest of its times tells, not the last.
        let times = self.history.iter().map(|entry| entry.at);
        let mut written_at = times.fold(self.entry.seen_at, Timestamp::max);
        // Taking a lease is not always in the history.
        let lease = seconds(timing.lease_seconds.max(timing.settle_seconds));
        let sending = match self.state {
            State::Sending { lease_until } => Some(lease_until),
            _ => None,
        };
        for until in [sending, self.report.lease_until].into_iter().flatten() {
            written_at = written_at.max(after(until, -lease));
        }
        let back = Back::of(written_at, now)?;
        let mut next = self.clone();
        next.version += 1;
        if let State::Sending { lease_until } = &mut next.state {
            back.time(lease_until);
        }
        match &mut next.schedule {
            Schedule::At { at, .. } => back.time(at),
            Schedule::Sweep { until, .. } => back.if_any(until),
            Schedule::Never => {}
        }
        back.time(&mut next.entry.seen_at);
        if next.entry.seen_at != self.entry.seen_at {
            // The action in Eploy is found by this time.
            next.first_seen_at.get_or_insert(self.entry.seen_at);
        }
        back.if_any(&mut next.entry.left_at);
        back.if_any(&mut next.retry_at);
        back.if_any(&mut next.invited_at);
        back.if_any(&mut next.ended_at);
        back.if_any(&mut next.report.lease_until);
        back.failure(&mut next.failure);
        back.failure(&mut next.report.failure);
        let parts = next.report.parts.values_mut();
        for failure in parts.filter_map(|state| state.failure.as_mut()) {
            back.time(&mut failure.failure.first_failed_at);
            if let NextTry::At(at) = &mut failure.next {
                back.time(at);
            }
        }
        if next.entry.not_before.is_some_and(|at| at > now) {
            next.entry.not_before = None;
        }
        for entry in &mut next.history {
            entry.at = entry.at.min(now);
        }
        Some(next)
    }
}

impl Announcement {
    /// The next version of a row that a clock that was ahead wrote, with its times moved back; `None` if its clock was
    /// right.
    #[must_use]
    pub fn set_back(&self, now: Timestamp) -> Option<Self> {
        let last = self.attempts.last().map(|attempt| attempt.at);
        let back = Back::of(last.unwrap_or(self.seen_at).max(self.seen_at), now)?;
        let mut next = self.clone();
        next.version += 1;
        back.time(&mut next.seen_at);
        back.if_any(&mut next.due_at);
        back.failure(&mut next.failure);
        for attempt in &mut next.attempts {
            attempt.at = attempt.at.min(now);
        }
        if next.not_before > now {
            next.not_before = after(now, -REREAD_SPAN);
        }
        Some(next)
    }
}

impl SweepState {
    /// Whether it is due, also if a clock that was ahead scheduled it for later.
    pub fn is_due(&self, now: Timestamp) -> bool {
        let Some(due_at) = self.due_at else {
            return false;
        };
        let failed_at = self.failing.as_ref().and_then(|failing| failing.at);
        let written_at = self.last_at.max(failed_at);
        let ahead = written_at.is_some_and(|at| Back::of(at, now).is_some());
        due_at <= now || ahead || due_at.duration_since(now) > MAX_SWEEP_PAUSE
    }
}

#[cfg(test)]
mod tests;
