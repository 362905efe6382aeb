//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Connects the Eploy applicant tracking system with interview platforms.
#[derive(Debug, Parser)]
#[command(
    name = "stagecall",
    version,
    after_help = "Exit codes: 0 done, 1 failed on the way, 2 wrong command line or configuration, 3 refused by Eploy or a platform.\n\nStart with:  stagecall demo"
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve the tenants of a configuration file, on this machine.
    Serve(ServeArguments),
    /// Run stand-ins of Eploy and Willo to try things out against.
    Sandbox(SandboxArguments),
    /// Watch candidates being invited, responding and appearing in Eploy, against stand-ins on this machine.
    Demo(DemoArguments),
}

/// Arguments of `serve`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  stagecall serve --config stagecall.toml\n  stagecall serve --config stagecall.toml --check\n  stagecall serve --print-example > stagecall.toml"
)]
pub(crate) struct ServeArguments {
    /// The configuration file.
    #[arg(
        long,
        env = "STAGECALL_CONFIG",
        required_unless_present = "print_example"
    )]
    pub(crate) config: Option<PathBuf>,
    /// Check the file and end.
    #[arg(long)]
    pub(crate) check: bool,
    /// Print a commented example of the file and end.
    #[arg(long)]
    pub(crate) print_example: bool,
    /// Write logs as JSON, one event per line.
    #[arg(long)]
    pub(crate) log_json: bool,
}

/// Arguments of `sandbox`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  stagecall sandbox\n  stagecall sandbox --port 7070 --seed 3")]
pub(crate) struct SandboxArguments {
    /// The port on 127.0.0.1; 0 takes a free one.
    #[arg(long, default_value_t = 7070)]
    pub(crate) port: u16,
    /// What people, keys and faults are made up from.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
}

/// Arguments of `demo`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  stagecall demo\n  stagecall demo --candidates 500 --faults --seed 7 --json\n  stagecall demo --keep"
)]
pub(crate) struct DemoArguments {
    /// How many candidates there are.
    #[arg(long, default_value_t = 36, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    pub(crate) candidates: u32,
    /// Let calls fail before and after they took effect, slow down, be throttled, and callbacks get lost, doubled and late.
    #[arg(long)]
    pub(crate) faults: bool,
    /// What the story is made up from: the same seed, the same story.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Go on serving afterwards, and print the addresses.
    #[arg(long)]
    pub(crate) keep: bool,
    /// Print the outcome as one JSON object, on the last line.
    #[arg(long)]
    pub(crate) json: bool,
}
