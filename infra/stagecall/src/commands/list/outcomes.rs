//! `stagecall outcomes`.

use clap::Args;
use stagecall_eploy::List;
use stagecall_operations::Installation;
use stagecall_operations::lists;

use super::options;

/// List the outcomes of actions, or the action types.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  stagecall outcomes acme\n  stagecall outcomes acme --types")]
pub(crate) struct Arguments {
    #[command(flatten)]
    of: options::OptionsArguments,
    /// List the action types instead.
    #[arg(long)]
    types: bool,
}

pub(crate) async fn run(arguments: Arguments, on: &Installation) -> anyhow::Result<u8> {
    let (list, what) = if arguments.types {
        (List::ActionTypes, "action type")
    } else {
        (List::Outcomes, "outcome")
    };
    let found = lists::options(on, &arguments.of.tenant, list).await?;
    options::print(&found, what, arguments.of.output)
}
