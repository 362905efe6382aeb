//! The tenants' sealed tokens.

use async_trait::async_trait;
use stagecall_core::Timestamp;
use stagecall_core::error::StoreError;
use stagecall_core::ids::TenantId;
use stagecall_core::ports::TokenCache;

use super::{Memory, Ports};

#[async_trait]
impl TokenCache for Memory {
    async fn load_token(&self, tenant: &TenantId) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.data().tokens.get(tenant).cloned())
    }

    async fn save_token(
        &self,
        tenant: &TenantId,
        sealed: &[u8],
        _: Timestamp,
    ) -> Result<(), StoreError> {
        self.data().tokens.insert(tenant.clone(), sealed.to_vec());
        Ok(())
    }
}

#[async_trait]
impl TokenCache for Ports {
    async fn load_token(&self, tenant: &TenantId) -> Result<Option<Vec<u8>>, StoreError> {
        let act = self.memory.load_token(tenant);
        self.scheduler.effect("load the token", act).await
    }

    async fn save_token(
        &self,
        tenant: &TenantId,
        sealed: &[u8],
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        let act = self.memory.save_token(tenant, sealed, expires_at);
        self.scheduler.effect("save the token", act).await
    }
}
