//! The `stagecall` command.

mod cli;
mod commands;
mod config;
mod confirm;
mod demo;
mod exit;
mod findings;
mod host;
mod logging;
mod output;
mod point_in_time;
mod prompt;
mod store;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};

use cli::Cli;

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
    let done = commands::run(cli.command, Cli::command(), &cli.installation);
    match runtime.block_on(Box::pin(done)) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("stagecall: {error:#}");
            ExitCode::from(exit::code(&error))
        }
    }
}
