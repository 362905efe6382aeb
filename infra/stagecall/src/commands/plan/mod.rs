//! `stagecall plan`: what the next poll would do, by the same functions. Nothing is written: neither to the store, where not
//! even the calls are counted, nor to Eploy.

mod decided;
mod uncounted;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use clap::Args;
use comfy_table::Cell;
use stagecall_core::Timestamp;
use stagecall_core::error::CallError;
use stagecall_core::ids::{ApplicationId, CandidateId, MappingId};
use stagecall_core::ports::{
    ApplicationRow, Eploy, EployConnections as _, MappingStatus, Purpose, TenantState,
};
use stagecall_core::tenant::Tenant;
use stagecall_core::usecases::{
    Engine, Reads, adopt, broken, prove, switch, turned_on, with_proven,
};

use crate::exit;
use crate::output::{Output, print_json, table};
use crate::point_in_time::since;
use decided::{Decided, Shown};
use stagecall_operations::Installation;
use stagecall_operations::broken::in_words;
use uncounted::{Counting, Uncounted};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The tenant.
    tenant: String,
    /// Look at changes since then instead of since the last poll: a time, a day, or a duration ago (2h, 3d).
    #[arg(long, value_name = "TIME", value_parser = since)]
    since: Option<Timestamp>,
    /// Look at all applications of this Eploy.
    #[arg(long, conflicts_with = "since")]
    all: bool,
    /// For each application that would be invited, also read the status history and the e-mail address, as inviting does:
    /// two calls each.
    #[arg(long)]
    deep: bool,
    #[command(flatten)]
    output: Output,
}

const MAX_PAGES: u32 = 10_000;

struct DryRun<'a> {
    on: &'a Installation,
    engine: Engine,
    tenant: &'a Tenant,
    state: TenantState,
    eploy: Arc<dyn Eploy>,
    erased: BTreeSet<CandidateId>,
    deep: bool,
}

pub(crate) async fn run(arguments: &Arguments, on: &Installation) -> anyhow::Result<u8> {
    let tenant = on.tenant(&arguments.tenant).await?;
    let calls = Arc::new(Counting::over(on.transport.clone()));
    let allowance = Arc::new(Uncounted::beside(on.allowance.clone()));
    let connections = on.eploy_by(calls.clone(), allowance);
    let eploy = connections.eploy(&tenant, Purpose::Poll).await?;
    let now = on.clock.now();
    let stored = on.states.load_state(&tenant.id).await?;
    let mut state = stored.unwrap_or_else(|| TenantState::new(now));
    adopt(&tenant, &mut state, now);
    let directory = with_proven(eploy.directory().await?, &mut state, now);
    let engine = on.engine();
    for one in engine.watched(&tenant, &state).await? {
        if let (Some(reason), Some(of)) = (
            broken(&one.mapping, &directory),
            state.mappings.get_mut(&one.mapping.id),
        ) {
            of.status = MappingStatus::Broken {
                reason,
                at: Some(now),
                on: of.status.is_on(),
            };
        }
    }
    let tombstones = on.records.tombstones(&tenant.id).await?;
    let mut dry_run = DryRun {
        on,
        engine,
        tenant: &tenant,
        state,
        eploy,
        erased: tombstones
            .into_iter()
            .map(|stone| stone.candidate)
            .collect(),
        deep: arguments.deep,
    };
    let (rows, decided) = dry_run.run(arguments).await?;
    show(
        arguments,
        &tenant,
        &dry_run.state,
        rows,
        &decided,
        calls.count(),
    )?;
    Ok(exit::OK)
}

/// Applications as last read.
type Rows = BTreeMap<ApplicationId, ApplicationRow>;

