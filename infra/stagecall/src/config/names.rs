//! Stages and statuses that the file gives by name.

use stagecall_core::ids::MappingId;
use stagecall_operations::tenants::names::ByName;
use toml::Value;

/// Takes the names out of a tenant. A stage's name stands in for its id.
pub(super) fn take(tenant: &mut Value) -> Vec<ByName> {
    let mut found = Vec::new();
    let mappings = tenant.get_mut("mappings").and_then(Value::as_array_mut);
    for mapping in mappings.into_iter().flatten() {
        let id = mapping.get("id").cloned();
        let id: Option<MappingId> = id.and_then(|id| id.try_into().ok());
        let triggers = mapping.get_mut("triggers").and_then(Value::as_array_mut);
        for (index, trigger) in triggers.into_iter().flatten().enumerate() {
            let (stage, statuses) = names(trigger);
            if let Some(id) = &id
                && (stage.is_some() || !statuses.is_empty())
            {
                found.push(ByName {
                    mapping: id.clone(),
                    trigger: index,
                    stage,
                    statuses,
                });
            }
        }
    }
    found
}

fn names(trigger: &mut Value) -> (Option<String>, Vec<String>) {
    let Some(trigger) = trigger.as_table_mut() else {
        return (None, Vec::new());
    };
    let name = trigger.get("stage_name").and_then(Value::as_str);
    let stage = name
        .filter(|_| !trigger.contains_key("stage"))
        .map(str::to_owned);
    if let Some(name) = &stage {
        trigger.insert("stage".to_owned(), name.clone().into());
    }
    let statuses = trigger.get("status_names").cloned();
    let statuses: Vec<String> = statuses
        .and_then(|names| names.try_into().ok())
        .unwrap_or_default();
    if !statuses.is_empty() {
        trigger.remove("status_names");
    }
    (stage, statuses)
}
