//! The operator's commands: see what happens, and fix it.

pub(crate) mod broken;
pub(crate) mod edit;
mod explain;
mod hires;
mod invitations;
pub(crate) mod output;
mod plan;
pub(crate) mod read;
mod repair;
mod since;
mod status;
mod story;
mod tail;
mod tenant;
#[cfg(test)]
pub(crate) mod testing;

use clap::Subcommand;

use crate::cli::InstallationArguments;
use crate::logging;
use crate::store::Installation;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List, show and change tenants.
    #[command(subcommand)]
    Tenant(tenant::Command),
    /// Show all tenants in a table: last poll, lag, open invitations, failures, allowance.
    #[command(after_help = "Examples:\n  stagecall status\n  stagecall status acme --json")]
    Status(status::Arguments),
    /// List invitations.
    #[command(
        after_help = "Examples:\n  stagecall invitations acme --state failed\n  stagecall invitations --since 2h --json"
    )]
    Invitations(invitations::Arguments),
    /// Show everything about an application: what happened, when and why, and the ids to look up in each system.
    #[command(after_help = "Example:\n  stagecall explain acme 70215")]
    Explain(explain::Arguments),
    /// List the announced hires, and send webhooks to the HRMS again.
    #[command(subcommand)]
    Hires(hires::Command),
    /// Show what the next poll would do, application by application, without doing it.
    #[command(
        after_help = "Examples:\n  stagecall plan acme\n  stagecall plan acme --all --json\n  stagecall plan acme --since 2h --deep"
    )]
    Plan(plan::Arguments),
    /// Follow events as they happen.
    #[command(after_help = "Example:\n  stagecall tail acme")]
    Tail(tail::Arguments),
    #[command(flatten)]
    Mend(repair::Command),
}

pub(crate) async fn run(command: Command, on: &InstallationArguments) -> anyhow::Result<u8> {
    logging::start(tracing::Level::WARN, false);
    let open = Installation::open(on);
    match command {
        // Adding a first tenant, or a file of tenants, may create a store.
        Command::Tenant(
            command @ (tenant::Command::Add(_)
            | tenant::Command::Import(_)
            | tenant::Command::Apply(_)),
        ) => tenant::run(command, &Installation::open_or_create(on).await?).await,
        Command::Tenant(command) => tenant::run(command, &open.await?).await,
        Command::Status(arguments) => status::run(&arguments, &open.await?).await,
        Command::Invitations(arguments) => invitations::run(arguments, &open.await?).await,
        Command::Explain(arguments) => explain::run(arguments, &open.await?).await,
        Command::Hires(command) => hires::run(command, &open.await?).await,
        Command::Plan(arguments) => plan::run(&arguments, &open.await?).await,
        Command::Tail(arguments) => tail::run(&arguments, &open.await?).await,
        Command::Mend(command) => repair::run(command, &open.await?).await,
    }
}
