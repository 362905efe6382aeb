//! The sweeps.

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension as _, params};
use stagecall_core::Timestamp;
use stagecall_core::error::StoreError;
use stagecall_core::ids::{AssessmentRef, TenantId};
use stagecall_core::ports::{Saved, SweepState, Sweeps};

use super::fault::Fault;
use super::{Store, column, parse};

#[async_trait]
impl Sweeps for Store {
    async fn schedule_sweep(
        &self,
        tenant: &TenantId,
        assessment: &AssessmentRef,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let (tenant, assessment) = (tenant.clone(), assessment.clone());
        self.write("schedule a sweep", move |connection| {
            let mut state = load(connection, &tenant, &assessment)?;
            state.due_at = Some(state.due_at.map_or(at, |due| due.min(at)));
            state.armed += 1;
            store(connection, &tenant, &assessment, &state)
        })
        .await
    }

    async fn load_sweep(
        &self,
        tenant: &TenantId,
        assessment: &AssessmentRef,
    ) -> Result<SweepState, StoreError> {
        let (tenant, assessment) = (tenant.clone(), assessment.clone());
        self.read("load a sweep", move |connection| {
            load(connection, &tenant, &assessment)
        })
        .await
    }

    async fn save_sweep(
        &self,
        tenant: &TenantId,
        assessment: &AssessmentRef,
        expected: &SweepState,
        next: &SweepState,
    ) -> Result<Saved, StoreError> {
        let (tenant, assessment) = (tenant.clone(), assessment.clone());
        let (expected, mut next) = (expected.clone(), next.clone());
        self.write("save a sweep", move |connection| {
            let stored = load(connection, &tenant, &assessment)?;
            if stored != expected {
                return Ok(Saved::Conflict);
            }
            next.armed = stored.armed;
            store(connection, &tenant, &assessment, &next)?;
            Ok(Saved::Saved)
        })
        .await
    }
}

/// Clears the position at which the platform's list is read on: it may name a participant. Returns whether there was
/// one.
pub(super) fn forget_reading(
    connection: &Connection,
    tenant: &TenantId,
    assessment: &AssessmentRef,
) -> Result<bool, Fault> {
    let mut state = load(connection, tenant, assessment)?;
    let there = state.forget_places();
    if there {
        store(connection, tenant, assessment, &state)?;
    }
    Ok(there)
}

fn load(
    connection: &Connection,
    tenant: &TenantId,
    assessment: &AssessmentRef,
) -> Result<SweepState, Fault> {
    let text: Option<String> = connection
        .prepare_cached(
            "SELECT document FROM sweep WHERE tenant = ?1 AND account = ?2 AND assessment = ?3",
        )?
        .query_row(
            params![
                tenant.as_str(),
                assessment.account.as_str(),
                assessment.assessment.as_str()
            ],
            |row| row.get(0),
        )
        .optional()?;
    text.map_or_else(
        || Ok(SweepState::default()),
        |text| parse(format_args!("sweep {tenant}/{assessment}"), &text),
    )
}

fn store(
    connection: &Connection,
    tenant: &TenantId,
    assessment: &AssessmentRef,
    state: &SweepState,
) -> Result<(), Fault> {
    let document = serde_json::to_string(state)
        .map_err(|error| Fault::Other(format!("the sweep cannot be written: {error}")))?;
    connection
        .prepare_cached(
            "INSERT INTO sweep (tenant, account, assessment, due_at, document) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT DO UPDATE SET due_at = excluded.due_at, document = excluded.document",
        )?
        .execute(params![
            tenant.as_str(),
            assessment.account.as_str(),
            assessment.assessment.as_str(),
            state.due_at.map(column),
            document
        ])?;
    Ok(())
}
