//! `stagecall retention`.

use std::fmt::Write as _;

use clap::Args;
use stagecall_core::usecases::Retention;

use crate::exit;
use crate::operate::output::Audit;
use crate::store::Installation;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The tenant.
    tenant: String,
    /// From now on, keep results for so many days after the last that happened to an invitation.
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=36_500))]
    days: Option<u32>,
    /// From now on, keep them for good.
    #[arg(long, conflicts_with_all = ["days", "apply"])]
    forever: bool,
    /// Remove now what is over. `serve` does so once a day; for a stack on AWS run this as often.
    #[arg(long)]
    apply: bool,
    #[command(flatten)]
    audit: Audit,
}

/// Shows, sets and applies a tenant's time of keeping.
pub(super) async fn run(arguments: &Arguments, on: &Installation) -> anyhow::Result<u8> {
    let mut tenant = on.tenant(&arguments.tenant).await?;
    let before = tenant.retention_days;
    if arguments.forever {
        tenant.retention_days = None;
    }
    tenant.retention_days = arguments.days.or(tenant.retention_days);
    let id = &tenant.id;
    let mut what = match tenant.retention_days {
        Some(days) => format!(
            "{id}: what came of an invitation is kept for {days} days after the last that happened to it."
        ),
        None => format!("{id}: what came of invitations is kept for good."),
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
            " It is over for {count}: they lose their results, links and stories. That they were stays on record, so that nobody is invited twice."
        )?;
    } else if arguments.apply {
        return Err(exit::usage(format!("{what} Say for how long with --days")));
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
        println!("{id} is set");
    }
    if arguments.apply {
        let forgotten = retention.forget(&over).await?;
        println!("{forgotten} forgotten");
    }
    let target = match tenant.retention_days {
        Some(days) => format!("{days} days"),
        None => "for good".to_owned(),
    };
    arguments
        .audit
        .record(on, "retention", Some(id), target)
        .await?;
    Ok(exit::OK)
}
