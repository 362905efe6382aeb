//! The tenants' sealed tokens: a row per tenant, which DynamoDB removes after the token has expired.

use async_trait::async_trait;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use stagecall_core::Timestamp;
use stagecall_core::error::StoreError;
use stagecall_core::ids::TenantId;
use stagecall_core::ports::TokenCache;

use super::Store;
use super::item::{broken, number};
use super::layout::{EXPIRES, RowKey, SEALED};

#[async_trait]
impl TokenCache for Store {
    async fn load_token(&self, tenant: &TenantId) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(item) = self.get("load a token", &RowKey::token(tenant)).await? else {
            return Ok(None);
        };
        match item.get(SEALED) {
            Some(AttributeValue::B(sealed)) => Ok(Some(sealed.as_ref().to_vec())),
            _ => Err(broken(&item, "it has no token")),
        }
    }

    async fn save_token(
        &self,
        tenant: &TenantId,
        sealed: &[u8],
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        let mut item = RowKey::token(tenant).key();
        item.insert(SEALED.to_owned(), AttributeValue::B(Blob::new(sealed)));
        item.insert(EXPIRES.to_owned(), number(expires_at.as_second()));
        self.replace("save a token", item).await
    }
}
