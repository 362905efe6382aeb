//! `stagecall hires …`.

mod list;
mod redeliver;

use clap::Subcommand;
use stagecall_operations::Installation;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    List(list::Arguments),
    Redeliver(redeliver::Arguments),
}

pub(crate) async fn run(command: Command, on: &Installation) -> anyhow::Result<u8> {
    match command {
        Command::List(arguments) => list::run(&arguments, on).await,
        Command::Redeliver(arguments) => redeliver::run(arguments, on).await,
    }
}
