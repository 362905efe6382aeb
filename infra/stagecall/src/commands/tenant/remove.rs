//! `stagecall tenant remove`.

use clap::Args;
use stagecall_operations::Installation;
use stagecall_operations::tenants::remove::prepare;

use crate::confirm::Audit;
use crate::exit;

/// Remove a tenant's configuration and credentials. Its invitations stay in the store.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  stagecall tenant remove acme --reason 'contract ended'")]
pub(crate) struct Arguments {
    /// The tenant.
    tenant: String,
    #[command(flatten)]
    audit: Audit,
}

pub(crate) async fn run(arguments: Arguments, on: &Installation) -> anyhow::Result<u8> {
    let removal = prepare(on, &arguments.tenant).await?;
    if let Some(()) = arguments.audit.carry_out(removal, on).await? {
        println!("{} is removed", arguments.tenant);
    }
    Ok(exit::OK)
}
