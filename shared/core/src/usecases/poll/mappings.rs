//! The mappings' own state: new and changed ones start with a baseline; one whose stage vanished breaks, loudly.

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::ports::{Directory, MappingState, MappingStatus, NamedId, TenantState};
use crate::tenant::{Mapping, Tenant, Trigger};

/// Brings the remembered mappings in line with the configured ones.
pub fn reconcile(tenant: &Tenant, state: &mut TenantState, now: Timestamp) {
    state.mappings.retain(|id, _| tenant.mapping(id).is_some());
    for mapping in &tenant.mappings {
        let watches = watches(mapping);
        let known = state.mappings.get(&mapping.id);
        if known.is_none_or(|known| known.watches != watches) {
            state.mappings.insert(
                mapping.id.clone(),
                MappingState {
                    // Without triggers there is nobody to be at one.
                    status: if mapping.triggers.is_empty() {
                        MappingStatus::Active
                    } else {
                        first_reading(mapping)
                    },
                    since: now,
                    watches,
                    doubted: false,
                },
            );
        }
    }
}

/// The beginning of the first reading of who is there.
pub(super) fn first_reading(mapping: &Mapping) -> MappingStatus {
    MappingStatus::Baseline {
        page: 1,
        again: mapping.include_current,
    }
}

/// A digest of what decides which entries count: if it changes, whoever is at the stage now was there before.
fn watches(mapping: &Mapping) -> String {
    let triggers: Vec<_> = mapping
        .triggers
        .iter()
        .map(|trigger| (&trigger.stage, &trigger.statuses))
        .collect();
    let bytes = serde_json::to_vec(&(
        &mapping.vacancies,
        triggers,
        mapping.reentry,
        &mapping.assessment,
    ))
    .unwrap_or_default();
    hex::encode(&Sha256::digest(&bytes)[..8])
}

/// Why a mapping cannot work with what the tenant has now; `None` if it can, or if the lists are not readable.
pub fn broken(mapping: &Mapping, directory: &Directory) -> Option<String> {
    broken_trigger(&mapping.triggers, directory)
}

/// The same, of triggers.
pub fn broken_trigger(triggers: &[Trigger], directory: &Directory) -> Option<String> {
    for trigger in triggers {
        let name = trigger.stage_name.as_deref().unwrap_or("no name on record");
        if let Some(problem) = missing(directory.stages.as_deref(), trigger.stage.as_str()) {
            return Some(format!(
                "its trigger stage {} ({name}) {problem} in Eploy. Choose another stage",
                trigger.stage
            ));
        }
        for status in &trigger.statuses {
            if let Some(problem) = missing(directory.statuses.as_deref(), status.as_str()) {
                return Some(format!(
                    "its trigger status {status} {problem} in Eploy. Choose another status"
                ));
            }
        }
    }
    None
}

/// How an option is missing from a list. No Eploy is without any: an empty list is one that could not be read.
fn missing(list: Option<&[NamedId]>, id: &str) -> Option<&'static str> {
    let list = list.filter(|list| !list.is_empty())?;
    match list.iter().find(|option| option.id == id) {
        None => Some("is no longer there"),
        Some(option) if option.archived => Some("is archived"),
        Some(_) => None,
    }
}
