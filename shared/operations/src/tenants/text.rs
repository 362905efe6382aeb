//! Tenants as TOML, without secrets.

use serde::Serialize;
use similar::TextDiff;
use stagecall_core::tenant::Tenant;

use crate::error::{Error, Result};

/// A file of tenants: `[[tenant]]` for each.
#[derive(Serialize)]
struct File<'a> {
    tenant: [&'a Tenant; 1],
}

/// A tenant as in a file of tenants.
///
/// # Errors
/// It holds something that TOML does not have.
pub fn text(of: &Tenant) -> Result<String> {
    toml::to_string_pretty(&File { tenant: [of] })
        .map_err(|error| Error::Conflict(format!("tenant {} cannot be written: {error}", of.id)))
}

/// The changes from one to the other, line by line; `None` if there are none.
///
/// # Errors
/// One of them holds something that TOML does not have.
pub(super) fn difference(before: Option<&Tenant>, next: &Tenant) -> Result<Option<String>> {
    let old = before.map(text).transpose()?.unwrap_or_default();
    let new = text(next)?;
    if old == new {
        return Ok(None);
    }
    let diff = TextDiff::from_lines(&old, &new);
    let (from, to) = match before {
        Some(_) => (
            format!("{} (current)", next.id),
            format!("{} (new)", next.id),
        ),
        None => ("nothing".to_owned(), format!("{} (new)", next.id)),
    };
    Ok(Some(diff.unified_diff().header(&from, &to).to_string()))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use stagecall_core::tenant::MappingKind;

    use super::*;
    use crate::validate;

    #[derive(Deserialize)]
    struct Read {
        tenant: Vec<Tenant>,
    }

    const ACME: &str = r#"
        [[tenant]]
        id = "acme"
        [tenant.eploy]
        base_url = "https://acme.eploy.net/"
        dialect = { dates = "uk" }
        [tenant.platforms.willo]
        kind = "willo"
        [[tenant.mappings]]
        id = "video"
        vacancies = { only = [4101] }
        triggers = [{ stage = 12, statuses = [34] }]
        assessment = { account = "willo", assessment = "k" }
        [tenant.mappings.report]
        action = { action_type = "42", outcomes = { invited = "12" } }
    "#;

    /// Everything optional that a tenant may have: a live interview, pools, hires, options, retention.
    const EVERYTHING: &str = include_str!("everything.toml");

    #[test]
    fn every_setting_of_a_tenant_round_trips() {
        let tenant: Tenant = toml::from_str::<Read>(EVERYTHING).unwrap().tenant.remove(0);
        assert_eq!(tenant.retention_days, Some(365));
        assert!(matches!(tenant.mappings[0].kind, MappingKind::Meeting(_)));
        assert!(tenant.hires.as_ref().unwrap().endpoint.is_some());
        assert_eq!(validate::problems(&tenant, false), Vec::<String>::new());
        let printed = text(&tenant).unwrap();
        let read: Read = toml::from_str(&printed).unwrap();
        assert_eq!(read.tenant, std::slice::from_ref(&tenant), "{printed}");
        // As `tenant set` reads and writes it.
        let table = toml::Table::try_from(&tenant).unwrap();
        assert_eq!(
            toml::Value::Table(table).try_into::<Tenant>().unwrap(),
            tenant
        );

        let mut wrong = tenant;
        let MappingKind::Pool(plan) = &mut wrong.mappings[1].kind else {
            panic!("the second is a pool");
        };
        plan.after[0].mapping = "pool".into();
        let hires = wrong.hires.as_mut().unwrap();
        hires.endpoint.as_mut().unwrap().url = "http://hrms.example.com/".parse().unwrap();
        let error = validate::problems(&wrong, false).join("\n");
        assert!(error.contains("not another mapping"), "{error}");
        assert!(error.contains("hires.endpoint.url"), "{error}");
    }

    fn acme() -> Tenant {
        toml::from_str::<Read>(ACME).unwrap().tenant.remove(0)
    }

    #[test]
    fn a_printed_tenant_parses_back() {
        let printed = text(&acme()).unwrap();
        let read: Read = toml::from_str(&printed).unwrap();
        assert_eq!(read.tenant, [acme()], "{printed}");
        assert_eq!(validate::problems(&acme(), false), Vec::<String>::new());
    }

    #[test]
    fn what_changes_is_shown_line_by_line() {
        let mut next = acme();
        assert_eq!(difference(Some(&acme()), &next).unwrap(), None);
        next.eploy.poll_seconds = 120;
        let shown = difference(Some(&acme()), &next).unwrap().unwrap();
        assert!(
            shown.contains("-poll_seconds = 60\n+poll_seconds = 120"),
            "{shown}"
        );
        let new = difference(None, &next).unwrap().unwrap();
        assert!(new.contains("+id = \"acme\""), "{new}");
    }

    #[test]
    fn all_problems_are_reported_at_once() {
        let mut wrong = acme();
        wrong.id = "a/b".into();
        wrong.eploy.base_url = "http://acme.eploy.net/".parse().unwrap();
        wrong.mappings[0].assessment.account = "wecp".into();
        wrong.mappings.push(wrong.mappings[0].clone());
        let error = validate::problems(&wrong, false).join("\n");
        for part in ["a/b", "https", "not one of the tenant's platforms", "twice"] {
            assert!(error.contains(part), "{part}: {error}");
        }
    }
}
