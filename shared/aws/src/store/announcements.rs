//! The announcements of hires.

use std::cmp::Reverse;

use async_trait::async_trait;
use stagecall_core::announcement::{Announcement, HireKey, SkipReason, State};
use stagecall_core::error::StoreError;
use stagecall_core::ids::TenantId;
use stagecall_core::ports::{Announcements, Inserted, Saved};

use super::item::{Item, document, index, number, plain, text};
use super::layout::{DOCUMENT, PARTITION, RowKey, STANDING, VERSION, hires, moment};
use super::write::Condition;
use super::{Store, failed};

/// The standing of an announcement that is not sent.
const BASELINE: &str = "baseline";

#[async_trait]
impl Announcements for Store {
    async fn insert_announcement(
        &self,
        announcement: &Announcement,
    ) -> Result<Inserted, StoreError> {
        let written = self
            .put(
                "insert an announcement",
                item(announcement)?,
                Condition::absent(),
            )
            .await?;
        if self.purge_announcement_if_erased(announcement).await? {
            return Ok(Inserted::Erased);
        }
        Ok(written.into())
    }

    async fn save_announcement(&self, next: &Announcement) -> Result<Saved, StoreError> {
        let written = self
            .put(
                "save an announcement",
                item(next)?,
                Condition::version_before(next.version),
            )
            .await?;
        Ok(written.into())
    }

    async fn load_announcement(&self, key: &HireKey) -> Result<Option<Announcement>, StoreError> {
        let item = self
            .get("load an announcement", &RowKey::announcement(key))
            .await?;
        item.map(|item| document(&item)).transpose()
    }

    async fn purge_announcement_if_erased(
        &self,
        announcement: &Announcement,
    ) -> Result<bool, StoreError> {
        let key = &announcement.key;
        let erased = self.is_erased(&key.tenant, &announcement.candidate).await?;
        if erased {
            let operation = "purge an erased candidate's announcement";
            self.delete(operation, &RowKey::announcement(key)).await?;
        }
        Ok(erased)
    }

    async fn announcements(
        &self,
        tenant: &TenantId,
        limit: usize,
    ) -> Result<Vec<Announcement>, StoreError> {
        let items: Vec<Item> = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression(format!("{PARTITION} = :hires"))
            .filter_expression(format!("attribute_not_exists({STANDING})"))
            .expression_attribute_values(":hires", text(hires(tenant)))
            .consistent_read(true)
            .into_paginator()
            .items()
            .send()
            .collect::<Result<_, _>>()
            .await
            .map_err(|error| failed("list the announcements", &error))?;
        let mut found: Vec<Announcement> = items.iter().map(document).collect::<Result<_, _>>()?;
        found.sort_by_key(|one| Reverse(one.seen_at));
        found.truncate(limit);
        Ok(found)
    }
}

/// The announcement's row: in the index while it is due.
fn item(announcement: &Announcement) -> Result<Item, StoreError> {
    let place = RowKey::announcement(&announcement.key);
    let mut item = place.key();
    item.insert(VERSION.to_owned(), number(announcement.version));
    item.insert(DOCUMENT.to_owned(), plain(announcement)?);
    if let Some(at) = announcement.due_at {
        index(&mut item, place.due_partition(), moment(at));
    }
    if announcement.state == State::Skipped(SkipReason::Baseline) {
        item.insert(STANDING.to_owned(), text(BASELINE));
    }
    Ok(item)
}
