//! The store's operations for operators' commands: queries of a tenant's own partitions, no scan.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::{AttributeValue, Delete, TransactWriteItem};
use stagecall_core::Timestamp;
use stagecall_core::error::StoreError;
use stagecall_core::ids::{CandidateId, TenantId};
use stagecall_core::invitation::Invitation;
use stagecall_core::ports::{
    AuditRecord, Delivery, DeliveryStatus, Erased, InvitationFilter, InvitationPage, OperatorStore,
    StateCount, Tombstone,
};
use stagecall_core::tenant::Tenant;

use super::deliveries::{HANDLED, PARKED, PENDING};
use super::item::{Item, broken, document, index, plain, text};
use super::layout::{
    DOCUMENT, GROUPS, INDEX, INDEX_PARTITION, PARTITION, PAUSED, RowKey, SORT, STANDING, TENANTS,
    audits, definitions, deliveries, group, group_of, moment, of_application, tombstones,
};
use super::write::Condition;
use super::{STORE, Store, due, failed};

#[async_trait]
impl OperatorStore for Store {
    async fn put_tenant(&self, tenant: &Tenant) -> Result<(), StoreError> {
        let operation = "configure a tenant";
        // Before the tenant exists, so that it is due at once: a state without a version is that of a tenant that was never
        // polled.
        let place = RowKey::state(&tenant.id);
        let mut never_polled = place.key();
        index(
            &mut never_polled,
            place.due_partition(),
            moment(Timestamp::UNIX_EPOCH),
        );
        self.put(operation, never_polled, Condition::absent())
            .await?;

        let mut item = RowKey::tenant(&tenant.id).key();
        item.insert(DOCUMENT.to_owned(), plain(tenant)?);
        item.insert(PAUSED.to_owned(), AttributeValue::Bool(tenant.paused));
        index(&mut item, TENANTS.to_owned(), tenant.id.to_string());
        self.replace(operation, item).await
    }

    async fn list_tenants(&self) -> Result<Vec<Tenant>, StoreError> {
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
        let places: Vec<RowKey> = items.iter().filter_map(RowKey::of).collect();
        let found = self.get_all(operation, &places, None).await?;
        places
            .iter()
            .filter_map(|place| found.get(place))
            .map(document)
            .collect()
    }

    async fn remove_tenant(&self, id: &TenantId) -> Result<bool, StoreError> {
        let operation = "remove a tenant";
        let delete = |place: RowKey| {
            let delete = Delete::builder()
                .table_name(&self.table)
                .set_key(Some(place.key()))
                .build()
                .map_err(|error| StoreError::new(STORE, operation, error))?;
            Ok::<_, StoreError>(TransactWriteItem::builder().delete(delete).build())
        };
        let there = self.get(operation, &RowKey::tenant(id)).await?.is_some();
        self.client
            .transact_write_items()
            .transact_items(delete(RowKey::tenant(id))?)
            .transact_items(delete(RowKey::state(id))?)
            .transact_items(delete(RowKey::token(id))?)
            .send()
            .await
            .map_err(|error| failed(operation, &error))?;
        for item in self.partition(operation, definitions(id)).await? {
            if let Some(place) = RowKey::of(&item) {
                self.delete(operation, &place).await?;
            }
        }
        Ok(there)
    }

    async fn invitations(
        &self,
        tenant: &TenantId,
        filter: &InvitationFilter,
        limit: usize,
        next: Option<&str>,
    ) -> Result<InvitationPage, StoreError> {
        // `number` or `number#sort key`: a partition, and the position in it.
        let (number, after) = match next {
            Some(next) => match next.split_once('#') {
                Some((number, after)) => (number, Some(after)),
                None => (next, None),
            },
            None => ("0", None),
        };
        let first = number
            .parse()
            .ok()
            .filter(|number| *number < GROUPS)
            .ok_or_else(|| {
                let problem = "the cursor of the next page is invalid. Begin with the first page";
                StoreError::new(STORE, "list the invitations", problem)
            })?;
        // All of one application's are in one partition.
        let only = filter.application.as_ref();
        let number = only.map_or(first, group_of);
        let partition = group(tenant, number);
        let mut query = self
            .client
            .query()
            .table_name(&self.table)
            .expression_attribute_values(":group", text(&partition))
            // A search for a candidate's precedes their erasure.
            .consistent_read(filter.candidate.is_some())
            .limit(i32::try_from(limit.clamp(1, 1000)).unwrap_or(1000));
        query = match only {
            Some(application) => query
                .key_condition_expression(format!(
                    "{PARTITION} = :group AND begins_with({SORT}, :application)"
                ))
                .expression_attribute_values(":application", text(of_application(application))),
            None => query.key_condition_expression(format!("{PARTITION} = :group")),
        };
        if let Some(after) = after {
            let place = RowKey {
                pk: partition,
                sk: after.to_owned(),
            };
            query = query.set_exclusive_start_key(Some(place.key()));
        }
        let answer = query
            .send()
            .await
            .map_err(|error| failed("list the invitations", &error))?;
        let mut rows = Vec::new();
        for item in answer.items.iter().flatten() {
            let invitation: Invitation = document(item)?;
            if filter.admits(&invitation) {
                rows.push(invitation);
            }
        }
        let more = answer.last_evaluated_key.as_ref().and_then(RowKey::of);
        let next = match more {
            Some(place) => Some(format!("{number}#{}", place.sk)),
            None => (only.is_none() && number + 1 < GROUPS).then(|| (number + 1).to_string()),
        };
        Ok(InvitationPage { rows, next })
    }

