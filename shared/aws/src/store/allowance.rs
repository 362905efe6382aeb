//! The calls to each tenant's Eploy, counted per day.

use async_trait::async_trait;
use stagecall_core::Timestamp;
use stagecall_core::error::StoreError;
use stagecall_core::ids::TenantId;
use stagecall_core::ports::Allowance;

use super::item::{broken, number, read_number};
use super::layout::{CALLS, EXPIRES, Place};
use super::{Store, made};

/// For how long a day's count is kept, for people to look at.
const KEPT_SECONDS: i64 = 8 * 86_400;

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
        let mut update = format!("ADD {CALLS} :calls");
        let mut take = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(Place::allowance(tenant, day).key()))
            .condition_expression(format!("attribute_not_exists({CALLS}) OR {CALLS} <= :room"))
            .expression_attribute_values(":calls", number(calls))
            .expression_attribute_values(":room", number(room));
        if let Ok(begins) = format!("{day}T00:00:00Z").parse::<Timestamp>() {
            update = format!("{update} SET {EXPIRES} = :expires");
            take = take
                .expression_attribute_values(":expires", number(begins.as_second() + KEPT_SECONDS));
        }
        made(
            "take from the allowance",
            take.update_expression(update).send().await,
        )
    }

    async fn taken(&self, tenant: &TenantId, day: &str) -> Result<u32, StoreError> {
        let item = self
            .get("read the allowance", &Place::allowance(tenant, day))
            .await?;
        let Some(item) = item else {
            return Ok(0);
        };
        read_number(&item, CALLS)?.ok_or_else(|| broken(&item, "it has no count"))
    }
}
