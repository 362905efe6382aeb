//! `stagecall sandbox`.

use anyhow::Context as _;
use stagecall_sandbox::{Options, Sandbox};

use crate::cli::SandboxArguments;
use crate::{exit, host, logging};

/// Runs the stand-ins until interrupted.
pub(crate) async fn run(arguments: SandboxArguments) -> anyhow::Result<u8> {
    logging::start(tracing::Level::INFO, false);
    let options = Options {
        port: arguments.port,
        seed: arguments.seed,
    };
    let running = Sandbox::start(options)
        .await
        .with_context(|| format!("the sandbox could not listen on port {}", arguments.port))?;
    println!("sandbox at {}", running.url());
    host::interrupted().await;
    running.shutdown().await;
    Ok(exit::OK)
}
