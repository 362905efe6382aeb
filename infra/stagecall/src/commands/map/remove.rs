//! `stagecall map remove`.

use clap::Args;
use stagecall_operations::Installation;
use stagecall_operations::mappings::change::{To, prepare};

use crate::confirm::Audit;
use crate::exit;

/// Remove a mapping. Open invitations are still followed and reported until they end.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  stagecall map remove acme first-interview --yes")]
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
    let change = prepare(on, &tenant, &mapping, To::Gone).await?;
    if let Some(()) = audit.carry_out_any(change, on).await? {
        println!("mapping {mapping} is removed");
    }
    Ok(exit::OK)
}
