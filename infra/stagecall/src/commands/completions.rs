//! `stagecall completions`: generated from the command line's definition.

use clap::Args;
use clap_complete::Shell;

use crate::exit;

/// Print completions for a shell.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  stagecall completions bash > ~/.local/share/bash-completion/completions/stagecall"
)]
pub(crate) struct Arguments {
    /// The shell.
    shell: Shell,
}

pub(crate) fn run(arguments: &Arguments, mut cli: clap::Command) -> u8 {
    clap_complete::generate(
        arguments.shell,
        &mut cli,
        "stagecall",
        &mut std::io::stdout(),
    );
    exit::OK
}
