//! `stagecall map pause`.

use clap::Args;
use stagecall_operations::Installation;
use stagecall_operations::mappings::change::{To, prepare};

use crate::confirm::Audit;
use crate::exit;

/// Pause a mapping, so that it invites nobody. Open invitations are still followed and reported.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  stagecall map pause acme first-interview --yes")]
pub(crate) struct Arguments {
    /// The tenant.
    tenant: String,
    /// The mapping.
    mapping: String,
    #[command(flatten)]
    audit: Audit,
}

pub(crate) async fn run(arguments: Arguments, on: &Installation) -> anyhow::Result<u8> {
    let Arguments {
        tenant,
        mapping,
        audit,
    } = arguments;
    let change = prepare(on, &tenant, &mapping, To::Paused).await?;
    if let Some(()) = audit.carry_out_any(change, on).await? {
        println!("mapping {mapping} is paused");
    }
    Ok(exit::OK)
}
