//! Our own stores.

use std::collections::BTreeSet;

use async_trait::async_trait;
use jiff::Timestamp;

use super::{DeliveryState, FakePorts};
use crate::announcement::{Announcement, HireKey};
use crate::error::StoreError;
use crate::ids::{
    AccountId, ApplicationId, AssessmentId, AssessmentRef, CandidateId, DefinitionId,
    InvitationKey, MappingId, Reference, TenantId,
};
use crate::invitation::{Invitation, Schedule};
use crate::ports::*;
use crate::tenant::Mapping;

#[async_trait]
impl Ledger for FakePorts {
    async fn insert(&self, invitation: &Invitation) -> Result<Inserted, StoreError> {
        let mut data = self.data();
        if data.erased.contains(&invitation.candidate) {
            return Ok(Inserted::Erased);
        }
        if data.rows.contains_key(&invitation.key) {
            return Ok(Inserted::Existed);
        }
        data.rows.insert(invitation.key.clone(), invitation.clone());
        Ok(Inserted::New)
    }

    async fn save(&self, next: &Invitation) -> Result<Saved, StoreError> {
        let free = self.saves();
        let mut data = self.data();
        match data.rows.get_mut(&next.key) {
            Some(row) if free && row.version + 1 == next.version => {
                *row = next.clone();
                Ok(Saved::Saved)
            }
            _ => Ok(Saved::Conflict),
        }
    }

    async fn load(&self, key: &InvitationKey) -> Result<Option<Invitation>, StoreError> {
        let data = self.data();
        match data.rows_fail.get(key) {
            Some(error) => Err(error.clone()),
            None => Ok(data.rows.get(key).cloned()),
        }
    }

    async fn of_applications(
        &self,
        _: &TenantId,
        applications: &[ApplicationId],
    ) -> Result<Vec<Invitation>, StoreError> {
        let data = self.data();
        let rows = data.rows.values();
        Ok(rows
            .filter(|row| applications.contains(&row.key.application))
            .cloned()
            .collect())
    }

    async fn bind_reference(
        &self,
        account: &AccountId,
        reference: &Reference,
        invitation: &Invitation,
    ) -> Result<Bound, StoreError> {
        let mut data = self.data();
        data.run_hook("bind_reference");
        if data.erased.contains(&invitation.candidate) {
            return Ok(Bound::Erased);
        }
        let key = &invitation.key;
        let place = (account.clone(), reference.clone());
        let owner = data.references.entry(place).or_insert_with(|| key.clone());
        Ok(if owner == key {
            Bound::Ours
        } else {
            Bound::Other(owner.clone())
        })
    }

    async fn find_by_reference(
        &self,
        _: &TenantId,
        account: &AccountId,
        reference: &Reference,
    ) -> Result<Option<InvitationKey>, StoreError> {
        let place = (account.clone(), reference.clone());
        Ok(self.data().references.get(&place).cloned())
    }

    async fn find_created_assessment(
        &self,
        _: &TenantId,
        _: &AccountId,
        name: &str,
    ) -> Result<Option<AssessmentId>, StoreError> {
        Ok(self.data().prepared.get(name).cloned())
    }

    async fn save_created_assessment(
        &self,
        _: &TenantId,
        _: &AccountId,
        name: &str,
        made: &AssessmentId,
    ) -> Result<AssessmentId, StoreError> {
        let mut data = self.data();
        let used = data.prepared.entry(name.to_owned());
        Ok(used.or_insert_with(|| made.clone()).clone())
    }

    async fn erased(&self, _: &TenantId) -> Result<BTreeSet<CandidateId>, StoreError> {
        Ok(self.data().erased.clone())
    }

    async fn purge_if_erased(&self, invitation: &Invitation) -> Result<bool, StoreError> {
        let mut data = self.data();
        let erased = data.erased.contains(&invitation.candidate);
        if erased {
            data.rows.remove(&invitation.key);
        }
        Ok(erased)
    }

    async fn waiting(
        &self,
        _: &TenantId,
        assessment: &AssessmentRef,
    ) -> Result<Vec<WatchedInvitation>, StoreError> {
        let data = self.data();
        let watched = data.rows.values().filter_map(|row| match &row.schedule {
            Schedule::Sweep { until, level } if row.assessment == *assessment => {
                Some(WatchedInvitation {
                    key: row.key.clone(),
                    reference: row.reference.clone()?,
                    level: *level,
                    change_token: row.change_token.clone(),
                    invited_at: row.invited_at,
                    until: *until,
                })
            }
            _ => None,
        });
        Ok(watched.collect())
    }
}

#[async_trait]
impl Definitions for FakePorts {
    async fn save_definition(&self, _: &TenantId, mapping: &Mapping) -> Result<(), StoreError> {
        let mut data = self.data();
        if let Some(error) = data.definition_fails.take() {
            return Err(error);
        }
        let key = (mapping.id.clone(), mapping.definition_id());
        data.definitions.insert(key, mapping.as_definition());
        Ok(())
    }

