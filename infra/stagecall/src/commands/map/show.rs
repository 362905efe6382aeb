//! `stagecall map show`.

use clap::Args;
use stagecall_operations::Installation;
use stagecall_operations::mappings::show::{find, in_words};

use crate::exit;
use crate::output::{Output, print_json};

/// Show a mapping in full.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  stagecall map show acme first-interview --json")]
pub(crate) struct Arguments {
    /// The tenant.
    tenant: String,
    /// The mapping.
    mapping: String,
    #[command(flatten)]
    output: Output,
}

pub(crate) async fn run(arguments: Arguments, on: &Installation) -> anyhow::Result<u8> {
    let tenant = on.tenant(&arguments.tenant).await?;
    let mapping = find(&tenant, &arguments.mapping)?;
    if arguments.output.json {
        print_json(mapping)?;
    } else {
        println!("{}", in_words(mapping));
    }
    Ok(exit::OK)
}
