//! The commands: a file each, in a folder of its noun if there is one.

mod cancel;
mod completions;
mod doctor;
mod erase;
mod explain;
mod hires;
mod invitations;
mod list;
mod man;
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
    Probe(probe::Arguments),
    Jobs(list::jobs::Arguments),
    Stages(list::stages::Arguments),
    Assessments(list::assessments::Arguments),
    Outcomes(list::outcomes::Arguments),
    Questions(list::questions::Arguments),
    /// Add, list, show, test, pause and remove mappings: which applications are invited to which assessment.
    #[command(subcommand)]
    Map(map::Command),
    Register(register::Arguments),
    Doctor(doctor::Arguments),
    Completions(completions::Arguments),
    Man(man::Arguments),
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
        Command::Completions(arguments) => Ok(completions::run(&arguments, cli)),
        Command::Man(arguments) => man::run(&arguments, cli),
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
        Command::Jobs(arguments) => list::jobs::run(arguments, on).await,
        Command::Stages(arguments) => list::stages::run(arguments, on).await,
        Command::Assessments(arguments) => list::assessments::run(arguments, on).await,
        Command::Outcomes(arguments) => list::outcomes::run(arguments, on).await,
        Command::Questions(arguments) => list::questions::run(arguments, on).await,
        Command::Map(command) => map::run(command, on).await,
        Command::Register(arguments) => register::run(arguments, on).await,
        Command::Doctor(arguments) => doctor::run(arguments, on).await,
        Command::Serve(_)
        | Command::Sandbox(_)
        | Command::Demo(_)
        | Command::Completions(_)
        | Command::Man(_) => unreachable!("run above"),
    }
}
