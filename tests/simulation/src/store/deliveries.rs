//! The deliveries.

use async_trait::async_trait;
use stagecall_core::Timestamp;
use stagecall_core::error::StoreError;
use stagecall_core::ids::TenantId;
use stagecall_core::ports::{Deliveries, Delivery, DeliveryOutcome};

use super::{DeliveryState, Memory};

impl Memory {
    /// The number of deliveries that are due and not settled.
    pub fn pending_deliveries(&self) -> usize {
        let data = self.data();
        let pending =
            |(state, _): &&(DeliveryState, _)| matches!(state, DeliveryState::Pending(Some(_)));
        data.deliveries.values().filter(pending).count()
    }
}

#[async_trait]
impl Deliveries for Memory {
    async fn store(
        &self,
        delivery: &Delivery,
        due_at: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let mut data = self.data();
        let key = (delivery.tenant.clone(), delivery.id.clone());
        if !matches!(
            data.deliveries.get(&key),
            Some((DeliveryState::Pending(_), _))
        ) {
            let fresh = (DeliveryState::Pending(due_at), delivery.clone());
            data.deliveries.insert(key, fresh);
        }
        Ok(())
    }

    async fn load_delivery(
        &self,
        tenant: &TenantId,
        id: &str,
    ) -> Result<Option<Delivery>, StoreError> {
        let key = (tenant.clone(), id.to_owned());
        Ok(self
            .data()
            .deliveries
            .get(&key)
            .map(|(_, delivery)| delivery.clone()))
    }

    async fn settle(&self, delivery: &Delivery, fate: &DeliveryOutcome) -> Result<(), StoreError> {
        let state = match fate {
            DeliveryOutcome::Handled => DeliveryState::Handled,
            DeliveryOutcome::Again(at) => DeliveryState::Pending(Some(*at)),
            DeliveryOutcome::Unmatched => DeliveryState::Unmatched,
        };
        let key = (delivery.tenant.clone(), delivery.id.clone());
        if let Some(stored) = self.data().deliveries.get_mut(&key) {
            *stored = (state, delivery.clone());
        }
        Ok(())
    }

    async fn unmatched(
        &self,
        tenant: &TenantId,
        limit: usize,
    ) -> Result<Vec<Delivery>, StoreError> {
        let data = self.data();
        let mut parked: Vec<Delivery> = data
            .deliveries
            .iter()
            .filter(|((of, _), (state, _))| {
                of == tenant && matches!(state, DeliveryState::Unmatched)
            })
            .map(|(_, (_, delivery))| delivery.clone())
            .collect();
        parked.sort_by_key(|delivery| std::cmp::Reverse(delivery.at));
        parked.truncate(limit);
        Ok(parked)
    }
}
