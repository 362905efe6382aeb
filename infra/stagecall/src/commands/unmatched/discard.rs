//! `stagecall unmatched discard`.

use clap::Args;
use stagecall_operations::Installation;
use stagecall_operations::repair::unmatched::discard;

use crate::confirm::Audit;
use crate::exit;

/// Discard a callback.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  stagecall unmatched discard acme 3fa9… --reason 'invited by hand'"
)]
pub(crate) struct Arguments {
    /// The tenant.
    tenant: String,
    /// The delivery's id, or a unique prefix of it.
    delivery: String,
    #[command(flatten)]
    audit: Audit,
}

pub(crate) async fn run(arguments: &Arguments, on: &Installation) -> anyhow::Result<u8> {
    let change = discard(on, &arguments.tenant, &arguments.delivery).await?;
    if let Some(id) = arguments.audit.carry_out(change, on).await? {
        println!("{id} is discarded");
    }
    Ok(exit::OK)
}
