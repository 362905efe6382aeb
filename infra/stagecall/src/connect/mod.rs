//! Connecting a customer: the connections to its Eploy and its platforms, its dialect, the lists to choose from, and the
//! mappings.

pub(crate) mod add;
pub(crate) mod allowance;
mod checks;
mod credentials;
mod doctor;
pub(crate) mod finding;
mod lists;
mod map;
mod probe;
#[cfg(test)]
mod problems;
mod prompt;
pub(crate) mod recorded;
mod register;

use clap::Subcommand;

use crate::cli::InstallationArguments;
use crate::logging;
use crate::store::Installation;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Find out how a tenant's Eploy behaves where that is undocumented, and save it as the tenant's dialect.
    #[command(
        after_help = "Examples:\n  stagecall probe acme\n  stagecall probe acme --on 70001 --action-type 42 --move-to 11 --yes"
    )]
    Probe(probe::Arguments),
    /// List a tenant's vacancies.
    #[command(after_help = "Example:\n  stagecall jobs acme --json")]
    Jobs(lists::Arguments),
    /// List the stages of applications, or their statuses.
    #[command(
        after_help = "Examples:\n  stagecall stages acme\n  stagecall stages acme --statuses"
    )]
    Stages(lists::Stages),
    /// List the assessments that candidates can be invited to.
    #[command(after_help = "Example:\n  stagecall assessments acme")]
    Assessments(lists::Arguments),
    /// List the outcomes of actions, or the action types.
    #[command(
        after_help = "Examples:\n  stagecall outcomes acme\n  stagecall outcomes acme --types"
    )]
    Outcomes(lists::Outcomes),
    /// List the custom questions of applications.
    #[command(after_help = "Example:\n  stagecall questions acme")]
    Questions(lists::Questions),
    /// Add, list, show, test, pause and remove mappings: which applications are invited to which assessment.
    #[command(subcommand)]
    Map(map::Command),
    /// Register the callbacks on the platforms. `serve` does this automatically; for a stack on AWS run it after `map add`
    /// and after a callback token was rotated.
    #[command(
        after_help = "Examples:\n  stagecall register acme --public-url https://hooks.example.com/\n  stagecall register --store aws:stagecall-prod --public-url https://abc123.execute-api.eu-west-2.amazonaws.com/ --yes"
    )]
    Register(register::Arguments),
    /// Check the whole installation: what is wrong, why, and how to fix it.
    #[command(
        after_help = "Examples:\n  stagecall doctor\n  stagecall doctor --connections --public-url https://hooks.example.com/"
    )]
    Doctor(doctor::Arguments),
}

pub(crate) async fn run(command: Command, on: &InstallationArguments) -> anyhow::Result<u8> {
    logging::start(tracing::Level::ERROR, false);
    let on = &Installation::open(on).await?;
    match command {
        Command::Probe(arguments) => probe::run(arguments, on).await,
        Command::Jobs(arguments) => lists::jobs(arguments, on).await,
        Command::Stages(arguments) => lists::stages(arguments, on).await,
        Command::Assessments(arguments) => lists::assessments(arguments, on).await,
        Command::Outcomes(arguments) => lists::outcomes(arguments, on).await,
        Command::Questions(arguments) => lists::questions(arguments, on).await,
        Command::Map(command) => map::run(command, on).await,
        Command::Register(arguments) => register::run(&arguments, on).await,
        Command::Doctor(arguments) => doctor::run(arguments, on).await,
    }
}
