//! `stagecall unmatched …`.

mod discard;
mod link;
mod list;

use clap::Subcommand;
use stagecall_operations::Installation;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    List(list::Arguments),
    Link(link::Arguments),
    Discard(discard::Arguments),
}

pub(crate) async fn run(command: Command, on: &Installation) -> anyhow::Result<u8> {
    match command {
        Command::List(arguments) => list::run(&arguments, on).await,
        Command::Link(arguments) => link::run(arguments, on).await,
        Command::Discard(arguments) => discard::run(&arguments, on).await,
    }
}
