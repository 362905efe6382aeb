//! The invitations and the platforms' references.

use std::collections::BTreeSet;

use async_trait::async_trait;
use stagecall_core::error::StoreError;
use stagecall_core::ids::{
    AccountId, ApplicationId, AssessmentId, AssessmentRef, CandidateId, InvitationKey, MappingId,
    Reference, TenantId,
};
use stagecall_core::invitation::{Invitation, Schedule};
use stagecall_core::ports::{
    Bound, Inserted, Ledger, OperatorStore as _, Saved, WatchedInvitation,
};

use super::Memory;

impl Memory {
    /// Every invitation.
    pub fn rows(&self) -> Vec<Invitation> {
        self.data().invitations.values().cloned().collect()
    }

    /// The number of matching invitations.
    pub fn count(&self, like: impl Fn(&Invitation) -> bool) -> usize {
        self.data()
            .invitations
            .values()
            .filter(|row| like(row))
            .count()
    }

    /// The newest invitation of an application for a mapping, if any.
    pub fn newest<T>(
        &self,
        tenant: &TenantId,
        application: &str,
        mapping: &MappingId,
        read: impl FnOnce(&Invitation) -> T,
    ) -> Option<T> {
        let data = self.data();
        let rows = data.invitations.values().filter(|row| {
            row.key.tenant == *tenant
                && row.key.application.as_str() == application
                && row.key.mapping == *mapping
        });
        rows.max_by_key(|row| row.key.round).map(read)
    }

    /// The row of this key, as it is now.
    pub fn row(&self, key: &InvitationKey) -> Option<Invitation> {
        self.data().invitations.get(key).cloned()
    }

    /// The invitation that a reference is bound to.
    pub fn owner(
        &self,
        tenant: &TenantId,
        account: &AccountId,
        reference: &Reference,
    ) -> Option<InvitationKey> {
        let place = (tenant.clone(), account.clone(), reference.clone());
        self.data().bindings.get(&place).cloned()
    }
}

#[async_trait]
impl Ledger for Memory {
    async fn insert(&self, invitation: &Invitation) -> Result<Inserted, StoreError> {
        let mut data = self.data();
        let key = &invitation.key;
        let candidate = (key.tenant.clone(), invitation.candidate.clone());
        if data.tombstones.contains_key(&candidate) {
            return Ok(Inserted::Erased);
        }
        if data.invitations.contains_key(key) {
            return Ok(Inserted::Existed);
        }
        data.invitations
            .insert(invitation.key.clone(), invitation.clone());
        Ok(Inserted::New)
    }

    async fn save(&self, next: &Invitation) -> Result<Saved, StoreError> {
        match self.data().invitations.get_mut(&next.key) {
            Some(row) if row.version + 1 == next.version => {
                *row = next.clone();
                Ok(Saved::Saved)
            }
            _ => Ok(Saved::Conflict),
        }
    }

    async fn load(&self, key: &InvitationKey) -> Result<Option<Invitation>, StoreError> {
        Ok(self.row(key))
    }

    async fn of_applications(
        &self,
        tenant: &TenantId,
        applications: &[ApplicationId],
    ) -> Result<Vec<Invitation>, StoreError> {
        let data = self.data();
        let matched =
            |key: &InvitationKey| key.tenant == *tenant && applications.contains(&key.application);
        let rows = data.invitations.iter().filter(|(key, _)| matched(key));
        Ok(rows.map(|(_, row)| row.clone()).collect())
    }

    async fn bind_reference(
        &self,
        account: &AccountId,
        reference: &Reference,
        invitation: &Invitation,
    ) -> Result<Bound, StoreError> {
        let mut data = self.data();
        let key = &invitation.key;
        let candidate = (key.tenant.clone(), invitation.candidate.clone());
        if data.tombstones.contains_key(&candidate) {
            return Ok(Bound::Erased);
        }
        let place = (key.tenant.clone(), account.clone(), reference.clone());
        let owner = data.bindings.entry(place).or_insert_with(|| key.clone());
        Ok(if owner == key {
            Bound::Ours
        } else {
            Bound::Other(owner.clone())
        })
    }

    async fn find_by_reference(
        &self,
        tenant: &TenantId,
        account: &AccountId,
        reference: &Reference,
    ) -> Result<Option<InvitationKey>, StoreError> {
        Ok(self.owner(tenant, account, reference))
    }

    async fn erased(&self, tenant: &TenantId) -> Result<BTreeSet<CandidateId>, StoreError> {
        let tombstones = self.tombstones(tenant).await?;
        Ok(tombstones.into_iter().map(|one| one.candidate).collect())
    }

    async fn purge_if_erased(&self, invitation: &Invitation) -> Result<bool, StoreError> {
        let mut data = self.data();
        let key = &invitation.key;
        let candidate = (key.tenant.clone(), invitation.candidate.clone());
        if !data.tombstones.contains_key(&candidate) {
            return Ok(false);
        }
        data.invitations.remove(key);
        Ok(true)
    }

    async fn find_created_assessment(
        &self,
        tenant: &TenantId,
        account: &AccountId,
        name: &str,
    ) -> Result<Option<AssessmentId>, StoreError> {
        let place = (tenant.clone(), account.clone(), name.to_owned());
        Ok(self.data().prepared.get(&place).cloned())
    }

    async fn save_created_assessment(
        &self,
        tenant: &TenantId,
        account: &AccountId,
        name: &str,
        made: &AssessmentId,
    ) -> Result<AssessmentId, StoreError> {
        let place = (tenant.clone(), account.clone(), name.to_owned());
        let mut data = self.data();
        Ok(data
            .prepared
            .entry(place)
            .or_insert_with(|| made.clone())
            .clone())
    }

    async fn waiting(
        &self,
        tenant: &TenantId,
        assessment: &AssessmentRef,
    ) -> Result<Vec<WatchedInvitation>, StoreError> {
        let data = self.data();
        let waiting = data.invitations.values().filter_map(|row| {
            let Schedule::Sweep { until, level } = row.schedule else {
                return None;
            };
            if row.key.tenant != *tenant || row.assessment != *assessment {
                return None;
            }
            Some(WatchedInvitation {
                key: row.key.clone(),
                reference: row.reference.clone()?,
                level,
                change_token: row.change_token.clone(),
                invited_at: row.invited_at,
                until,
            })
        });
        Ok(waiting.collect())
    }
}
