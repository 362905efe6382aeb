//! Metrics of what goes through the store.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use metrics::{counter, histogram};
use stagecall_core::Timestamp;
use stagecall_core::clock::Clock;
use stagecall_core::error::StoreError;
use stagecall_core::ids::{
    AccountId, ApplicationId, AssessmentId, AssessmentRef, CandidateId, InvitationKey, Reference,
    TenantId,
};
use stagecall_core::invitation::{Invitation, State};
use stagecall_core::ports::{
    Allowance, Bound, Inserted, Ledger, Saved, TenantState, TenantStates, Tenants,
    WatchedInvitation,
};
use stagecall_core::tenant::Tenant;

use super::{
    BUDGET_LEFT, COMPLETION_TO_REPORT, ENTRY_TO_INVITATION, EPLOY_CALLS, POLL_LAG, RETRIES,
    UNKNOWN_OUTCOMES,
};

/// The maximum number of tenants remembered.
const MAX_REMEMBERED: usize = 10_000;

/// A change older than this is not the one being saved.
const FRESH_SECONDS: f64 = 1.0;

/// A store that counts what goes through it.
pub struct MeasuredStore<S> {
    inner: S,
    clock: Arc<dyn Clock>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    /// The daily allowances of the tenants whose configurations were read.
    daily: HashMap<TenantId, u32>,
    /// How late tenants were, in seconds, when their state was read. A poll reads the state, then the configuration: that
    /// makes it this poll's lag. When a poll reads the state again later on, it is not late.
    lag: HashMap<TenantId, f64>,
}

impl<S> MeasuredStore<S> {
    /// Wraps a store.
    pub fn new(inner: S, clock: Arc<dyn Clock>) -> Self {
        Self {
            inner,
            clock,
            known: Mutex::default(),
        }
    }

    /// The store itself, for access that is not measured.
    pub fn inner(&self) -> &S {
        &self.inner
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn daily_of(&self, tenant: &TenantId) -> Option<u32> {
        self.known().daily.get(tenant).copied()
    }
}

#[async_trait]
impl<S: Ledger> Ledger for MeasuredStore<S> {
    async fn insert(&self, invitation: &Invitation) -> Result<Inserted, StoreError> {
        self.inner.insert(invitation).await
    }

    async fn save(&self, next: &Invitation) -> Result<Saved, StoreError> {
        let now = self.clock.now();
        let saved = self.inner.save(next).await?;
        if saved == Saved::Saved {
            happened(next, now);
        }
        Ok(saved)
    }

    async fn load(&self, key: &InvitationKey) -> Result<Option<Invitation>, StoreError> {
        self.inner.load(key).await
    }

    async fn of_applications(
        &self,
        tenant: &TenantId,
        applications: &[ApplicationId],
    ) -> Result<Vec<Invitation>, StoreError> {
        self.inner.of_applications(tenant, applications).await
    }

    async fn bind_reference(
        &self,
        account: &AccountId,
        reference: &Reference,
        key: &InvitationKey,
    ) -> Result<Bound, StoreError> {
        self.inner.bind_reference(account, reference, key).await
    }

    async fn find_by_reference(
        &self,
        tenant: &TenantId,
        account: &AccountId,
        reference: &Reference,
    ) -> Result<Option<InvitationKey>, StoreError> {
        self.inner
            .find_by_reference(tenant, account, reference)
            .await
    }

    async fn erased(&self, tenant: &TenantId) -> Result<BTreeSet<CandidateId>, StoreError> {
        self.inner.erased(tenant).await
    }

    async fn purge_if_erased(
        &self,
        invitation: &Invitation,
        reference: Option<&Reference>,
    ) -> Result<bool, StoreError> {
        self.inner.purge_if_erased(invitation, reference).await
    }

    async fn find_created_assessment(
        &self,
        tenant: &TenantId,
        account: &AccountId,
        name: &str,
    ) -> Result<Option<AssessmentId>, StoreError> {
        self.inner
            .find_created_assessment(tenant, account, name)
            .await
    }

    async fn save_created_assessment(
        &self,
        tenant: &TenantId,
        account: &AccountId,
        name: &str,
        made: &AssessmentId,
    ) -> Result<AssessmentId, StoreError> {
        self.inner
            .save_created_assessment(tenant, account, name, made)
            .await
    }

