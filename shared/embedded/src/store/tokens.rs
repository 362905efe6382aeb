//! The tenants' sealed tokens.

use async_trait::async_trait;

use rusqlite::{OptionalExtension as _, params};
use stagecall_core::Timestamp;
use stagecall_core::error::StoreError;
use stagecall_core::ids::TenantId;
use stagecall_core::ports::TokenCache;

use super::Store;

#[async_trait]
impl TokenCache for Store {
    async fn load_token(&self, tenant: &TenantId) -> Result<Option<Vec<u8>>, StoreError> {
        let tenant = tenant.clone();
        self.read("load a token", move |connection| {
            let sealed = connection
                .prepare_cached("SELECT sealed FROM token WHERE tenant = ?1")?
                .query_row([tenant.as_str()], |row| row.get(0))
                .optional()?;
            Ok(sealed)
        })
        .await
    }

    /// There is one row per tenant, so an expired one stays until the next takes its place.
    async fn save_token(
        &self,
        tenant: &TenantId,
        sealed: &[u8],
        _: Timestamp,
    ) -> Result<(), StoreError> {
        let (tenant, sealed) = (tenant.clone(), sealed.to_vec());
        self.write("save a token", move |connection| {
            connection
                .prepare_cached("INSERT OR REPLACE INTO token (tenant, sealed) VALUES (?1, ?2)")?
                .execute(params![tenant.as_str(), sealed])?;
            Ok(())
        })
        .await
    }
}
