//! Measures the functions as they are deployed: how they start, how large they are, how much memory they take, and what an
//! invitation's life costs. Run by `tests/bench`, which builds them.

mod aws;
mod figure;
mod life;
mod memory;
mod process;
mod runtime_api;
mod share;
mod start;
mod story;
mod tls;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use figure::{Aim, Figure};

/// The functions, by the names of their folders.
const FUNCTIONS: [&str; 5] = ["clock", "poll", "invite", "callback", "writeback"];

/// The largest binary, in megabytes.
const LARGEST: f64 = 8.0;

/// What to measure with.
#[derive(Parser)]
struct Arguments {
    /// The folder with the functions, the smallest function and the TLS example, as built for deployment.
    #[arg(long)]
    release: PathBuf,
    /// The stand-in for DynamoDB.
    #[arg(long)]
    table: PathBuf,
    /// What the test of an invitation's cost has printed.
    #[arg(long)]
    life: PathBuf,
    /// How often each function is started.
    #[arg(long, default_value_t = 60)]
    starts: usize,
    /// How many changed applications the long poll reads.
    #[arg(long, default_value_t = 10_000)]
    applications: u32,
    /// Print JSON instead of a table.
    #[arg(long)]
    json: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let binary = |function: &str| arguments.release.join(format!("stagecall-{function}"));
    let mut figures = start::measure(&binary, arguments.starts).await?;
    figures.extend(tls::measure(&arguments.release.join("examples/first_request")).await?);
    for function in FUNCTIONS {
        let bytes = std::fs::metadata(binary(function))?.len();
        #[allow(clippy::cast_precision_loss, reason = "megabytes")]
        let megabytes = bytes as f64 / 1e6;
        let name = format!("{function}: binary");
        figures.push(Figure::new(name, megabytes, "MB", Aim::AtMost(LARGEST)));
    }
    figures.extend(life::measure(&std::fs::read_to_string(&arguments.life)?));
    let memory = memory::measure(&binary, &arguments.table, arguments.applications).await;
    // A story that fails takes nothing from what was measured before it.
    let failed = memory.map(|more| figures.extend(more)).err();
    if arguments.json {
        println!("{}", figure::json(&figures));
    } else {
        println!("{}", figure::table(&figures));
    }
    if let Some(failed) = failed {
        return Err(failed.context("the functions' memory could not be measured"));
    }
    let reached = figures.iter().all(Figure::is_reached);
    Ok(if reached {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
