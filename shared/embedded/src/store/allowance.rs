//! The calls to each tenant's Eploy, counted per day.

use async_trait::async_trait;
use rusqlite::{OptionalExtension as _, params};
use stagecall_core::error::StoreError;
use stagecall_core::ids::TenantId;
use stagecall_core::ports::Allowance;

use super::Store;

#[async_trait]
impl Allowance for Store {
    async fn take(
        &self,
        tenant: &TenantId,
        day: &str,
        calls: u32,
        ceiling: u32,
    ) -> Result<bool, StoreError> {
        let (tenant, day) = (tenant.clone(), day.to_owned());
        self.write("take from the allowance", move |connection| {
            let new_day = connection
                .prepare_cached(
                    "INSERT INTO allowance (tenant, day, calls) VALUES (?1, ?2, 0) ON CONFLICT DO NOTHING",
                )?
                .execute(params![tenant.as_str(), day])?;
            if new_day == 1 {
                // A week is kept for inspection.
                connection
                    .prepare_cached(
                        "DELETE FROM allowance WHERE tenant = ?1 AND day NOT IN
                             (SELECT day FROM allowance WHERE tenant = ?1 ORDER BY day DESC LIMIT 7)",
                    )?
                    .execute([tenant.as_str()])?;
            }
            let taken = connection
                .prepare_cached(
                    "UPDATE allowance SET calls = calls + ?3
                     WHERE tenant = ?1 AND day = ?2 AND calls + ?3 <= ?4",
                )?
                .execute(params![tenant.as_str(), day, calls, ceiling])?;
            Ok(taken == 1)
        })
        .await
    }

    async fn taken(&self, tenant: &TenantId, day: &str) -> Result<u32, StoreError> {
        let (tenant, day) = (tenant.clone(), day.to_owned());
        self.read("read the allowance", move |connection| {
            let calls = connection
                .prepare_cached("SELECT calls FROM allowance WHERE tenant = ?1 AND day = ?2")?
                .query_row(params![tenant.as_str(), day], |row| row.get(0))
                .optional()?;
            Ok(calls.unwrap_or(0))
        })
        .await
    }
}
