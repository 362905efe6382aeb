//! `stagecall replay`.

use clap::Args;
use stagecall_core::Timestamp;
use stagecall_operations::Installation;
use stagecall_operations::repair::replay::prepare;

use crate::confirm::Audit;
use crate::exit;
use crate::point_in_time::since;

/// Process received callbacks again.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  stagecall replay acme --since 2h --reason 'Eploy was down'")]
pub(crate) struct Arguments {
    /// The tenant.
    tenant: String,
    /// Received since: a time, a day, or a duration ago (2h, 3d).
    #[arg(long, value_name = "TIME", value_parser = since)]
    since: Timestamp,
    #[command(flatten)]
    audit: Audit,
}

pub(crate) async fn run(arguments: Arguments, on: &Installation) -> anyhow::Result<u8> {
    let replay = prepare(on, &arguments.tenant, arguments.since).await?;
    if let Some(count) = arguments.audit.carry_out_any(replay, on).await? {
        println!("{count} will be processed at once");
    }
    Ok(exit::OK)
}
