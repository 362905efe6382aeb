//! The tenants and how polling them stands.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::{AttributeValue, Delete, TransactWriteItem};
use stagecall_core::Timestamp;
use stagecall_core::error::StoreError;
use stagecall_core::ids::TenantId;
use stagecall_core::ports::{Saved, TenantState, TenantStates, Tenants};
use stagecall_core::tenant::Tenant;

use super::item::{Item, document, index, number, plain, text};
use super::layout::{
    DOCUMENT, INDEX, INDEX_PARTITION, PARTITION, PAUSED, Place, TENANTS, VERSION, moment,
};
use super::ledger::saved;
use super::{STORE, Store, failed, made};

impl Store {
    /// Configures a tenant, in place of its earlier configuration if it has one.
    pub async fn put_tenant(&self, tenant: &Tenant) -> Result<(), StoreError> {
        let operation = "configure a tenant";
        // Before it is there, so that it is due as soon as it is: a state without a version is that of a tenant who was
        // never polled.
        let place = Place::state(&tenant.id);
        let mut never_polled = place.key();
        index(
            &mut never_polled,
            place.due_partition(),
            moment(Timestamp::UNIX_EPOCH),
        );
        let answer = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(never_polled))
            .condition_expression(format!("attribute_not_exists({PARTITION})"))
            .send()
            .await;
        made(operation, answer)?;

        let mut item = Place::tenant(&tenant.id).key();
        item.insert(DOCUMENT.to_owned(), plain(tenant)?);
        item.insert(PAUSED.to_owned(), AttributeValue::Bool(tenant.paused));
        index(&mut item, TENANTS.to_owned(), tenant.id.to_string());
        self.client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .send()
            .await
            .map_err(|error| failed(operation, &error))?;
        Ok(())
    }

    /// All configured tenants, by id.
    pub async fn list_tenants(&self) -> Result<Vec<Tenant>, StoreError> {
        let operation = "list the tenants";
        let items: Vec<Item> = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(INDEX)
            .key_condition_expression(format!("{INDEX_PARTITION} = :partition"))
            .expression_attribute_values(":partition", text(TENANTS))
            .into_paginator()
            .items()
            .send()
            .collect::<Result<_, _>>()
            .await
            .map_err(|error| failed(operation, &error))?;
        let places: Vec<Place> = items.iter().filter_map(Place::of).collect();
        let found = self.get_all(operation, &places, None).await?;
        places
            .iter()
            .filter_map(|place| found.get(place))
            .map(document)
            .collect()
    }

    /// Removes a tenant's configuration and how polling it stood, so that a tenant of that name who comes back starts
    /// with a new baseline. Its invitations stay: whoever was invited is not invited again. Returns whether it was
    /// there.
    pub async fn remove_tenant(&self, id: &TenantId) -> Result<bool, StoreError> {
        let operation = "remove a tenant";
        let delete = |place: Place| {
            let delete = Delete::builder()
                .table_name(&self.table)
                .set_key(Some(place.key()))
                .build()
                .map_err(|error| StoreError::new(STORE, operation, error))?;
            Ok::<_, StoreError>(TransactWriteItem::builder().delete(delete).build())
        };
        let there = self.get(operation, &Place::tenant(id)).await?.is_some();
        self.client
            .transact_write_items()
            .transact_items(delete(Place::tenant(id))?)
            .transact_items(delete(Place::state(id))?)
            .send()
            .await
            .map_err(|error| failed(operation, &error))?;
        Ok(there)
    }
}

#[async_trait]
impl Tenants for Store {
    async fn tenant(&self, id: &TenantId) -> Result<Option<Tenant>, StoreError> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(Place::tenant(id).key()))
            .send()
            .await
            .map_err(|error| failed("read a tenant", &error))?;
        answer.item.map(|item| document(&item)).transpose()
    }
}

#[async_trait]
impl TenantStates for Store {
    async fn load_state(&self, tenant: &TenantId) -> Result<Option<TenantState>, StoreError> {
        let item = self
            .get("load a tenant's state", &Place::state(tenant))
            .await?;
        item.filter(|item| item.contains_key(VERSION))
            .map(|item| document(&item))
            .transpose()
    }

    async fn save_state(&self, tenant: &TenantId, next: &TenantState) -> Result<Saved, StoreError> {
        let place = Place::state(tenant);
        let mut item = place.key();
        item.insert(VERSION.to_owned(), number(next.version));
        item.insert(DOCUMENT.to_owned(), plain(next)?);
        index(&mut item, place.due_partition(), moment(next.due_at));
        let save = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item));
        let save = if next.version == 1 {
            save.condition_expression(format!("attribute_not_exists({VERSION})"))
        } else {
            save.condition_expression(format!("{VERSION} = :before"))
                .expression_attribute_values(":before", number(i128::from(next.version) - 1))
        };
        made("save a tenant's state", save.send().await).map(saved)
    }
}
