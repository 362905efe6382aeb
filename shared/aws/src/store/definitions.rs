//! The mappings' definitions: a row per version, which never changes.

use async_trait::async_trait;
use stagecall_core::error::StoreError;
use stagecall_core::ids::{DefinitionId, MappingId, TenantId};
use stagecall_core::ports::Definitions;
use stagecall_core::tenant::Mapping;

use super::Store;
use super::item::{document, plain};
use super::layout::{DOCUMENT, RowKey};

#[async_trait]
impl Definitions for Store {
    async fn save_definition(
        &self,
        tenant: &TenantId,
        mapping: &Mapping,
    ) -> Result<(), StoreError> {
        let place = RowKey::definition(tenant, &mapping.id, &mapping.definition_id());
        let mut item = place.key();
        item.insert(DOCUMENT.to_owned(), plain(&mapping.as_definition())?);
        self.put_once("save a definition", item).await?;
        Ok(())
    }

    async fn load_definition(
        &self,
        tenant: &TenantId,
        mapping: &MappingId,
        version: &DefinitionId,
    ) -> Result<Option<Mapping>, StoreError> {
        let place = RowKey::definition(tenant, mapping, version);
        let item = self.get("load a definition", &place).await?;
        item.map(|item| document(&item)).transpose()
    }
}
