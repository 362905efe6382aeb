//! `stagecall tenant …`.

mod list;
mod pause;

use clap::Subcommand;

use super::console::Output;
use crate::store::Installation;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the tenants.
    #[command(after_help = "Example:\n  stagecall tenant list --json")]
    List(Output),
    /// Stop polling, inviting and sweeping for a tenant.
    #[command(
        after_help = "Example:\n  stagecall tenant pause acme --reason 'Eploy is being upgraded'"
    )]
    Pause(pause::Arguments),
    /// Go on where a pause began.
    #[command(after_help = "Example:\n  stagecall tenant resume acme")]
    Resume(pause::Arguments),
}

pub(super) async fn run(command: Command, on: &Installation) -> anyhow::Result<u8> {
    match command {
        Command::List(output) => list::run(output, on).await,
        Command::Pause(arguments) => pause::run(arguments, true, on).await,
        Command::Resume(arguments) => pause::run(arguments, false, on).await,
    }
}
