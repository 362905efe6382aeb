//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use url::Url;

use crate::connect;
use crate::manual::{CompletionsArguments, ManArguments};
use crate::operate;
use crate::sandbox::Play;
use crate::store::StoreUrl;

/// Connects the Eploy applicant tracking system with interview platforms.
#[derive(Debug, Parser)]
#[command(
    name = "stagecall",
    version,
    after_help = "Exit codes: 0 success, 1 failure, 2 invalid command line or configuration, 3 rejected by Eploy or a platform, 4 not found.\n\nStart with:  stagecall demo"
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) installation: InstallationArguments,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve the tenants of the store and of a configuration file on this machine.
    Serve(ServeArguments),
    /// Run simulators of Eploy, Willo, WeCP and an HRMS.
    Sandbox(SandboxArguments),
    /// Run a demo against simulators on this machine: candidates are invited on two platforms, respond, appear in Eploy and
    /// are hired.
    Demo(DemoArguments),
    #[command(flatten)]
    Operate(operate::Command),
    #[command(flatten)]
    Connect(connect::Command),
    /// Print completions for a shell.
    Completions(CompletionsArguments),
    /// Print the manual.
    Man(ManArguments),
}

/// The installation that a command works on.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Installation")]
pub(crate) struct InstallationArguments {
    /// The store: sqlite:PATH or aws:STACK. [default: sqlite:stagecall.db]
    #[arg(long, global = true, env = "STAGECALL_STORE", value_name = "STORE")]
    pub(crate) store: Option<StoreUrl>,
    /// The configuration file of `serve`, if there is one: it names the store, the intervals and the secrets of its tenants.
    #[arg(long, global = true, env = "STAGECALL_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Allow http and loopback addresses. Only for use with `stagecall sandbox`.
    #[arg(long, global = true, env = "STAGECALL_SANDBOX")]
    pub(crate) sandbox: bool,
}

/// Arguments of `serve`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  stagecall serve --config stagecall.toml\n  stagecall serve --config stagecall.toml --check\n  stagecall serve --store sqlite:stagecall.db --listen 127.0.0.1:8080\n  stagecall serve --print-example > stagecall.toml"
)]
pub(crate) struct ServeArguments {
    /// The address to listen on for callbacks; overrides the configuration file. [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<SocketAddr>,
    /// The public URL of that listener, which platforms call; overrides the configuration file.
    #[arg(long, value_name = "URL")]
    pub(crate) public_url: Option<Url>,
    /// Check the configuration file and exit.
    #[arg(long)]
    pub(crate) check: bool,
    /// Print a commented example of the configuration file and exit.
    #[arg(long)]
    pub(crate) print_example: bool,
    /// Write logs as JSON, one event per line.
    #[arg(long)]
    pub(crate) log_json: bool,
}

/// Arguments of `sandbox`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  stagecall sandbox\n  stagecall sandbox --port 7070 --seed 3\n  stagecall sandbox customer acme --keys acme-keys.toml"
)]
pub(crate) struct SandboxArguments {
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

/// Arguments of `demo`.
#[derive(Debug, Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[command(
    after_help = "Examples:\n  stagecall demo\n  stagecall demo --candidates 500 --faults --seed 7 --json\n  stagecall demo --keep"
)]
pub(crate) struct DemoArguments {
    /// The number of candidates.
    #[arg(long, default_value_t = 36, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    pub(crate) candidates: u32,
    /// Inject faults: failing, slow and throttled calls; lost, duplicated and late callbacks.
    #[arg(long)]
    pub(crate) faults: bool,
    /// The seed of the script: the same seed gives the same script.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Keep serving afterwards, and print the addresses.
    #[arg(long)]
    pub(crate) keep: bool,
    /// Print the outcome as one JSON object on the last line.
    #[arg(long)]
    pub(crate) json: bool,
    /// Run the functions instead of the embedded host: the project's own template, deployed to an AWS emulator, which is
    /// installed into .venv if it is missing. Needs Python 3.10 and a checkout of the repository.
    #[cfg(feature = "aws")]
    #[arg(long)]
    pub(crate) aws: bool,
}
