//! `stagecall tenant …`.

mod add;
mod apply;
mod export;
mod file;
mod import;
mod list;
mod pause;
mod remove;
mod resume;
mod rotate;
mod set;
mod show;

use clap::Subcommand;
use stagecall_operations::Installation;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Add(Box<add::Arguments>),
    List(list::Arguments),
    Show(show::Arguments),
    Pause(pause::Arguments),
    Resume(resume::Arguments),
    Set(set::Arguments),
    Rotate(rotate::Arguments),
    Remove(remove::Arguments),
    Export(export::Arguments),
    Import(import::Arguments),
    Apply(apply::Arguments),
}

pub(crate) async fn run(command: Command, on: &Installation) -> anyhow::Result<u8> {
    match command {
        Command::Add(arguments) => add::run(*arguments, on).await,
        Command::List(arguments) => list::run(arguments, on).await,
        Command::Show(arguments) => show::run(arguments, on).await,
        Command::Pause(arguments) => pause::run(arguments, on).await,
        Command::Resume(arguments) => resume::run(arguments, on).await,
        Command::Set(arguments) => set::run(arguments, on).await,
        Command::Rotate(arguments) => rotate::run(arguments, on).await,
        Command::Remove(arguments) => remove::run(arguments, on).await,
        Command::Export(arguments) => export::run(arguments, on).await,
        Command::Import(arguments) => import::run(arguments, on).await,
        Command::Apply(arguments) => apply::run(arguments, on).await,
    }
}
