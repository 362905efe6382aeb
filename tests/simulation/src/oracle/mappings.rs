//! Tracks the mappings: all configured versions, and since when each takes applications at a place.

use std::collections::BTreeSet;

use stagecall_core::ids::{AssessmentRef, DefinitionId, MappingId, TenantId};
use stagecall_core::invitation::Invitation;
use stagecall_core::ports::{MappingStatus, TenantState};
use stagecall_core::tenant::{Mapping, Reentry, Tenant};

use super::{MAX_CLOCK_SKEW, Oracle, Seen, millis};
use crate::plan::{Order, VACANCIES};
use crate::world::{Application, Eploy};

/// A place of an application: vacancy and stage.
pub(super) type Place = (u32, u32);

/// Since when a mapping has taken applications at a place, without a break.
#[derive(Clone, Copy)]
pub(super) struct On {
    /// Earlier entries belong to the baseline: when the mapping, or this part of it, was first seen.
    pub since: i64,
    /// When the baseline was completely read.
    pub at: i64,
}

/// The places whose applications a mapping takes.
pub(super) fn places(mapping: &Mapping) -> BTreeSet<Place> {
    let stages: Vec<u32> = stages(mapping).collect();
    let vacancies = VACANCIES.into_iter();
    let vacancies =
        vacancies.filter(|id| mapping.vacancies.contains(&id.to_string().as_str().into()));
    vacancies
        .flat_map(|vacancy| stages.iter().map(move |stage| (vacancy, *stage)))
        .collect()
}

/// A mapping's trigger stages.
pub(super) fn stages(mapping: &Mapping) -> impl Iterator<Item = u32> {
    let triggers = mapping.triggers.iter();
    triggers.filter_map(|trigger| trigger.stage.as_str().parse().ok())
}

/// The applications at a mapping's triggers.
pub(super) fn at_trigger<'a>(
    eploy: &'a Eploy,
    mapping: &Mapping,
) -> impl Iterator<Item = &'a Application> {
    let places = places(mapping);
    let all = eploy.applications.iter();
    all.filter(move |one| !one.deleted && places.contains(&(one.vacancy, one.stage)))
}

impl Oracle {
    /// Records a change of the configuration.
    pub(super) fn note_mappings(&self, before: Option<&Tenant>, tenant: &Tenant) {
        let had = before.map_or(&[][..], |before| &before.mappings);
        let mut seen = self.seen();
        for mapping in had {
            let place = (tenant.id.clone(), mapping.id.clone());
            match tenant.mapping(&mapping.id) {
                None => {
                    seen.removed.insert(place, self.scheduler.now());
                }
                Some(now) if !places(mapping).is_subset(&places(now)) => {
                    seen.narrowed.insert(place);
                }
                Some(_) => {}
            }
        }
        for mapping in &tenant.mappings {
            let version = mapping.definition_id();
            let all = seen.definitions.entry(tenant.id.clone()).or_default();
            all.insert((mapping.id.clone(), version), mapping.clone());
        }
        if had != tenant.mappings {
            let now = self.scheduler.now();
            seen.edited.insert(tenant.id.clone(), now);
        }
    }

    /// This version of a mapping, if it existed.
    pub(super) fn definition(
        &self,
        tenant: &TenantId,
        mapping: &MappingId,
        version: &DefinitionId,
    ) -> Option<Mapping> {
        let seen = self.seen();
        let known = seen.definitions.get(tenant)?;
        known.get(&(mapping.clone(), version.clone())).cloned()
    }

    /// The places that every version of a mapping has taken.
    pub(super) fn always_taken(&self, tenant: &TenantId, mapping: &MappingId) -> BTreeSet<Place> {
        let seen = self.seen();
        let all = seen.definitions.get(tenant).into_iter().flatten();
        let of_it = all.filter(|((id, _), _)| id == mapping);
        of_it
            .map(|(_, one)| places(one))
            .reduce(|all, one| &all & &one)
            .unwrap_or_default()
    }

    /// The definition of a row.
    pub(super) fn definition_of(&self, row: &Invitation) -> Option<Mapping> {
        let version = row.definition.as_ref()?;
        self.definition(&row.key.tenant, &row.key.mapping, version)
    }

    /// All definitions that a tenant ever had for an assessment.
    pub(super) fn definitions_for(&self, tenant: &TenantId, of: &AssessmentRef) -> Vec<Mapping> {
        let seen = self.seen();
        let all = seen.definitions.get(tenant).into_iter().flatten();
        let all = all.map(|(_, mapping)| mapping);
        all.filter(|one| one.assessment == *of).cloned().collect()
    }

