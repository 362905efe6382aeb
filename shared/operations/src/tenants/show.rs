//! Everything that is saved about a tenant beside its invitations.

use serde::Serialize;
use stagecall_core::ports::{AuditRecord, TenantState, Tombstone};
use stagecall_core::tenant::Tenant;

use crate::error::Result;
use crate::installation::Installation;

/// What is saved about a tenant.
#[derive(Debug, Serialize)]
pub struct TenantView {
    /// Its configuration.
    pub tenant: Tenant,
    /// What polls remember; `None`: it was not polled yet.
    pub state: Option<TenantState>,
    /// What operators changed, oldest first.
    pub audits: Vec<AuditRecord>,
    /// The erased candidates, oldest first.
    pub tombstones: Vec<Tombstone>,
}

/// A tenant of this name.
///
/// # Errors
/// There is none, or the store fails.
pub async fn show(on: &Installation, tenant: &str) -> Result<TenantView> {
    let tenant = on.tenant(tenant).await?;
    Ok(TenantView {
        state: on.states.load_state(&tenant.id).await?,
        audits: on.records.audits(Some(&tenant.id), None).await?,
        tombstones: on.records.tombstones(&tenant.id).await?,
        tenant,
    })
}
