//! All tenants at a glance: polls, what waits, what failed, and the allowance.

use serde::Serialize;
use stagecall_core::Timestamp;
use stagecall_core::ids::TenantId;
use stagecall_core::ports::StateCount;
use stagecall_core::tenant::Tenant;

use crate::allowance;
use crate::doctor::{saved_state, sweeps};
use crate::error::Result;
use crate::finding::{Finding, Verdict};
use crate::installation::Installation;
use crate::invitations::sum;

/// The number of unmatched callbacks that are counted.
const MAX_UNMATCHED: usize = 1000;

/// The status of an installation.
#[derive(Debug, Serialize)]
pub struct Status {
    /// The store's name for people.
    pub store: String,
    /// When it was read.
    #[serde(skip)]
    pub at: Timestamp,
    /// Since when the longest due work has been due.
    pub oldest_due: Option<Timestamp>,
    /// The tenants.
    pub tenants: Vec<TenantStatus>,
}

/// The status of a tenant.
#[derive(Debug, Serialize)]
pub struct TenantStatus {
    /// The tenant.
    pub tenant: TenantId,
    /// Whether it is processed.
    pub standing: Standing,
    /// What has to be fixed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
    /// When a poll last succeeded.
    pub last_poll: Option<Timestamp>,
    /// When the next is due.
    pub due_at: Option<Timestamp>,
    /// The lag of the next poll.
    pub lag_seconds: i64,
    /// Detected and not sent yet.
    pub waiting: u64,
    /// Open on the platform.
    pub open: u64,
    /// Completed.
    pub completed: u64,
    /// Failed, or bounced.
    pub failed: u64,
    /// Callbacks that match no invitation.
    pub unmatched: usize,
    /// Calls to Eploy today, by our own count.
    pub calls_today: u32,
    /// The calls that may be made a day.
    pub calls_allowed: u32,
    /// The number of invitations by state.
    pub states: Vec<StateCount>,
}

/// Whether a tenant is processed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It is.
    On,
    /// Not until an operator resumes it.
    Paused,
    /// Its connection to Eploy does not work.
    Suspended,
}

impl Standing {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::On => "on",
            Self::Paused => "paused",
            Self::Suspended => "suspended",
        }
    }
}

/// The status of this tenant, or of all. Makes no call.
///
/// # Errors
/// There is no such tenant, or the store fails.
pub async fn status(on: &Installation, tenant: Option<&str>) -> Result<Status> {
    let tenants = match tenant {
        Some(name) => vec![on.tenant(name).await?],
        None => on.records.list_tenants().await?,
    };
    let eploy = on.eploy();
    let at = on.clock.now();
    let mut statuses = Vec::new();
    for tenant in &tenants {
        statuses.push(of_tenant(tenant, on, &eploy, at).await?);
    }
    Ok(Status {
        store: on.name.clone(),
        at,
        oldest_due: on.records.oldest_due(at).await?,
        tenants: statuses,
    })
}

async fn of_tenant(
    tenant: &Tenant,
    on: &Installation,
    eploy: &stagecall_eploy::Connections,
    now: Timestamp,
) -> Result<TenantStatus> {
    let state = on.states.load_state(&tenant.id).await?;
    let states = on.records.counts(&tenant.id).await?;
    let unmatched = on.deliveries.unmatched(&tenant.id, MAX_UNMATCHED).await?;
    let mut found = sweeps::findings(on, tenant, "").await;
    if let Some(state) = &state {
        found.extend(saved_state::findings(tenant, state, "", now, &on.zone));
    }
    let mut problems: Vec<_> = found.iter().filter_map(problem).collect();
    let shares = match eploy.inspector(tenant) {
        Ok(inspector) => inspector.day_shares().await,
        Err(error) => Err(error),
    };
    let calls_today = match shares {
        Ok(shares) => {
            let found = allowance::usage_finding(tenant.eploy.daily_calls, &shares, "", &on.zone);
            problems.extend(problem(&found));
            shares.used
        }
        Err(error) => {
            problems.push(error.to_string());
            0
        }
    };
    let due_at = state.as_ref().map(|state| state.due_at);
    let suspended = state.as_ref().and_then(|state| state.suspended.as_ref());
    Ok(TenantStatus {
        tenant: tenant.id.clone(),
        standing: match suspended {
            _ if tenant.paused => Standing::Paused,
            Some(_) => Standing::Suspended,
            None => Standing::On,
        },
        problems,
        last_poll: state.as_ref().and_then(|state| state.poll.last_ok),
        due_at,
        lag_seconds: due_at
            .filter(|_| !tenant.paused)
            .map_or(0, |at| now.duration_since(at).as_secs().max(0)),
        waiting: sum(&states, &["detected", "sending"]),
        open: sum(&states, &["invited", "started"]),
        completed: sum(&states, &["completed"]),
        failed: sum(&states, &["failed", "bounced"]),
        unmatched: unmatched.len(),
        calls_today,
        calls_allowed: tenant.eploy.daily_calls,
        states,
    })
}

/// A finding in one line, if it is a problem.
fn problem(found: &Finding) -> Option<String> {
    let is_problem = found.verdict == Verdict::Problem;
    is_problem.then(|| {
        let code = found.code.as_deref().unwrap_or_default();
        let fix = found.fix.as_deref().unwrap_or_default();
        format!("{code}: {}. {fix}", found.found)
    })
}
