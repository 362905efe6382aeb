//! Repairs: each command prints what it will do, asks, is safe to repeat, and saves an audit record.

mod erase;
mod invitation;
mod redrive;
mod replay;
mod resync;
mod retention;
mod unmatched;
mod withdraw;

use clap::Subcommand;

use crate::store::Installation;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Retry at once: an application's invitations, or all of a tenant that failed or wait.
    #[command(
        after_help = "Examples:\n  stagecall retry acme 70215\n  stagecall retry acme --failed --yes --reason 'the key was renewed'"
    )]
    Retry(invitation::Many),
    /// Invite an application again, in a new round.
    #[command(
        after_help = "Example:\n  stagecall reinvite acme 70215 --mapping support-video --reason 'the recording was silent'"
    )]
    Reinvite(invitation::One),
    /// Cancel an invitation: it is not sent, or is withdrawn on the platform and counts as cancelled.
    #[command(after_help = "Example:\n  stagecall cancel acme 70215 --reason 'vacancy closed'")]
    Cancel(invitation::Cancel),
    /// Fetch results from the platform and changes from Eploy again: for one application at once, or for a whole tenant soon.
    #[command(
        after_help = "Examples:\n  stagecall resync acme 70215\n  stagecall resync acme --since 2d"
    )]
    Resync(resync::Arguments),
    /// List, link and discard callbacks that match no invitation.
    #[command(subcommand)]
    Unmatched(unmatched::Command),
    /// Process received callbacks again.
    #[command(
        after_help = "Example:\n  stagecall replay acme --since 2h --reason 'Eploy was down'"
    )]
    Replay(replay::Arguments),
    /// Send dead letters back to their queues, after showing their number and some of them.
    #[command(
        after_help = "Example:\n  stagecall redrive --store aws:stagecall-prod --reason 'the platform is back'"
    )]
    Redrive(redrive::Arguments),
    /// Remove everything about a candidate, and keep a tombstone that prevents a new invitation.
    #[command(
        after_help = "Example:\n  stagecall erase acme --candidate 9001 --reason 'asked to, ticket 118'"
    )]
    Erase(erase::Arguments),
    /// Show and set how long results are kept, and remove what has expired.
    #[command(
        after_help = "Examples:\n  stagecall retention acme\n  stagecall retention acme --days 365\n  stagecall retention acme --apply --yes"
    )]
    Retention(retention::Arguments),
}

pub(super) async fn run(command: Command, on: &Installation) -> anyhow::Result<u8> {
    match command {
        Command::Retry(arguments) => invitation::retry(&arguments, on).await,
        Command::Reinvite(arguments) => invitation::reinvite(&arguments, on).await,
        Command::Cancel(arguments) => invitation::cancel(&arguments, on).await,
        Command::Resync(arguments) => resync::run(&arguments, on).await,
        Command::Unmatched(command) => unmatched::run(command, on).await,
        Command::Replay(arguments) => replay::run(&arguments, on).await,
        Command::Redrive(arguments) => redrive::run(&arguments, on).await,
        Command::Erase(arguments) => erase::run(&arguments, on).await,
        Command::Retention(arguments) => retention::run(&arguments, on).await,
    }
}
