//! The oracle: it checks at every step for what must never happen, and, after the faults have stopped, for what must have
//! happened. It trusts the world's own records, not the ledger.

mod allowance;
mod end;
mod erasures;
mod fairness;
mod hires;
mod ledger;
mod mappings;
mod platforms;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use stagecall_core::ids::{AssessmentRef, DefinitionId, InvitationKey, MappingId, TenantId};
use stagecall_core::tenant::{Mapping, Tenant};

pub use self::fairness::HandedOut;
use self::ledger::Answered;
use self::mappings::{On, Place, at_trigger};
use crate::plan::Order;
use crate::scheduler::{Millis, Scheduler};
use crate::store::Memory;
use crate::world::{Eploy, Participant, World};

/// The clocks of two processes, and of a process and the world, differ by at most this, in milliseconds.
const MAX_CLOCK_SKEW: i64 = 11_000;

/// Eploy's clock may silently be an hour off in either direction, and a little more.
const MAX_EPLOY_SKEW: i64 = 130 * 60_000;

/// The oracle of a history.
pub struct Oracle {
    scheduler: Arc<Scheduler>,
    memory: Memory,
    world: Arc<Mutex<World>>,
    /// The time of failed attempts after which an invitation may be given up.
    give_up_seconds: f64,
    seen: Mutex<Seen>,
}

/// What the oracle remembers.
#[derive(Default)]
struct Seen {
    /// Every definition that a tenant's mappings ever had.
    definitions: BTreeMap<TenantId, BTreeMap<(MappingId, DefinitionId), Mapping>>,
    /// When a tenant's mappings were changed last.
    edited: BTreeMap<TenantId, Millis>,
    /// Since when which mapping takes the applications of which place, if it does.
    on: BTreeMap<(TenantId, MappingId, Place), On>,
    /// When the applications of a place first matched for an assessment.
    first_on: BTreeMap<(TenantId, AssessmentRef, Place), i64>,
    /// Since when a mapping invites at every entry, if it does.
    again: BTreeMap<(TenantId, MappingId), i64>,
    /// The time before which an entry belongs to the baseline, for the mapping of a row as of its insertion.
    since: BTreeMap<InvitationKey, i64>,
    /// When a row was inserted, and its first answer.
    entered: BTreeMap<InvitationKey, i64>,
    answered: BTreeMap<InvitationKey, Answered>,
    /// The mappings that were ever paused.
    paused: BTreeSet<(TenantId, MappingId)>,
    /// Since when a tenant, or one of its mappings, is paused, if it is.
    paused_since: BTreeMap<(TenantId, Option<MappingId>), Millis>,
    /// When a mapping was removed last. What was to be sent by then is not sent.
    removed: BTreeMap<(TenantId, MappingId), Millis>,
    /// When a vacancy or a trigger was taken out of a mapping last: the same.
    narrowed: BTreeSet<(TenantId, MappingId)>,
    /// The invitations whose sending work has still to notify subscribers.
    to_publish: BTreeMap<u64, Vec<InvitationKey>>,
    /// When a candidate was erased.
    erased: BTreeMap<(TenantId, String), Millis>,
    /// When a delivery was first stored.
    received: BTreeMap<(TenantId, String), i64>,
    /// The time from which a tenant's plan for hires counts, as of its first activation.
    hires_since: BTreeMap<TenantId, i64>,
    /// When a tenant's plan for hires was last turned on.
    hires_on: BTreeMap<TenantId, i64>,
    /// The tenants whose plan for hires was ever changed, and the applications that were published as hired.
    plan_changed: BTreeSet<TenantId>,
    published: BTreeSet<String>,
    /// What a tenant's allowance was, and until when.
    allowances: BTreeMap<TenantId, Vec<(Millis, u32)>>,
    /// The calls that a piece of work may still make, each with the day's use when it was granted.
    may_call: BTreeMap<u64, Vec<u32>>,
    /// The calls that a poll made beyond its share.
    beyond: BTreeMap<u64, u64>,
    /// Whether our clocks were ever hours ahead. Then our times say little about when something happened.
    clocks_ahead: bool,
    /// The number of our participants on each platform that were checked.
    judged: [usize; 2],
    /// The number of actions that each Eploy had at the last check.
    actions: BTreeMap<usize, usize>,
}

