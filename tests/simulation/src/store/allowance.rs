//! The call allowance.

use async_trait::async_trait;
use stagecall_core::error::StoreError;
use stagecall_core::ids::TenantId;
use stagecall_core::ports::Allowance;

use super::Memory;

impl Memory {
    /// The number of calls taken from a tenant's allowance of a day.
    pub fn used(&self, tenant: &TenantId, day: &str) -> u32 {
        let key = (tenant.clone(), day.to_owned());
        self.data().taken.get(&key).copied().unwrap_or_default()
    }
}

#[async_trait]
impl Allowance for Memory {
    async fn take(
        &self,
        tenant: &TenantId,
        day: &str,
        calls: u32,
        ceiling: u32,
    ) -> Result<bool, StoreError> {
        let mut data = self.data();
        let taken = data
            .taken
            .entry((tenant.clone(), day.to_owned()))
            .or_default();
        match taken.checked_add(calls).filter(|sum| *sum <= ceiling) {
            Some(sum) => {
                *taken = sum;
                Ok(true)
            }
            None => Ok(false),
        }
    }

    async fn taken(&self, tenant: &TenantId, day: &str) -> Result<u32, StoreError> {
        Ok(self.used(tenant, day))
    }
}
