//! Mappings as they were, by version.

use async_trait::async_trait;

use crate::error::StoreError;
use crate::ids::{DefinitionId, MappingId, TenantId};
use crate::tenant::Mapping;

/// Keeps the versions of mappings that invitations were made under. What is kept never changes; it goes when its tenant is
/// removed. It says nothing of any person.
#[async_trait]
pub trait Definitions: Send + Sync {
    /// Keeps a mapping as it is now, under its version: see [`Mapping::definition_id`]. Doing it twice does nothing.
    async fn save_definition(&self, tenant: &TenantId, mapping: &Mapping)
    -> Result<(), StoreError>;

    /// A mapping as it was in this version; `None` if that is not kept.
    async fn load_definition(
        &self,
        tenant: &TenantId,
        mapping: &MappingId,
        version: &DefinitionId,
    ) -> Result<Option<Mapping>, StoreError>;
}
