//! What the API key has to be allowed, by what the tenant's mappings do (which call takes which scope is inferred by name,
//! REFERENCE.md §2).

use stagecall_core::tenant::Tenant;

use crate::errors::Permission;

/// A needed permission and its purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need {
    pub permission: Permission,
    /// The purpose, as the end of "it is needed".
    pub why: &'static str,
}

/// The permissions that the tenant's key needs. Without mappings: those of a mapping that reports by an action.
pub fn needed(tenant: &Tenant) -> Vec<Need> {
    let need = |permission, why| Need { permission, why };
    let mut needs = vec![
        need(
            Permission::view("Applications"),
            "to see who enters a trigger stage",
        ),
        need(
            Permission::view("Candidates"),
            "to read whom to invite, at the moment of inviting",
        ),
        need(
            Permission::view("Vacancies"),
            "to list the vacancies, and to name their company in actions",
        ),
    ];
    let reports: Vec<_> = tenant
        .mappings
        .iter()
        .map(|mapping| &mapping.report)
        .collect();
    if reports.is_empty() || reports.iter().any(|report| report.action.is_some()) {
        needs.extend([
            need(
                Permission::view("Actions"),
                "to find an action whose creation got no response",
            ),
            need(
                Permission::insert("Actions"),
                "to show an invitation as an action",
            ),
            need(
                Permission::update("Actions"),
                "to show progress and results on that action",
            ),
        ]);
    }
    if reports
        .iter()
        .any(|report| !report.questions.is_empty() || !report.moves.is_empty())
    {
        needs.push(need(
            Permission::update("Applications"),
            "to answer custom questions and to change stages",
        ));
    }
    if reports.iter().any(|report| report.export_package.is_some()) {
        needs.push(need(
            Permission::insert("Export"),
            "to mark applications as exported",
        ));
    }
    needs
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn scopes(mappings: &serde_json::Value) -> Vec<String> {
        let tenant: Tenant = serde_json::from_value(json!({
            "id": "acme", "eploy": {"base_url": "https://acme.eploy.net/"}, "mappings": mappings,
        }))
        .unwrap();
        needed(&tenant)
            .iter()
            .map(|need| need.permission.scope())
            .collect()
    }

    #[test]
    fn what_is_needed_follows_from_what_is_reported() {
        let always = ["applications.read", "candidates.read", "vacancies.read"];
        let actions = ["actions.read", "actions.insert", "actions.update"];
        assert_eq!(scopes(&json!([])), [always, actions].concat());
        let mapping = |report: serde_json::Value| {
            json!([{"id": "m", "vacancies": "all", "triggers": [{"stage": "12"}],
                "assessment": {"account": "willo", "assessment": "a"}, "report": report}])
        };
        assert_eq!(
            scopes(&mapping(
                json!({"questions": {"percent": "276"}, "export_package": "5"})
            )),
            [&always[..], &["applications.update", "export.insert"]].concat()
        );
        assert_eq!(
            scopes(&mapping(json!({"action": {"action_type": "42"}}))),
            [always, actions].concat()
        );
    }
}