impl DryRun<'_> {
    /// Decides like a poll: first the changes, by the mappings as the last poll left them; then the applications at the
    /// stages of what was added since. Returns the number of applications, and the decisions.
    async fn run(&mut self, arguments: &Arguments) -> anyhow::Result<(usize, Vec<Decided>)> {
        let changed = self.changed(arguments).await?;
        let mut decided = self.decide(&changed, Reads::Changes).await?;
        let watched = self.engine.watched(self.tenant, &self.state).await?;
        switch(self.tenant, &mut self.state, &watched, self.on.clock.now());
        let at_stages = if arguments.all {
            changed.clone()
        } else {
            self.at_stages().await?
        };
        let of_whom = |one: &Decided| (one.application.clone(), one.mapping.clone());
        let known: BTreeSet<_> = decided.iter().map(of_whom).collect();
        let added = self.decide(&at_stages, Reads::WhoIsThere).await?;
        decided.extend(
            added
                .into_iter()
                .filter(|one| !known.contains(&of_whom(one))),
        );
        let mut rows = changed;
        rows.extend(at_stages);
        let concerned: BTreeSet<_> = decided.iter().map(|one| one.application.clone()).collect();
        let others = rows.values().filter(|row| !concerned.contains(&row.id));
        decided.extend(others.map(Decided::nothing));
        decided.sort_by(|a, b| a.application.cmp(&b.application));
        Ok((rows.len(), decided))
    }

    /// The applications that changed since the last poll, or those the arguments ask for.
    async fn changed(&self, arguments: &Arguments) -> Result<Rows, CallError> {
        let since = match (arguments.all, arguments.since) {
            (true, _) => None,
            (false, Some(since)) => Some(since),
            (false, None) => self.state.poll.cursor.or_else(|| Some(self.on.clock.now())),
        };
        let mut rows = Rows::new();
        for page in 1..MAX_PAGES {
            let read = self.eploy.changed_applications(since, page).await?;
            rows.extend(read.rows.into_iter().map(|row| (row.id.clone(), row)));
            if !read.more {
                break;
            }
        }
        Ok(rows)
    }

    /// The applications at the stages of mappings that are being turned on.
    async fn at_stages(&self) -> anyhow::Result<Rows> {
        let mut rows = Rows::new();
        let watched = self.engine.watched(self.tenant, &self.state).await?;
        let Some((triggers, vacancies)) = turned_on(&watched) else {
            return Ok(rows);
        };
        for search in self.eploy.stage_searches(&triggers, &vacancies) {
            for page in 1..MAX_PAGES {
                let read = self
                    .eploy
                    .applications_at(&search.triggers, &search.vacancies, page)
                    .await?;
                rows.extend(read.rows.into_iter().map(|row| (row.id.clone(), row)));
                if !read.more {
                    break;
                }
            }
        }
        Ok(rows)
    }

    /// The decision about each application, for each mapping that matches.
    async fn decide(&mut self, rows: &Rows, reads: Reads) -> anyhow::Result<Vec<Decided>> {
        let ids: Vec<ApplicationId> = rows.keys().cloned().collect();
        let known = self
            .on
            .ledger
            .of_applications(&self.tenant.id, &ids)
            .await?;
        let all: Vec<ApplicationRow> = rows.values().cloned().collect();
        let mut watched = self.engine.watched(self.tenant, &self.state).await?;
        if prove(&watched, &mut self.state, &all, self.on.clock.now()) {
            watched = self.engine.watched(self.tenant, &self.state).await?;
        }
        let rows: Vec<&ApplicationRow> = all.iter().collect();
        let cases: Vec<_> = self
            .engine
            .decide_rows::<anyhow::Error>(&*self.eploy, self.tenant, &watched, &rows, &known, reads)
            .await?;
        let mut decided = Vec::new();
        for (case, decision) in cases {
            let shown = Shown {
                case,
                erased: self.erased.contains(&case.row.candidate),
            };
            decided.extend(shown.show(decision, &*self.eploy, self.deep).await?);
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
        warnings.push("the tenant is paused: none of this happens until it is resumed".to_owned());
    }
    if let Some(suspension) = &state.suspended {
        warnings.push(format!(
            "the tenant is suspended: {}. {}",
            suspension.failure.problem, suspension.failure.remedy
        ));
    }
    for (id, of) in &state.mappings {
        if let MappingStatus::Broken { reason, at, .. } = &of.status {
            warnings.push(format!(
                "mapping {id} is {}",
                in_words(reason, *at, &jiff::tz::TimeZone::system())
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
        "calls to Eploy: {inviting} to invite, {reporting} to report; this plan made {calls}, which are not counted in the store"
    );
    Ok(())
}
