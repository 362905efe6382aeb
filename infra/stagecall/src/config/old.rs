//! Keys of earlier versions. They are moved to where the present version has them.

use stagecall_core::ids::TenantId;
use toml::{Table, Value};

use super::place::Place;
use super::problems::Problems;

/// In a tenant; the present places are in the table of its secrets.
const SECRETS: [(&str, &str); 4] = [
    ("eploy.client_id", "eploy_client_id"),
    ("eploy.client_secret", "eploy_client_secret"),
    ("hires.endpoint.secret", "hrms.current"),
    ("hires.endpoint.previous_secret", "hrms.previous"),
];

const TENANT: [(&str, &str); 2] = [
    ("hires.stages", "hires.when.stages"),
    ("hires.placement_statuses", "hires.when.placements"),
];

/// In this order: later ones move what earlier ones have moved.
const MAPPING: [(&str, &str); 9] = [
    ("assessment.platform", "assessment.account"),
    ("assessment.id", "assessment.assessment"),
    ("assessment.create", "assessment.assessment"),
    ("meeting", "kind.meeting"),
    ("kind.meeting.working_days", "kind.meeting.day.working_days"),
    ("kind.meeting.date_question", "kind.meeting.day.question"),
    ("assessment.once_per", "kind.meeting.creates"),
    ("pool", "kind.pool"),
    ("report.action.type", "report.action.action_type"),
];

/// Moves the keys of earlier versions.
pub(super) fn upgrade(root: &mut Value, problems: &mut Problems) {
    list_tenants(root, problems);
    let file = Place::default();
    for tenant in elements(&file.key("tenant"), root) {
        let id = tenant.key("id").value(root).cloned();
        let Some(id) = id.and_then(|id| id.try_into::<TenantId>().ok()) else {
            continue;
        };
        let secrets = file.key("secrets").key(id.as_str());
        for (from, to) in SECRETS {
            shift(root, &tenant.keys(from), &secrets.keys(to), problems);
        }
        for (from, to) in TENANT {
            shift(root, &tenant.keys(from), &tenant.keys(to), problems);
        }
        let platforms = tenant.key("platforms");
        for account in keys(&platforms, root) {
            for (from, to) in [("secrets", "platforms"), ("callback", "callbacks")] {
                let from = platforms.key(&account).key(from);
                shift(root, &from, &secrets.key(to).key(&account), problems);
            }
        }
        for mapping in elements(&tenant.key("mappings"), root) {
            for (from, to) in MAPPING {
                shift(root, &mapping.keys(from), &mapping.keys(to), problems);
            }
            let vacancies = mapping.key("vacancies");
            if vacancies.value(root).is_some_and(Value::is_array) {
                shift(root, &vacancies, &vacancies.key("only"), problems);
            }
        }
    }
}

/// The table of tenants by name becomes the list. Problems of a tenant in the list are shown with its name.
fn list_tenants(root: &mut Value, problems: &mut Problems) {
    let file = Place::default();
    let (by_name, list) = (file.key("tenants"), file.key("tenant"));
    for tenant in elements(&list, root) {
        if let Some(id) = tenant.key("id").value(root).and_then(Value::as_str) {
            problems.moved(&tenant, &format!("tenant.{id}"));
        }
    }
    let names = keys(&by_name, root);
    if names.is_empty() && by_name.value(root).is_some_and(Value::is_table) {
        by_name.take(root);
    }
    if names.is_empty() || list.put(root, Value::Array(Vec::new())).is_err() {
        return;
    }
    for (index, name) in names.iter().enumerate() {
        let Some(mut tenant) = by_name.key(name).take(root) else {
            continue;
        };
        if let Value::Table(table) = &mut tenant {
            table.entry("id").or_insert_with(|| name.clone().into());
        }
        if let Some(Value::Array(list)) = list.value_mut(root) {
            list.push(tenant);
        }
        problems.moved(&list.index(index), &by_name.key(name));
    }
    by_name.take(root);
}

/// Moves a value, unless there is one at its new place.
fn shift(root: &mut Value, from: &Place, to: &Place, problems: &mut Problems) {
    let Some(value) = from.take(root) else {
        return;
    };
    match to.put(root, value) {
        Ok(()) => problems.moved(to, from),
        // It is reported there as an unknown key.
        Err(value) => drop(from.put(root, value)),
    }
}

fn keys(place: &Place, root: &Value) -> Vec<String> {
    let table = place.value(root).and_then(Value::as_table);
    table.into_iter().flat_map(Table::keys).cloned().collect()
}

fn elements(place: &Place, root: &Value) -> Vec<Place> {
    let count = place
        .value(root)
        .and_then(Value::as_array)
        .map_or(0, Vec::len);
    (0..count).map(|index| place.index(index)).collect()
}
