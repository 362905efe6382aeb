//! The tenants and how polling them stands.

use async_trait::async_trait;
use rusqlite::{OptionalExtension as _, params};
use stagecall_core::error::StoreError;
use stagecall_core::ids::TenantId;
use stagecall_core::ports::{Saved, TenantState, TenantStates, Tenants};
use stagecall_core::tenant::Tenant;

use super::ledger::saved;
use super::{Store, column, document, parse};

impl Store {
    /// Configures a tenant, in place of its earlier configuration if it has one.
    pub async fn put_tenant(&self, tenant: &Tenant) -> Result<(), StoreError> {
        let (id, paused, text) = (tenant.id.clone(), tenant.paused, document(tenant)?);
        self.write("configure a tenant", move |connection| {
            connection
                .prepare_cached(
                    "INSERT INTO tenant (id, paused, document) VALUES (?1, ?2, ?3)
                     ON CONFLICT DO UPDATE SET paused = excluded.paused, document = excluded.document",
                )?
                .execute(params![id.as_str(), paused, text])?;
            Ok(())
        })
        .await
    }

    /// All configured tenants, by id.
    pub async fn list_tenants(&self) -> Result<Vec<Tenant>, StoreError> {
        self.read("list the tenants", |connection| {
            let mut statement =
                connection.prepare_cached("SELECT document FROM tenant ORDER BY id")?;
            let mut rows = statement.query([])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(parse("tenant", &row.get::<_, String>(0)?)?);
            }
            Ok(found)
        })
        .await
    }

    /// Removes a tenant's configuration and how polling it stood, so that a tenant of that name who comes back starts
    /// with a new baseline. Its invitations stay: whoever was invited is not invited again. Returns whether it was
    /// there.
    pub async fn remove_tenant(&self, id: &TenantId) -> Result<bool, StoreError> {
        let id = id.clone();
        self.write("remove a tenant", move |connection| {
            connection.execute("DELETE FROM tenant_state WHERE tenant = ?1", [id.as_str()])?;
            Ok(connection.execute("DELETE FROM tenant WHERE id = ?1", [id.as_str()])? == 1)
        })
        .await
    }
}

#[async_trait]
impl Tenants for Store {
    async fn tenant(&self, id: &TenantId) -> Result<Option<Tenant>, StoreError> {
        let id = id.clone();
        self.read("read a tenant", move |connection| {
            connection
                .prepare_cached("SELECT document FROM tenant WHERE id = ?1")?
                .query_row([id.as_str()], |row| row.get(0))
                .optional()?
                .map(|text: String| parse("tenant", &text))
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
                .map(|text: String| parse("tenant_state", &text))
                .transpose()
        })
        .await
    }

    async fn save_state(&self, tenant: &TenantId, next: &TenantState) -> Result<Saved, StoreError> {
        let (tenant, text) = (tenant.clone(), document(next)?);
        let (version, due_at) = (next.version.cast_signed(), column(next.due_at));
        self.write("save a tenant's state", move |connection| {
            let sql = if version == 1 {
                "INSERT INTO tenant_state (tenant, version, due_at, document) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO NOTHING"
            } else {
                "UPDATE tenant_state SET version = ?2, due_at = ?3, document = ?4
                 WHERE tenant = ?1 AND version = ?2 - 1"
            };
            let changed = connection
                .prepare_cached(sql)?
                .execute(params![tenant.as_str(), version, due_at, text])?;
            Ok(saved(changed))
        })
        .await
    }
}
