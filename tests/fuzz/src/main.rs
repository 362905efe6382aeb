//! Feeds every parser of outside data with broken and hostile documents, made from samples of the right shape.
//!
//! No coverage guides it: the samples bring it to every parser, and mutation that knows JSON keeps it there. The same
//! seed gives the same documents. Parsers are reached through the real clients over a transport that answers as it is
//! told, and each target says what must hold beside that nothing panics.

mod aws;
mod commands;
mod config;
mod deliveries;
mod eploy;
mod headers;
mod hrms;
mod inspector;
mod mutate;
mod outside;
mod placements;
mod platforms;
mod run;
mod secrets;
mod stored;
mod tasks;
mod templates;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use run::{Target, run};

/// All targets.
const TARGETS: &[&Target] = &[
    &eploy::SEARCH,
    &eploy::HISTORY,
    &eploy::RECORDS,
    &eploy::TOKENS,
    &eploy::ERRORS,
    &placements::SEARCH,
    &inspector::CATALOGUE,
    &inspector::PROBE,
    &platforms::WILLO,
    &platforms::WECP,
    &tasks::WILLO,
    &tasks::WECP,
    &hrms::ANSWERS,
    &deliveries::WILLO,
    &deliveries::WECP,
    &templates::TARGET,
    &config::FILE,
    &config::TENANT,
    &commands::SECRETS,
    &commands::TENANTS,
    &commands::SINCE,
    &secrets::KEYRING,
    &secrets::FILES,
    &stored::documents::TARGET,
    &stored::items::TARGET,
    &stored::columns::TARGET,
    &aws::answers::TARGET,
    &aws::calls::CALL,
    &aws::environment::TARGET,
    &aws::messages::MESSAGE,
    &aws::messages::BATCH,
];

/// Fuzzes the parsers of outside data.
#[derive(Parser)]
struct Arguments {
    /// How long, for each target.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Only the target of this name.
    #[arg(long)]
    target: Option<String>,
    /// Where chance begins.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where inputs that failed are saved.
    #[arg(long, default_value = "target/fuzz")]
    failures: PathBuf,
    /// Only this input, as it was saved; needs --target.
    #[arg(long, requires = "target")]
    input: Option<PathBuf>,
}

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let chosen: Vec<_> = TARGETS
        .iter()
        .filter(|target| {
            arguments
                .target
                .as_deref()
                .is_none_or(|name| name == target.name)
        })
        .collect();
    if chosen.is_empty() {
        let names: Vec<_> = TARGETS.iter().map(|target| target.name).collect();
        anyhow::bail!("there is no such target; there are: {}", names.join(", "));
    }
    if let Some(input) = arguments.input {
        let input = std::fs::read(input)?;
        for target in chosen {
            match run::check(target, &input) {
                Ok(()) => println!("{}: holds", target.name),
                Err(problem) => anyhow::bail!("{}: {problem}", target.name),
            }
        }
        return Ok(ExitCode::SUCCESS);
    }
    std::fs::create_dir_all(&arguments.failures)?;
    let mut failed = false;
    for target in chosen {
        let time = Duration::from_secs(arguments.seconds);
        let outcome = run(target, arguments.seed, u64::MAX, time);
        println!(
            "{:<16} {:>9} executions, {} failures",
            target.name,
            outcome.executions,
            outcome.failures.len()
        );
        for (number, failure) in outcome.failures.iter().enumerate() {
            let file = arguments
                .failures
                .join(format!("{}-{}-{number}", target.name, arguments.seed));
            std::fs::write(&file, &failure.input)?;
            println!("  {}\n    {}", file.display(), failure.problem);
            failed = true;
        }
    }
    Ok(if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As many inputs as take a second or less where nothing else runs.
    const EXECUTIONS: u64 = 400;

    /// What a target may take at most beyond one input: on a busy machine the slow ones end early, and all have their
    /// turn.
    const TIME: Duration = Duration::from_secs(2);

    #[test]
    fn every_target_holds() {
        for target in TARGETS {
            for sample in target.samples {
                let problem = run::check(target, sample.as_bytes()).err();
                assert_eq!(
                    problem, None,
                    "{}: its own sample {sample:.60}",
                    target.name
                );
            }
            let outcome = run(target, 1, EXECUTIONS, TIME);
            assert!(outcome.executions > 0, "{}", target.name);
            for failure in &outcome.failures {
                let input = String::from_utf8_lossy(&failure.input);
                eprintln!("{}: {}\n  {input:.2000}", target.name, failure.problem);
            }
            assert!(outcome.failures.is_empty(), "{}", target.name);
        }
    }
}
