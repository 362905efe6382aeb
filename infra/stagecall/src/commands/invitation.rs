//! `stagecall retry`, `reinvite` and `cancel`.

use std::fmt::Write as _;

use clap::Args;
use stagecall_core::error::Error;
use stagecall_core::ids::{ApplicationId, MappingId, TenantId};
use stagecall_core::invitation::{Event, Invitation, Step};
use stagecall_core::ports::{Inserted, InvitationFilter, Withdrawn};
use stagecall_core::tenant::MappingKind;
use stagecall_core::usecases::{Applied, Dispatch};
use stagecall_core::work::Work;

use crate::confirm::Audit;
use crate::exit;
use stagecall_operations::Installation;
use stagecall_operations::history::why;
use stagecall_operations::read::invitations;
use stagecall_operations::withdraw::{is_finished, withdraw};

/// Invitations of an application, or all that failed.
#[derive(Debug, Args)]
pub(crate) struct Many {
    /// The tenant.
    tenant: String,
    /// The application's id in Eploy.
    #[arg(required_unless_present = "failed")]
    application: Option<String>,
    /// All of the tenant's invitations that failed, and all reports that are deferred.
    #[arg(long, conflicts_with = "application")]
    failed: bool,
    /// Of this mapping only.
    #[arg(long, value_name = "NAME")]
    mapping: Option<String>,
    #[command(flatten)]
    audit: Audit,
}

/// One application's latest invitation.
#[derive(Debug, Args)]
pub(crate) struct One {
    /// The tenant.
    tenant: String,
    /// The application's id in Eploy.
    application: String,
    /// The mapping; required if the application has invitations of several.
    #[arg(long, value_name = "NAME")]
    mapping: Option<String>,
    #[command(flatten)]
    audit: Audit,
}

/// The invitation to cancel.
#[derive(Debug, Args)]
pub(crate) struct Cancel {
    #[command(flatten)]
    one: One,
    /// Leave the platform's data unchanged.
    #[arg(long)]
    here_only: bool,
}

/// Attempts to change a row that others change at the same time.
const MAX_ATTEMPTS: usize = 5;

/// Applies an operator's event to an invitation. Returns the new row if it changed.
async fn apply(
    on: &Installation,
    of: &Invitation,
    event: &Event,
) -> anyhow::Result<Option<Invitation>> {
    let tenant = on.tenants.tenant(&of.key.tenant).await?;
    let engine = on.engine();
    let expires = match &tenant {
        Some(tenant) => engine.expiry(tenant, of).await?,
        None => None,
    };
    let mut row = of.clone();
    for _ in 0..MAX_ATTEMPTS {
        match engine
            .apply(&row, event.clone(), expires, Dispatch::Enqueue)
            .await?
        {
            Applied::Yes(next) => return Ok(Some(*next)),
            Applied::Rejected(no) => {
                println!("{}: {no}", row.key);
                return Ok(None);
            }
            Applied::Conflict => match on.ledger.load(&row.key).await? {
                Some(newer) => row = newer,
                None => return Ok(None),
            },
        }
    }
    anyhow::bail!("{}: it keeps being changed by others; try again", row.key)
}

/// Retries the selected invitations.
pub(super) async fn retry(arguments: &Many, on: &Installation) -> anyhow::Result<u8> {
    let tenant = on.known_tenant(&arguments.tenant).await?;
    let filter = InvitationFilter {
        application: arguments.application.as_deref().map(ApplicationId::from),
        mapping: arguments.mapping.as_deref().map(MappingId::from),
        ..InvitationFilter::default()
    };
    let mut found = invitations(on, &tenant, &filter).await?;
    if found.is_empty() && !arguments.failed {
        return Err(nothing(&tenant, arguments.application.as_deref()));
    }
    let now = on.clock.now();
    found.retain(|one| {
        let failed = one.state.name() == "failed" || one.report.problem().is_some();
        (!arguments.failed || failed) && one.apply(Event::Retry, now, &on.timing, None).is_ok()
    });
    if found.is_empty() {
        println!("nothing to retry");
        return Ok(exit::OK);
    }
    let mut what = format!("{} will be retried now:", found.len());
    for one in found.iter().take(10) {
        let why = why(one).unwrap_or_default();
        write!(
            what,
            "
  {}  {}  {why}",
            one.key.name(),
            one.state.name()
        )?;
    }
    if found.len() > 10 {
        what.push_str("\n  …");
    }
    if !arguments.audit.confirm(&what)? {
        return Ok(exit::OK);
    }
    let mut done = 0;
    for one in &found {
        if apply(on, one, &Event::Retry).await?.is_some() {
            arguments
                .audit
                .actor()
                .record(on, "retry", Some(&tenant), one.key.name())
                .await?;
            done += 1;
        }
    }
    println!("{done} will be retried at once");
    Ok(exit::OK)
}

/// The application's latest invitation, of the given mapping.
async fn latest(arguments: &One, on: &Installation) -> anyhow::Result<Invitation> {
    let tenant = on.known_tenant(&arguments.tenant).await?;
    let filter = InvitationFilter {
        application: Some(ApplicationId::from(arguments.application.as_str())),
        mapping: arguments.mapping.as_deref().map(MappingId::from),
        ..InvitationFilter::default()
    };
    let found = invitations(on, &tenant, &filter).await?;
    let mut mappings: Vec<_> = found.iter().map(|one| one.key.mapping.as_str()).collect();
    mappings.sort_unstable();
    mappings.dedup();
    if mappings.len() > 1 {
        return Err(exit::usage(format!(
            "application {} has invitations of several mappings; name one with --mapping: {}",
            arguments.application,
            mappings.join(", ")
        )));
    }
    found
        .into_iter()
        .max_by_key(|one| one.key.round)
        .ok_or_else(|| nothing(&tenant, Some(&arguments.application)))
}

