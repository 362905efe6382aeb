//! The announcements' port. Every adapter passes the conformance suite in `tests/`.

use async_trait::async_trait;

use super::{Inserted, Saved};
use crate::announcement::{Announcement, HireKey};
use crate::error::StoreError;
use crate::ids::TenantId;

#[async_trait]
pub trait Announcements: Send + Sync {
    /// Saves a new announcement, unless its key exists or its candidate was erased.
    async fn insert_announcement(
        &self,
        announcement: &Announcement,
    ) -> Result<Inserted, StoreError>;

    /// Saves a change: `next` replaces the row only if the row's version is `next.version - 1`.
    async fn save_announcement(&self, next: &Announcement) -> Result<Saved, StoreError>;

    async fn load_announcement(&self, key: &HireKey) -> Result<Option<Announcement>, StoreError>;

    /// Removes an announcement whose candidate was erased, see [`super::Ledger::purge_if_erased`]. Returns whether the
    /// candidate was erased.
    async fn purge_announcement_if_erased(
        &self,
        announcement: &Announcement,
    ) -> Result<bool, StoreError>;

    /// A tenant's announcements with their delivery logs, most recently changed first, at most `limit`. Without those
    /// of the baseline: there may be thousands, and nothing is sent for them.
    async fn announcements(
        &self,
        tenant: &TenantId,
        limit: usize,
    ) -> Result<Vec<Announcement>, StoreError>;
}
