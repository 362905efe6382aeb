//! The sweeps.

use async_trait::async_trait;
use stagecall_core::Timestamp;
use stagecall_core::error::StoreError;
use stagecall_core::ids::{AssessmentRef, TenantId};
use stagecall_core::ports::{Saved, SweepState, Sweeps};

use super::Memory;

#[async_trait]
impl Sweeps for Memory {
    async fn schedule_sweep(
        &self,
        tenant: &TenantId,
        assessment: &AssessmentRef,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let mut data = self.data();
        let state = data
            .sweeps
            .entry((tenant.clone(), assessment.clone()))
            .or_default();
        state.due_at = Some(state.due_at.map_or(at, |due| due.min(at)));
        state.armed += 1;
        Ok(())
    }

    async fn load_sweep(
        &self,
        tenant: &TenantId,
        assessment: &AssessmentRef,
    ) -> Result<SweepState, StoreError> {
        let key = (tenant.clone(), assessment.clone());
        Ok(self.data().sweeps.get(&key).cloned().unwrap_or_default())
    }

    async fn save_sweep(
        &self,
        tenant: &TenantId,
        assessment: &AssessmentRef,
        expected: &SweepState,
        next: &SweepState,
    ) -> Result<Saved, StoreError> {
        let mut data = self.data();
        let stored = data
            .sweeps
            .entry((tenant.clone(), assessment.clone()))
            .or_default();
        if stored != expected {
            return Ok(Saved::Conflict);
        }
        *stored = SweepState {
            armed: stored.armed,
            ..next.clone()
        };
        Ok(Saved::Saved)
    }
}
