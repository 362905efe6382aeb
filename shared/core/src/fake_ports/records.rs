//! The stores, as operators' commands see them.

use async_trait::async_trait;
use jiff::Timestamp;

use super::FakePorts;
use crate::error::StoreError;
use crate::ids::{CandidateId, TenantId};
use crate::ports::*;
use crate::tenant::Tenant;

#[async_trait]
impl OperatorStore for FakePorts {
    async fn put_tenant(&self, _: &Tenant) -> Result<(), StoreError> {
        unimplemented!()
    }

    async fn list_tenants(&self) -> Result<Vec<Tenant>, StoreError> {
        let data = self.data();
        let tenants = data.unlistable.iter().chain([&data.tenant]);
        Ok(tenants.cloned().collect())
    }

    async fn remove_tenant(&self, _: &TenantId) -> Result<bool, StoreError> {
        unimplemented!()
    }

    /// One row per page, and an empty last page.
    async fn invitations(
        &self,
        tenant: &TenantId,
        filter: &InvitationFilter,
        _: usize,
        next: Option<&str>,
    ) -> Result<InvitationPage, StoreError> {
        let number: usize = next.map_or(0, |next| next.parse().unwrap());
        let data = self.data();
        if *tenant != data.tenant.id {
            return Err(StoreError::new("world", "list invitations", "it cannot"));
        }
        let row = data.rows.values().nth(number);
        Ok(InvitationPage {
            rows: row
                .filter(|row| filter.admits(row))
                .cloned()
                .into_iter()
                .collect(),
            next: row.map(|_| (number + 1).to_string()),
        })
    }

    async fn counts(&self, _: &TenantId) -> Result<Vec<StateCount>, StoreError> {
        unimplemented!()
    }

    async fn oldest_due(&self, _: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        unimplemented!()
    }

    async fn deliveries(
        &self,
        _: &TenantId,
        _: Option<Timestamp>,
    ) -> Result<Vec<(Delivery, DeliveryStatus)>, StoreError> {
        unimplemented!()
    }

    async fn expire_deliveries(&self, now: Timestamp) -> Result<usize, StoreError> {
        self.data().deliveries_expired.push(now);
        Ok(0)
    }

    async fn audit(&self, _: &AuditRecord) -> Result<(), StoreError> {
        unimplemented!()
    }

    async fn audits(
        &self,
        _: Option<&TenantId>,
        _: Option<Timestamp>,
    ) -> Result<Vec<AuditRecord>, StoreError> {
        unimplemented!()
    }

    async fn erase(
        &self,
        _: &TenantId,
        _: &CandidateId,
        _: Timestamp,
    ) -> Result<Erased, StoreError> {
        unimplemented!()
    }

    async fn tombstones(&self, _: &TenantId) -> Result<Vec<Tombstone>, StoreError> {
        unimplemented!()
    }
}
