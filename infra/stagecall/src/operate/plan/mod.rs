//! `stagecall plan`: what the next poll would do, decided by the very functions that it decides by. Nothing is written:
//! not to the store, where not even the calls are counted, and not to Eploy.

mod decided;
mod uncounted;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use clap::Args;
use comfy_table::Cell;
use stagecall_core::Timestamp;
use stagecall_core::error::CallError;
use stagecall_core::ids::{ApplicationId, CandidateId, MappingId};
use stagecall_core::invitation::Invitation;
use stagecall_core::ports::{
    ApplicationRow, Eploy, EployConnections as _, MappingStatus, Purpose, TenantState,
};
use stagecall_core::tenant::{Tenant, Trigger, Vacancies};
use stagecall_core::usecases::{broken, reconcile};

use super::console::{Output, print_json, table};
use super::since::since;
use crate::exit;
use crate::store::Installation;
use decided::{Case, Decided};
use uncounted::{Counting, Uncounted};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The tenant.
    tenant: String,
    /// Look at what changed since then instead of since the last poll: a time, a day, or how long ago (2h, 3d).
    #[arg(long, value_name = "TIME", value_parser = since)]
    since: Option<Timestamp>,
    /// Look at every application of this Eploy.
    #[arg(long, conflicts_with = "since")]
    all: bool,
    /// For everybody who would be invited, also read the status history and whether there is an e-mail address, as
    /// inviting does: two calls each.
    #[arg(long)]
    deep: bool,
    #[command(flatten)]
    output: Output,
}

/// The most pages of Eploy that are read.
const MOST_PAGES: u32 = 10_000;

/// A rehearsal.
struct Rehearsal<'a> {
    on: &'a Installation,
    tenant: &'a Tenant,
    state: TenantState,
    eploy: Arc<dyn Eploy>,
    erased: BTreeSet<CandidateId>,
    deep: bool,
}

pub(super) async fn run(arguments: &Arguments, on: &Installation) -> anyhow::Result<u8> {
    let tenant = on.tenant(&arguments.tenant).await?;
    let calls = Arc::new(Counting::over(on.transport.clone()));
    let allowance = Arc::new(Uncounted::beside(on.allowance.clone()));
    let connections = on.eploy_by(calls.clone(), allowance);
    let eploy = connections.eploy(&tenant, Purpose::Poll).await?;
    let now = on.clock.now();
    let stored = on.states.load_state(&tenant.id).await?;
    let mut state = stored.unwrap_or_else(|| TenantState::new(now));
    reconcile(&tenant, &mut state, now);
    let directory = eploy.directory().await?;
    for mapping in &tenant.mappings {
        if let (Some(reason), Some(of)) = (
            broken(mapping, &directory),
            state.mappings.get_mut(&mapping.id),
        ) {
            of.status = MappingStatus::Broken { reason };
        }
    }
    let tombstones = on.records.tombstones(&tenant.id).await?;
    let rehearsal = Rehearsal {
        on,
        tenant: &tenant,
        state,
        eploy,
        erased: tombstones
            .into_iter()
            .map(|stone| stone.candidate)
            .collect(),
        deep: arguments.deep,
    };
    let rows = rehearsal.rows(arguments).await?;
    let decided = rehearsal.decide(&rows).await?;
    show(
        arguments,
        &tenant,
        &rehearsal.state,
        rows.len(),
        &decided,
        calls.count(),
    )?;
    Ok(exit::OK)
}

