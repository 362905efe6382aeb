//! `stagecall resync`.

use std::collections::BTreeSet;
use std::sync::Arc;

use clap::Args;
use stagecall_core::Timestamp;
use stagecall_core::ids::{ApplicationId, InvitationKey};
use stagecall_core::invitation::Event;
use stagecall_core::ports::{InvitationFilter, Saved};
use stagecall_core::tenant::Tenant;
use stagecall_core::usecases::{Applied, Dispatch, SyncOutcome, WriteBack};
use stagecall_core::work::Work;

use crate::confirm::Audit;
use crate::exit;
use crate::output::local;
use crate::point_in_time::since;
use stagecall_operations::Installation;
use stagecall_operations::read::invitations;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The tenant.
    tenant: String,
    /// The application's id. [default: everything of the tenant]
    application: Option<String>,
    /// Without an application: read from Eploy again what changed since then (a time, a day, or a duration ago: 2h, 3d).
    #[arg(long, value_name = "TIME", value_parser = since, conflicts_with = "application")]
    since: Option<Timestamp>,
    #[command(flatten)]
    audit: Audit,
}

pub(crate) async fn run(arguments: &Arguments, on: &Installation) -> anyhow::Result<u8> {
    let tenant = on.tenant(&arguments.tenant).await?;
    match &arguments.application {
        Some(application) => one(arguments, &tenant, application, on).await,
        None => all(arguments, &tenant, on).await,
    }
}

/// Fetches an application's results from the platform and writes them to Eploy, now.
async fn one(
    arguments: &Arguments,
    tenant: &Tenant,
    application: &str,
    on: &Installation,
) -> anyhow::Result<u8> {
    let filter = InvitationFilter {
        application: Some(ApplicationId::from(application)),
        ..InvitationFilter::default()
    };
    let mut found = invitations(on, &tenant.id, &filter).await?;
    found.retain(|one| one.reference.is_some());
    if found.is_empty() {
        return Err(exit::not_found(format!(
            "no platform has an invitation of application {application}. See why: stagecall explain"
        )));
    }
    let names: Vec<_> = found.iter().map(|one| one.key.name()).collect();
    let what = format!(
        "The result of {} will be fetched from the platform, and the report in Eploy written again.",
        names.join(", ")
    );
    if !arguments.audit.confirm(&what)? {
        return Ok(exit::OK);
    }
    let write_back = WriteBack {
        engine: on.engine(),
        eploy: Arc::new(on.eploy()),
        platforms: Arc::new(on.platforms()),
    };
    let mut all = true;
    for one in &found {
        arguments
            .audit
            .actor()
            .record(on, "resync", Some(&tenant.id), one.key.name())
            .await?;
        all &= sync(&write_back, &one.key, on).await?;
    }
    Ok(if all { exit::OK } else { exit::FAILED })
}

/// Syncs one invitation. Returns whether Eploy now shows the platform's current result.
async fn sync(
    write_back: &WriteBack,
    key: &InvitationKey,
    on: &Installation,
) -> anyhow::Result<bool> {
    let synced = Box::pin(write_back.sync_result(key, None, None)).await?;
    if let Some(row) = on.ledger.load(key).await? {
        let stale = Event::ReportStale;
        if let Applied::Yes(_) = write_back
            .engine
            .apply(&row, stale, None, Dispatch::Inline)
            .await?
        {
            Box::pin(write_back.write_back(key)).await?;
        }
    }
    let Some(row) = on.ledger.load(key).await? else {
        return Ok(false);
    };
    let shown = !row.unreported();
    let eploy = if shown {
        "Eploy shows it"
    } else {
        "Eploy does not show it yet"
    };
    let platform = match synced {
        SyncOutcome::Recorded => row.state.name(),
        SyncOutcome::Later | SyncOutcome::Unavailable { .. } => "the platform cannot be called now",
    };
    println!("{key}: {platform}; {eploy}");
    if let Some(failure) = row.report.problem() {
        println!("  {}. {}", failure.problem, failure.remedy);
    }
    Ok(shown && synced == SyncOutcome::Recorded)
}

/// Makes a tenant's poll and sweeps due at once.
async fn all(arguments: &Arguments, tenant: &Tenant, on: &Installation) -> anyhow::Result<u8> {
    let Some(mut state) = on.states.load_state(&tenant.id).await? else {
        println!("{} was never polled, and is due anyway", tenant.id);
        return Ok(exit::OK);
    };
    let from = arguments.since.or(state.poll.cursor);
    let what = format!(
        "{} will be polled at once, for changes since {}, and all its assessments will be swept.",
        tenant.id,
        from.map_or("the beginning".to_owned(), local)
    );
    if !arguments.audit.confirm(&what)? {
        return Ok(exit::OK);
    }
    let now = on.clock.now();
    state.due_at = now;
    if let Some(since) = arguments.since {
        state.poll.cursor = state.poll.cursor.map(|cursor| cursor.min(since));
        state.poll.reached = None;
        state.poll.progress = None;
    }
    state.version += 1;
    if on.states.save_state(&tenant.id, &state).await? == Saved::Conflict {
        anyhow::bail!("{} is being polled right now; try again", tenant.id);
    }
    let assessments: BTreeSet<_> = tenant
        .mappings
        .iter()
        .map(|mapping| mapping.assessment.clone())
        .collect();
    let mut work = vec![Work::Poll {
        tenant: tenant.id.clone(),
    }];
    for assessment in assessments {
        on.sweeps
            .schedule_sweep(&tenant.id, &assessment, now)
            .await?;
        work.push(Work::Sweep {
            tenant: tenant.id.clone(),
            assessment,
        });
    }
    on.queue.push(work).await?;
    let audit = &arguments.audit;
    audit
        .actor()
        .record(on, "resync", Some(&tenant.id), tenant.id.as_str())
        .await?;
    println!("{} is due at once", tenant.id);
    Ok(exit::OK)
}
