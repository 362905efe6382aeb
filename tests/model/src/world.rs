//! Everything that the promises depend on, at one instant: the row, the platform, Eploy, the deliveries, the workers.
//!
//! Time is relative: the present is always [`now`], and a tick moves every time in the world one tick back. What is past
//! stays just past, because production only ever asks whether a time is over. That, and a story, version and count of
//! attempts that are not kept, makes the worlds finite in number without a bound on time or on attempts.

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
    /// What it says: the revision, or nothing of interest.
    pub revision: u32,
    /// For how many more ticks it may still arrive.
    pub left: u8,
}

/// The whole world.
#[derive(Clone, Debug, PartialEq)]
pub struct World {
    /// The ledger's row, as [`normal`] leaves it.
    pub row: Arc<Invitation>,
    /// Whether a save ever lowered the row's level.
    pub fell: bool,
    /// How many invitations the platform has accepted for the row's key.
    pub accepted: u8,
    /// Counts what the platform has to tell of the invitation: 1 sent, 2 completed, from 3 on re-scored.
    pub version: u32,
    /// The revision that Eploy shows.
    pub shows: u32,
    /// Invitations on their way to the platform whose callers are gone.
    pub requests: Vec<OnItsWay>,
    /// Reports on their way to Eploy whose callers are gone.
    pub writes: Vec<OnItsWay>,
    /// The stored deliveries that are due, by the version that they brought word of.
    pub deliveries: BTreeSet<u32>,
    /// The workers. Which is which does not matter, so they are kept in order.
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

    /// Saves a changed row. Whoever had read the row as it was before now holds an old one.
    pub fn save(&mut self, next: Invitation) {
        self.fell |= next.state.level() < self.row.state.level();
        for worker in &mut self.workers {
            let was = std::mem::replace(worker, Worker::Idle);
            *worker = was.outdated(&self.row);
        }
        self.row = Arc::new(normal(next));
    }

    /// Puts what has no order of its own into one.
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

    /// A lease on the report that no other one equals: in production the clock's fine grain tells leases apart.
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

/// A lease a tick later. It keeps its mark, by which its holder knows it, when it is over.
pub fn older_lease(lease: Timestamp) -> Timestamp {
    let over = now() - TICK + SignedDuration::from_millis(lease.subsec_millisecond().into());
    (lease - TICK).max(over)
}

/// The row without what only people read, and without what only counts.
fn normal(mut row: Invitation) -> Invitation {
    row.history = Vec::new();
    row.version = 0;
    // Only the claim's own holder compares it, and the version stops everybody else first.
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
        // Named one by one, so that a new field has to be looked at here.
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
            schedule: wake,
            history: _,
            // Live interviews, pools and retention are not in the model.
            appointment: _,
            pooled: _,
            forgotten_at: _,
            definition: _,
            // Nobody is asked in vain for a day there, and a look-up finds what was accepted by any address.
            result_overdue: _,
            sent_to: _,
        } = &*self.row;
        let Report {
            revision: shown,
            action: _,
            // Here a report is one part.
            parts: _,
            positions: _,
            failure: report_trouble,
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
        (reference.is_some(), report_trouble.is_some()).hash(to);
        snapshot.as_ref().map(|snapshot| &snapshot.digest).hash(to);
        match wake {
            Schedule::Never => 0.hash(to),
            Schedule::At { at, step } => (1, at, step).hash(to),
            Schedule::Sweep { until, level } => (2, until, level).hash(to),
        }
        (self.fell, self.accepted, self.version, self.shows).hash(to);
        (&self.requests, &self.writes).hash(to);
        (&self.deliveries, &self.workers).hash(to);
    }
}
