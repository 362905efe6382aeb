//! What is due: only for configured tenants, and for a paused one only reports and deliveries.

use async_trait::async_trait;
use stagecall_core::Timestamp;
use stagecall_core::error::StoreError;
use stagecall_core::ids::TenantId;
use stagecall_core::invitation::{Schedule, Step};
use stagecall_core::ports::{Due, DueItem, DueSince, longest_due};
use stagecall_core::work::Kind;

use super::{Data, DeliveryState, Memory};

#[async_trait]
impl Due for Memory {
    async fn due(
        &self,
        now: Timestamp,
        kinds: &[Kind],
        each: usize,
    ) -> Result<Vec<DueSince>, StoreError> {
        let mut due = self.all_due(now);
        due.retain(|one| kinds.contains(&one.item.kind()));
        Ok(longest_due(due, each))
    }
}

impl Memory {
    /// Everything that is due at `now`, the longest due first.
    pub fn all_due(&self, now: Timestamp) -> Vec<DueSince> {
        let due = self.data().due(now).into_iter();
        due.map(|(since, item)| DueSince { since, item }).collect()
    }
}

impl Data {
    /// What is due at `now`, and since when; the longest due first.
    pub(super) fn due(&self, now: Timestamp) -> Vec<(Timestamp, DueItem)> {
        let mut found: Vec<(Timestamp, DueItem)> = Vec::new();
        let mut add = |at: Timestamp, tenant: &TenantId, while_paused: bool, item: DueItem| {
            let runs = self
                .tenants
                .get(tenant)
                .is_some_and(|tenant| while_paused || !tenant.paused);
            if at <= now && runs {
                found.push((at, item));
            }
        };
        for id in self.tenants.keys() {
            // A tenant without a state was never polled.
            let at = self
                .states
                .get(id)
                .map_or(Timestamp::UNIX_EPOCH, |state| state.due_at);
            add(at, id, false, DueItem::Poll(id.clone()));
        }
        for (key, row) in &self.invitations {
            if let Schedule::At { at, step } = row.schedule {
                let item = DueItem::Invitation(key.clone(), step);
                add(at, &key.tenant, step == Step::WriteBack, item);
            }
        }
        for ((tenant, assessment), sweep) in &self.sweeps {
            if let Some(at) = sweep.due_at {
                let item = DueItem::Sweep(tenant.clone(), assessment.clone());
                add(at, tenant, false, item);
            }
        }
        for ((tenant, id), (state, _)) in &self.deliveries {
            if let DeliveryState::Pending(Some(at)) = state {
                let item = DueItem::Delivery(tenant.clone(), id.clone());
                add(*at, tenant, true, item);
            }
        }
        for (key, row) in &self.announcements {
            if let Some(at) = row.due_at {
                add(at, &key.tenant, false, DueItem::Announcement(key.clone()));
            }
        }
        found.sort_by_key(|(at, _)| *at);
        found
    }
}
