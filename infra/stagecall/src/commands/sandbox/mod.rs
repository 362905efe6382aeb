//! `stagecall sandbox`.

mod play;

use anyhow::Context as _;
use clap::Args;
use stagecall_sandbox::{Options, Sandbox};

use play::Play;

use crate::{exit, host, logging};

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  stagecall sandbox\n  stagecall sandbox --port 7070 --seed 3\n  stagecall sandbox customer acme --keys acme-keys.toml"
)]
pub(crate) struct Arguments {
    /// Act as somebody in a sandbox that is already running, instead of starting one.
    #[command(subcommand)]
    pub(crate) play: Option<Play>,
    /// The port on 127.0.0.1; 0 picks a free one.
    #[arg(long, default_value_t = 7070, global = true)]
    pub(crate) port: u16,
    /// The seed that names, keys and faults are generated from.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
}

/// Runs the simulators until interrupted, or acts in a running sandbox.
pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<u8> {
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
