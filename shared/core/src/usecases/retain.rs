//! Purges invitations' results after the tenant's retention time.

use std::sync::Arc;

use jiff::SignedDuration;

use crate::engine::{Applied, Dispatch, Engine};
use crate::error::StoreError;
use crate::ids::TenantId;
use crate::invitation::{Event, Invitation};
use crate::ports::{InvitationFilter, OperatorStore};

/// How many invitations are read at once.
const PAGE: usize = 500;

/// Purges expired data.
#[derive(Clone)]
pub struct Retention {
    /// The engine.
    pub engine: Engine,
    /// The tenants, and their rows page by page.
    pub records: Arc<dyn OperatorStore>,
}

impl Retention {
    /// The tenant's ended invitations that, apart from attempts to report them, did not change for `days` days, and
    /// have something left to purge.
    pub async fn over(&self, tenant: &TenantId, days: u32) -> Result<Vec<Invitation>, StoreError> {
        let now = self.engine.now();
        let kept = SignedDuration::from_hours(i64::from(days) * 24);
        let mut over = Vec::new();
        let mut next = None;
        loop {
            let page = self
                .records
                .invitations(tenant, &InvitationFilter::default(), PAGE, next.as_deref())
                .await?;
            over.extend(page.rows.into_iter().filter(|row| {
                now.duration_since(row.settled_at()) >= kept
                    && row
                        .apply(Event::Purge, now, &self.engine.timing, None)
                        .is_ok()
            }));
            next = page.next;
            if next.is_none() {
                return Ok(over);
            }
        }
    }

    /// Purges these invitations' results. Returns how many; the others have just changed.
    pub async fn forget(&self, rows: &[Invitation]) -> Result<usize, StoreError> {
        let mut forgotten = 0;
        for row in rows {
            let changed = self
                .engine
                .apply(row, Event::Purge, None, Dispatch::Inline)
                .await?;
            forgotten += usize::from(matches!(changed, Applied::Yes(_)));
        }
        Ok(forgotten)
    }

    /// Purges for every tenant with a retention time, and lets the store expire its handled deliveries. A failure does
    /// not stop the rest.
    ///
    /// # Errors
    /// The first failure.
    pub async fn purge_expired(&self) -> Result<(), StoreError> {
        let deliveries = self.records.expire_deliveries(self.engine.now()).await;
        if let Ok(count @ 1..) = deliveries {
            tracing::info!(count, "handled deliveries expired");
        }
        let mut outcome = deliveries.map(drop);
        for tenant in self.records.list_tenants().await? {
            let Some(days) = tenant.retention_days else {
                continue;
            };
            let kept = self.keep_for(&tenant.id, days).await;
            if let Err(error) = &kept {
                tracing::error!(tenant = %tenant.id, %error, "purge of expired invitations failed");
            }
            outcome = outcome.and(kept);
        }
        outcome
    }

    async fn keep_for(&self, tenant: &TenantId, days: u32) -> Result<(), StoreError> {
        let over = self.over(tenant, days).await?;
        let count = self.forget(&over).await?;
        if count > 0 {
            tracing::info!(%tenant, count, "expired invitations purged");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
