//! `stagecall tenant resume`.

use clap::Args;
use stagecall_operations::Installation;
use stagecall_operations::tenants::pause::prepare;

use crate::confirm::Audit;
use crate::exit;

/// Resume a paused tenant where it stopped.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  stagecall tenant resume acme")]
pub(crate) struct Arguments {
    /// The tenant.
    tenant: String,
    #[command(flatten)]
    audit: Audit,
}

pub(crate) async fn run(arguments: Arguments, on: &Installation) -> anyhow::Result<u8> {
    let change = prepare(on, &arguments.tenant, false).await?;
    if let Some(()) = arguments.audit.carry_out_any(change, on).await? {
        println!("{} is on", arguments.tenant);
    }
    Ok(exit::OK)
}
