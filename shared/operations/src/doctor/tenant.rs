//! Checks of a tenant's saved configuration, credentials and state.

use stagecall_core::tenant::Tenant;

use super::{saved_state, sweeps};
use crate::finding::Finding;
use crate::installation::Installation;

/// A tenant's saved configuration and state. Makes no call.
pub(super) async fn findings(on: &Installation, tenant: &Tenant, of: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    let problems = stagecall_eploy::validate(&tenant.eploy).into_iter().chain(
        tenant
            .platforms
            .values()
            .flat_map(stagecall_platforms::validate),
    );
    found.extend(problems.map(|problem| {
        Finding::problem(
            of,
            "settings",
            "stagecall.settings",
            problem,
            format!("Correct it: stagecall tenant set {}", tenant.id),
        )
    }));
    for mapping in &tenant.mappings {
        let account = tenant.platforms.get(&mapping.assessment.account);
        let problems = account.map(|on| stagecall_platforms::validate_mapping(on, mapping));
        found.extend(problems.into_iter().flatten().map(|problem| {
            Finding::problem(
                of,
                "mappings",
                "stagecall.settings",
                format!("{}: {problem}", mapping.id),
                format!("Correct it: stagecall tenant set {}", tenant.id),
            )
        }));
    }
    let all = on.records.list_tenants().await.unwrap_or_default();
    found.extend(tenant.overlaps(&all).iter().map(|overlap| {
        Finding::problem(
            of,
            "mappings",
            "stagecall.overlap",
            overlap.to_string(),
            format!("Remove one of them: stagecall map remove {}", tenant.id),
        )
    }));
    found.extend(secrets(on, tenant, of).await);
    if tenant.paused {
        found.push(Finding::note(
            of,
            "paused",
            format!(
                "nothing is polled and nobody is invited until: stagecall tenant resume {}",
                tenant.id
            ),
        ));
    }
    if tenant.mappings.is_empty() {
        found.push(Finding::note(
            of,
            "mappings",
            format!(
                "there are none, so nobody is invited. Add one: stagecall map add {}",
                tenant.id
            ),
        ));
    }
    match on.states.load_state(&tenant.id).await {
        Err(error) => found.push(Finding::problem(
            of,
            "state",
            "stagecall.store",
            error.to_string(),
            "Check the store",
        )),
        Ok(None) => found.push(Finding::note(of, "polling", "not polled yet")),
        Ok(Some(state)) => found.extend(saved_state::findings(
            tenant,
            &state,
            of,
            on.clock.now(),
            &on.zone,
        )),
    }
    found.extend(sweeps::findings(on, tenant, of).await);
    found
}

/// Whether the tenant's secrets exist and can be used.
async fn secrets(on: &Installation, tenant: &Tenant, of: &str) -> Vec<Finding> {
    let again = format!("Enter them again: stagecall tenant add {}", tenant.id);
    match on.secrets.secret(&tenant.id, true).await {
        Err(error) => {
            let found = error.to_string();
            vec![Finding::problem(
                of,
                "secrets",
                "stagecall.secrets",
                found,
                again,
            )]
        }
        Ok(secret) => {
            let mut missing: Vec<_> = tenant
                .platforms
                .keys()
                .filter(|account| !secret.platforms.contains_key(*account))
                .map(ToString::to_string)
                .collect();
            let hires = tenant.hires.as_ref();
            if hires.is_some_and(|plan| plan.endpoint.is_some()) && secret.hrms.is_none() {
                missing.push("the HRMS (stagecall tenant rotate --secrets)".to_owned());
            }
            let mut found: Vec<_> = secret
                .hrms
                .iter()
                .flat_map(stagecall_hrms::unusable)
                .map(|problem| {
                    Finding::problem(
                        of,
                        "secrets",
                        "stagecall.secrets",
                        problem,
                        "Store the secret that the receiver has: stagecall tenant rotate --secrets",
                    )
                })
                .collect();
            if !missing.is_empty() {
                let missing = format!("those of {} are missing", missing.join(", "));
                found.push(Finding::problem(
                    of,
                    "secrets",
                    "stagecall.secrets",
                    missing,
                    again,
                ));
            }
            if found.is_empty() {
                found.push(Finding::ok(of, "secrets", "all are present"));
            }
            found
        }
    }
}
