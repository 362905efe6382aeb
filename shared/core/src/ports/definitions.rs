//! The stored versions of mappings.

use async_trait::async_trait;

use crate::error::StoreError;
use crate::ids::{DefinitionId, MappingId, TenantId};
use crate::tenant::Mapping;

/// Stores the versions of mappings that invitations were made under. A stored version never changes; it is removed with
/// its tenant. It holds no personal data.
#[async_trait]
pub trait Definitions: Send + Sync {
    /// Stores the mapping under its version, see [`Mapping::definition_id`]. Idempotent.
    async fn save_definition(&self, tenant: &TenantId, mapping: &Mapping)
    -> Result<(), StoreError>;

    /// A mapping in this version; `None` if that version is not stored.
    async fn load_definition(
        &self,
        tenant: &TenantId,
        mapping: &MappingId,
        version: &DefinitionId,
    ) -> Result<Option<Mapping>, StoreError>;
}
