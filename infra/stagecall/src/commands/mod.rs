//! The commands: a file each, in a folder of its noun if there is one.

mod cancel;
mod doctor;
mod erase;
mod explain;
mod hires;
mod invitations;
mod lists;
mod manual;
mod map;
mod plan;
mod probe;
mod redrive;
mod register;
mod reinvite;
mod replay;
mod resync;
mod retention;
mod retry;
mod sandbox;
mod selection;
mod serve;
mod status;
mod tail;
mod tenant;
mod unmatched;

#[cfg(test)]
mod testing;

use clap::Subcommand;

use crate::store;
use crate::{demo, logging};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve the tenants of the store and of a configuration file on this machine.
    Serve(serve::Arguments),
    /// Run simulators of Eploy, Willo, WeCP and an HRMS.
    Sandbox(sandbox::Arguments),
    /// Run a demo against simulators on this machine: candidates are invited on two platforms, respond, appear in Eploy and
    /// are hired.
    Demo(demo::Arguments),
    /// List, show and change tenants.
    #[command(subcommand)]
    Tenant(tenant::Command),
    Status(status::Arguments),
    Invitations(invitations::Arguments),
    Explain(explain::Arguments),
    /// List the announced hires, and send webhooks to the HRMS again.
    #[command(subcommand)]
    Hires(hires::Command),
    Plan(plan::Arguments),
    Tail(tail::Arguments),
    Retry(retry::Arguments),
    Reinvite(reinvite::Arguments),
    Cancel(cancel::Arguments),
    Resync(resync::Arguments),
    /// List, link and discard callbacks that match no invitation.
    #[command(subcommand)]
    Unmatched(unmatched::Command),
    Replay(replay::Arguments),
    Redrive(redrive::Arguments),
    Erase(erase::Arguments),
    Retention(retention::Arguments),
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
    Doctor(doctor::Arguments),
    /// Print completions for a shell.
    Completions(manual::CompletionsArguments),
    /// Print the manual.
    Man(manual::ManArguments),
}

/// Runs the command. `cli` is the definition of the whole command line.
pub(crate) async fn run(
    command: Command,
    cli: clap::Command,
    at: &store::Arguments,
) -> anyhow::Result<u8> {
    match command {
        Command::Serve(arguments) => serve::run(arguments, at).await,
        Command::Sandbox(arguments) => sandbox::run(arguments).await,
        Command::Demo(arguments) => demo::run(arguments).await,
        Command::Completions(arguments) => Ok(manual::completions(&arguments, cli)),
        Command::Man(arguments) => manual::man(&arguments, cli),
        other => operate(other, at).await,
    }
}

/// Runs a command that works on an installation.
async fn operate(command: Command, at: &store::Arguments) -> anyhow::Result<u8> {
    logging::start(tracing::Level::WARN, false);
    // Adding a first tenant, or a file of tenants, may create a store.
    let creates = matches!(
        command,
        Command::Tenant(
            tenant::Command::Add(_) | tenant::Command::Import(_) | tenant::Command::Apply(_)
        )
    );
    let on = &if creates {
        store::open_or_create(at).await?
    } else {
        store::open(at).await?
    };
    match command {
        Command::Tenant(command) => tenant::run(command, on).await,
        Command::Status(arguments) => status::run(&arguments, on).await,
        Command::Invitations(arguments) => invitations::run(arguments, on).await,
        Command::Explain(arguments) => explain::run(arguments, on).await,
        Command::Hires(command) => hires::run(command, on).await,
        Command::Plan(arguments) => plan::run(arguments, on).await,
        Command::Tail(arguments) => tail::run(arguments, on).await,
        Command::Retry(arguments) => retry::run(arguments, on).await,
        Command::Reinvite(arguments) => reinvite::run(arguments, on).await,
        Command::Cancel(arguments) => cancel::run(arguments, on).await,
        Command::Resync(arguments) => resync::run(arguments, on).await,
        Command::Unmatched(command) => unmatched::run(command, on).await,
        Command::Replay(arguments) => replay::run(arguments, on).await,
        Command::Redrive(arguments) => redrive::run(arguments, on).await,
        Command::Erase(arguments) => erase::run(arguments, on).await,
        Command::Retention(arguments) => retention::run(arguments, on).await,
        Command::Probe(arguments) => probe::run(arguments, on).await,
        Command::Jobs(arguments) => lists::jobs(arguments, on).await,
        Command::Stages(arguments) => lists::stages(arguments, on).await,
        Command::Assessments(arguments) => lists::assessments(arguments, on).await,
        Command::Outcomes(arguments) => lists::outcomes(arguments, on).await,
        Command::Questions(arguments) => lists::questions(arguments, on).await,
        Command::Map(command) => map::run(command, on).await,
        Command::Register(arguments) => register::run(&arguments, on).await,
        Command::Doctor(arguments) => doctor::run(arguments, on).await,
        Command::Serve(_)
        | Command::Sandbox(_)
        | Command::Demo(_)
        | Command::Completions(_)
        | Command::Man(_) => unreachable!("run above"),
    }
}
