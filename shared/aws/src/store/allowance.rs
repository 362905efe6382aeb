//! The calls to each tenant's Eploy, counted per day.

use async_trait::async_trait;
use stagecall_core::Timestamp;
use stagecall_core::error::StoreError;
use stagecall_core::ids::TenantId;
use stagecall_core::ports::Allowance;

use super::Store;
use super::item::{broken, number, read_number};
use super::layout::{CALLS, EXPIRES, RowKey};
use super::write::{Condition, Update};

/// How long a day's count is kept, for inspection.
const RETENTION_SECONDS: i64 = 8 * 86_400;

#[async_trait]
impl Allowance for Store {
    async fn take(
        &self,
        tenant: &TenantId,
        day: &str,
        calls: u32,
        ceiling: u32,
    ) -> Result<bool, StoreError> {
        let Some(room) = ceiling.checked_sub(calls) else {
            return Ok(false);
        };
        let mut update = Update {
            add: vec![format!("{CALLS} :calls")],
            ..Update::default()
        };
        let mut condition =
            Condition::new(format!("attribute_not_exists({CALLS}) OR {CALLS} <= :room"))
                .with(":calls", number(calls))
                .with(":room", number(room));
        if let Ok(begins) = format!("{day}T00:00:00Z").parse::<Timestamp>() {
            update.set.push(format!("{EXPIRES} = :expires"));
            condition = condition.with(":expires", number(begins.as_second() + RETENTION_SECONDS));
        }
        let place = RowKey::allowance(tenant, day);
        let taken = self
            .update("take from the allowance", &place, &update, condition)
            .await?;
        Ok(taken.is_saved())
    }

    async fn taken(&self, tenant: &TenantId, day: &str) -> Result<u32, StoreError> {
        let item = self
            .get("read the allowance", &RowKey::allowance(tenant, day))
            .await?;
        let Some(item) = item else {
            return Ok(0);
        };
        read_number(&item, CALLS)?.ok_or_else(|| broken(&item, "it has no count"))
    }
}
