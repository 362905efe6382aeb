//! `stagecall tenant export`.

use clap::Args;
use stagecall_operations::Installation;
use stagecall_operations::tenants::text::text;

use crate::exit;

/// Print tenants as TOML, without secrets, to be kept in git.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  stagecall tenant export > tenants.toml")]
pub(crate) struct Arguments {
    /// The tenants. [default: all]
    tenants: Vec<String>,
}

pub(crate) async fn run(arguments: Arguments, on: &Installation) -> anyhow::Result<u8> {
    let tenants = on.tenants_named(&arguments.tenants).await?;
    let printed = tenants.iter().map(text);
    let printed: Vec<String> = printed.collect::<Result<_, _>>()?;
    print!("{}", printed.join("\n"));
    Ok(exit::OK)
}
