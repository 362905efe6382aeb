//! The mappings' state: a new mapping starts with a baseline, a changed one with a baseline of what was added; one
//! whose stage vanished breaks, visibly.

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};

use super::watched::Watched;
use crate::ids::{StageId, StatusId};
use crate::ports::{
    ApplicationRow, Directory, EarlierPart, MappingState, MappingStatus, NamedId, Proven,
    TenantState,
};
use crate::tenant::{Mapping, Tenant, Trigger};

/// The maximum number of earlier versions remembered of a mapping.
const MAX_PARTS: usize = 16;

/// The maximum number of positions remembered that Eploy's lists lacked.
const MAX_PROVEN: usize = 50;

/// How long an application's presence at a position proves that the position exists.
const MAX_PROOF_AGE: SignedDuration = SignedDuration::from_hours(24);

/// Adds new mappings to the state, each starting with a baseline. Returns those whose definitions are to be saved.
pub fn adopt<'a>(tenant: &'a Tenant, state: &mut TenantState, now: Timestamp) -> Vec<&'a Mapping> {
    let mut adopted = Vec::new();
    for mapping in &tenant.mappings {
        let version = mapping.definition_id();
        match state.mappings.get_mut(&mapping.id) {
            Some(known) if known.definition.is_some() => continue,
            // Saved by an earlier program, and unchanged since.
            Some(known) if known.watches == watches(mapping) => {
                known.definition = Some(version);
                known.watches.clear();
            }
            _ => {
                let new = MappingState {
                    status: first_reading(mapping),
                    since: now,
                    definition: Some(version),
                    earlier: Vec::new(),
                    watches: String::new(),
                    doubted: false,
                };
                state.mappings.insert(mapping.id.clone(), new);
            }
        }
        adopted.push(mapping);
    }
    adopted
}

/// Whether a mapping was changed or removed since the definition that polls use.
pub fn is_changed(tenant: &Tenant, state: &TenantState) -> bool {
    state.mappings.iter().any(|(id, known)| {
        let present = tenant.mapping(id).map(Mapping::definition_id);
        present.is_none() || known.definition != present
    })
}

/// Switches from the `watched` definitions to the configured ones, once everything that changed before was read. A
/// baseline is read only for what a change added; what the mapping covered before continues without a break. Returns
/// the mappings whose definitions are to be saved.
pub fn switch<'a>(
    tenant: &'a Tenant,
    state: &mut TenantState,
    watched: &[Watched],
    now: Timestamp,
) -> Vec<&'a Mapping> {
    state.mappings.retain(|id, _| tenant.mapping(id).is_some());
    let mut changed = Vec::new();
    for mapping in &tenant.mappings {
        let version = mapping.definition_id();
        let Some(known) = state.mappings.get_mut(&mapping.id) else {
            continue;
        };
        if known.definition.as_ref() == Some(&version) {
            continue;
        }
        let mut watched = watched.iter();
        let before = watched.find(|one| one.mapping.id == mapping.id);
        let before = before.map_or(mapping, |one| &one.mapping);
        change(known, before, mapping, now);
        known.definition = Some(version);
        // Its stages have changed.
        state.check_at = None;
        changed.push(mapping);
    }
    changed
}

fn change(known: &mut MappingState, before: &Mapping, mapping: &Mapping, now: Timestamp) {
    let adds = mapping.takes_more_than(before);
    if !adds && !before.takes_more_than(mapping) {
        return;
    }
    if let Some(definition) = known.definition.clone() {
        let (since, on) = (known.since, known.status.is_on());
        if known.earlier.len() >= MAX_PARTS {
            known.earlier.remove(0);
        }
        known.earlier.push(EarlierPart {
            definition,
            since,
            on,
        });
    }
    known.since = now;
    known.doubted = false;
    known.status = match known.status {
        MappingStatus::Active | MappingStatus::Broken { on: true, .. } if !adds => {
            MappingStatus::Active
        }
        // Applications that entered the replacement stage did so while the mapping was broken.
        MappingStatus::Broken { at: Some(at), .. } => {
            known.since = at;
            reading(mapping, true)
        }
        MappingStatus::Baseline { after_break, .. } => {
            if after_break && let Some(part) = known.earlier.last() {
                known.since = part.since;
            }
            reading(mapping, after_break)
        }
        MappingStatus::Active | MappingStatus::Broken { .. } => first_reading(mapping),
    };
}

