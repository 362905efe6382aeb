//! The mappings' definitions, by version.

use async_trait::async_trait;
use rusqlite::{OptionalExtension as _, params};
use stagecall_core::error::StoreError;
use stagecall_core::ids::{DefinitionId, MappingId, TenantId};
use stagecall_core::ports::Definitions;
use stagecall_core::tenant::Mapping;

use super::{Store, document, parse};

#[async_trait]
impl Definitions for Store {
    async fn save_definition(
        &self,
        tenant: &TenantId,
        mapping: &Mapping,
    ) -> Result<(), StoreError> {
        let text = document(&mapping.as_definition())?;
        let (tenant, id, version) = (tenant.clone(), mapping.id.clone(), mapping.definition_id());
        self.write("save a definition", move |connection| {
            connection
                .prepare_cached(
                    "INSERT INTO definition (tenant, mapping, version, document)
                     VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
                )?
                .execute(params![
                    tenant.as_str(),
                    id.as_str(),
                    version.as_str(),
                    text
                ])?;
            Ok(())
        })
        .await
    }

    async fn load_definition(
        &self,
        tenant: &TenantId,
        mapping: &MappingId,
        version: &DefinitionId,
    ) -> Result<Option<Mapping>, StoreError> {
        let (tenant, mapping, version) = (tenant.clone(), mapping.clone(), version.clone());
        self.read("load a definition", move |connection| {
            connection
                .prepare_cached(
                    "SELECT document FROM definition WHERE tenant = ?1 AND mapping = ?2 AND version = ?3",
                )?
                .query_row(
                    params![tenant.as_str(), mapping.as_str(), version.as_str()],
                    |row| row.get(0),
                )
                .optional()?
                .map(|text: String| {
                    parse(
                        format_args!("definition {tenant}/{mapping}/{version}"),
                        &text,
                    )
                })
                .transpose()
        })
        .await
    }
}