    async fn load_definition(
        &self,
        _: &TenantId,
        mapping: &MappingId,
        version: &DefinitionId,
    ) -> Result<Option<Mapping>, StoreError> {
        let key = (mapping.clone(), version.clone());
        Ok(self.data().definitions.get(&key).cloned())
    }
}

#[async_trait]
impl Sweeps for FakePorts {
    async fn schedule_sweep(
        &self,
        _: &TenantId,
        assessment: &AssessmentRef,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let mut data = self.data();
        data.armed.push(assessment.clone());
        let sweep = data.sweeps.entry(assessment.clone()).or_default();
        sweep.due_at = Some(sweep.due_at.map_or(at, |due| due.min(at)));
        sweep.armed += 1;
        Ok(())
    }

    async fn load_sweep(
        &self,
        _: &TenantId,
        assessment: &AssessmentRef,
    ) -> Result<SweepState, StoreError> {
        let sweep = self.data().sweeps.get(assessment).cloned();
        Ok(sweep.unwrap_or_default())
    }

    async fn save_sweep(
        &self,
        _: &TenantId,
        assessment: &AssessmentRef,
        expected: &SweepState,
        next: &SweepState,
    ) -> Result<Saved, StoreError> {
        let free = self.saves();
        let mut data = self.data();
        let sweep = data.sweeps.entry(assessment.clone()).or_default();
        if !free || *sweep != *expected {
            return Ok(Saved::Conflict);
        }
        let armed = sweep.armed;
        *sweep = SweepState {
            armed,
            ..next.clone()
        };
        Ok(Saved::Saved)
    }
}

#[async_trait]
impl Deliveries for FakePorts {
    async fn store(
        &self,
        delivery: &Delivery,
        due_at: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let state = DeliveryState::Stored(due_at);
        let stored = (delivery.clone(), state);
        self.data().deliveries.insert(delivery.id.clone(), stored);
        Ok(())
    }

    async fn load_delivery(&self, _: &TenantId, id: &str) -> Result<Option<Delivery>, StoreError> {
        let data = self.data();
        Ok(data.deliveries.get(id).map(|(known, _)| known.clone()))
    }

    async fn settle(&self, delivery: &Delivery, fate: &DeliveryOutcome) -> Result<(), StoreError> {
        let state = DeliveryState::Settled(fate.clone());
        let settled = (delivery.clone(), state);
        self.data().deliveries.insert(delivery.id.clone(), settled);
        Ok(())
    }

    async fn unmatched(&self, _: &TenantId, _: usize) -> Result<Vec<Delivery>, StoreError> {
        unimplemented!()
    }
}

#[async_trait]
impl TenantStates for FakePorts {
    async fn load_state(&self, _: &TenantId) -> Result<Option<TenantState>, StoreError> {
        let mut data = self.data();
        data.run_hook("load_state");
        Ok(data.state.clone())
    }

    async fn save_state(&self, _: &TenantId, next: &TenantState) -> Result<Saved, StoreError> {
        let free = self.saves();
        let mut data = self.data();
        if let Some(error) = data.state_fails.take() {
            return Err(error);
        }
        let version = data.state.as_ref().map_or(0, |state| state.version);
        if !free || version + 1 != next.version {
            return Ok(Saved::Conflict);
        }
        data.state = Some(next.clone());
        Ok(Saved::Saved)
    }
}

#[async_trait]
impl Announcements for FakePorts {
    async fn insert_announcement(&self, new: &Announcement) -> Result<Inserted, StoreError> {
        let mut data = self.data();
        if data.announcements.contains_key(&new.key) {
            return Ok(Inserted::Existed);
        }
        data.announcements.insert(new.key.clone(), new.clone());
        Ok(Inserted::New)
    }

    async fn save_announcement(&self, next: &Announcement) -> Result<Saved, StoreError> {
        let free = self.saves();
        let mut data = self.data();
        match data.announcements.get_mut(&next.key) {
            Some(row) if free && row.version + 1 == next.version => {
                *row = next.clone();
                Ok(Saved::Saved)
            }
            _ => Ok(Saved::Conflict),
        }
    }

    async fn load_announcement(&self, key: &HireKey) -> Result<Option<Announcement>, StoreError> {
        Ok(self.data().announcements.get(key).cloned())
    }

    async fn purge_announcement_if_erased(&self, row: &Announcement) -> Result<bool, StoreError> {
        let mut data = self.data();
        let erased = data.erased.contains(&row.candidate);
        if erased {
            data.announcements.remove(&row.key);
        }
        Ok(erased)
    }

    async fn announcements(&self, _: &TenantId, _: usize) -> Result<Vec<Announcement>, StoreError> {
        unimplemented!()
    }
}
