//! A mapping as polls see it: its definition, its start, and its status for one application.

use jiff::Timestamp;

use super::MAX_CLOCK_DIFFERENCE;
use crate::engine::Engine;
use crate::error::StoreError;
use crate::ports::{ApplicationRow, EarlierPart, MappingState, MappingStatus, TenantState};
use crate::tenant::{Mapping, Tenant, Trigger, Vacancies};
use crate::timing::after;

/// A mapping as polls see it.
#[derive(Clone, Debug)]
pub struct Watched {
    /// The definition as of the beginning of the last complete reading of changes, with the present operational
    /// settings.
    pub mapping: Mapping,
    state: MappingState,
    /// Its earlier versions, oldest first.
    earlier: Vec<(Mapping, EarlierPart)>,
}

impl Watched {
    /// A mapping with this state that never had another version.
    #[cfg(test)]
    pub(super) fn new(mapping: Mapping, state: MappingState) -> Self {
        Self {
            mapping,
            state,
            earlier: Vec::new(),
        }
    }

    /// The mapping's status for an application. During a baseline it is on for applications that it covered before, and
    /// for those that entered while it was broken.
    pub fn status(&self, row: &ApplicationRow) -> &MappingStatus {
        let MappingStatus::Baseline { after_break, .. } = self.state.status else {
            return &self.state.status;
        };
        let entered = row
            .modified
            .is_some_and(|at| after(at, MAX_CLOCK_DIFFERENCE) > self.state.since);
        if self.was_on(row) || after_break && entered {
            &MappingStatus::Active
        } else {
            &self.state.status
        }
    }

    /// Whether the mapping's baseline is being read.
    pub(super) fn is_turned_on(&self) -> bool {
        matches!(self.state.status, MappingStatus::Baseline { .. })
    }

    /// Whether the mapping was on for an application at this position before its last change, and since.
    pub(super) fn was_on(&self, row: &ApplicationRow) -> bool {
        self.until_now(row).any(|(_, part)| part.on)
    }

    /// Since when the mapping has covered applications at this position, without a break.
    pub fn since(&self, row: &ApplicationRow) -> Timestamp {
        let earliest = self.until_now(row).last();
        earliest.map_or(self.state.since, |(_, part)| part.since)
    }

    /// The earlier versions that covered applications at this position, as did all later ones; newest first.
    fn until_now(&self, row: &ApplicationRow) -> impl Iterator<Item = &(Mapping, EarlierPart)> {
        let earlier = self.earlier.iter().rev();
        earlier.take_while(|(mapping, _)| mapping.takes(row))
    }

    /// The applications that the baseline reads: all, or those that the last change added.
    pub(super) fn added(&self) -> (Vec<Trigger>, Vacancies) {
        let now = &self.mapping;
        let all = || (now.triggers.clone(), now.vacancies.clone());
        // Only the last change counts: one before it may have removed what this one adds again.
        let Some((before, EarlierPart { on: true, .. })) = self.earlier.last() else {
            return all();
        };
        let triggers = now.added_triggers(before);
        let vacancies = match (&now.vacancies, &before.vacancies) {
            (Vacancies::Only(now), Vacancies::Only(before)) => {
                Vacancies::Only(now.difference(before).cloned().collect())
            }
            (_, Vacancies::All) => Vacancies::Only([].into()),
            (Vacancies::All, Vacancies::Only(_)) => Vacancies::All,
        };
        let same_vacancies = vacancies == Vacancies::Only([].into());
        match (triggers.is_empty(), same_vacancies) {
            (true, false) => (now.triggers.clone(), vacancies),
            (false, true) => (triggers, now.vacancies.clone()),
            _ => all(),
        }
    }
}

impl Mapping {
    /// Whether an application is of the mapping's vacancies and at one of its triggers.
    pub fn takes(&self, row: &ApplicationRow) -> bool {
        self.vacancies.contains(&row.vacancy) && self.triggered_by(&row.position)
    }
}

impl Engine {
    /// The mappings as polls see them, in the order of the configuration. A removed one is included until what changed
    /// before its removal was read.
    pub async fn watched(
        &self,
        tenant: &Tenant,
        state: &TenantState,
    ) -> Result<Vec<Watched>, StoreError> {
        let mut watched = Vec::new();
        let present = tenant.mappings.iter().map(|mapping| &mapping.id);
        let removed = state.mappings.keys();
        let removed = removed.filter(|id| tenant.mapping(id).is_none());
        for id in present.chain(removed) {
            let Some(known) = state.mappings.get(id) else {
                continue;
            };
            let own = match &known.definition {
                Some(version) => self.definition_of(tenant, id, version).await?,
                None => None,
            };
            let mapping = match (own, tenant.mapping(id)) {
                (Some(own), Some(present)) => own.operated_as(present),
                (Some(own), None) => own,
                (None, Some(present)) => present.clone(),
                (None, None) => continue,
            };
            let mut earlier = Vec::new();
            for part in &known.earlier {
                // An unknown version covered nothing.
                match self.definition_of(tenant, id, &part.definition).await? {
                    Some(mapping) => earlier.push((mapping, part.clone())),
                    None => earlier.clear(),
                }
            }
            watched.push(Watched {
                mapping,
                state: known.clone(),
                earlier,
            });
        }
        Ok(watched)
    }
}