    /// When an application came to where it stands for a mapping, and to which place. Going from one stage of a mapping to
    /// another is one stay; for how long the one before was a stage of it is not asked: whoever went on from a stage that
    /// was ever one is taken to be in the same stay.
    pub(super) fn stay(
        &self,
        eploy: &Eploy,
        tenant: &TenantId,
        mapping: &MappingId,
        application: &Application,
    ) -> (i64, Place) {
        let seen = self.seen();
        let all = seen.definitions.get(tenant).into_iter().flatten();
        let ever: BTreeSet<u32> = all
            .filter(|((id, _), _)| id == mapping)
            .flat_map(|(_, one)| stages(one))
            .collect();
        let (at, stage) = application.stay(|stage| ever.contains(&stage));
        (at - eploy.readings.apart, (application.vacancy, stage))
    }

    /// Since when a mapping takes the applications of a place.
    pub(super) fn on(&self, tenant: &TenantId, mapping: &MappingId, place: Place) -> Option<On> {
        let key = (tenant.clone(), mapping.clone(), place);
        self.seen().on.get(&key).copied()
    }

    /// When an application's stay began, if the mapping takes it; and since when the mapping takes applications at the stay's
    /// first place and at the present one. An application that moved on to a part that was added later, before that part
    /// was read, belongs to its baseline.
    pub(super) fn taken_since(
        &self,
        eploy: &Eploy,
        tenant: &TenantId,
        mapping: &MappingId,
        application: &Application,
    ) -> Option<(i64, On)> {
        let (entered, from) = self.stay(eploy, tenant, mapping, application);
        let from = self.on(tenant, mapping, from)?;
        let here = (application.vacancy, application.stage);
        let here = self.on(tenant, mapping, here)?;
        let on = On {
            since: from.since.max(here.since),
            at: from.at.max(here.at),
        };
        Some((entered, on))
    }

    /// Records the mappings' states as a poll saved them. The unchanged part of a changed mapping stays on. An added part is
    /// on when its baseline is read.
    pub(super) fn note_states(&self, tenant: &TenantId, next: &TenantState, now: i64) {
        for (id, state) in &next.mappings {
            let definition = state.definition.as_ref();
            let definition = definition.and_then(|version| self.definition(tenant, id, version));
            let Some(definition) = definition else {
                self.violate(format!(
                    "{tenant}/{id} is read under a version that it never had"
                ));
                continue;
            };
            let taken = places(&definition);
            let mut seen = self.seen();
            seen.on.retain(|(of, mapping, place), _| {
                of != tenant || mapping != id || taken.contains(place)
            });
            if state.status == MappingStatus::Active {
                for place in taken {
                    // A clock that is ahead may have written it.
                    let since = millis(state.since).min(now);
                    let key = (tenant.clone(), id.clone(), place);
                    seen.on.entry(key).or_insert(On { since, at: now });
                    let first = (tenant.clone(), definition.assessment.clone(), place);
                    let known = seen.first_on.entry(first).or_insert(since);
                    *known = since.min(*known);
                }
            }
            let again = (tenant.clone(), id.clone());
            if definition.reentry == Reentry::Again {
                seen.again.entry(again).or_insert(now);
            } else {
                seen.again.remove(&again);
            }
        }
        let gone = |seen: &mut Seen| {
            seen.on
                .retain(|(of, mapping, _), _| of != tenant || next.mappings.contains_key(mapping));
            seen.again
                .retain(|(of, mapping), _| of != tenant || next.mappings.contains_key(mapping));
        };
        gone(&mut self.seen());
    }

    /// Checks that polls drop a mapping only after they have read everything that changed while it was configured. Where
    /// pages can shift while they are read, or moves do not show, a single reading may miss an application.
    pub(super) fn let_go(
        &self,
        eploy: &Eploy,
        tenant: &TenantId,
        before: Option<&TenantState>,
        next: &TenantState,
    ) {
        let had = before.map(|before| &before.mappings);
        let gone = had.into_iter().flatten();
        let gone = gone.filter(|(id, _)| !next.mappings.contains_key(id));
        let sure = matches!(eploy.readings.order, Order::Id) && !eploy.readings.frozen;
        for (id, state) in gone.filter(|_| sure) {
            let removed = (tenant.clone(), id.clone());
            let removed = self.seen().removed.get(&removed).copied();
            let definition = state.definition.as_ref();
            let definition = definition.and_then(|version| self.definition(tenant, id, version));
            let (Some(removed), Some(definition)) = (removed, definition) else {
                self.violate(format!(
                    "{tenant}/{id} is not read any more, and was never removed"
                ));
                continue;
            };
            let age = (self.scheduler.now() - removed).cast_signed();
            let until = self.scheduler.time(-age).as_millisecond() - MAX_CLOCK_SKEW;
            for application in at_trigger(eploy, &definition) {
                let Some((entered, on)) = self.taken_since(eploy, tenant, id, application) else {
                    continue;
                };
                let number = application.id.to_string();
                let known = self.memory.newest(tenant, &number, id, |_| ());
                let candidate = application.candidate.to_string();
                let missed = entered >= on.since + MAX_CLOCK_SKEW
                    && entered < until
                    && known.is_none()
                    && self.erased(tenant, &candidate).is_none();
                self.check(!missed, || {
                    format!(
                        "{tenant}/{id} was let go before the entry of application {number} was read"
                    )
                });
            }
        }
    }
}
