//! Everything that the promises depend on at one instant: the row, the platform, Eploy, the deliveries, the workers.
//!
//! Time is relative: the present is always [`now`], and a tick moves every time in the world one tick back. A past time
//! stays just past, because production only ever asks whether a time is over. The history, the version and the count of
//! attempts are not kept. So the number of worlds is finite without a bound on time or on attempts.

use std::collections::BTreeSet;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use stagecall_core::ids::{ApplicationId, AssessmentRef, InvitationKey};
use stagecall_core::invitation::{Entry, FailReason, Failure, Invitation, Report, Schedule, State};

use crate::worker::Worker;

/// One tick of the model's clock.
pub const TICK: SignedDuration = SignedDuration::from_secs(60);

/// The present.
pub fn now() -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * 365 * 60)
}

/// The present and `ticks` more.
pub fn in_ticks(ticks: u8) -> Timestamp {
    now() + TICK * i32::from(ticks)
}

/// A request that left and has not arrived.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OnItsWay {
    /// Its content: the revision, or nothing of interest.
    pub revision: u32,
    /// The number of ticks within which it may still arrive.
    pub left: u8,
}

/// The whole world.
#[derive(Clone, Debug, PartialEq)]
pub struct World {
    /// The ledger's row, as [`normal`] leaves it.
    pub row: Arc<Invitation>,
    /// Whether a save ever lowered the row's level.
    pub fell: bool,
    /// The number of invitations that the platform has accepted for the row's key.
    pub accepted: u8,
    /// The version of the platform's result: 1 sent, 2 completed, from 3 on re-scored.
    pub version: u32,
    /// The revision that Eploy shows.
    pub shows: u32,
    /// Invitations in flight to the platform whose callers have died.
    pub requests: Vec<OnItsWay>,
    /// Reports in flight to Eploy whose callers have died.
    pub writes: Vec<OnItsWay>,
    /// The stored deliveries that are due, by the version that they announced.
    pub deliveries: BTreeSet<u32>,
    /// The workers. Their identity does not matter, so they are kept sorted.
    pub workers: Vec<Worker>,
}

impl Eq for World {}

impl World {
    /// An entry was just seen.
    pub fn new(workers: usize) -> Self {
        let row = Invitation::detected(
            InvitationKey {
                tenant: "t".into(),
                application: ApplicationId::new("1"),
                mapping: "m".into(),
                round: 1,
            },
            "1".into(),
            "1".into(),
            AssessmentRef {
                account: "p".into(),
                assessment: "a".into(),
            },
            Entry::seen(now()),
        );
        Self {
            row: Arc::new(normal(row)),
            fell: false,
            accepted: 0,
            version: 0,
            shows: 0,
            requests: Vec::new(),
            writes: Vec::new(),
            deliveries: BTreeSet::new(),
            workers: vec![Worker::Idle; workers],
        }
    }

    /// Saves a changed row. Workers that read the row before now hold an old one.
    pub fn save(&mut self, next: Invitation) {
        self.fell |= next.state.level() < self.row.state.level();
        for worker in &mut self.workers {
            let was = std::mem::replace(worker, Worker::Idle);
            *worker = was.outdated(&self.row);
        }
        self.row = Arc::new(normal(next));
    }

    /// Sorts what has no order of its own.
    pub fn in_order(mut self) -> Self {
        self.requests.sort();
        self.writes.sort();
        self.workers.sort();
        self
    }

    /// A tick later.
    pub fn tick(&self, give_up: u8) -> Self {
        let mut row = (*self.row).clone();
        let due = |at: &mut Timestamp| *at = (*at - TICK).max(now());
        row.retry_at.iter_mut().for_each(due);
        if let State::Sending { lease_until } = &mut row.state {
            due(lease_until);
        }
        if let Schedule::At { at, .. } = &mut row.schedule {
            due(at);
        }
        let long_ago = now() - TICK * i32::from(give_up);
        let older = |failure: &mut Failure| {
            failure.first_failed_at = (failure.first_failed_at - TICK).max(long_ago);
        };
        row.failure.iter_mut().for_each(older);
        row.report.lease_until = row.report.lease_until.map(older_lease);
        let mut next = Self {
            row: Arc::new(row),
            ..self.clone()
        };
        for way in [&mut next.requests, &mut next.writes] {
            for one in way.iter_mut() {
                one.left -= 1;
            }
            way.retain(|one| one.left > 0);
        }
        next.workers.iter_mut().for_each(Worker::tick);
        next
    }

