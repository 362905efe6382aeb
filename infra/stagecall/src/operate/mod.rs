//! The operator's commands: see what is going on, and mend it.

pub(crate) mod console;
mod tenant;

use clap::Subcommand;

use crate::cli::InstallationArguments;
use crate::logging;
use crate::store::Installation;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// See and change the tenants.
    #[command(subcommand)]
    Tenant(tenant::Command),
}

/// Does what was asked.
pub(crate) async fn run(command: Command, on: &InstallationArguments) -> anyhow::Result<u8> {
    logging::start(tracing::Level::WARN, false);
    match command {
        Command::Tenant(command) => tenant::run(command, &Installation::open(on).await?).await,
    }
}
