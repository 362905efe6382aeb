//! `stagecall status`.

use clap::Args;
use comfy_table::Cell;
use serde::Serialize;
use stagecall_core::Timestamp;
use stagecall_core::ids::TenantId;
use stagecall_core::ports::StateCount;
use stagecall_core::tenant::Tenant;

use crate::exit;
use crate::output::{Output, print_json, span, table};
use stagecall_operations::Installation;
use stagecall_operations::allowance;
use stagecall_operations::doctor::{saved_state, sweeps};
use stagecall_operations::finding::{Finding, Verdict};
use stagecall_operations::invitations::sum;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Only this tenant.
    tenant: Option<String>,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Serialize)]
struct TenantStatus {
    tenant: TenantId,
    /// `on`, `paused` or `suspended`.
    standing: &'static str,
    /// The problem, if there is one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    problems: Vec<String>,
    last_poll: Option<Timestamp>,
    due_at: Option<Timestamp>,
    /// The lag of the next poll.
    lag_seconds: i64,
    /// Detected and not sent yet.
    waiting: u64,
    /// Open on the platform.
    open: u64,
    completed: u64,
    failed: u64,
    unmatched: usize,
    calls_today: u32,
    calls_allowed: u32,
    states: Vec<StateCount>,
}

const MAX_UNMATCHED: usize = 1000;

pub(crate) async fn run(arguments: &Arguments, on: &Installation) -> anyhow::Result<u8> {
    let tenants = match &arguments.tenant {
        Some(name) => vec![on.tenant(name).await?],
        None => on.records.list_tenants().await?,
    };
    let eploy = on.eploy();
    let mut statuses = Vec::new();
    for tenant in &tenants {
        statuses.push(status(tenant, on, &eploy).await?);
    }
    let now = on.clock.now();
    let oldest_due = on.records.oldest_due(now).await?;
    if arguments.output.json {
        print_json(&serde_json::json!({
            "store": on.name,
            "oldest_due": oldest_due,
            "tenants": statuses,
        }))?;
        return Ok(exit::OK);
    }
    let mut shown = table([
        "tenant",
        "",
        "last poll",
        "next",
        "waiting",
        "open",
        "done",
        "failed",
        "parked",
        "calls today",
    ]);
    for one in &statuses {
        let next = match one.due_at {
            Some(_) if one.lag_seconds > 0 => format!("{} late", span(one.lag_seconds)),
            Some(at) => format!("in {}", span(at.duration_since(now).as_secs())),
            None => "now".to_owned(),
        };
        let ago = one.last_poll.map_or("never".to_owned(), |at| {
            format!("{} ago", span(now.duration_since(at).as_secs()))
        });
        shown.add_row([
            Cell::new(&one.tenant),
            Cell::new(one.standing),
            Cell::new(ago),
            Cell::new(next),
            Cell::new(one.waiting),
            Cell::new(one.open),
            Cell::new(one.completed),
            Cell::new(one.failed),
            Cell::new(one.unmatched),
            Cell::new(format!("{} of {}", one.calls_today, one.calls_allowed)),
        ]);
    }
    println!("{shown}");
    for one in &statuses {
        for problem in &one.problems {
            println!("{}: {problem}", one.tenant);
        }
    }
    if let Some(at) = oldest_due {
        let late = now.duration_since(at).as_secs();
        println!("the oldest due work has been due for {}", span(late));
    }
    Ok(exit::OK)
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

async fn status(
    tenant: &Tenant,
    on: &Installation,
    eploy: &stagecall_eploy::Connections,
) -> anyhow::Result<TenantStatus> {
    let now = on.clock.now();
    let state = on.states.load_state(&tenant.id).await?;
    let states = on.records.counts(&tenant.id).await?;
    let unmatched = on.deliveries.unmatched(&tenant.id, MAX_UNMATCHED).await?;
    let mut problems = Vec::new();
    let mut found = sweeps::findings(on, tenant, "").await;
    if let Some(state) = &state {
        found.extend(saved_state::findings(tenant, state, "", now, &on.zone));
    }
    problems.extend(found.iter().filter_map(problem));
    let suspended = state
        .as_ref()
        .is_some_and(|state| state.suspended.is_some());
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
    Ok(TenantStatus {
        tenant: tenant.id.clone(),
        standing: if tenant.paused {
            "paused"
        } else if suspended {
            "suspended"
        } else {
            "on"
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
