//! Eploy's access tokens, cached across processes.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::error::StoreError;
use crate::ids::TenantId;

/// Caches the access token of each tenant's Eploy, sealed by the process that requested it: the store cannot read it.
/// Losing one costs one call.
#[async_trait]
pub trait TokenCache: Send + Sync {
    /// The tenant's sealed token, as last saved; `None` if there is none. It may have expired.
    async fn load_token(&self, tenant: &TenantId) -> Result<Option<Vec<u8>>, StoreError>;

    /// Saves a sealed token in place of the one before. It is removed with its tenant, and the store may drop it from
    /// `expires_at` on.
    async fn save_token(
        &self,
        tenant: &TenantId,
        sealed: &[u8],
        expires_at: Timestamp,
    ) -> Result<(), StoreError>;
}
