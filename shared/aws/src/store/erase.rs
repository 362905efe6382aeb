//! Removing a candidate.
//!
//! Rows with a candidate are found by queries of the tenant's partitions, and the bindings by a scan: a reference's row has
//! its own partition, and a second row to find it would cost every invitation a write. Erasures are rare and run only by a
//! command: no function may scan.

use std::collections::BTreeSet;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use stagecall_core::Timestamp;
use stagecall_core::announcement::{Announcement, HireKey};
use stagecall_core::error::StoreError;
use stagecall_core::ids::{AssessmentRef, CandidateId, InvitationKey, Reference, TenantId};
use stagecall_core::invitation::Invitation;
use stagecall_core::ports::{
    AuditRecord, Erased, InvitationFilter, Ledger as _, OperatorStore as _, Saved, Sweeps as _,
    TenantStates as _, Tombstone,
};

use super::item::{document, plain, text};
use super::layout::{DOCUMENT, PARTITION, RowKey, audits, hires, references};
use super::write::Condition;
use super::{MAX_CONCURRENT_CALLS, STORE, Store, failed};

const OPERATION: &str = "erase a candidate";

/// The number of concurrent segments of a scan.
const SEGMENTS: i32 = 8;

/// The maximum number of attempts to change a row under concurrent changes.
const MAX_ATTEMPTS: usize = 8;

impl Store {
    /// Erases everything that [`Erased`] lists.
    pub(super) async fn erase_candidate(
        &self,
        tenant: &TenantId,
        candidate: &CandidateId,
        now: Timestamp,
    ) -> Result<Erased, StoreError> {
        // First, so that nothing new is inserted while the rest is removed.
        self.bury(tenant, candidate, now).await?;
        let filter = InvitationFilter {
            candidate: Some(candidate.clone()),
            ..InvitationFilter::default()
        };
        let invitations = self.all_invitations(tenant, &filter).await?;
        let announcements = self.announcements_of(tenant, candidate).await?;
        let bound = self.bound_to(tenant, &invitations).await?;
        let erased = Erased {
            references: bound.len(),
            deliveries: self.erase_deliveries(tenant, &invitations, &bound).await?,
            announcements: announcements.len(),
            audits: self
                .clear_audits(tenant, &invitations, &announcements)
                .await?,
            poll_rows: self
                .forget_poll_rows(tenant, candidate, &invitations, &announcements)
                .await?,
            readings: self.forget_readings(tenant, &invitations).await?,
            skipped: self.clear_owners(tenant, &invitations).await?,
            invitations: Vec::new(),
        };
        for place in &bound {
            self.delete(OPERATION, place).await?;
        }
        // These last: after an abort, a repetition finds the rest by them.
        for key in &announcements {
            self.delete(OPERATION, &RowKey::announcement(key)).await?;
        }
        for one in &invitations {
            self.delete(OPERATION, &RowKey::invitation(&one.key))
                .await?;
        }
        Ok(Erased {
            invitations,
            ..erased
        })
    }

    async fn bury(
        &self,
        tenant: &TenantId,
        candidate: &CandidateId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let tombstone = Tombstone {
            candidate: candidate.clone(),
            at: now,
        };
        let mut item = RowKey::tombstone(tenant, candidate).key();
        item.insert(DOCUMENT.to_owned(), plain(&tombstone)?);
        self.put(OPERATION, item, Condition::absent())
            .await
            .map(drop)
    }

    async fn announcements_of(
        &self,
        tenant: &TenantId,
        candidate: &CandidateId,
    ) -> Result<Vec<HireKey>, StoreError> {
        let mut found = Vec::new();
        for item in self.partition(OPERATION, hires(tenant)).await? {
            let one: Announcement = document(&item)?;
            if one.candidate == *candidate {
                found.push(one.key);
            }
        }
        Ok(found)
    }

    /// The rows of the references that are bound to these invitations.
    async fn bound_to(
        &self,
        tenant: &TenantId,
        invitations: &[Invitation],
    ) -> Result<Vec<RowKey>, StoreError> {
        let owners: BTreeSet<&InvitationKey> = invitations.iter().map(|one| &one.key).collect();
        let scan = |segment| {
            self.client
                .scan()
                .table_name(&self.table)
                .consistent_read(true)
                .filter_expression(format!("begins_with({PARTITION}, :references)"))
                .expression_attribute_values(":references", text(references(tenant)))
                .segment(segment)
                .total_segments(SEGMENTS)
                .into_paginator()
                .items()
                .send()
        };
        let owned_of = async |segment| -> Result<Vec<RowKey>, StoreError> {
            let mut items = scan(segment);
            let mut owned = Vec::new();
            while let Some(item) = items.next().await {
                let item = item.map_err(|error| failed(OPERATION, &error))?;
                let key: InvitationKey = document(&item)?;
                if owners.contains(&key) {
                    owned.extend(RowKey::of(&item));
                }
            }
            Ok(owned)
        };
        let found: Vec<Vec<RowKey>> = stream::iter(0..SEGMENTS)
            .map(owned_of)
            .buffer_unordered(MAX_CONCURRENT_CALLS)
            .try_collect()
            .await?;
        Ok(found.into_iter().flatten().collect())
    }

