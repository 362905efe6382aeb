//! Which definition an invitation is under.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::Engine;
use crate::error::StoreError;
use crate::ids::{DefinitionId, MappingId, TenantId};
use crate::invitation::Invitation;
use crate::ports::Definitions;
use crate::tenant::{Mapping, Tenant};

impl Engine {
    /// The definition that decides everything about the invitation: that of its own version, with the present mapping's
    /// operational settings. A row of an earlier program has no version, and is under the present mapping. `None` if
    /// there is neither.
    pub async fn definition(
        &self,
        tenant: &Tenant,
        of: &Invitation,
    ) -> Result<Option<Mapping>, StoreError> {
        let present = tenant.present(&of.key.mapping, of.definition.as_ref());
        let own = match &of.definition {
            Some(version) => {
                let id = &of.key.mapping;
                self.definition_of(tenant, id, version).await?
            }
            None => None,
        };
        Ok(match (own, present) {
            (Some(own), Some(present)) => Some(own.operated_as(present)),
            (Some(own), None) => Some(own),
            (None, present) => present.cloned(),
        })
    }

    /// A mapping in this version. Usually that is the present one, and nothing is read.
    pub(crate) async fn definition_of(
        &self,
        tenant: &Tenant,
        mapping: &MappingId,
        version: &DefinitionId,
    ) -> Result<Option<Mapping>, StoreError> {
        if let Some(present) = tenant.mapping(mapping)
            && present.definition_id() == *version
        {
            return Ok(Some(present.clone()));
        }
        let definitions = &self.definitions;
        definitions
            .load_definition(&tenant.id, mapping, version)
            .await
    }
}

/// Tenant, mapping and version.
type Key = (TenantId, MappingId, DefinitionId);

/// Reads each definition once per process: they never change.
pub struct DefinitionCache {
    store: Arc<dyn Definitions>,
    known: Mutex<HashMap<Key, Mapping>>,
}

impl DefinitionCache {
    /// The maximum number of cached definitions: beyond it, the cache is cleared.
    const MAX_KEPT: usize = 10_000;

    /// A cache in front of a store.
    pub fn over(store: Arc<dyn Definitions>) -> Arc<Self> {
        Arc::new(Self {
            store,
            known: Mutex::default(),
        })
    }

    fn known(&self) -> MutexGuard<'_, HashMap<Key, Mapping>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Definitions for DefinitionCache {
    async fn save_definition(
        &self,
        tenant: &TenantId,
        mapping: &Mapping,
    ) -> Result<(), StoreError> {
        // Always: its tenant may have been removed and added again.
        self.store.save_definition(tenant, mapping).await
    }

    async fn load_definition(
        &self,
        tenant: &TenantId,
        mapping: &MappingId,
        version: &DefinitionId,
    ) -> Result<Option<Mapping>, StoreError> {
        let key = (tenant.clone(), mapping.clone(), version.clone());
        if let Some(known) = self.known().get(&key) {
            return Ok(Some(known.clone()));
        }
        let loaded = self.store.load_definition(tenant, mapping, version).await?;
        if let Some(mapping) = &loaded {
            let mut known = self.known();
            if known.len() >= Self::MAX_KEPT {
                known.clear();
            }
            known.insert(key, mapping.clone());
        }
        Ok(loaded)
    }
}