    async fn waiting(
        &self,
        tenant: &TenantId,
        assessment: &AssessmentRef,
    ) -> Result<Vec<WatchedInvitation>, StoreError> {
        self.inner.waiting(tenant, assessment).await
    }
}

#[async_trait]
impl<S: Tenants> Tenants for MeasuredStore<S> {
    async fn tenant(&self, id: &TenantId) -> Result<Option<Tenant>, StoreError> {
        let tenant = self.inner.tenant(id).await?;
        if let Some(tenant) = &tenant {
            let mut known = self.known();
            if known.daily.len() >= MAX_REMEMBERED {
                known.daily.clear();
            }
            known.daily.insert(id.clone(), tenant.eploy.daily_calls);
            if let Some(lag) = known.lag.remove(id)
                && !tenant.paused
            {
                histogram!(POLL_LAG).record(lag);
            }
        }
        Ok(tenant)
    }
}

#[async_trait]
impl<S: TenantStates> TenantStates for MeasuredStore<S> {
    async fn load_state(&self, tenant: &TenantId) -> Result<Option<TenantState>, StoreError> {
        let state = self.inner.load_state(tenant).await?;
        if let Some(state) = &state {
            let lag = seconds(state.due_at, self.clock.now());
            let mut known = self.known();
            if known.lag.len() >= MAX_REMEMBERED {
                known.lag.clear();
            }
            known.lag.remove(tenant);
            if lag >= 0.0 {
                known.lag.insert(tenant.clone(), lag);
            }
        }
        Ok(state)
    }

    async fn save_state(&self, tenant: &TenantId, next: &TenantState) -> Result<Saved, StoreError> {
        self.inner.save_state(tenant, next).await
    }
}

#[async_trait]
impl<S: Allowance> Allowance for MeasuredStore<S> {
    async fn take(
        &self,
        tenant: &TenantId,
        day: &str,
        calls: u32,
        ceiling: u32,
    ) -> Result<bool, StoreError> {
        let taken = self.inner.take(tenant, day, calls, ceiling).await?;
        if taken && let Some(daily) = self.daily_of(tenant) {
            counter!(EPLOY_CALLS, "Tier" => tier(daily)).increment(calls.into());
        }
        Ok(taken)
    }

    async fn taken(&self, tenant: &TenantId, day: &str) -> Result<u32, StoreError> {
        let taken = self.inner.taken(tenant, day).await?;
        if let Some(daily) = self.daily_of(tenant).filter(|daily| *daily > 0) {
            let left = f64::from(daily.saturating_sub(taken)) / f64::from(daily);
            histogram!(BUDGET_LEFT, "Tier" => tier(daily)).record(left * 100.0);
        }
        Ok(taken)
    }
}

/// The class of a daily allowance.
fn tier(daily: u32) -> &'static str {
    match daily {
        0..=1_000 => "to 1000",
        1_001..=10_000 => "to 10000",
        10_001..=100_000 => "to 100000",
        _ => "above",
    }
}

/// Counts the change that an invitation was saved with. The last history entry says what it was. Starts of reports are not
/// in the history: they are recognised by their lease.
fn happened(next: &Invitation, now: Timestamp) {
    let Some(last) = next.history.last() else {
        return;
    };
    if next.report.leased(now) || seconds(last.at, now) > FRESH_SECONDS {
        return;
    }
    match last.what.as_str() {
        "sent" | "adopted" => {
            let entered = next.entry.entered_at.unwrap_or(next.entry.seen_at);
            histogram!(ENTRY_TO_INVITATION).record(seconds(entered, now).max(0.0));
        }
        "reported" if next.state == State::Completed && !next.unreported() => {
            if let Some(ended) = next.ended_at
                && first_since(next, ended)
            {
                histogram!(COMPLETION_TO_REPORT).record(seconds(ended, now).max(0.0));
            }
        }
        "deferred" | "lookup_deferred" | "report_deferred" => counter!(RETRIES).increment(1),
        "outcome_unknown" => counter!(UNKNOWN_OUTCOMES).increment(1),
        _ => {}
    }
}

/// Whether the report just written is the first one since then; a later one shows a re-score.
fn first_since(next: &Invitation, ended: Timestamp) -> bool {
    let reports = next
        .history
        .iter()
        .filter(|one| one.what == "reported" && one.at >= ended);
    reports.count() == 1
}

fn seconds(from: Timestamp, to: Timestamp) -> f64 {
    to.duration_since(from).as_secs_f64()
}
