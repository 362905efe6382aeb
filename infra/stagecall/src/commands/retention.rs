//! `stagecall retention`.

use std::fmt::Write as _;

use clap::Args;
use stagecall_core::usecases::Retention;

use crate::confirm::Audit;
use crate::exit;
use stagecall_operations::Installation;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The tenant.
    tenant: String,
    /// From now on, keep results for this number of days after the last event of an invitation.
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=36_500))]
    days: Option<u32>,
    /// From now on, keep results for ever.
    #[arg(long, conflicts_with_all = ["days", "apply"])]
    forever: bool,
    /// Remove expired results now. `serve` does so once a day; for a stack on AWS run this daily.
    #[arg(long)]
    apply: bool,
    #[command(flatten)]
    audit: Audit,
}

/// Shows, sets and applies a tenant's retention time.
pub(crate) async fn run(arguments: &Arguments, on: &Installation) -> anyhow::Result<u8> {
    let mut tenant = on.tenant(&arguments.tenant).await?;
    let before = tenant.retention_days;
    if arguments.forever {
        tenant.retention_days = None;
    }
    tenant.retention_days = arguments.days.or(tenant.retention_days);
    let id = &tenant.id;
    let mut what = match tenant.retention_days {
        Some(days) => {
            format!("{id}: results are kept for {days} days after the last event of an invitation.")
        }
        None => format!("{id}: results are kept for ever."),
    };
    let retention = Retention {
        engine: on.engine(),
        records: on.records.clone(),
    };
    let over = match tenant.retention_days {
        Some(days) => retention.over(id, days).await?,
        None => Vec::new(),
    };
    if tenant.retention_days.is_some() {
        let count = over.len();
        write!(
            what,
            " {count} invitations have expired: their results, links and histories will be removed. The invitations themselves are kept, so that nobody is invited twice."
        )?;
    } else if arguments.apply {
        return Err(exit::usage(format!(
            "{what} Set a number of days with --days"
        )));
    }
    let sets = tenant.retention_days != before;
    if !sets && !arguments.apply {
        println!("{what}");
        return Ok(exit::OK);
    }
    if !arguments.audit.confirm(&what)? {
        return Ok(exit::OK);
    }
    if sets {
        on.records.put_tenant(&tenant).await?;
        println!("{id} is updated");
    }
    if arguments.apply {
        let purged = retention.forget(&over).await?;
        println!("{purged} purged");
    }
    let target = match tenant.retention_days {
        Some(days) => format!("{days} days"),
        None => "for ever".to_owned(),
    };
    arguments
        .audit
        .actor()
        .record(on, "retention", Some(id), target)
        .await?;
    Ok(exit::OK)
}