    async fn counts(&self, tenant: &TenantId) -> Result<Vec<StateCount>, StoreError> {
        let mut counts = std::collections::BTreeMap::new();
        for invitation in self
            .all_invitations(tenant, &InvitationFilter::default())
            .await?
        {
            *counts.entry(invitation.state.name()).or_insert(0) += 1;
        }
        Ok(counts
            .into_iter()
            .map(|(state, count)| StateCount {
                state: state.to_owned(),
                count,
            })
            .collect())
    }

    async fn oldest_due(&self, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        due::oldest(self, now).await
    }

    async fn deliveries(
        &self,
        tenant: &TenantId,
        since: Option<Timestamp>,
    ) -> Result<Vec<(Delivery, DeliveryStatus)>, StoreError> {
        let items = self
            .partition("list the deliveries", deliveries(tenant))
            .await?;
        let mut found = Vec::new();
        for item in &items {
            let delivery: Delivery = document(item)?;
            if since.is_none_or(|since| delivery.at >= since) {
                found.push((delivery, delivery_status(item)?));
            }
        }
        found.sort_by(|(a, _), (b, _)| (a.at, &a.id).cmp(&(b.at, &b.id)));
        Ok(found)
    }

    async fn audit(&self, record: &AuditRecord) -> Result<(), StoreError> {
        let operation = "save an audit record";
        // There may be several in the same microsecond.
        for salt in 0..100_u8 {
            let place = RowKey::audit(record.tenant.as_ref(), record.at, &salt.to_string());
            let mut item = place.key();
            item.insert(DOCUMENT.to_owned(), plain(record)?);
            let written = self.put(operation, item, Condition::absent()).await?;
            if written.is_saved() {
                return Ok(());
            }
        }
        Err(StoreError::new(
            STORE,
            operation,
            "too many audit records at the same time. Try again",
        ))
    }

    async fn audits(
        &self,
        tenant: Option<&TenantId>,
        since: Option<Timestamp>,
    ) -> Result<Vec<AuditRecord>, StoreError> {
        let items = self
            .partition("list the audit records", audits(tenant))
            .await?;
        let mut found = Vec::new();
        for item in &items {
            let record: AuditRecord = document(item)?;
            if since.is_none_or(|since| record.at >= since) {
                found.push(record);
            }
        }
        Ok(found)
    }

    async fn erase(
        &self,
        tenant: &TenantId,
        candidate: &CandidateId,
        now: Timestamp,
    ) -> Result<Erased, StoreError> {
        self.erase_candidate(tenant, candidate, now).await
    }

    async fn tombstones(&self, tenant: &TenantId) -> Result<Vec<Tombstone>, StoreError> {
        let items = self
            .partition("list the tombstones", tombstones(tenant))
            .await?;
        let mut found: Vec<Tombstone> = items.iter().map(document).collect::<Result<_, _>>()?;
        found.sort_by(|a, b| (a.at, &a.candidate).cmp(&(b.at, &b.candidate)));
        Ok(found)
    }
}

impl Store {
    /// Whether a candidate was erased, read consistently.
    pub(super) async fn is_erased(
        &self,
        tenant: &TenantId,
        candidate: &CandidateId,
    ) -> Result<bool, StoreError> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(RowKey::tombstone(tenant, candidate).key()))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| failed("look up a tombstone", &error))?;
        Ok(answer.item.is_some())
    }

    /// All rows of a partition, by their sort keys.
    pub(super) async fn partition(
        &self,
        operation: &'static str,
        partition: String,
    ) -> Result<Vec<Item>, StoreError> {
        self.client
            .query()
            .table_name(&self.table)
            .key_condition_expression(format!("{PARTITION} = :partition"))
            .expression_attribute_values(":partition", text(partition))
            .consistent_read(true)
            .into_paginator()
            .items()
            .send()
            .collect::<Result<_, _>>()
            .await
            .map_err(|error| failed(operation, &error))
    }

    pub(super) async fn all_invitations(
        &self,
        tenant: &TenantId,
        filter: &InvitationFilter,
    ) -> Result<Vec<Invitation>, StoreError> {
        let mut all = Vec::new();
        let mut next = None;
        loop {
            let page = self
                .invitations(tenant, filter, 1000, next.as_deref())
                .await?;
            all.extend(page.rows);
            next = page.next;
            if next.is_none() {
                return Ok(all);
            }
        }
    }

    pub(super) async fn delete(
        &self,
        operation: &'static str,
        place: &RowKey,
    ) -> Result<(), StoreError> {
        self.client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(place.key()))
            .send()
            .await
            .map_err(|error| failed(operation, &error))?;
        Ok(())
    }
}

fn delivery_status(item: &Item) -> Result<DeliveryStatus, StoreError> {
    let standing = item.get(STANDING).and_then(|standing| standing.as_s().ok());
    Ok(match standing.map(String::as_str) {
        Some(PENDING) => DeliveryStatus::Pending,
        Some(HANDLED) => DeliveryStatus::Handled,
        Some(PARKED) => DeliveryStatus::Unmatched,
        _ => return Err(broken(item, "it has no state of the delivery")),
    })
}
