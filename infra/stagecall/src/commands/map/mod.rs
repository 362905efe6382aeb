//! `stagecall map …`: the mappings of a tenant.

mod add;
mod list;
mod pause;
mod pick;
mod remove;
mod resume;
mod show;
mod test;

use clap::Subcommand;
use stagecall_operations::Installation;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Add(Box<add::Arguments>),
    List(list::Arguments),
    Show(show::Arguments),
    Pause(pause::Arguments),
    Resume(resume::Arguments),
    Remove(remove::Arguments),
    Test(test::Arguments),
}

pub(crate) async fn run(command: Command, on: &Installation) -> anyhow::Result<u8> {
    match command {
        Command::Add(arguments) => add::run(*arguments, on).await,
        Command::List(arguments) => list::run(arguments, on).await,
        Command::Show(arguments) => show::run(arguments, on).await,
        Command::Pause(arguments) => pause::run(arguments, on).await,
        Command::Resume(arguments) => resume::run(arguments, on).await,
        Command::Remove(arguments) => remove::run(arguments, on).await,
        Command::Test(arguments) => test::run(arguments, on).await,
    }
}
