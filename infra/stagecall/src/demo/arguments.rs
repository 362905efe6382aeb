//! The options of `stagecall demo`.

use clap::Args;

#[derive(Debug, Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[command(
    after_help = "Examples:\n  stagecall demo\n  stagecall demo --candidates 500 --faults --seed 7 --json\n  stagecall demo --keep"
)]
pub(crate) struct Arguments {
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
