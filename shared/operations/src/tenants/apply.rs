//! Making tenants match a file of tenants.

use stagecall_core::ids::TenantId;
use stagecall_core::tenant::Tenant;

use super::change::TenantChange;
use super::text::difference;
use crate::change::Change;
use crate::error::Result;
use crate::installation::Installation;

/// What making tenants match a file changes.
#[derive(Debug)]
pub struct Changes {
    /// The changes, one for each tenant that has any.
    pub changes: Vec<TenantChange>,
    /// Tenants that exist already and differ, and are left unchanged.
    pub kept: Vec<TenantId>,
}

impl Changes {
    /// What will happen, in words.
    pub fn in_words(&self) -> String {
        let changes: Vec<_> = self.changes.iter().map(Change::in_words).collect();
        changes.join("\n")
    }
}

/// What becomes of the applications that are at a trigger stage when tenants are changed.
pub const BASELINE: &str = "Applications that are at a trigger stage now are the baseline of what is new (a mapping, or vacancies, stages and statuses added to one) and are not invited.";

/// Prepares making the tenants match these.
///
/// # Errors
/// A tenant is invalid or may not be changed so, or Eploy or the store fails.
pub async fn apply(on: &Installation, tenants: Vec<Tenant>) -> Result<Changes> {
    let mut changes = Vec::new();
    for tenant in tenants {
        let before = on.tenants.tenant(&tenant.id).await?;
        let target = tenant.id.to_string();
        let what = "tenant apply";
        changes.extend(TenantChange::prepare(on, before.as_ref(), tenant, what, target).await?);
    }
    let kept = Vec::new();
    Ok(Changes { changes, kept })
}

/// Prepares adding those of these tenants that do not exist yet.
///
/// # Errors
/// A tenant is invalid, or Eploy or the store fails.
pub async fn import(on: &Installation, tenants: Vec<Tenant>) -> Result<Changes> {
    let (mut changes, mut kept) = (Vec::new(), Vec::new());
    for tenant in tenants {
        match on.tenants.tenant(&tenant.id).await? {
            Some(before) => {
                if difference(Some(&before), &tenant)?.is_some() {
                    kept.push(before.id);
                }
            }
            None => {
                let target = tenant.id.to_string();
                let what = "tenant import";
                changes.extend(TenantChange::prepare(on, None, tenant, what, target).await?);
            }
        }
    }
    Ok(Changes { changes, kept })
}

/// Which of a tenant's credentials are missing, and how to add them.
pub async fn missing_credentials(on: &Installation, tenant: &Tenant) -> Option<String> {
    let id = &tenant.id;
    let plan = tenant.hires.as_ref();
    let has_endpoint = plan.is_some_and(|plan| plan.endpoint.is_some());
    match on.secrets.secret(id, true).await {
        Err(_) => Some(format!(
            "{id}: its credentials are missing; add them with: stagecall tenant rotate {id} --eploy"
        )),
        Ok(secret) if has_endpoint && secret.hrms.is_none() => Some(format!(
            "{id}: its webhooks to the HRMS cannot be signed yet; add hrms.current with: stagecall tenant rotate {id} --secrets FILE"
        )),
        Ok(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{installation, tenant, with_open_invitation};

    #[tokio::test]
    async fn a_file_that_renames_an_account_with_open_invitations_is_refused() {
        let (on, _folder) = installation();
        with_open_invitation(&on, &tenant("willo")).await;
        let refused = apply(&on, vec![tenant("interviews")]).await;
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains("has open invitations (1)"), "{refused}");
        assert!(refused.contains("is now called interviews"), "{refused}");
    }

    #[tokio::test]
    async fn an_import_leaves_what_exists() {
        let (on, _folder) = installation();
        let before = tenant("willo");
        on.records.put_tenant(&before).await.unwrap();
        let mut changed = before.clone();
        changed.eploy.poll_seconds = 120;
        let found = import(&on, vec![changed]).await.unwrap();
        assert!(found.changes.is_empty());
        assert_eq!(found.kept, std::slice::from_ref(&before.id));
        let found = import(&on, vec![before]).await.unwrap();
        assert!(found.kept.is_empty());
    }
}
