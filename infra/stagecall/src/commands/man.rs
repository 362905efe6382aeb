//! `stagecall man`: generated from the command line's definition.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;

use crate::exit;

/// Print the manual.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  stagecall man | man -l -\n  stagecall man --to /usr/local/share/man/man1"
)]
pub(crate) struct Arguments {
    /// Write a page for every command to this folder.
    #[arg(long, value_name = "FOLDER")]
    to: Option<PathBuf>,
}

/// Prints the first page, or writes all of them.
pub(crate) fn run(arguments: &Arguments, cli: clap::Command) -> anyhow::Result<u8> {
    match &arguments.to {
        Some(folder) => clap_mangen::generate_to(cli, folder)
            .with_context(|| format!("the pages cannot be written to {}", folder.display()))?,
        None => clap_mangen::Man::new(cli).render(&mut std::io::stdout())?,
    }
    Ok(exit::OK)
}
