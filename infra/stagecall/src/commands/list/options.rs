//! Options of Eploy, printed.

use clap::Args;
use stagecall_operations::lists::Options;

use crate::exit;
use crate::output::{Output, print_json, table};

/// Whose options to list.
#[derive(Debug, Args)]
pub(super) struct OptionsArguments {
    /// The tenant.
    pub(super) tenant: String,
    #[command(flatten)]
    pub(super) output: Output,
}

pub(super) fn print(options: &Options, what: &str, output: Output) -> anyhow::Result<u8> {
    if output.json {
        print_json(options)?;
        return Ok(exit::OK);
    }
    let mut shown = table(["id", what]);
    for option in options.options.iter().filter(|option| !option.archived) {
        shown.add_row([&option.id, &option.name]);
    }
    println!("{shown}");
    if let Some(note) = &options.note {
        println!("{note}");
    }
    Ok(exit::OK)
}
