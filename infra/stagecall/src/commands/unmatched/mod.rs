//! `stagecall unmatched …`.

use clap::{Args, Subcommand};
use comfy_table::Cell;
use stagecall_core::ids::{ApplicationId, MappingId, Reference, TenantId};
use stagecall_core::invitation::Event;
use stagecall_core::ports::{Bound, Delivery, DeliveryOutcome, InvitationFilter};
use stagecall_core::usecases::{Applied, Dispatch};
use stagecall_core::work::Work;

use crate::confirm::Audit;
use crate::exit;
use crate::output::{Output, local, print_json, table};
use stagecall_operations::Installation;
use stagecall_operations::read::invitations;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List a tenant's unmatched callbacks, newest first.
    #[command(after_help = "Example:\n  stagecall unmatched list acme")]
    List {
        /// The tenant.
        tenant: String,
        /// The maximum number to show.
        #[arg(long, default_value_t = 50)]
        limit: usize,
        #[command(flatten)]
        output: Output,
    },
    /// Link a callback to an application's invitation.
    #[command(
        after_help = "Example:\n  stagecall unmatched link acme 3fa9… --application 70215 --reference p7Yk2"
    )]
    Link(Link),
    /// Discard a callback.
    #[command(
        after_help = "Example:\n  stagecall unmatched discard acme 3fa9… --reason 'invited by hand'"
    )]
    Discard {
        /// The tenant.
        tenant: String,
        /// The delivery's id, or a unique prefix of it.
        delivery: String,
        #[command(flatten)]
        audit: Audit,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Link {
    /// The tenant.
    tenant: String,
    /// The delivery's id, or a unique prefix of it.
    delivery: String,
    /// The application's id in Eploy.
    #[arg(long, value_name = "ID")]
    application: String,
    /// The mapping; required if the application has invitations of several.
    #[arg(long, value_name = "NAME")]
    mapping: Option<String>,
    /// The invitation's reference; required if the delivery has several.
    #[arg(long, value_name = "REFERENCE")]
    reference: Option<String>,
    #[command(flatten)]
    audit: Audit,
}

/// The number of unmatched deliveries that are searched.
const MAX_SEARCHED: usize = 10_000;

pub(crate) async fn run(command: Command, on: &Installation) -> anyhow::Result<u8> {
    match command {
        Command::List {
            tenant,
            limit,
            output,
        } => list(&on.known_tenant(&tenant).await?, limit, output, on).await,
        Command::Link(arguments) => link(&arguments, on).await,
        Command::Discard {
            tenant,
            delivery,
            audit,
        } => discard(&on.known_tenant(&tenant).await?, &delivery, &audit, on).await,
    }
}

async fn list(
    tenant: &TenantId,
    limit: usize,
    output: Output,
    on: &Installation,
) -> anyhow::Result<u8> {
    let found = on.deliveries.unmatched(tenant, limit).await?;
    if output.json {
        print_json(&found)?;
        return Ok(exit::OK);
    }
    let mut shown = table([
        "delivery",
        "arrived",
        "account",
        "event",
        "references",
        "tries",
        "why",
    ]);
    for one in &found {
        let references: Vec<_> = one.references.iter().map(Reference::as_str).collect();
        shown.add_row([
            Cell::new(one.id.get(..12).unwrap_or(&one.id)),
            Cell::new(local(one.at)),
            Cell::new(&one.account),
            Cell::new(one.event.as_deref().unwrap_or("")),
            Cell::new(references.join(", ")),
            Cell::new(one.tries),
            Cell::new(if one.given_up {
                "its result could not be saved"
            } else {
                "no matching invitation"
            }),
        ]);
    }
    println!("{shown}");
    Ok(exit::OK)
}

/// The unmatched delivery whose id begins with the prefix.
async fn find(tenant: &TenantId, begins: &str, on: &Installation) -> anyhow::Result<Delivery> {
    let mut found = on.deliveries.unmatched(tenant, MAX_SEARCHED).await?;
    found.retain(|one| one.id.starts_with(begins));
    match (found.pop(), found.is_empty()) {
        (Some(one), true) => Ok(one),
        (None, _) => Err(exit::not_found(format!(
            "{tenant} has no unmatched delivery {begins}. List them with: stagecall unmatched list {tenant}"
        ))),
        (Some(_), false) => Err(exit::usage(format!(
            "several deliveries begin with {begins}; use a longer prefix"
        ))),
    }
}

async fn discard(
    tenant: &TenantId,
    begins: &str,
    audit: &Audit,
    on: &Installation,
) -> anyhow::Result<u8> {
    let one = find(tenant, begins, on).await?;
    if audit.confirm(&format!(
        "The delivery {} of {} will be discarded.",
        one.id, one.account
    ))? {
        on.deliveries
            .settle(&one, &DeliveryOutcome::Handled)
            .await?;
        audit
            .actor()
            .record(on, "unmatched discard", Some(tenant), one.id.as_str())
            .await?;
        println!("{} is discarded", one.id);
    }
    Ok(exit::OK)
}

async fn link(arguments: &Link, on: &Installation) -> anyhow::Result<u8> {
    let tenant = on.known_tenant(&arguments.tenant).await?;
    let mut delivery = find(&tenant, &arguments.delivery, on).await?;
    let reference = match (&arguments.reference, delivery.references.as_slice()) {
        (Some(given), known) => known
            .iter()
            .find(|one| one.as_str() == given)
            .cloned()
            .ok_or_else(|| exit::not_found(format!("the delivery has no reference {given}")))?,
        (None, [only]) => only.clone(),
        (None, _) => {
            return Err(exit::usage(
                "the delivery has several references; name one with --reference",
            ));
        }
    };
    let filter = InvitationFilter {
        application: Some(ApplicationId::from(arguments.application.as_str())),
        mapping: arguments.mapping.as_deref().map(MappingId::from),
        ..InvitationFilter::default()
    };
    let mut found = invitations(on, &tenant, &filter).await?;
    found.retain(|one| one.assessment.account == delivery.account);
    let Some(row) = found.into_iter().max_by_key(|one| one.key.round) else {
        return Err(exit::not_found(format!(
            "application {} has no invitation on {}",
            arguments.application, delivery.account
        )));
    };
    if let Some(other) = row.reference.as_ref().filter(|known| **known != reference) {
        return Err(exit::usage(format!(
            "{} is {other} on the platform, not {reference}. Link the delivery to another invitation, or discard it",
            row.key
        )));
    }
    let what = format!(
        "{reference} on {} will be linked to {} permanently, and its result will be fetched.",
        delivery.account, row.key
    );
    if !arguments.audit.confirm(&what)? {
        return Ok(exit::OK);
    }
    if let Bound::Other(other) = on
        .ledger
        .bind_reference(&delivery.account, &reference, &row.key)
        .await?
    {
        return Err(exit::usage(format!(
            "{reference} is already linked to {other}"
        )));
    }
    let sent = Event::Sent {
        reference: reference.clone(),
        link: None,
        adopted: true,
        writer: None,
    };
    if row.reference.is_none()
        && let Applied::Conflict = on
            .engine()
            .apply(&row, sent, None, Dispatch::Enqueue)
            .await?
    {
        anyhow::bail!("{} was changed by others; try again", row.key);
    }
    delivery.tries = 0;
    let now = on.clock.now();
    on.deliveries
        .settle(&delivery, &DeliveryOutcome::Again(now))
        .await?;
    let work = Work::Delivery {
        tenant: tenant.clone(),
        id: delivery.id.clone(),
    };
    on.queue.push(vec![work]).await?;
    let audit = &arguments.audit;
    audit
        .actor()
        .record(on, "unmatched link", Some(&tenant), row.key.name())
        .await?;
    println!("{} is linked to {}", delivery.id, row.key);
    Ok(exit::OK)
}
