//! The judge: what must never happen is looked for at every step, and what must have happened in the end, once the
//! faults have stopped. The world's own records decide, not the ledger's word for it.

mod allowance;
mod end;
mod hires;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use stagecall_core::ids::{InvitationKey, MappingId, TenantId};
use stagecall_core::invitation::Invitation;
use stagecall_core::ports::{Delivery, DeliveryFate, MappingStatus, TenantState};
use stagecall_core::tenant::{Mapping, Tenant};

use crate::plan::Order;
use crate::scheduler::{Millis, Scheduler};
use crate::store::Memory;
use crate::world::{Application, Eploy, Participant, World};

/// The clocks of two processes, and of a process and the world, differ by no more than this, in milliseconds.
const CLOCKS: i64 = 11_000;

/// The judge of a history.
pub struct Judge {
    scheduler: Arc<Scheduler>,
    memory: Memory,
    world: Arc<Mutex<World>>,
    seen: Mutex<Seen>,
}

/// What the judge has to remember.
#[derive(Default)]
struct Seen {
    /// When a mapping was turned on, in milliseconds since 1970, with when it had first been seen.
    on: BTreeMap<(TenantId, MappingId), (i64, i64)>,
    /// Which mappings were ever paused.
    paused: BTreeSet<(TenantId, MappingId)>,
    /// Which mappings were ever removed: what was to be sent or reported meanwhile is not.
    removed: BTreeSet<(TenantId, MappingId)>,
    /// When a mapping that had been removed was put back last.
    put_back: BTreeMap<(TenantId, MappingId), i64>,
    /// When the last report of a row was put on record.
    told: BTreeMap<InvitationKey, i64>,
    /// When a tenant's plan for hires was last turned on.
    hires_on: BTreeMap<TenantId, i64>,
    /// Whose plan for hires was ever changed, and who was published as hired.
    plan_changed: BTreeSet<TenantId>,
    published: BTreeSet<String>,
    /// What a tenant's allowance was, and until when.
    allowances: BTreeMap<TenantId, Vec<(Millis, u32)>>,
    /// The calls that a piece of work may still make, each with how much of the day was used when it was granted.
    may_call: BTreeMap<u64, Vec<u32>>,
    /// How many of each platform's participants were looked at.
    judged: [usize; 2],
}