    /// Removes the deliveries with one of these references.
    async fn erase_deliveries(
        &self,
        tenant: &TenantId,
        invitations: &[Invitation],
        bound: &[RowKey],
    ) -> Result<usize, StoreError> {
        let mut places: BTreeSet<&str> = bound.iter().map(|place| place.pk.as_str()).collect();
        let own: Vec<RowKey> = invitations
            .iter()
            .filter_map(|one| {
                let reference = one.reference.as_ref()?;
                Some(RowKey::reference(
                    tenant,
                    &one.assessment.account,
                    reference,
                ))
            })
            .collect();
        places.extend(own.iter().map(|place| place.pk.as_str()));
        let mut count = 0;
        for (delivery, _) in self.deliveries(tenant, None).await? {
            let is_theirs = |reference: &Reference| {
                let place = RowKey::reference(tenant, &delivery.account, reference);
                places.contains(place.pk.as_str())
            };
            if delivery.references.iter().any(is_theirs) {
                self.delete(OPERATION, &RowKey::delivery(tenant, &delivery.id))
                    .await?;
                count += 1;
            }
        }
        Ok(count)
    }

    /// Removes these names from the audit records.
    async fn clear_audits(
        &self,
        tenant: &TenantId,
        invitations: &[Invitation],
        announcements: &[HireKey],
    ) -> Result<usize, StoreError> {
        let invited = invitations.iter().map(|one| one.key.name());
        let hired = announcements.iter().map(|one| one.hire.to_string());
        let names: BTreeSet<String> = invited.chain(hired).collect();
        let mut count = 0;
        for mut item in self.partition(OPERATION, audits(Some(tenant))).await? {
            let mut record: AuditRecord = document(&item)?;
            if !names.contains(&record.target) {
                continue;
            }
            AuditRecord::ERASED.clone_into(&mut record.target);
            item.insert(DOCUMENT.to_owned(), plain(&record)?);
            let there = Condition::new(format!("attribute_exists({PARTITION})"));
            self.put(OPERATION, item, there).await?;
            count += 1;
        }
        Ok(count)
    }

    async fn forget_poll_rows(
        &self,
        tenant: &TenantId,
        candidate: &CandidateId,
        invitations: &[Invitation],
        hires: &[HireKey],
    ) -> Result<usize, StoreError> {
        for _ in 0..MAX_ATTEMPTS {
            let Some(mut state) = self.load_state(tenant).await? else {
                return Ok(0);
            };
            let count = state.forget_candidate(candidate, invitations, hires);
            if self.save_state(tenant, &state).await? == Saved::Saved {
                return Ok(count);
            }
        }
        Err(overtaken("the tenant's poll"))
    }

    /// Takes the names of these invitations out of the rows that were passed over for them. Returns out of how many.
    async fn clear_owners(
        &self,
        tenant: &TenantId,
        erased: &[Invitation],
    ) -> Result<usize, StoreError> {
        let applications: BTreeSet<_> = erased.iter().map(|one| &one.key.application).collect();
        let skipped = InvitationFilter {
            state: Some("skipped".to_owned()),
            ..InvitationFilter::default()
        };
        let mut count = 0;
        for _ in 0..MAX_ATTEMPTS {
            let rows = self.all_invitations(tenant, &skipped).await?;
            let named = rows
                .iter()
                .filter_map(|row| row.without_owner(&applications));
            let mut overtaken = false;
            for next in named {
                match self.save(&next).await? {
                    Saved::Saved => count += 1,
                    Saved::Conflict => overtaken = true,
                }
            }
            if !overtaken {
                return Ok(count);
            }
        }
        Err(overtaken("a row that was passed over"))
    }

    /// Lets the sweeps of these invitations' assessments read their lists from the beginning.
    async fn forget_readings(
        &self,
        tenant: &TenantId,
        invitations: &[Invitation],
    ) -> Result<usize, StoreError> {
        let assessments: BTreeSet<&AssessmentRef> =
            invitations.iter().map(|one| &one.assessment).collect();
        let mut count = 0;
        for assessment in assessments {
            if self.forget_reading(tenant, assessment).await? {
                count += 1;
            }
        }
        Ok(count)
    }

    async fn forget_reading(
        &self,
        tenant: &TenantId,
        assessment: &AssessmentRef,
    ) -> Result<bool, StoreError> {
        for _ in 0..MAX_ATTEMPTS {
            let before = self.load_sweep(tenant, assessment).await?;
            let mut next = before.clone();
            if !next.forget_places() {
                return Ok(false);
            }
            let saved = self.save_sweep(tenant, assessment, &before, &next).await?;
            if saved == Saved::Saved {
                return Ok(true);
            }
        }
        Err(overtaken("a sweep"))
    }
}

fn overtaken(what: &str) -> StoreError {
    let problem = format!("{what} keeps changing. Erase again");
    StoreError::new(STORE, OPERATION, problem)
}