    /// A lease on the report that no other one equals. In production, the clock's resolution keeps leases distinct.
    pub fn lease(&self, ticks: u8) -> Timestamp {
        let taken = |lease: Timestamp| {
            let mark = |at: Timestamp| at.subsec_millisecond();
            self.row.report.lease_until.map(mark) == Some(mark(lease))
                || self
                    .workers
                    .iter()
                    .any(|worker| worker.lease().map(mark) == Some(mark(lease)))
        };
        (1..100)
            .map(|mark| in_ticks(ticks) + SignedDuration::from_millis(mark))
            .find(|lease| !taken(*lease))
            .unwrap_or(Timestamp::MAX)
    }
}

/// A lease a tick later. After it expired, it keeps the mark by which its holder recognises it.
pub fn older_lease(lease: Timestamp) -> Timestamp {
    let over = now() - TICK + SignedDuration::from_millis(lease.subsec_millisecond().into());
    (lease - TICK).max(over)
}

/// The row without what only people read, and without counters.
fn normal(mut row: Invitation) -> Invitation {
    row.history = Vec::new();
    row.version = 0;
    // Only the claim's own holder compares it. The version stops every other worker first.
    row.attempts = row.attempts.min(1);
    // Without an expiry of its own, these times have no part in any decision.
    for at in [
        &mut row.invited_at,
        &mut row.ended_at,
        &mut row.entry.left_at,
    ] {
        *at = at.map(|_| now());
    }
    if let Schedule::Sweep { until, .. } = &mut row.schedule {
        *until = None;
    }
    let ended = match &mut row.state {
        State::Failed(FailReason::GaveUp(failure) | FailReason::OutcomeUnknown(failure)) => {
            Some(failure)
        }
        _ => None,
    };
    for failure in ended.into_iter().chain(&mut row.report.failure) {
        failure.first_failed_at = now();
    }
    row
}

impl Hash for World {
    fn hash<H: Hasher>(&self, to: &mut H) {
        // Named one by one, so that a new field has to be considered here.
        let Invitation {
            key: _,
            version: _,
            candidate: _,
            vacancy: _,
            assessment: _,
            entry,
            // Clocks do not differ there.
            first_seen_at: _,
            state,
            attempts,
            failure,
            retry_at,
            reference,
            invite_link: _,
            invited_at: _,
            ended_at: _,
            snapshot,
            change_token,
            revision,
            report,
            schedule,
            history: _,
            // Live interviews, pools and retention are not in the model.
            appointment: _,
            pooled: _,
            forgotten_at: _,
            definition: _,
            // No lookup fails for a day there, and a lookup finds what was accepted by any address.
            result_overdue: _,
            sent_to: _,
        } = &*self.row;
        let Report {
            revision: shown,
            action: _,
            // Here a report has one part.
            parts: _,
            positions: _,
            failure: report_failure,
            lease_until,
            doubted,
        } = report;
        state.name().hash(to);
        match state {
            State::Sending { lease_until } => lease_until.hash(to),
            State::Failed(why) => why.code().hash(to),
            State::Skipped(why) => why.name().hash(to),
            _ => {}
        }
        entry.left_at.hash(to);
        (
            attempts,
            retry_at,
            change_token,
            revision,
            shown,
            lease_until,
            doubted,
        )
            .hash(to);
        failure
            .as_ref()
            .map(|failure| failure.first_failed_at)
            .hash(to);
        (reference.is_some(), report_failure.is_some()).hash(to);
        snapshot.as_ref().map(|snapshot| &snapshot.digest).hash(to);
        match schedule {
            Schedule::Never => 0.hash(to),
            Schedule::At { at, step } => (1, at, step).hash(to),
            Schedule::Sweep { until, level } => (2, until, level).hash(to),
        }
        (self.fell, self.accepted, self.version, self.shows).hash(to);
        (&self.requests, &self.writes).hash(to);
        (&self.deliveries, &self.workers).hash(to);
    }
}