fn nothing(tenant: &TenantId, application: Option<&str>) -> anyhow::Error {
    exit::not_found(format!(
        "{tenant} has no invitation of application {}. See why: stagecall explain",
        application.unwrap_or("")
    ))
}

/// Cancels an invitation.
pub(super) async fn cancel(arguments: &Cancel, on: &Installation) -> anyhow::Result<u8> {
    let (audit, here_only) = (&arguments.one.audit, arguments.here_only);
    let one = latest(&arguments.one, on).await?;
    let cancellable = |one: &Invitation| {
        let applied = one.apply(Event::Cancel, on.clock.now(), &on.timing, None);
        if let Err(no) = &applied {
            println!("{}: {no}", one.key);
        }
        applied.is_ok()
    };
    if !cancellable(&one) {
        return Ok(exit::OK);
    }
    let account = one.assessment.account.clone();
    let what = match &one.reference {
        Some(reference) if here_only => format!(
            "{} will be marked cancelled, also in Eploy. {account} still has it, as {reference}: cancel it there too, or the candidate can still take it.",
            one.key
        ),
        Some(reference) => format!(
            "{} will be withdrawn on {account}, where it is {reference}, and marked cancelled, also in Eploy.",
            one.key
        ),
        None => format!("{} will not be sent.", one.key),
    };
    if !audit.confirm(&what)? {
        return Ok(exit::OK);
    }
    // The confirmation may have taken a while.
    let one = on.ledger.load(&one.key).await?.unwrap_or(one);
    if !cancellable(&one) {
        return Ok(exit::OK);
    }
    if one.reference.is_some() && !here_only {
        if is_finished(on, &one).await.map_err(platform_unavailable)? {
            println!(
                "{}: the candidate has finished meanwhile, so nothing is cancelled. Fetch the result with: stagecall resync {} {}",
                one.key, one.key.tenant, one.key.application
            );
            return Ok(exit::FAILED);
        }
        match withdraw(on, &one).await.map_err(platform_unavailable)? {
            Withdrawn::Done => println!("{}: withdrawn on {account}", one.key),
            Withdrawn::Impossible { why } => println!("{}: {account} still has it. {why}", one.key),
        }
    }
    if apply(on, &one, &Event::Cancel).await?.is_some() {
        audit
            .actor()
            .record(on, "cancel", Some(&one.key.tenant), one.key.name())
            .await?;
        println!("{} is cancelled", one.key);
    }
    Ok(exit::OK)
}

/// An error because the platform cannot be called, so that nothing is changed anywhere.
fn platform_unavailable(error: Error) -> anyhow::Error {
    let hint = "nothing was changed; to cancel without the platform: --here-only";
    match error {
        Error::Call(refused) => anyhow::Error::from(refused).context(hint),
        other => anyhow::Error::from(other).context(hint),
    }
}

/// Starts a new round.
pub(super) async fn reinvite(arguments: &One, on: &Installation) -> anyhow::Result<u8> {
    let one = latest(arguments, on).await?;
    let tenant = on.tenant(&arguments.tenant).await?;
    // With the current definition of the mapping.
    let Some(mapping) = tenant.mapping(&one.key.mapping) else {
        return Err(exit::not_found(format!(
            "{} no longer has a mapping {}",
            tenant.id, one.key.mapping
        )));
    };
    let unsettled = matches!(
        one.state.name(),
        "detected" | "sending" | "invited" | "started"
    );
    if unsettled {
        println!(
            "{} is {}: wait until it has ended, or cancel it first with stagecall cancel",
            one.key,
            one.state.name()
        );
        return Ok(exit::FAILED);
    }
    let mut key = one.key.clone();
    key.round = key.round.saturating_add(1);
    let what = format!(
        "{key} starts a new round: the candidate is invited to {} again, if the application is still at the trigger stage and the platform accepts a second invitation of the same person.",
        mapping.assessment
    );
    if !arguments.audit.confirm(&what)? {
        return Ok(exit::OK);
    }
    let mut entry = one.entry.clone();
    entry.seen_at = on.clock.now();
    entry.left_at = None;
    entry.not_before = None;
    on.definitions.save_definition(&tenant.id, mapping).await?;
    let mut next = Invitation::detected(
        key.clone(),
        one.candidate.clone(),
        one.vacancy.clone(),
        mapping.assessment.clone(),
        entry,
    )
    .under(mapping.definition_id());
    next.pooled = matches!(mapping.kind, MappingKind::Pool(_));
    match on.ledger.insert(&next).await? {
        Inserted::New => {}
        Inserted::Existed => {
            println!("{key} exists already");
            return Ok(exit::OK);
        }
        Inserted::Erased => {
            println!("the candidate was erased: nobody is invited");
            return Ok(exit::FAILED);
        }
    }
    let audit = &arguments.audit;
    audit
        .actor()
        .record(on, "reinvite", Some(&key.tenant), key.name())
        .await?;
    on.queue
        .push(vec![Work::step(key.clone(), Step::Invite)])
        .await?;
    println!("{key} will be sent at once");
    Ok(exit::OK)
}