impl Oracle {
    /// A new oracle.
    pub fn new(
        scheduler: Arc<Scheduler>,
        memory: Memory,
        world: Arc<Mutex<World>>,
        give_up_seconds: f64,
    ) -> Self {
        Self {
            scheduler,
            memory,
            world,
            give_up_seconds,
            seen: Mutex::default(),
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records a violation.
    pub fn violate(&self, what: String) {
        self.scheduler.account(|account| account.violate(what));
    }

    fn check(&self, right: bool, what: impl FnOnce() -> String) {
        if !right {
            self.violate(what());
        }
    }

    /// Records that our clocks are hours ahead.
    pub fn clocks_ahead(&self) {
        self.seen().clocks_ahead = true;
    }

    fn were_clocks_ahead(&self) -> bool {
        self.seen().clocks_ahead
    }

    /// Records a change of the configuration.
    pub fn configured_now(&self, tenant: &Tenant) {
        let before = self.configured(&tenant.id);
        self.note_mappings(before.as_ref(), tenant);
        if let Some(before) = &before
            && before.eploy.daily_calls != tenant.eploy.daily_calls
        {
            let was = (self.scheduler.now(), before.eploy.daily_calls);
            let mut seen = self.seen();
            seen.allowances
                .entry(tenant.id.clone())
                .or_default()
                .push(was);
        }
        if before.is_some_and(|before| before.hires != tenant.hires) {
            self.seen().plan_changed.insert(tenant.id.clone());
        }
        for mapping in tenant.mappings.iter().filter(|mapping| mapping.paused) {
            let place = (tenant.id.clone(), mapping.id.clone());
            self.seen().paused.insert(place);
        }
        self.note_pause(&tenant.id, None, tenant.paused);
        for mapping in &tenant.mappings {
            self.note_pause(&tenant.id, Some(&mapping.id), mapping.paused);
        }
    }

    fn note_pause(&self, tenant: &TenantId, mapping: Option<&MappingId>, paused: bool) {
        let place = (tenant.clone(), mapping.cloned());
        let mut seen = self.seen();
        if paused {
            let now = self.scheduler.now();
            seen.paused_since.entry(place).or_insert(now);
        } else {
            seen.paused_since.remove(&place);
        }
    }

    /// Whether a tenant or its mapping is paused, and was when this work began. The pauses end with the faults, unrecorded.
    fn is_paused(&self, tenant: &TenantId, mapping: &Mapping, begun: Millis) -> bool {
        let now = self.memory.configuration(tenant, |now| now.paused);
        let places = [
            (None, now.unwrap_or(false)),
            (Some(mapping.id.clone()), mapping.paused),
        ];
        let seen = self.seen();
        places.into_iter().any(|(mapping, paused)| {
            let since = seen.paused_since.get(&(tenant.clone(), mapping));
            paused && since.is_some_and(|since| *since < begun)
        })
    }

    fn configured(&self, tenant: &TenantId) -> Option<Tenant> {
        self.memory.configuration(tenant, Clone::clone)
    }
}

/// Whether it is known which applications were at a stage before a mapping was on. It is not where pages can shift while
/// they are read and there is no history: where they are not in the order of ids, or an application was deleted.
fn knows_baseline(eploy: &Eploy) -> bool {
    let shifts = eploy.applications.iter().any(|one| one.deleted);
    eploy.readings.history || matches!(eploy.readings.order, Order::Id) && !shifts
}

fn eploy<'a>(world: &'a World, tenant: &TenantId) -> Option<&'a Eploy> {
    let at: usize = tenant.as_str().strip_prefix('t')?.parse().ok()?;
    world.eploys.get(at)
}

fn millis(at: stagecall_core::Timestamp) -> i64 {
    at.as_millisecond()
}

/// The candidate of an address.
fn person(one: &Participant) -> String {
    let mut parts = one.email.split(['.', '@']);
    parts.nth(1).unwrap_or_default().to_owned()
}

/// The invitation that a participant was accepted for, by our reference.
fn key(one: &Participant) -> Option<InvitationKey> {
    let mut parts = one.client_ref.split('.');
    Some(InvitationKey {
        tenant: TenantId::new(format!("t{}", one.tenant)),
        application: parts.next()?.into(),
        mapping: parts.next()?.into(),
        round: parts.next()?.parse().ok()?,
    })
}
