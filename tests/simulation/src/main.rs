//! `simulate`: runs histories and prints their outcome.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use mimalloc::MiMalloc;
use serde_json::json;
use stagecall_simulation::{Sum, many, run};

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Runs simulated histories of Stagecall and checks its promises.
#[derive(Parser)]
struct Arguments {
    /// The number of histories
    #[arg(long, default_value_t = 1000)]
    histories: u64,
    /// The seed of the first history; the others follow it
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print the history of the seed, line by line
    #[arg(long)]
    print: bool,
    /// Print the summary as JSON
    #[arg(long)]
    json: bool,
    /// Stop at the first violation, without printing its history
    #[arg(long)]
    hunt: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.print {
        return print(arguments.seed);
    }
    let begun = Instant::now();
    let sum = many(arguments.seed, arguments.histories, arguments.hunt);
    let seconds = begun.elapsed().as_secs_f64();
    if arguments.json {
        print_json(&sum, seconds);
    } else {
        print_summary(&sum, seconds);
    }
    let Some((seed, _)) = sum.failed.first_key_value() else {
        return ExitCode::SUCCESS;
    };
    if !arguments.hunt && !arguments.json {
        println!("\nthe history of seed {seed}:");
        print(*seed);
    }
    ExitCode::FAILURE
}

/// Prints one history, with the log of the code under test.
fn print(seed: u64) -> ExitCode {
    tracing_subscriber::fmt()
        .without_time()
        .with_target(false)
        .with_ansi(false)
        .init();
    let ended = run(seed, true);
    println!("seed {seed}, digest {:016x}", ended.digest);
    if ended.violations.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

#[allow(clippy::cast_precision_loss, reason = "a rate for people")]
fn rate(sum: &Sum, seconds: f64) -> f64 {
    sum.histories as f64 / seconds.max(0.001)
}

fn print_summary(sum: &Sum, seconds: f64) {
    println!("histories            {:>12}", sum.histories);
    println!("effects              {:>12}", sum.effects);
    println!("invitations accepted {:>12}", sum.accepted);
    println!(
        "faults injected      {:>12}",
        sum.faults.values().sum::<u64>()
    );
    for (kind, count) in &sum.faults {
        println!("  {kind:<24}{count:>7}");
    }
    println!("violations           {:>12}", sum.failed.len());
    println!("histories a second   {:>12.0}", rate(sum, seconds));
    println!(
        "not simulated: a sender that is stopped between its last look at the clock and the first byte, for longer than its lease"
    );
    for (seed, violations) in sum.failed.iter().take(20) {
        println!("seed {seed}: {}", violations.join("; "));
    }
}

fn print_json(sum: &Sum, seconds: f64) {
    let failed: BTreeMap<String, &Vec<String>> = sum
        .failed
        .iter()
        .map(|(seed, violations)| (seed.to_string(), violations))
        .collect();
    let summary = json!({
        "histories": sum.histories,
        "effects": sum.effects,
        "accepted": sum.accepted,
        "faults": sum.faults,
        "violations": failed,
        "histories_per_second": rate(sum, seconds).round(),
    });
    println!("{summary}");
}
