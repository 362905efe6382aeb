//! The announcements of hires.

use async_trait::async_trait;
use rusqlite::{OptionalExtension as _, params};
use stagecall_core::announcement::{Announcement, HireKey, SkipReason, State};
use stagecall_core::error::StoreError;
use stagecall_core::ids::{CandidateId, TenantId};
use stagecall_core::ports::{Announcements, Inserted, Saved};

use super::ledger::saved;
use super::tombstones::is_erased;
use super::{Store, column, document, parse};

#[async_trait]
impl Announcements for Store {
    async fn insert_announcement(
        &self,
        announcement: &Announcement,
    ) -> Result<Inserted, StoreError> {
        let row = AnnouncementRow::of(announcement)?;
        self.write("insert an announcement", move |connection| {
            if is_erased(connection, &row.key.tenant, &row.candidate)? {
                return Ok(Inserted::Erased);
            }
            let changed = connection
                .prepare_cached(
                    "INSERT INTO announcement (tenant, kind, id, version, told, seen_at, due_at, document, candidate)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO NOTHING",
                )?
                .execute(row.parameters())?;
            Ok(if changed == 1 {
                Inserted::New
            } else {
                Inserted::Existed
            })
        })
        .await
    }

    async fn save_announcement(&self, next: &Announcement) -> Result<Saved, StoreError> {
        let row = AnnouncementRow::of(next)?;
        self.write("save an announcement", move |connection| {
            let changed = connection
                .prepare_cached(
                    "UPDATE announcement SET version = ?4, told = ?5, seen_at = ?6, due_at = ?7, document = ?8, candidate = ?9
                     WHERE tenant = ?1 AND kind = ?2 AND id = ?3 AND version = ?4 - 1",
                )?
                .execute(row.parameters())?;
            Ok(saved(changed))
        })
        .await
    }

    async fn load_announcement(&self, key: &HireKey) -> Result<Option<Announcement>, StoreError> {
        let key = key.clone();
        self.read("load an announcement", move |connection| {
            let (kind, id) = key.hire.parts();
            connection
                .prepare_cached(
                    "SELECT document FROM announcement WHERE tenant = ?1 AND kind = ?2 AND id = ?3",
                )?
                .query_row(params![key.tenant.as_str(), kind, id], |row| row.get(0))
                .optional()?
                .map(|text: String| parse(format_args!("announcement {key}"), &text))
                .transpose()
        })
        .await
    }

    async fn purge_announcement_if_erased(
        &self,
        announcement: &Announcement,
    ) -> Result<bool, StoreError> {
        let (key, candidate) = (announcement.key.clone(), announcement.candidate.clone());
        self.write(
            "purge an erased candidate's announcement",
            move |connection| {
                if !is_erased(connection, &key.tenant, &candidate)? {
                    return Ok(false);
                }
                let (kind, id) = key.hire.parts();
                connection
                    .prepare_cached(
                        "DELETE FROM announcement WHERE tenant = ?1 AND kind = ?2 AND id = ?3",
                    )?
                    .execute([key.tenant.as_str(), kind, id])?;
                Ok(true)
            },
        )
        .await
    }

    async fn announcements(
        &self,
        tenant: &TenantId,
        limit: usize,
    ) -> Result<Vec<Announcement>, StoreError> {
        let tenant = tenant.clone();
        self.read("list the announcements", move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT document, kind, id FROM announcement WHERE told AND tenant = ?1
                 ORDER BY seen_at DESC LIMIT ?2",
            )?;
            let mut rows = statement.query(params![tenant.as_str(), limit.cast_signed()])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                let [text, kind, id]: [String; 3] = [row.get(0)?, row.get(1)?, row.get(2)?];
                let name = format_args!("announcement {tenant}/{kind} {id}");
                found.push(parse(name, &text)?);
            }
            Ok(found)
        })
        .await
    }
}

struct AnnouncementRow {
    key: HireKey,
    candidate: CandidateId,
    version: i64,
    told: bool,
    seen_at: i64,
    due_at: Option<i64>,
    document: String,
}

impl AnnouncementRow {
    fn of(announcement: &Announcement) -> Result<Self, StoreError> {
        Ok(Self {
            key: announcement.key.clone(),
            candidate: announcement.candidate.clone(),
            version: announcement.version.cast_signed(),
            told: announcement.state != State::Skipped(SkipReason::Baseline),
            seen_at: column(announcement.seen_at),
            due_at: announcement.due_at.map(column),
            document: document(announcement)?,
        })
    }

    fn parameters(&self) -> impl rusqlite::Params {
        let (kind, id) = self.key.hire.parts();
        (
            self.key.tenant.as_str(),
            kind,
            id,
            self.version,
            self.told,
            self.seen_at,
            self.due_at,
            self.document.as_str(),
            self.candidate.as_str(),
        )
    }
}