/// Whether a baseline is being read for any mapping.
pub(super) fn any_turned_on(state: &TenantState) -> bool {
    let mut mappings = state.mappings.values();
    mappings.any(|known| matches!(known.status, MappingStatus::Baseline { .. }))
}

/// Whether any mapping is on, or is about to change.
pub(super) fn any_on(state: &TenantState) -> bool {
    let mut mappings = state.mappings.values();
    mappings.any(|known| {
        !matches!(known.status, MappingStatus::Baseline { .. }) || !known.earlier.is_empty()
    })
}

/// The status at the start of the baseline.
pub(super) fn first_reading(mapping: &Mapping) -> MappingStatus {
    reading(mapping, false)
}

fn reading(mapping: &Mapping, after_break: bool) -> MappingStatus {
    // Without triggers, no application can be at one.
    if mapping.triggers.is_empty() {
        return MappingStatus::Active;
    }
    MappingStatus::Baseline {
        page: 1,
        again: mapping.include_current,
        after_break,
        search: 0,
    }
}

/// The status of a mapping whose stage exists after all.
pub(super) fn repaired(mapping: &Mapping, on: bool) -> MappingStatus {
    if on {
        MappingStatus::Active
    } else {
        reading(mapping, true)
    }
}

/// An application at a mapping's trigger proves that the trigger exists, whatever Eploy's lists say. Returns whether
/// that fixed a mapping.
pub fn prove(
    watched: &[Watched],
    state: &mut TenantState,
    rows: &[ApplicationRow],
    now: Timestamp,
) -> bool {
    let mut any = false;
    for one in watched {
        let Some(known) = state.mappings.get_mut(&one.mapping.id) else {
            continue;
        };
        let broken = matches!(known.status, MappingStatus::Broken { .. });
        if !broken && !known.doubted {
            continue;
        }
        let seen: Vec<_> = rows.iter().filter(|row| one.mapping.takes(row)).collect();
        if seen.is_empty() {
            continue;
        }
        for row in seen {
            let position = &row.position;
            state.proven.retain(|known| known.position != *position);
            if state.proven.len() < MAX_PROVEN {
                let position = position.clone();
                state.proven.push(Proven { position, at: now });
            }
        }
        known.doubted = false;
        if let MappingStatus::Broken { reason, on, .. } = &known.status {
            tracing::warn!(mapping = %one.mapping.id, %reason, "broken mapping resumed, applications are at its trigger");
            known.status = repaired(&one.mapping, *on);
            any = true;
        }
    }
    any
}

/// Eploy's lists, with the positions where applications were seen lately.
pub fn with_proven(mut directory: Directory, state: &mut TenantState, now: Timestamp) -> Directory {
    state
        .proven
        .retain(|one| now.duration_since(one.at) < MAX_PROOF_AGE);
    for one in &state.proven {
        let at = &one.position;
        for (list, id) in [
            (
                &mut directory.stages,
                at.stage.as_ref().map(StageId::as_str),
            ),
            (
                &mut directory.statuses,
                at.status.as_ref().map(StatusId::as_str),
            ),
        ] {
            if let (Some(list), Some(id)) = (list.as_mut().filter(|list| !list.is_empty()), id) {
                list.retain(|option| option.id != id);
                list.push(NamedId {
                    id: id.to_owned(),
                    name: String::new(),
                    archived: false,
                });
            }
        }
    }
    directory
}

/// The digest that an earlier program stored of a mapping.
pub(super) fn watches(mapping: &Mapping) -> String {
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

/// Why a mapping cannot work with the tenant's present stages; `None` if it can, or if the lists are not readable.
pub fn broken(mapping: &Mapping, directory: &Directory) -> Option<String> {
    broken_trigger(&mapping.triggers, directory)
}

/// The same for triggers.
pub fn broken_trigger(triggers: &[Trigger], directory: &Directory) -> Option<String> {
    for trigger in triggers {
        let name = trigger.stage_name.as_deref().unwrap_or("name unknown");
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

/// How an option is missing from a list. No Eploy has an empty list: one that is empty could not be read.
fn missing(list: Option<&[NamedId]>, id: &str) -> Option<&'static str> {
    let list = list.filter(|list| !list.is_empty())?;
    match list.iter().find(|option| option.id == id) {
        None => Some("is no longer there"),
        Some(option) if option.archived => Some("is archived"),
        Some(_) => None,
    }
}
