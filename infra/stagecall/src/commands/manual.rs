//! Shell completions and man pages, generated from the command line's definition.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use clap_complete::Shell;

use crate::exit;

/// Arguments of `completions`.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  stagecall completions bash > ~/.local/share/bash-completion/completions/stagecall"
)]
pub(crate) struct CompletionsArguments {
    /// The shell.
    shell: Shell,
}

/// Arguments of `man`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  stagecall man | man -l -\n  stagecall man --to /usr/local/share/man/man1"
)]
pub(crate) struct ManArguments {
    /// Write a page for every command to this folder.
    #[arg(long, value_name = "FOLDER")]
    to: Option<PathBuf>,
}

pub(crate) fn completions(arguments: &CompletionsArguments, mut cli: clap::Command) -> u8 {
    clap_complete::generate(
        arguments.shell,
        &mut cli,
        "stagecall",
        &mut std::io::stdout(),
    );
    exit::OK
}

/// Prints the first man page, or writes all of them.
pub(crate) fn man(arguments: &ManArguments, cli: clap::Command) -> anyhow::Result<u8> {
    match &arguments.to {
        Some(folder) => clap_mangen::generate_to(cli, folder)
            .with_context(|| format!("the pages cannot be written to {}", folder.display()))?,
        None => clap_mangen::Man::new(cli).render(&mut std::io::stdout())?,
    }
    Ok(exit::OK)
}
