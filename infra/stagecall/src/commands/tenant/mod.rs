//! `stagecall tenant …`.

mod add;
mod apply;
mod list;
mod pause;
mod remove;
mod rotate;
mod set;
mod show;
mod validate;

use clap::Subcommand;

use crate::output::Output;

use stagecall_operations::Installation;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Connect a customer: its Eploy and its platform, with a check of each step. Run it again to continue or to re-check.
    #[command(
        after_help = "Examples:\n  stagecall tenant add acme\n  stagecall tenant add acme --eploy acme --platform willo --secrets acme-keys.toml"
    )]
    Add(Box<add::Arguments>),
    /// List the tenants.
    #[command(after_help = "Example:\n  stagecall tenant list --json")]
    List(Output),
    /// Show a tenant: its configuration, the state of its mappings, and its audit records.
    #[command(after_help = "Example:\n  stagecall tenant show acme")]
    Show(show::Arguments),
    /// Stop polling, inviting and sweeping for a tenant.
    #[command(
        after_help = "Example:\n  stagecall tenant pause acme --reason 'Eploy is being upgraded'"
    )]
    Pause(pause::Arguments),
    /// Resume a paused tenant where it stopped.
    #[command(after_help = "Example:\n  stagecall tenant resume acme")]
    Resume(pause::Arguments),
    /// Change settings of a tenant, by their names in `tenant export`.
    #[command(
        after_help = "Examples:\n  stagecall tenant set acme eploy.poll_seconds=120\n  stagecall tenant set acme eploy.dialect.dates=uk platforms.willo.settings.calls_per_second=2\n  stagecall tenant set acme --unset eploy.dialect.dates"
    )]
    Set(set::Arguments),
    /// Replace credentials, or a callback token.
    #[command(
        after_help = "Examples:\n  stagecall tenant rotate acme --eploy\n  stagecall tenant rotate acme --secrets - < acme-keys.toml\n  stagecall tenant rotate acme --callback willo --keep-hours 48"
    )]
    Rotate(rotate::Arguments),
    /// Remove a tenant's configuration and credentials. Its invitations stay in the store.
    #[command(after_help = "Example:\n  stagecall tenant remove acme --reason 'contract ended'")]
    Remove(remove::Arguments),
    /// Print tenants as TOML, without secrets, to be kept in git.
    #[command(after_help = "Example:\n  stagecall tenant export > tenants.toml")]
    Export {
        /// The tenants. [default: all]
        tenants: Vec<String>,
    },
    /// Add the tenants of a file that do not exist yet.
    #[command(after_help = "Example:\n  stagecall tenant import tenants.toml")]
    Import(apply::Arguments),
    /// Make tenants match a file, after showing what changes. Tenants that are not in the file are left unchanged.
    #[command(
        after_help = "Examples:\n  stagecall tenant apply tenants.toml\n  stagecall tenant apply tenants.toml --check"
    )]
    Apply(apply::Arguments),
}

pub(crate) async fn run(command: Command, on: &Installation) -> anyhow::Result<u8> {
    match command {
        Command::Add(arguments) => add::run(*arguments, on).await,
        Command::List(output) => list::run(output, on).await,
        Command::Show(arguments) => show::run(&arguments, on).await,
        Command::Pause(arguments) => pause::run(arguments, true, on).await,
        Command::Resume(arguments) => pause::run(arguments, false, on).await,
        Command::Set(arguments) => set::run(&arguments, on).await,
        Command::Rotate(arguments) => rotate::run(&arguments, on).await,
        Command::Remove(arguments) => remove::run(&arguments, on).await,
        Command::Export { tenants } => apply::export(&tenants, on).await,
        Command::Import(arguments) => apply::import(&arguments, on).await,
        Command::Apply(arguments) => apply::run(&arguments, on).await,
    }
}
