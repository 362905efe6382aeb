//! The tenants of a configuration file, saved in the store that everything else reads.

use stagecall_core::ids::TenantId;
use stagecall_core::ports::{EployConnections, OperatorStore};
use stagecall_core::tenant::Tenant;

use super::names::{Configured, Unresolved, resolve};
use super::removed_account::removed_account_problem;
use crate::error::Result;

/// Saves the tenants of the file in the store, which everything else reads. A tenant that came from the file and is no
/// longer in it is paused, not deleted: its invitations are still in the store. Tenants that commands have added are left
/// unchanged; their secrets are in the vault.
///
/// Returns why a tenant was not updated, if none of the file was.
///
/// # Errors
/// The store fails.
pub async fn set_up(
    configured: &[Configured<'_>],
    store: &dyn OperatorStore,
    eploy: &dyn EployConnections,
    in_vault: impl Fn(&TenantId) -> bool,
) -> Result<Option<Unresolved>> {
    let before = store.list_tenants().await?;
    let mut refused = None;
    let mut ready = 0;
    // Those of the file that are valid, and those that commands have added.
    let mut served: Vec<Tenant> = before
        .iter()
        .filter(|tenant| in_vault(&tenant.id))
        .cloned()
        .collect();
    for one in configured {
        let known = before.iter().find(|tenant| tenant.id == one.tenant.id);
        let mut found = resolve(*one, known, eploy).await;
        if let Ok(tenant) = &found
            && let Some(problem) = misconfigured(tenant, known, &served, store).await?
        {
            found = Err(Unresolved::Misconfigured(problem));
        }
        match found {
            Ok(tenant) => {
                store.put_tenant(&tenant).await?;
                served.push(tenant);
                ready += 1;
            }
            Err(unresolved) => {
                tracing::error!(tenant = %one.tenant.id, error = %unresolved, "tenant not updated from the configuration");
                refused = Some(unresolved);
            }
        }
    }
    if let (Some(unresolved), 0) = (refused, ready) {
        return Ok(Some(unresolved));
    }
    for mut tenant in before {
        let in_file = configured.iter().any(|one| one.tenant.id == tenant.id);
        if !tenant.paused && !in_file && !in_vault(&tenant.id) {
            tracing::warn!(tenant = %tenant.id, "tenant paused, no longer in the configuration");
            tenant.paused = true;
            store.put_tenant(&tenant).await?;
        }
    }
    Ok(None)
}

/// What is wrong with a tenant of the file, compared with the tenants served already and with its saved data.
async fn misconfigured(
    tenant: &Tenant,
    before: Option<&Tenant>,
    served: &[Tenant],
    store: &dyn OperatorStore,
) -> Result<Option<String>> {
    let overlaps = tenant.overlaps(served);
    if !overlaps.is_empty() {
        let found: Vec<_> = overlaps.iter().map(ToString::to_string).collect();
        return Ok(Some(format!(
            "{}. If that is intended, set allow_overlap = true in one of the mappings",
            found.join("; ")
        )));
    }
    Ok(match before {
        Some(before) => removed_account_problem(store, before, tenant).await?,
        None => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{installation, tenant, with_open_invitation};

    #[tokio::test]
    async fn a_configuration_that_renames_an_account_with_open_invitations_is_not_served() {
        let (on, _folder) = installation();
        let before = tenant("willo");
        with_open_invitation(&on, &before).await;
        let refused = async |next: &Tenant| {
            misconfigured(next, Some(&before), &[], &*on.records)
                .await
                .unwrap()
        };
        let said = refused(&tenant("interviews")).await.unwrap();
        assert!(said.contains("has open invitations (1)"), "{said}");
        assert_eq!(refused(&before).await, None);
    }
}
