//! `stagecall stages`.

use clap::Args;
use stagecall_eploy::List;
use stagecall_operations::Installation;
use stagecall_operations::lists;

use super::options;

/// List the stages of applications, or their statuses.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  stagecall stages acme\n  stagecall stages acme --statuses")]
pub(crate) struct Arguments {
    #[command(flatten)]
    of: options::OptionsArguments,
    /// List the statuses instead.
    #[arg(long)]
    statuses: bool,
}

pub(crate) async fn run(arguments: Arguments, on: &Installation) -> anyhow::Result<u8> {
    let (list, what) = if arguments.statuses {
        (List::Statuses, "status")
    } else {
        (List::Stages, "stage")
    };
    let found = lists::options(on, &arguments.of.tenant, list).await?;
    options::print(&found, what, arguments.of.output)
}
