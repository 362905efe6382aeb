//! The deliveries.

use async_trait::async_trait;
use stagecall_core::Timestamp;
use stagecall_core::error::StoreError;
use stagecall_core::ids::TenantId;
use stagecall_core::ports::{Deliveries, Delivery, DeliveryOutcome, KEPT_DELIVERY_DAYS};

use super::item::{Item, document, index, number, plain, text};
use super::layout::{
    DOCUMENT, EXPIRES, INDEX, INDEX_PARTITION, PARTITION, RowKey, STANDING, moment, parked,
};
use super::write::Condition;
use super::{Store, failed};

/// How long after its arrival a handled delivery is kept.
const HANDLED_SECONDS: i64 = KEPT_DELIVERY_DAYS as i64 * 86_400;

pub(super) const PENDING: &str = "pending";
pub(super) const HANDLED: &str = "handled";
pub(super) const PARKED: &str = "parked";

#[async_trait]
impl Deliveries for Store {
    async fn store(
        &self,
        delivery: &Delivery,
        due_at: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let unless_pending = Condition::new(format!(
            "attribute_not_exists({PARTITION}) OR {STANDING} <> :pending"
        ))
        .with(":pending", text(PENDING));
        let item = pending(delivery, due_at)?;
        self.put("store a delivery", item, unless_pending)
            .await
            .map(drop)
    }

    async fn load_delivery(
        &self,
        tenant: &TenantId,
        id: &str,
    ) -> Result<Option<Delivery>, StoreError> {
        let item = self
            .get("load a delivery", &RowKey::delivery(tenant, id))
            .await?;
        item.map(|item| document(&item)).transpose()
    }

    async fn settle(&self, delivery: &Delivery, fate: &DeliveryOutcome) -> Result<(), StoreError> {
        // Idempotent: a repetition writes the same.
        let there = Condition::new(format!("attribute_exists({PARTITION})"));
        self.put("settle a delivery", settled(delivery, fate)?, there)
            .await
            .map(drop)
    }

    async fn unmatched(
        &self,
        tenant: &TenantId,
        limit: usize,
    ) -> Result<Vec<Delivery>, StoreError> {
        let operation = "read the unmatched deliveries";
        let mut places = Vec::new();
        let mut pages = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(INDEX)
            .key_condition_expression(format!("{INDEX_PARTITION} = :partition"))
            .expression_attribute_values(":partition", text(parked(tenant)))
            .scan_index_forward(false)
            .limit(i32::try_from(limit.clamp(1, 1000)).unwrap_or(1000))
            .into_paginator()
            .items()
            .send();
        while places.len() < limit
            && let Some(item) = pages.next().await
        {
            places.extend(RowKey::of(
                &item.map_err(|error| failed(operation, &error))?,
            ));
        }
        let found = self.get_all(operation, &places, None).await?;
        places
            .iter()
            .filter_map(|place| found.get(place))
            .map(document)
            .collect()
    }
}

/// The row of a pending delivery. If it has a due time, it is in the index.
fn pending(delivery: &Delivery, due_at: Option<Timestamp>) -> Result<Item, StoreError> {
    let mut item = row(delivery, PENDING)?;
    if let Some(at) = due_at {
        let place = RowKey::delivery(&delivery.tenant, &delivery.id);
        index(&mut item, place.due_partition(), moment(at));
    }
    Ok(item)
}

/// The row of a delivery with this outcome. A parked one is in the index among the tenant's parked ones by its arrival time;
/// a handled one expires.
fn settled(delivery: &Delivery, fate: &DeliveryOutcome) -> Result<Item, StoreError> {
    match fate {
        DeliveryOutcome::Again(at) => pending(delivery, Some(*at)),
        DeliveryOutcome::Handled => {
            let mut item = row(delivery, HANDLED)?;
            let expires = delivery.at.as_second() + HANDLED_SECONDS;
            item.insert(EXPIRES.to_owned(), number(expires));
            Ok(item)
        }
        DeliveryOutcome::Unmatched => {
            let mut item = row(delivery, PARKED)?;
            index(&mut item, parked(&delivery.tenant), moment(delivery.at));
            Ok(item)
        }
    }
}

fn row(delivery: &Delivery, standing: &str) -> Result<Item, StoreError> {
    let mut item = RowKey::delivery(&delivery.tenant, &delivery.id).key();
    item.insert(DOCUMENT.to_owned(), plain(delivery)?);
    item.insert(STANDING.to_owned(), text(standing));
    Ok(item)
}
