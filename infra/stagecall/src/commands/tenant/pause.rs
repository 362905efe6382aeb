//! `stagecall tenant pause`.

use clap::Args;
use stagecall_operations::Installation;
use stagecall_operations::tenants::pause::prepare;

use crate::confirm::Audit;
use crate::exit;

/// Stop polling, inviting and sweeping for a tenant.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  stagecall tenant pause acme --reason 'Eploy is being upgraded'"
)]
pub(crate) struct Arguments {
    /// The tenant.
    tenant: String,
    #[command(flatten)]
    audit: Audit,
}

pub(crate) async fn run(arguments: Arguments, on: &Installation) -> anyhow::Result<u8> {
    let change = prepare(on, &arguments.tenant, true).await?;
    if let Some(()) = arguments.audit.carry_out_any(change, on).await? {
        println!("{} is paused", arguments.tenant);
    }
    Ok(exit::OK)
}