impl Rehearsal<'_> {
    /// The applications that the poll would see, or those that are asked for; each once, as it was seen last.
    async fn rows(
        &self,
        arguments: &Arguments,
    ) -> Result<BTreeMap<ApplicationId, ApplicationRow>, CallError> {
        let mut rows = BTreeMap::new();
        let starting: Vec<_> = self
            .tenant
            .mappings
            .iter()
            .filter(|mapping| {
                let of = self.state.mappings.get(&mapping.id);
                of.is_some_and(|of| matches!(of.status, MappingStatus::Baseline { .. }))
            })
            .collect();
        if !starting.is_empty() && !arguments.all {
            let triggers: Vec<Trigger> = starting
                .iter()
                .flat_map(|mapping| mapping.triggers.iter().cloned())
                .collect();
            let mut vacancies = BTreeSet::new();
            let mut all = false;
            for mapping in &starting {
                match &mapping.vacancies {
                    Vacancies::All => all = true,
                    Vacancies::Only(these) => vacancies.extend(these.iter().cloned()),
                }
            }
            let vacancies = if all {
                Vacancies::All
            } else {
                Vacancies::Only(vacancies)
            };
            for page in 1..MOST_PAGES {
                let read = self
                    .eploy
                    .applications_at(&triggers, &vacancies, page)
                    .await?;
                rows.extend(read.rows.into_iter().map(|row| (row.id.clone(), row)));
                if !read.more {
                    break;
                }
            }
        }
        let since = match (arguments.all, arguments.since) {
            (true, _) => None,
            (false, Some(since)) => Some(since),
            (false, None) => self.state.poll.cursor.or_else(|| Some(self.on.clock.now())),
        };
        for page in 1..MOST_PAGES {
            let read = self.eploy.changed_applications(since, page).await?;
            rows.extend(read.rows.into_iter().map(|row| (row.id.clone(), row)));
            if !read.more {
                break;
            }
        }
        Ok(rows)
    }

    /// What would be done about each, for each mapping that it concerns.
    async fn decide(
        &self,
        rows: &BTreeMap<ApplicationId, ApplicationRow>,
    ) -> anyhow::Result<Vec<Decided>> {
        let ids: Vec<ApplicationId> = rows.keys().cloned().collect();
        let known = self
            .on
            .ledger
            .of_applications(&self.tenant.id, &ids)
            .await?;
        let mut latest: HashMap<(&ApplicationId, &MappingId), &Invitation> = HashMap::new();
        for one in &known {
            let newest = latest
                .entry((&one.key.application, &one.key.mapping))
                .or_insert(one);
            if one.key.round > newest.key.round {
                *newest = one;
            }
        }
        let mut decided = Vec::new();
        for row in rows.values() {
            let before = decided.len();
            for mapping in &self.tenant.mappings {
                let Some(of) = self.state.mappings.get(&mapping.id) else {
                    continue;
                };
                let case = Case {
                    row,
                    mapping,
                    state: of,
                    latest: latest.get(&(&row.id, &mapping.id)).copied(),
                    erased: self.erased.contains(&row.candidate),
                };
                decided.extend(case.decide(&*self.eploy, self.deep).await?);
            }
            if decided.len() == before {
                decided.push(Decided::nothing(row));
            }
        }
        Ok(decided)
    }
}

fn show(
    arguments: &Arguments,
    tenant: &Tenant,
    state: &TenantState,
    applications: usize,
    decided: &[Decided],
    calls: u64,
) -> anyhow::Result<()> {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for one in decided {
        *counts.entry(one.decision).or_default() += 1;
    }
    let invited = decided.iter().filter(|one| one.decision == decided::INVITE);
    let inviting: u64 = invited.clone().map(|_| decided::CALLS_TO_INVITE).sum();
    let reporting: u64 = invited.map(|one| one.calls_to_report).sum();
    let mut warnings = Vec::new();
    if tenant.paused {
        warnings
            .push("the tenant is paused: nothing of this happens until it is resumed".to_owned());
    }
    if let Some(suspension) = &state.suspended {
        warnings.push(format!(
            "the tenant is suspended: {}. {}",
            suspension.trouble.problem, suspension.trouble.remedy
        ));
    }
    for (id, of) in &state.mappings {
        if let MappingStatus::Broken { reason } = &of.status {
            warnings.push(format!(
                "mapping {id} is broken and invites nobody: {reason}"
            ));
        }
    }
    if arguments.output.json {
        return print_json(&serde_json::json!({
            "tenant": tenant.id,
            "applications": applications,
            "decisions": decided,
            "counts": counts,
            "calls": {"inviting": inviting, "reporting": reporting, "this_plan": calls},
            "warnings": warnings,
        }));
    }
    let mut shown = table([
        "application",
        "candidate",
        "vacancy",
        "mapping",
        "would",
        "because",
    ]);
    for one in decided {
        shown.add_row([
            Cell::new(&one.application),
            Cell::new(&one.candidate),
            Cell::new(&one.vacancy),
            Cell::new(one.mapping.as_ref().map_or("", MappingId::as_str)),
            Cell::new(one.decision),
            Cell::new(&one.because),
        ]);
    }
    println!("{shown}");
    for warning in warnings {
        println!("{warning}");
    }
    let counts: Vec<_> = counts
        .iter()
        .map(|(what, count)| format!("{count} {what}"))
        .collect();
    println!("{applications} applications: {}", counts.join(", "));
    println!(
        "calls to Eploy that this would cost: {inviting} to invite, {reporting} to show it; this plan made {calls}, which are not counted in the store"
    );
    Ok(())
}
