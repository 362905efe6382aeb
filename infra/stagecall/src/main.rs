//! The `stagecall` command.

mod cli;
mod config;
mod demo;
mod host;
mod logging;
mod sandbox;
mod serve;

use std::process::ExitCode;

use clap::Parser as _;

use cli::{Cli, Command};

/// How a command ended, as the shell sees it.
pub(crate) mod exit {
    /// It did what it was asked.
    pub(crate) const OK: u8 = 0;
    /// Something went wrong on the way.
    pub(crate) const FAILED: u8 = 1;
    /// The command line or the configuration is wrong; nothing was begun.
    pub(crate) const USAGE: u8 = 2;
    /// Another system refused us: credentials, permission, address.
    pub(crate) const REFUSED: u8 = 3;
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("stagecall: the runtime could not be started: {error}");
            return ExitCode::from(exit::FAILED);
        }
    };
    let outcome = runtime.block_on(async {
        match cli.command {
            Command::Serve(arguments) => serve::run(arguments).await,
            Command::Sandbox(arguments) => sandbox::run(arguments).await,
            Command::Demo(arguments) => demo::run(arguments).await,
        }
    });
    match outcome {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("stagecall: {error:#}");
            ExitCode::from(exit::FAILED)
        }
    }
}
