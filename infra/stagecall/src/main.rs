//! The `stagecall` command.

mod cli;
mod config;
mod connect;
mod demo;
mod host;
mod logging;
mod manual;
mod operate;
mod sandbox;
mod secrets_input;
mod serve;
mod store;

use std::process::ExitCode;

use clap::Parser as _;

use cli::{Cli, Command};

/// Exit codes.
pub(crate) mod exit {
    pub(crate) const OK: u8 = 0;
    pub(crate) const FAILED: u8 = 1;
    /// The command line or the configuration is invalid; nothing was started.
    pub(crate) const USAGE: u8 = 2;
    /// Another system rejected a call: credentials, permission, address.
    pub(crate) const REFUSED: u8 = 3;
    /// The named record does not exist.
    pub(crate) const NOT_FOUND: u8 = 4;

    /// An error with an exit code other than [`FAILED`].
    #[derive(Debug, thiserror::Error)]
    #[error("{message}")]
    pub(crate) struct ExitError {
        code: u8,
        message: String,
    }

    /// An error that exits with [`USAGE`].
    pub(crate) fn usage(message: impl Into<String>) -> anyhow::Error {
        let message = message.into();
        ExitError {
            code: USAGE,
            message,
        }
        .into()
    }

    /// An error that exits with [`NOT_FOUND`].
    pub(crate) fn not_found(message: impl Into<String>) -> anyhow::Error {
        let message = message.into();
        ExitError {
            code: NOT_FOUND,
            message,
        }
        .into()
    }

    /// The exit code of an error.
    pub(crate) fn code(of: &anyhow::Error) -> u8 {
        if let Some(exit_error) = of.downcast_ref::<ExitError>() {
            exit_error.code
        } else if of
            .downcast_ref::<stagecall_core::error::CallError>()
            .is_some()
        {
            REFUSED
        } else {
            FAILED
        }
    }
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("stagecall: cannot start the async runtime: {error}");
            return ExitCode::from(exit::FAILED);
        }
    };
    let outcome = runtime.block_on(async {
        match cli.command {
            Command::Serve(arguments) => serve::run(arguments, &cli.installation).await,
            Command::Sandbox(arguments) => sandbox::run(arguments).await,
            Command::Demo(arguments) => demo::run(arguments).await,
            Command::Completions(arguments) => Ok(manual::completions(&arguments)),
            Command::Man(arguments) => manual::man(&arguments),
            Command::Operate(command) => Box::pin(operate::run(command, &cli.installation)).await,
            Command::Connect(command) => Box::pin(connect::run(command, &cli.installation)).await,
        }
    });
    match outcome {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("stagecall: {error:#}");
            ExitCode::from(exit::code(&error))
        }
    }
}
