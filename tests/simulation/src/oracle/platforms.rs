//! Checks what takes effect outside: who is invited, and what is written to Eploy.

use std::collections::BTreeSet;

use serde_json::Value;
use stagecall_core::ids::{AssessmentRef, CandidateId, InvitationKey, TenantId};
use stagecall_core::invitation::Invitation;
use stagecall_core::tenant::{Mapping, Tenant};

use super::mappings::places;
use super::{MAX_EPLOY_SKEW, Oracle, key, knows_baseline};
use crate::plan::action_type;
use crate::scheduler::Millis;
use crate::world::{Application, Eploy, Participant, Platform, Progress, World};

/// Whatever is tried about an application that is deleted comes to its end: a few tries of each invitation that is looked up or
/// whose report is written, and of each report that has news since.
const MAX_FAILED_READS: u32 = 120;

impl Oracle {
    /// Checks the world after a request took effect, sent by work that began at `begun`.
    pub fn arrived(&self, world: &mut World, begun: Millis) {
        for what in std::mem::take(&mut world.violations) {
            self.violate(what);
        }
        if let Some((tenant, application)) = world.announced.take() {
            let tenant = TenantId::new(format!("t{tenant}"));
            self.check_webhook(world, &tenant, application);
        }
        for eploy in &world.eploys {
            self.created(eploy);
            for (id, times) in &eploy.failed_reads {
                self.check(*times <= MAX_FAILED_READS, || {
                    format!("application {id} is deleted, and was asked for {times} times")
                });
            }
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

    /// Checks a new action in Eploy, if there is one: there is one for each invitation with something to report.
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
        let (vacancy, kind) = (action.vacancy, action.kind);
        let candidate = eploy.person(action.candidate);
        let actions = eploy.actions_of(candidate, vacancy, kind).count();
        let tenant = TenantId::new(format!("t{}", eploy.tenant));
        if self.erased(&tenant, &candidate.to_string()).is_some() {
            return;
        }
        let is_theirs = |id: &str| id.parse().is_ok_and(|id| eploy.person(id) == candidate);
        let vacancy = vacancy.to_string();
        let reportable = self.memory.count(|row| {
            row.key.tenant == tenant
                && is_theirs(row.candidate.as_str())
                && row.vacancy.as_str() == vacancy
                && action_type(row.key.mapping.as_str()) == kind
                && row.revision > 0
        });
        self.check(actions <= reportable, || {
            format!("{tenant}: {actions} actions for {reportable} invitations of {candidate}")
        });
    }

    /// Checks a participant whom a platform accepted.
    fn accepted(&self, eploys: &[Eploy], platform: &Platform, begun: Millis) {
        let mut before: Vec<&Participant> = platform.ours().collect();
        let Some(one) = before.pop() else { return };
        self.scheduler.record("accepted", || one.client_ref.clone());
        let Some(key) = key(one) else {
            return self.violate(format!("{} is no reference of ours", one.client_ref));
        };
        let application = eploys[one.tenant].find(&key.application);
        let person = application.map(|one| one.candidate.to_string());
        if let Some(erased) = person.and_then(|person| self.erased(&key.tenant, &person)) {
            return self.check(erased >= begun, || {
                format!("{key} was invited by work that began after they were erased")
            });
        }
        let same =
            |other: &&Participant| other.tenant == one.tenant && other.client_ref == one.client_ref;
        let theirs = |other: &&&Participant| {
            other.tenant == one.tenant
                && other.email == one.email
                && other.assessment == one.assessment
        };
        let Some(row) = self.memory.row(&key) else {
            return self.violate(format!("{key} was invited and is not recorded"));
        };
        // Only rows that were ever about to be sent count.
        let persons = |id: &CandidateId| {
            let id = id.as_str().parse().unwrap_or_default();
            eploys[one.tenant].person(id)
        };
        let entitled = self.memory.count(|other| {
            other.key.tenant == key.tenant
                && persons(&other.candidate) == persons(&row.candidate)
                && other.assessment == row.assessment
                && (other.attempts > 0 || other.reference.is_some())
        });
        // Where a platform does not return our reference, one person's two invitations to one assessment cannot be
        // distinguished, and either may be taken for the other. But there are never too many.
        let twice = before.iter().any(same);
        // If the invitation bounced, another mapping may send another one for the same entry.
        let arrived = before
            .iter()
            .filter(|one| one.progress != Progress::Bounced);
        let invited = before.iter().filter(theirs).count() + 1;
        let arrived = arrived.filter(theirs).count() + 1;
        let distinguishable = platform.echoes() || entitled == 1;
        self.check(!twice || !distinguishable, || {
            format!("{key} was invited twice")
        });
        self.check(invited <= entitled, || {
            format!("{key}: {invited} invitations for {entitled} entries of one person")
        });
        let eploy = &eploys[one.tenant];
        let (Some(application), Some(tenant)) = (application, self.configured(&key.tenant)) else {
            return;
        };
        let Some(definition) = self.definition_of(&row) else {
            return self.violate(format!("{key} was invited under no definition"));
        };
        self.ordered(platform, one, &definition, &key);
        self.matches(&tenant, application, &row, &definition, eploy, begun);
        // Invitations count, not rounds: an old page may insert a round that is skipped at once. One person's are counted
        // together, for the same reason as above.
        let person = application.candidate;
        let entries = self.entries_of(eploy, person, &definition.assessment, &key.tenant);
        self.check(arrived <= entries, || {
            format!("{key}: {arrived} invitations, after {entries} entries of one person only")
        });
        self.newcomer(eploy, application, &definition, &key);
    }

    /// Checks that the order follows the invitation's own definition completely.
    fn ordered(
        &self,
        platform: &Platform,
        one: &Participant,
        definition: &Mapping,
        key: &InvitationKey,
    ) {
        let to = &definition.assessment;
        let right =
            to.assessment.as_str() == one.assessment && to.account.as_str() == platform.account();
        self.check(right, || {
            format!(
                "{key} was invited to {}, and its definition says {to}",
                one.assessment
            )
        });
        let send = definition
            .options
            .get("send_email")
            .and_then(Value::as_bool);
        self.check(send == one.send_email, || {
            format!("{key} was invited with other options than its definition says")
        });
    }

    /// Checks that an invitation matches: by its definition and by the present mapping, which is not paused, and by the
    /// application's place at some time since the work began, if nothing was configured since.
    fn matches(
        &self,
        tenant: &Tenant,
        application: &Application,
        row: &Invitation,
        definition: &Mapping,
        eploy: &Eploy,
        begun: Millis,
    ) {
        let key = &row.key;
        let present = tenant.present(&key.mapping, row.definition.as_ref());
        let edited = self.seen().edited.get(&tenant.id).copied();
        let Some(present) = present else {
            return self.check(edited.is_none_or(|edited| edited >= begun), || {
                format!("{key} was invited by work that began after its mapping was removed")
            });
        };
        self.check(!self.is_paused(&key.tenant, present, begun), || {
            format!("{key} was invited by work that began during a pause")
        });
        if edited.is_some_and(|edited| edited >= begun) {
            return;
        }
        let age = (self.scheduler.now() - begun).cast_signed();
        let since = self.scheduler.time(-age).as_millisecond() + eploy.readings.apart;
        let both = &places(definition) & &places(present);
        let mut stood = application.stages_since(since);
        let matched = stood.any(|stage| both.contains(&(application.vacancy, stage)));
        self.check(matched, || {
            format!("{key} was invited by work that began when no mapping matched any more")
        });
    }

    /// How often a person's applications entered a place that matches for an assessment, since it first matched. All of their
    /// entries, where the baseline is unknown or is to be invited, too.
    fn entries_of(
        &self,
        eploy: &Eploy,
        candidate: u32,
        assessment: &AssessmentRef,
        tenant: &TenantId,
    ) -> usize {
        let definitions = self.definitions_for(tenant, assessment);
        let current = definitions.iter().any(|one| one.include_current);
        let places: BTreeSet<_> = definitions.iter().flat_map(places).collect();
        let seen = self.seen();
        let since = |place| {
            let first = (tenant.clone(), assessment.clone(), place);
            let first = seen.first_on.get(&first).copied();
            let since = first.filter(|_| knows_baseline(eploy) && !current);
            since.map_or(i64::MIN, |since| {
                since - MAX_EPLOY_SKEW + eploy.readings.apart
            })
        };
        let theirs = eploy.applications.iter();
        theirs
            .filter(|other| other.candidate == candidate)
            .flat_map(|other| other.history.iter().map(|row| (other.vacancy, row)))
            .filter(|(vacancy, (_, at, stage))| {
                let place = (*vacancy, *stage);
                places.contains(&place) && *at >= since(place)
            })
            .count()
    }

    /// Checks that an application of the baseline is not invited, unless pages can shift while they are read and there is no
    /// history.
    fn newcomer(
        &self,
        eploy: &Eploy,
        application: &Application,
        mapping: &Mapping,
        key: &InvitationKey,
    ) {
        if mapping.include_current || !knows_baseline(eploy) {
            return;
        }
        let (_, place) = self.stay(eploy, &key.tenant, &key.mapping, application);
        let entered = application.entered() - eploy.readings.apart;
        let since = self.seen().since.get(key).copied();
        let since = since.or_else(|| Some(self.on(&key.tenant, &key.mapping, place)?.since));
        self.check(
            since.is_none_or(|since| entered + MAX_EPLOY_SKEW >= since),
            || format!("{key} was invited, but was at the stage before the mapping was turned on"),
        );
    }
}
