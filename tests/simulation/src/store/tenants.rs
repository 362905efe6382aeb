//! Tenants and their polling state.

use async_trait::async_trait;
use stagecall_core::error::StoreError;
use stagecall_core::ids::{DefinitionId, MappingId, TenantId};
use stagecall_core::ports::{Definitions, Saved, TenantState, TenantStates, Tenants};
use stagecall_core::tenant::{Mapping, Tenant};

use super::Memory;

impl Memory {
    /// Configures a tenant, as an operator does.
    pub fn configure(&self, tenant: &Tenant) {
        let mut data = self.data();
        data.tenants.insert(tenant.id.clone(), tenant.clone());
    }

    /// All configured tenants, by name.
    pub fn configured(&self) -> Vec<Tenant> {
        self.data().tenants.values().cloned().collect()
    }

    /// What `read` takes from a tenant's configuration.
    pub fn configuration<T>(
        &self,
        tenant: &TenantId,
        read: impl FnOnce(&Tenant) -> T,
    ) -> Option<T> {
        self.data().tenants.get(tenant).map(read)
    }

    /// The polling state.
    pub fn state(&self, tenant: &TenantId) -> Option<TenantState> {
        self.data().states.get(tenant).cloned()
    }
}

#[async_trait]
impl Tenants for Memory {
    async fn tenant(&self, id: &TenantId) -> Result<Option<Tenant>, StoreError> {
        Ok(self.data().tenants.get(id).cloned())
    }
}

#[async_trait]
impl Definitions for Memory {
    async fn save_definition(
        &self,
        tenant: &TenantId,
        mapping: &Mapping,
    ) -> Result<(), StoreError> {
        let key = (tenant.clone(), mapping.id.clone(), mapping.definition_id());
        let mut data = self.data();
        let kept = data.definitions.entry(key);
        kept.or_insert_with(|| mapping.as_definition());
        Ok(())
    }

    async fn load_definition(
        &self,
        tenant: &TenantId,
        mapping: &MappingId,
        version: &DefinitionId,
    ) -> Result<Option<Mapping>, StoreError> {
        let key = (tenant.clone(), mapping.clone(), version.clone());
        Ok(self.data().definitions.get(&key).cloned())
    }
}

#[async_trait]
impl TenantStates for Memory {
    async fn load_state(&self, tenant: &TenantId) -> Result<Option<TenantState>, StoreError> {
        Ok(self.state(tenant))
    }

    async fn save_state(&self, tenant: &TenantId, next: &TenantState) -> Result<Saved, StoreError> {
        let mut data = self.data();
        let stored = data.states.get(tenant).map_or(0, |state| state.version);
        let is_removed = next.version == 1 && !data.tenants.contains_key(tenant);
        if stored + 1 != next.version || is_removed {
            return Ok(Saved::Conflict);
        }
        data.states.insert(tenant.clone(), next.clone());
        Ok(Saved::Saved)
    }
}
