//! The tenants and their polling states.

use async_trait::async_trait;
use stagecall_core::error::StoreError;
use stagecall_core::ids::TenantId;
use stagecall_core::ports::{Saved, TenantState, TenantStates, Tenants};
use stagecall_core::tenant::Tenant;

use super::Store;
use super::item::{broken, document, index, number, plain};
use super::layout::{DOCUMENT, PARTITION, RowKey, VERSION, moment};
use super::write::Condition;

#[async_trait]
impl Tenants for Store {
    async fn tenant(&self, id: &TenantId) -> Result<Option<Tenant>, StoreError> {
        // Consistently: a poll with an older configuration would turn a changed mapping back, and then on again, with
        // candidates who entered meanwhile in its baseline.
        let item = self.get("read a tenant", &RowKey::tenant(id)).await?;
        item.map(|item| document(&item)).transpose()
    }
}

#[async_trait]
impl TenantStates for Store {
    async fn load_state(&self, tenant: &TenantId) -> Result<Option<TenantState>, StoreError> {
        let item = self
            .get("load a tenant's state", &RowKey::state(tenant))
            .await?;
        match item {
            // A row with neither is that of a tenant that was never polled.
            Some(item) if item.contains_key(VERSION) => document(&item).map(Some),
            Some(item) if item.contains_key(DOCUMENT) => Err(broken(&item, "it has no version")),
            _ => Ok(None),
        }
    }

    async fn save_state(&self, tenant: &TenantId, next: &TenantState) -> Result<Saved, StoreError> {
        let place = RowKey::state(tenant);
        let mut item = place.key();
        item.insert(VERSION.to_owned(), number(next.version));
        item.insert(DOCUMENT.to_owned(), plain(next)?);
        index(&mut item, place.due_partition(), moment(next.due_at));
        let condition = if next.version == 1 {
            // The row without a version is saved before the tenant's configuration.
            Condition::new(format!(
                "attribute_exists({PARTITION}) AND attribute_not_exists({VERSION})"
            ))
        } else {
            Condition::version_before(next.version)
        };
        let written = self.put("save a tenant's state", item, condition).await?;
        Ok(written.into())
    }
}
