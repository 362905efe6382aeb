//! The announcements of hires.

use async_trait::async_trait;
use stagecall_core::announcement::{Announcement, Hire, HireKey, SkipReason, State};
use stagecall_core::error::StoreError;
use stagecall_core::ids::TenantId;
use stagecall_core::ports::{Announcements, Inserted, Saved};

use super::Memory;

impl Memory {
    /// Every announcement.
    pub fn announced(&self) -> Vec<Announcement> {
        self.data().announcements.values().cloned().collect()
    }

    /// The announcement of an application.
    pub fn announcement(&self, tenant: &TenantId, application: u32) -> Option<Announcement> {
        self.announcement_of(&HireKey {
            tenant: tenant.clone(),
            hire: Hire::Application(application.to_string().as_str().into()),
        })
    }

    /// The announcement of this key, as it is now.
    pub fn announcement_of(&self, key: &HireKey) -> Option<Announcement> {
        self.data().announcements.get(key).cloned()
    }
}

#[async_trait]
impl Announcements for Memory {
    async fn insert_announcement(
        &self,
        announcement: &Announcement,
    ) -> Result<Inserted, StoreError> {
        let mut data = self.data();
        if data.announcements.contains_key(&announcement.key) {
            return Ok(Inserted::Existed);
        }
        let candidate = (
            announcement.key.tenant.clone(),
            announcement.candidate.clone(),
        );
        if data.tombstones.contains_key(&candidate) {
            return Ok(Inserted::Erased);
        }
        data.announcements
            .insert(announcement.key.clone(), announcement.clone());
        Ok(Inserted::New)
    }

    async fn save_announcement(&self, next: &Announcement) -> Result<Saved, StoreError> {
        match self.data().announcements.get_mut(&next.key) {
            Some(row) if row.version + 1 == next.version => {
                *row = next.clone();
                Ok(Saved::Saved)
            }
            _ => Ok(Saved::Conflict),
        }
    }

    async fn load_announcement(&self, key: &HireKey) -> Result<Option<Announcement>, StoreError> {
        Ok(self.announcement_of(key))
    }

    async fn purge_announcement_if_erased(
        &self,
        announcement: &Announcement,
    ) -> Result<bool, StoreError> {
        let mut data = self.data();
        let key = &announcement.key;
        let candidate = (key.tenant.clone(), announcement.candidate.clone());
        let erased = data.tombstones.contains_key(&candidate);
        if erased {
            data.announcements.remove(key);
        }
        Ok(erased)
    }

    async fn announcements(
        &self,
        tenant: &TenantId,
        limit: usize,
    ) -> Result<Vec<Announcement>, StoreError> {
        let data = self.data();
        let told = |row: &&Announcement| {
            row.key.tenant == *tenant && row.state != State::Skipped(SkipReason::Baseline)
        };
        let mut rows: Vec<Announcement> =
            data.announcements.values().filter(told).cloned().collect();
        rows.sort_by_key(|row| std::cmp::Reverse(row.seen_at));
        rows.truncate(limit);
        Ok(rows)
    }
}
