//! Removing a tenant.

use async_trait::async_trait;
use stagecall_core::ids::TenantId;

use crate::actor::Actor;
use crate::change::Change;
use crate::error::Result;
use crate::installation::Installation;
use crate::invitations::sum;

/// A tenant that is to be removed.
#[derive(Debug)]
pub struct Removal {
    tenant: TenantId,
    /// The number of its invitations that have not ended.
    open: u64,
}

/// Prepares removing a tenant's configuration and credentials.
///
/// # Errors
/// There is no such tenant, or the store fails.
pub async fn prepare(on: &Installation, tenant: &str) -> Result<Removal> {
    let tenant = on.tenant(tenant).await?.id;
    let counts = on.records.counts(&tenant).await?;
    let open = sum(&counts, &["detected", "sending", "invited", "started"]);
    Ok(Removal { tenant, open })
}

#[async_trait]
impl Change for Removal {
    type Done = ();

    fn in_words(&self) -> String {
        format!(
            "The configuration and credentials of {} will be removed. {} of its invitations have not ended; their results will not be fetched any more. All invitations stay in the store, so that a new tenant of this name invites nobody twice. Remove the registered callbacks on the platforms.",
            self.tenant, self.open
        )
    }

    async fn apply(self, on: &Installation, actor: &Actor) -> Result<()> {
        let id = &self.tenant;
        // The configuration goes last: if something fails, the tenant can still be removed.
        on.vault.remove_secret(id).await?;
        on.records.remove_tenant(id).await?;
        actor
            .record(on, "tenant remove", Some(id), id.as_str())
            .await
    }
}
