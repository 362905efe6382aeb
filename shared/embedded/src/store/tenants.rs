//! The tenants and their polling states.

use async_trait::async_trait;
use rusqlite::{OptionalExtension as _, params};
use stagecall_core::error::StoreError;
use stagecall_core::ids::TenantId;
use stagecall_core::ports::{Saved, TenantState, TenantStates, Tenants};
use stagecall_core::tenant::Tenant;

use super::ledger::saved;
use super::{Store, column, document, parse};

#[async_trait]
impl Tenants for Store {
    async fn tenant(&self, id: &TenantId) -> Result<Option<Tenant>, StoreError> {
        let id = id.clone();
        self.read("read a tenant", move |connection| {
            connection
                .prepare_cached("SELECT document FROM tenant WHERE id = ?1")?
                .query_row([id.as_str()], |row| row.get(0))
                .optional()?
                .map(|text: String| parse(format_args!("tenant {id}"), &text))
                .transpose()
        })
        .await
    }
}

#[async_trait]
impl TenantStates for Store {
    async fn load_state(&self, tenant: &TenantId) -> Result<Option<TenantState>, StoreError> {
        let tenant = tenant.clone();
        self.read("load a tenant's state", move |connection| {
            connection
                .prepare_cached("SELECT document FROM tenant_state WHERE tenant = ?1")?
                .query_row([tenant.as_str()], |row| row.get(0))
                .optional()?
                .map(|text: String| parse(format_args!("tenant_state {tenant}"), &text))
                .transpose()
        })
        .await
    }

    async fn save_state(&self, tenant: &TenantId, next: &TenantState) -> Result<Saved, StoreError> {
        let (tenant, text) = (tenant.clone(), document(next)?);
        let (version, due_at) = (next.version.cast_signed(), column(next.due_at));
        self.write("save a tenant's state", move |connection| {
            let sql = if version == 1 {
                "INSERT INTO tenant_state (tenant, version, due_at, document)
                 SELECT id, ?2, ?3, ?4 FROM tenant WHERE id = ?1 ON CONFLICT DO NOTHING"
            } else {
                "UPDATE tenant_state SET version = ?2, due_at = ?3, document = ?4
                 WHERE tenant = ?1 AND version = ?2 - 1"
            };
            let changed = connection.prepare_cached(sql)?.execute(params![
                tenant.as_str(),
                version,
                due_at,
                text
            ])?;
            Ok(saved(changed))
        })
        .await
    }
}
