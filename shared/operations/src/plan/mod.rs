//! What the next poll would do, by the poll's own functions. Nothing is written: neither to the store, where not even the
//! calls are counted, nor to Eploy.

mod application;
mod decided;
mod dry_run;
mod uncounted;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use stagecall_core::Timestamp;
use stagecall_core::ids::TenantId;
use stagecall_core::ports::{MappingStatus, Purpose, TenantState};
use stagecall_core::tenant::Tenant;

use self::dry_run::DryRun;
use self::uncounted::{Counting, Uncounted};
use crate::broken::in_words;
use crate::error::Result;
use crate::installation::Installation;

pub use self::application::{OfApplication, of_application};
pub use self::decided::{Decided, Would};

/// The applications that a plan is about.
#[derive(Clone, Copy, Debug)]
pub enum Scope {
    /// Those that changed since the last poll.
    SincePoll,
    /// Those that changed since then.
    Since(Timestamp),
    /// All.
    All,
}

/// What is to be planned.
#[derive(Clone, Debug)]
pub struct Question {
    /// The tenant.
    pub tenant: String,
    /// The applications.
    pub scope: Scope,
    /// Whether to make the calls to Eploy that inviting makes, too: two for each application that would be invited.
    pub deep: bool,
}

/// What the next poll would do.
#[derive(Debug, Serialize)]
pub struct Plan {
    /// The tenant.
    pub tenant: TenantId,
    /// The number of applications.
    pub applications: usize,
    /// The decisions, by application.
    pub decisions: Vec<Decided>,
    /// The number of decisions of each kind.
    pub counts: BTreeMap<Would, u64>,
    /// The calls to Eploy.
    pub calls: Calls,
    /// What prevents the plan, or parts of it.
    pub warnings: Vec<String>,
}

/// The calls to Eploy of a plan.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Calls {
    /// To invite.
    pub inviting: u64,
    /// To report the invitations.
    pub reporting: u64,
    /// To make the plan; they are not counted in the store.
    pub this_plan: u64,
}

/// What the next poll of a tenant would do.
///
/// # Errors
/// There is no such tenant, Eploy cannot be read, or the store fails.
pub async fn plan(on: &Installation, question: &Question) -> Result<Plan> {
    let tenant = on.tenant(&question.tenant).await?;
    let calls = Arc::new(Counting::over(on.transport.clone()));
    let allowance = Arc::new(Uncounted::beside(on.allowance.clone()));
    let connections = Arc::new(on.eploy_by(calls.clone(), allowance));
    let mut dry_run = DryRun::begin(on, &tenant, connections, Purpose::Poll, question.deep).await?;
    dry_run.check_mappings().await?;
    let rows = dry_run.changed(question.scope).await?;
    let all = matches!(question.scope, Scope::All);
    let (applications, decisions) = dry_run.decide(rows, all).await?;
    let mut counts = BTreeMap::new();
    for one in &decisions {
        *counts.entry(one.decision).or_default() += 1;
    }
    let invited = decisions.iter().filter(|one| one.decision == Would::Invite);
    Ok(Plan {
        applications,
        counts,
        calls: Calls {
            inviting: invited.clone().map(|_| decided::CALLS_TO_INVITE).sum(),
            reporting: invited.map(|one| one.calls_to_report).sum(),
            this_plan: calls.count(),
        },
        warnings: warnings(&tenant, &dry_run.into_state(), on),
        decisions,
        tenant: tenant.id,
    })
}

/// What prevents invitations.
fn warnings(tenant: &Tenant, state: &TenantState, on: &Installation) -> Vec<String> {
    let mut warnings = Vec::new();
    if tenant.paused {
        warnings.push("the tenant is paused: none of this happens until it is resumed".to_owned());
    }
    if let Some(suspension) = &state.suspended {
        let failure = &suspension.failure;
        warnings.push(format!(
            "the tenant is suspended: {}. {}",
            failure.problem, failure.remedy
        ));
    }
    for (id, of) in &state.mappings {
        if let MappingStatus::Broken { reason, at, .. } = &of.status {
            let broken = in_words(reason, *at, &on.zone);
            warnings.push(format!("mapping {id} is {broken}"));
        }
    }
    warnings
}
