//! `stagecall sandbox`.

mod play;

use anyhow::Context as _;
use stagecall_sandbox::{Options, Sandbox};

pub(crate) use play::Play;

use crate::cli::SandboxArguments;
use crate::{exit, host, logging};

/// Runs the simulators until interrupted, or acts in a running sandbox.
pub(crate) async fn run(arguments: SandboxArguments) -> anyhow::Result<u8> {
    if let Some(play) = arguments.play {
        return play::run(play, arguments.port).await;
    }
    logging::start(tracing::Level::INFO, false);
    let options = Options {
        port: arguments.port,
        seed: arguments.seed,
    };
    let running = Sandbox::start(options)
        .await
        .with_context(|| format!("the sandbox cannot listen on port {}", arguments.port))?;
    println!("sandbox at {}", running.url());
    host::interrupted().await;
    running.shutdown().await;
    Ok(exit::OK)
}
