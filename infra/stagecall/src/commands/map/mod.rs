//! `stagecall map …`: the mappings of a tenant.

mod add;
mod change;
mod pick;
mod show;
mod test;

use clap::Subcommand;

use stagecall_operations::Installation;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Add a mapping: vacancies, trigger stage, assessment, report. Saving it invites nobody. Live interviews and talent
    /// pools need more settings than flags can express: use tenant export and tenant apply.
    #[command(
        after_help = "Examples:\n  stagecall map add acme\n  stagecall map add acme --vacancy 'Support Worker' --stage 'Video Interview' --assessment 'First interview' --action-type 'Video Interview'"
    )]
    Add(Box<add::Arguments>),
    /// List a tenant's mappings.
    #[command(after_help = "Example:\n  stagecall map list acme")]
    List(show::List),
    /// Show a mapping in full.
    #[command(after_help = "Example:\n  stagecall map show acme first-interview --json")]
    Show(show::Show),
    /// Pause a mapping, so that it invites nobody. Open invitations are still followed and reported.
    #[command(after_help = "Example:\n  stagecall map pause acme first-interview --yes")]
    Pause(change::Arguments),
    /// Resume a paused mapping.
    #[command(after_help = "Example:\n  stagecall map resume acme first-interview --yes")]
    Resume(change::Arguments),
    /// Remove a mapping. Open invitations are still followed and reported until they end.
    #[command(after_help = "Example:\n  stagecall map remove acme first-interview --yes")]
    Remove(change::Arguments),
    /// Show what a mapping would do and write for an application, without writing anything.
    #[command(
        after_help = "Example:\n  stagecall map test acme first-interview --application 70001"
    )]
    Test(test::Arguments),
}

pub(crate) async fn run(command: Command, on: &Installation) -> anyhow::Result<u8> {
    match command {
        Command::Add(arguments) => add::run(*arguments, on).await,
        Command::List(arguments) => show::list(arguments, on).await,
        Command::Show(arguments) => show::show(arguments, on).await,
        Command::Pause(arguments) => change::run(arguments, change::To::Paused, on).await,
        Command::Resume(arguments) => change::run(arguments, change::To::On, on).await,
        Command::Remove(arguments) => change::run(arguments, change::To::Gone, on).await,
        Command::Test(arguments) => test::run(arguments, on).await,
    }
}