impl Judge {
    /// A judge.
    pub fn new(scheduler: Arc<Scheduler>, memory: Memory, world: Arc<Mutex<World>>) -> Self {
        Self {
            scheduler,
            memory,
            world,
            seen: Mutex::default(),
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something that must never happen.
    pub fn violate(&self, what: String) {
        self.scheduler.account(|account| account.violate(what));
    }

    fn check(&self, right: bool, what: impl FnOnce() -> String) {
        if !right {
            self.violate(what());
        }
    }

    /// A row was saved.
    pub fn saved(&self, before: Option<&Invitation>, next: &Invitation) {
        let name = &next.key;
        self.scheduler.tell("row", || {
            format!(
                "{name} v{} {} rev {}/{}",
                next.version,
                next.state.name(),
                next.report.revision,
                next.revision
            )
        });
        let Some(before) = before else { return };
        if next.report.revision > before.report.revision {
            let now = self.scheduler.time(0).as_millisecond();
            self.seen().told.insert(name.clone(), now);
        }
        self.check(next.state.level() >= before.state.level(), || {
            format!(
                "{name} fell from {} to {}",
                before.state.name(),
                next.state.name()
            )
        });
        self.check(next.version == before.version + 1, || {
            format!("{name} was saved over version {}", before.version)
        });
        self.check(next.revision >= before.revision, || {
            format!("{name} has less to tell than before")
        });
        if let Some(reference) = &next.reference {
            self.check(
                before.reference.is_none() || before.reference.as_ref() == Some(reference),
                || format!("{name} changed its reference"),
            );
            let owner = self
                .memory
                .owner(&name.tenant, &next.assessment.account, reference);
            self.check(owner.as_ref() == Some(name), || {
                format!("{name} names a reference that is not bound to it")
            });
        }
    }

    /// A tenant's state was saved.
    pub fn moved(&self, tenant: &TenantId, before: Option<&TenantState>, next: &TenantState) {
        let world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(eploy) = eploy(&world, tenant) else {
            return;
        };
        let was = before.and_then(|before| before.poll.cursor);
        self.check(next.poll.cursor >= was, || {
            format!("the cursor of {tenant} went back")
        });
        let Some(config) = self.configured(tenant) else {
            return;
        };
        let now = self.scheduler.time(0).as_millisecond();
        for (id, state) in &next.mappings {
            if state.status == MappingStatus::Active {
                let place = (tenant.clone(), id.clone());
                let first_seen = millis(state.since);
                let mut seen = self.seen();
                let known = seen.on.entry(place).or_insert((first_seen, now));
                if known.0 != first_seen {
                    *known = (first_seen, now);
                }
            }
        }
        let turned_on = |state: &TenantState| {
            let hires = state.hires.as_ref();
            hires.is_some_and(|hires| hires.baseline.is_none())
        };
        if turned_on(next) && !before.is_some_and(turned_on) {
            self.seen().hires_on.insert(tenant.clone(), now);
        }
        let Some(cursor) = next.poll.cursor.map(millis) else {
            return;
        };
        for mapping in &config.mappings {
            let Some(state) = next.mappings.get(&mapping.id) else {
                continue;
            };
            if state.status != MappingStatus::Active {
                continue;
            }
            let since = millis(state.since) + CLOCKS;
            for application in at_trigger(eploy, mapping) {
                let entered = application.entered() - eploy.readings.apart;
                if application.modified >= cursor || entered < since {
                    continue;
                }
                let id = application.id.to_string();
                let known = self.memory.newest(tenant, &id, &mapping.id, |_| ());
                self.check(known.is_some(), || {
                    format!(
                        "the cursor of {tenant} passed application {}, which the ledger lacks for {}",
                        application.id, mapping.id
                    )
                });
            }
        }
    }

    /// Somebody said what became of a delivery. That it was handled must not be said before its news are on record.
    pub fn settled(&self, delivery: &Delivery, fate: &DeliveryFate) {
        if *fate != DeliveryFate::Handled {
            return;
        }
        let world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        for reference in &delivery.references {
            let one = world.platforms.iter().find_map(|platform| {
                let all = &platform.participants;
                all.iter().find(|one| one.key == reference.as_str())
            });
            let row = self
                .memory
                .owner(&delivery.tenant, &delivery.account, reference)
                .and_then(|key| self.memory.row(&key));
            let (Some(one), Some(row)) = (one, row) else {
                continue;
            };
            if one.changed < delivery.at.as_millisecond() - CLOCKS {
                self.check(row.state.level() >= one.standing.level(), || {
                    format!(
                        "{}: its callback was settled before it was known to be {:?}",
                        row.key, one.standing
                    )
                });
            }
        }
    }

    /// A request took effect in the world.
    pub fn arrived(&self, world: &mut World) {
        for what in std::mem::take(&mut world.violations) {
            self.violate(what);
        }
        if let Some((tenant, application)) = world.told.take() {
            let tenant = TenantId::new(format!("t{tenant}"));
            self.told_of(world, &tenant, application);
        }
        for (at, platform) in world.platforms.iter().enumerate() {
            let all = &platform.participants;
            let judged = self.seen().judged[at];
            if judged < all.len() {
                self.seen().judged[at] = all.len();
                self.accepted(&world.eploys, &all[..all.len() - 1], &all[all.len() - 1]);
            }
        }
    }

    /// A platform accepted somebody.
    fn accepted(&self, eploys: &[Eploy], before: &[Participant], one: &Participant) {
        self.scheduler.tell("accepted", || one.client_ref.clone());
        let Some(key) = key(one) else {
            return self.violate(format!("{} is no reference of ours", one.client_ref));
        };
        let same =
            |other: &&Participant| other.tenant == one.tenant && other.client_ref == one.client_ref;
        let theirs = |other: &&Participant| {
            other.tenant == one.tenant
                && other.email == one.email
                && other.assessment == one.assessment
        };
        let rows = self.memory.rows();
        let Some(row) = rows.iter().find(|row| row.key == key) else {
            return self.violate(format!("{key} was invited and is not on record"));
        };
        let entitled = rows
            .iter()
            .filter(|other| {
                other.key.tenant == key.tenant
                    && other.candidate == row.candidate
                    && other.assessment == row.assessment
            })
            .count();
        // Where a platform does not give our reference back, one person's two invitations to one assessment cannot be
        // told apart, and either may be taken for the other; but never are there more than there should be.
        let twice = before.iter().filter(same).count() > 0;
        let invited = before.iter().filter(theirs).count() + 1;
        self.check(!twice || entitled > 1, || {
            format!("{key} was invited twice")
        });
        self.check(invited <= entitled, || {
            format!("{key}: {invited} invitations for {entitled} entries of one person")
        });
        let application = eploys[one.tenant]
            .applications
            .iter()
            .find(|application| application.id.to_string() == key.application.as_str());
        let tenant = self.configured(&key.tenant);
        let mapping = tenant
            .as_ref()
            .and_then(|tenant| tenant.mapping(&key.mapping));
        let (Some(application), Some(mapping)) = (application, mapping) else {
            return;
        };
        // Counted are invitations, not rounds: an old page may put a round on record that is passed over at once. And of
        // one person together, for the same reason as above.
        let stage = trigger(mapping).unwrap_or_default();
        let entries: usize = eploys[one.tenant]
            .applications
            .iter()
            .filter(|other| other.candidate == application.candidate)
            .map(|other| other.entries(stage))
            .sum();
        self.check(invited <= entries, || {
            format!("{key}: {invited} invitations, after {entries} entries of one person only")
        });
        self.newcomer(&eploys[one.tenant], application, mapping, &key);
    }

    /// Who was at the stage before the mapping was turned on is not invited. Where pages can slip while they are read and
    /// there is no history, nobody can tell.
    fn newcomer(
        &self,
        eploy: &Eploy,
        application: &Application,
        mapping: &Mapping,
        key: &InvitationKey,
    ) {
        let place = (key.tenant.clone(), key.mapping.clone());
        let tells = eploy.readings.history || matches!(eploy.readings.order, Order::Id);
        if mapping.include_current || !tells || self.seen().removed.contains(&place) {
            return;
        }
        let since = self.memory.state(&key.tenant).and_then(|state| {
            let known = state.mappings.get(&key.mapping)?;
            Some(known.since.as_millisecond())
        });
        let entered = application.entered() - eploy.readings.apart;
        let margin = 130 * 60_000;
        self.check(since.is_none_or(|since| entered + margin >= since), || {
            format!("{key} was invited, but was at the stage before the mapping was turned on")
        });
    }

    /// Remembers what is configured from now on.
    pub fn configured_now(&self, tenant: &Tenant) {
        for mapping in self
            .configured(&tenant.id)
            .into_iter()
            .flat_map(|before| before.mappings)
        {
            if tenant.mapping(&mapping.id).is_none() {
                self.seen().removed.insert((tenant.id.clone(), mapping.id));
            }
        }
        let before = self.configured(&tenant.id);
        let had = |id: &MappingId| {
            before
                .as_ref()
                .is_some_and(|known| known.mapping(id).is_some())
        };
        let now = self.scheduler.time(0).as_millisecond();
        for mapping in tenant.mappings.iter().filter(|mapping| !had(&mapping.id)) {
            let place = (tenant.id.clone(), mapping.id.clone());
            self.seen().put_back.insert(place, now);
        }
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
    }

    fn configured(&self, tenant: &TenantId) -> Option<Tenant> {
        let all = self.memory.configured();
        all.into_iter().find(|known| known.id == *tenant)
    }
}

/// The stage that a mapping waits for.
fn trigger(mapping: &Mapping) -> Option<u32> {
    mapping.triggers.first()?.stage.as_str().parse().ok()
}

/// The applications that stand where a mapping waits.
fn at_trigger<'a>(eploy: &'a Eploy, mapping: &'a Mapping) -> impl Iterator<Item = &'a Application> {
    eploy.applications.iter().filter(|application| {
        trigger(mapping) == Some(application.stage)
            && mapping
                .vacancies
                .contains(&application.vacancy.to_string().as_str().into())
    })
}

fn eploy<'a>(world: &'a World, tenant: &TenantId) -> Option<&'a Eploy> {
    let at: usize = tenant.as_str().strip_prefix('t')?.parse().ok()?;
    world.eploys.get(at)
}

fn millis(at: stagecall_core::Timestamp) -> i64 {
    at.as_millisecond()
}

/// The invitation that somebody was accepted for, as our reference says.
fn key(one: &Participant) -> Option<InvitationKey> {
    let mut parts = one.client_ref.split('.');
    Some(InvitationKey {
        tenant: TenantId::new(format!("t{}", one.tenant)),
        application: parts.next()?.into(),
        mapping: parts.next()?.into(),
        round: parts.next()?.parse().ok()?,
    })
}
