//! The judge's view of what takes effect outside: who is invited, and what is written into Eploy.

use stagecall_core::ids::{InvitationKey, TenantId};
use stagecall_core::tenant::Mapping;

use super::{Judge, MARGIN, key, tells, trigger};
use crate::plan::action_type;
use crate::scheduler::Millis;
use crate::world::{Application, Eploy, Participant, Platform, World};

impl Judge {
    /// A request took effect in the world, sent by work that began then.
    pub fn arrived(&self, world: &mut World, begun: Millis) {
        for what in std::mem::take(&mut world.violations) {
            self.violate(what);
        }
        if let Some((tenant, application)) = world.told.take() {
            let tenant = TenantId::new(format!("t{tenant}"));
            self.told_of(world, &tenant, application);
        }
        for eploy in &world.eploys {
            self.created(eploy);
        }
        for (at, platform) in world.platforms.iter().enumerate() {
            let ours = platform.ours().count();
            let judged = self.seen().judged[at];
            if judged < ours {
                self.seen().judged[at] = ours;
                self.accepted(&world.eploys, platform, begun);
            }
        }
    }

    /// An action was created in Eploy, if one was: there is one for each invitation that has something to tell.
    fn created(&self, eploy: &Eploy) {
        let known = self
            .seen()
            .actions
            .insert(eploy.tenant, eploy.actions.len());
        let Some(action) = eploy.actions.last() else {
            return;
        };
        if known.unwrap_or(0) == eploy.actions.len() {
            return;
        }
        let (candidate, vacancy, kind) = (action.candidate, action.vacancy, action.kind);
        let actions = eploy.actions_of(candidate, vacancy, kind).count();
        let tenant = TenantId::new(format!("t{}", eploy.tenant));
        let (candidate, vacancy) = (candidate.to_string(), vacancy.to_string());
        let told = self.memory.count(|row| {
            row.key.tenant == tenant
                && row.candidate.as_str() == candidate
                && row.vacancy.as_str() == vacancy
                && action_type(row.key.mapping.as_str()) == kind
                && row.revision > 0
        });
        self.check(actions <= told, || {
            format!("{tenant}: {actions} actions for {told} invitations of {candidate}")
        });
    }

    /// A platform accepted somebody.
    fn accepted(&self, eploys: &[Eploy], platform: &Platform, begun: Millis) {
        let mut before: Vec<&Participant> = platform.ours().collect();
        let Some(one) = before.pop() else { return };
        self.scheduler.tell("accepted", || one.client_ref.clone());
        let Some(key) = key(one) else {
            return self.violate(format!("{} is no reference of ours", one.client_ref));
        };
        let same =
            |other: &&Participant| other.tenant == one.tenant && other.client_ref == one.client_ref;
        let theirs = |other: &&&Participant| {
            other.tenant == one.tenant
                && other.email == one.email
                && other.assessment == one.assessment
        };
        let Some(row) = self.memory.row(&key) else {
            return self.violate(format!("{key} was invited and is not on record"));
        };
        // Only whoever was ever about to be sent has a right to an invitation.
        let entitled = self.memory.count(|other| {
            other.key.tenant == key.tenant
                && other.candidate == row.candidate
                && other.assessment == row.assessment
                && (other.attempts > 0 || other.reference.is_some())
        });
        // Where a platform does not give our reference back, one person's two invitations to one assessment cannot be
        // told apart, and either may be taken for the other; but never are there more than there should be.
        let twice = before.iter().any(same);
        let invited = before.iter().filter(theirs).count() + 1;
        let told_apart = platform.echoes() || entitled == 1;
        self.check(!twice || !told_apart, || format!("{key} was invited twice"));
        self.check(invited <= entitled, || {
            format!("{key}: {invited} invitations for {entitled} entries of one person")
        });
        let eploy = &eploys[one.tenant];
        let application = eploy
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
        self.check(!self.is_paused(&key.tenant, mapping, begun), || {
            format!("{key} was invited by work that began during a pause")
        });
        // Counted are invitations, not rounds: an old page may put a round on record that is passed over at once. And of
        // one person together, for the same reason as above.
        let entries = self.entries_of(eploy, application.candidate, mapping, &key.tenant);
        self.check(invited <= entries, || {
            format!("{key}: {invited} invitations, after {entries} entries of one person only")
        });
        self.newcomer(eploy, application, mapping, &key);
    }

    /// How often a person's applications entered the stage of a mapping since it was first turned on; all of their
    /// entries, where nobody can tell or those from before are wanted, too.
    fn entries_of(
        &self,
        eploy: &Eploy,
        candidate: u32,
        mapping: &Mapping,
        tenant: &TenantId,
    ) -> usize {
        let place = (tenant.clone(), mapping.id.clone());
        let first = self.seen().first_on.get(&place).copied();
        let since = first.filter(|_| tells(eploy) && !mapping.include_current);
        let since = since.map_or(i64::MIN, |since| since - MARGIN + eploy.readings.apart);
        let stage = trigger(mapping).unwrap_or_default();
        eploy
            .applications
            .iter()
            .filter(|other| other.candidate == candidate)
            .filter(|other| {
                let vacancy = other.vacancy.to_string();
                mapping.vacancies.contains(&vacancy.as_str().into())
            })
            .flat_map(|other| &other.history)
            .filter(|(_, at, to)| *to == stage && *at >= since)
            .count()
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
        if mapping.include_current || !tells(eploy) || self.seen().removed.contains(&place) {
            return;
        }
        let since = self.memory.state(&key.tenant).and_then(|state| {
            let known = state.mappings.get(&key.mapping)?;
            Some(known.since.as_millisecond())
        });
        let entered = application.entered() - eploy.readings.apart;
        self.check(since.is_none_or(|since| entered + MARGIN >= since), || {
            format!("{key} was invited, but was at the stage before the mapping was turned on")
        });
    }
}
