//! Explores every history of one invitation, within bounds, and checks that the promises hold in all of them. The
//! transition function is production's own, `Invitation::apply`. The workers' steps are those of its use cases.
//!
//! `cargo run -p stagecall-model` explores all settings, or those whose names contain one of its arguments, and exits
//! non-zero if a promise is broken, or if a seeded fault is not found.

mod inviting;
mod life;
mod reporting;
mod runs;
mod setting;
mod steps;
#[cfg(test)]
mod tests;
mod worker;
mod world;

use std::process::ExitCode;

fn main() -> ExitCode {
    println!("{}", runs::BOUNDS);
    let only: Vec<String> = std::env::args().skip(1).collect();
    let mut runs = runs::all();
    runs.retain(|run| only.is_empty() || only.iter().any(|part| run.setting.name.contains(part)));
    let mut fine = !runs.is_empty();
    for run in &runs {
        let shown = runs::explore(run);
        print!("{shown}");
        fine &= shown.as_expected;
    }
    if fine {
        println!("Every property holds, and every seeded fault was found.");
        ExitCode::SUCCESS
    } else {
        println!("FAILED: see above.");
        ExitCode::FAILURE
    }
}
