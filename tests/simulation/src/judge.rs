//! The judge: what must never happen is looked for at every step, and what must have happened in the end, once the
//! faults have stopped. The world's own records decide, not the ledger's word for it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use stagecall_core::ids::{InvitationKey, MappingId, TenantId};
use stagecall_core::invitation::{ActionRecord, FailReason, Invitation, SkipReason, State};
use stagecall_core::ports::{Delivery, DeliveryFate, MappingStatus, TenantState};
use stagecall_core::tenant::{Mapping, Tenant};

use crate::plan::{Order, QUESTION, action_type, outcome};
use crate::scheduler::Scheduler;
use crate::store::Memory;
use crate::world::{Application, Eploy, Participant, Standing, World};

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
    /// When a mapping was first on, in milliseconds since 1970.
    on: BTreeMap<(TenantId, MappingId), i64>,
    /// Which mappings were ever paused.
    paused: BTreeSet<(TenantId, MappingId)>,
    /// Which mappings were ever removed: what was to be sent or reported meanwhile is not.
    removed: BTreeSet<(TenantId, MappingId)>,
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
                self.seen().on.entry(place).or_insert(now);
            }
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
        for eploy in &world.eploys {
            let tenant = TenantId::new(format!("t{}", eploy.tenant));
            self.check(eploy.calls <= self.memory.taken_in_all(&tenant), || {
                format!("{tenant} was called more often than was taken from its allowance")
            });
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
        let entries = trigger(mapping).map_or(0, |stage| application.entries(stage));
        self.check(key.round as usize <= entries, || {
            format!("{key} was invited, after {entries} entries only")
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
        for mapping in tenant.mappings.iter().filter(|mapping| mapping.paused) {
            let place = (tenant.id.clone(), mapping.id.clone());
            self.seen().paused.insert(place);
        }
    }

    fn configured(&self, tenant: &TenantId) -> Option<Tenant> {
        let all = self.memory.configured();
        all.into_iter().find(|known| known.id == *tenant)
    }

    /// What has still to happen before everything has come to its end. Empty: it has.
    pub fn outstanding(&self) -> Vec<String> {
        let world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        let mut open = Vec::new();
        for tenant in self.memory.configured() {
            if let Some(eploy) = eploy(&world, &tenant.id) {
                self.entries(eploy, &tenant, &mut open);
            }
        }
        let rows = self.memory.rows();
        for row in &rows {
            if matches!(row.state, State::Detected | State::Sending { .. }) {
                open.push(format!("{} is still {}", row.key, row.state.name()));
            } else if row.unreported() {
                open.push(format!("{} is not reported", row.key));
            }
        }
        for platform in &world.platforms {
            for one in &platform.participants {
                self.result(&world.eploys[one.tenant], one, &rows, &mut open);
            }
        }
        let pending = self.memory.pending_deliveries();
        if pending > 0 {
            open.push(format!("{pending} deliveries are not settled"));
        }
        open
    }

    /// Everybody who entered is invited, or there is a reason.
    fn entries(&self, eploy: &Eploy, tenant: &Tenant, open: &mut Vec<String>) {
        let Some(state) = self.memory.state(&tenant.id) else {
            return open.push(format!("{} was never polled", tenant.id));
        };
        for mapping in &tenant.mappings {
            let place = (tenant.id.clone(), mapping.id.clone());
            let Some(known) = state
                .mappings
                .get(&mapping.id)
                .filter(|known| known.status == MappingStatus::Active)
            else {
                open.push(format!("{}/{} is not on", tenant.id, mapping.id));
                continue;
            };
            let on = self.seen().on.get(&place).copied().unwrap_or(i64::MAX);
            let was_removed = self.seen().removed.contains(&place);
            let was_paused = self.seen().paused.contains(&place);
            for application in at_trigger(eploy, mapping) {
                let entered = application.entered() - eploy.readings.apart;
                if entered < millis(known.since) + CLOCKS && !mapping.include_current {
                    continue;
                }
                let id = application.id.to_string();
                let newest = self
                    .memory
                    .newest(&tenant.id, &id, &mapping.id, |row| row.state.clone());
                let missing = match newest {
                    None => Some("is not on record"),
                    Some(State::Skipped(SkipReason::MovedOn)) => {
                        Some("came back and is not invited")
                    }
                    Some(State::Skipped(SkipReason::MappingRemoved)) if !was_removed => {
                        Some("was passed over for a mapping that was never removed")
                    }
                    Some(State::Skipped(SkipReason::Paused)) if !was_paused => {
                        Some("was passed over for a pause that never was")
                    }
                    // Without the history, who comes back between two polls cannot be told from who stayed.
                    Some(State::Skipped(SkipReason::Baseline))
                        if entered > on + CLOCKS && eploy.readings.history =>
                    {
                        Some("was passed over, although the mapping was on")
                    }
                    Some(_) => None,
                };
                if let Some(missing) = missing {
                    open.push(format!(
                        "{} application {} for {} {missing}",
                        tenant.id, application.id, mapping.id
                    ));
                }
            }
        }
    }

    /// Eploy shows where somebody stands on the platform.
    fn result(
        &self,
        eploy: &Eploy,
        one: &Participant,
        rows: &[Invitation],
        open: &mut Vec<String>,
    ) {
        let Some(key) = key(one) else { return };
        let row = rows.iter().find(|row| {
            row.key.tenant == key.tenant
                && row
                    .reference
                    .as_ref()
                    .map(stagecall_core::ids::Reference::as_str)
                    == Some(one.key.as_str())
        });
        let Some(row) = row else {
            let given_up = rows.iter().find(|row| row.key == key).is_some_and(|row| {
                matches!(
                    row.state,
                    State::Failed(FailReason::OutcomeUnknown(_) | FailReason::GaveUp(_))
                )
            });
            if !given_up {
                open.push(format!("{key} was accepted, and no row has it"));
            }
            return;
        };
        let Some(tenant) = self.configured(&row.key.tenant) else {
            return;
        };
        let place = (row.key.tenant.clone(), row.key.mapping.clone());
        if tenant.mapping(&row.key.mapping).is_none() || self.seen().removed.contains(&place) {
            return;
        }
        let Some(ActionRecord::Created(id)) = &row.report.action else {
            return open.push(format!("{} has no action", row.key));
        };
        let wanted = outcome(one.standing.moment());
        let shown = eploy
            .actions
            .iter()
            .find(|action| action.id().to_string() == id.as_str());
        if shown.map(crate::world::Action::outcome) != Some(wanted) {
            open.push(format!(
                "{}: the action does not show {:?}",
                row.key, one.standing
            ));
        }
        // Several rounds of one entry answer the same question: whichever has the last news stands there.
        if let Standing::Completed(score) = one.standing
            && action_type(row.key.mapping.as_str()) == 42
            && !rows.iter().any(|other| {
                other.key.round != row.key.round
                    && other.reference.is_some()
                    && same_entry(other, row)
            })
        {
            let answer = eploy
                .applications
                .iter()
                .find(|application| application.id.to_string() == row.key.application.as_str())
                .and_then(|application| application.answers.get(QUESTION));
            if answer.map(String::as_str) != Some(score.to_string().as_str()) {
                open.push(format!("{}: the score {score} is not in Eploy", row.key));
            }
        }
        let kind = action_type(row.key.mapping.as_str());
        let number = |id: &str| id.parse().unwrap_or(0);
        let (candidate, vacancy) = (number(row.candidate.as_str()), number(row.vacancy.as_str()));
        let actions = eploy.actions_of(candidate, vacancy, kind).count();
        let told = rows
            .iter()
            .filter(|other| {
                other.candidate == row.candidate
                    && other.vacancy == row.vacancy
                    && other.key.mapping == row.key.mapping
                    && other.revision > 0
            })
            .count();
        self.check(actions <= told, || {
            format!("{}: {actions} actions for {told} invitations", row.key)
        });
    }
}

fn same_entry(one: &Invitation, other: &Invitation) -> bool {
    one.key.tenant == other.key.tenant
        && one.key.application == other.key.application
        && one.key.mapping == other.key.mapping
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
