//! Runs a target.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use fastrand::Rng;

use crate::mutate::mutated;

/// The number of failures after which a target is stopped.
const MAX_FAILURES: usize = 5;

/// The time limit of one input. Far above any input's need, far below what would block a worker.
const INPUT_TIMEOUT: Duration = Duration::from_secs(5);

/// A parser, with documents to break.
pub struct Target {
    /// Its name.
    pub name: &'static str,
    /// Documents of the right shape, of nobody in particular.
    pub samples: &'static [&'static str],
    /// What must hold for any input. The number is chance that belongs to the input.
    pub check: fn(&[u8], u64) -> Result<(), String>,
}

/// An input for which something did not hold.
pub struct Failure {
    /// The input.
    pub input: Vec<u8>,
    /// What did not hold.
    pub problem: String,
}

/// What came of a run.
pub struct Outcome {
    /// How many inputs were tried.
    pub executions: u64,
    /// Those that failed.
    pub failures: Vec<Failure>,
}

/// Tries inputs until there were so many of them, or the time is up.
pub fn run(target: &Target, seed: u64, executions: u64, time: Duration) -> Outcome {
    let begun = Instant::now();
    let mut random = Rng::with_seed(seed);
    let mut outcome = Outcome {
        executions: 0,
        failures: Vec::new(),
    };
    while outcome.executions < executions
        && outcome.failures.len() < MAX_FAILURES
        && begun.elapsed() < time
    {
        outcome.executions += 1;
        let sample = target.samples[random.usize(..target.samples.len())];
        let input = mutated(sample.as_bytes(), &mut random);
        if let Err(problem) = check(target, &input) {
            outcome.failures.push(Failure { input, problem });
        }
    }
    outcome
}

/// Tries one input.
pub fn check(target: &Target, input: &[u8]) -> Result<(), String> {
    let begun = Instant::now();
    let choice = chance(input) >> 8;
    let outcome = catch_unwind(AssertUnwindSafe(|| (target.check)(input, choice)));
    let taken = begun.elapsed();
    match outcome {
        Err(_) => Err("it panicked".to_owned()),
        Ok(Ok(())) if taken > INPUT_TIMEOUT => Err(format!("it took {} s", taken.as_secs())),
        Ok(outcome) => outcome,
    }
}

/// The chance that an input is given. It is its own, so that a saved one does the same again: FNV-1a.
pub fn chance(input: &[u8]) -> u64 {
    input.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Runs a future to its end.
pub fn block<T>(future: impl Future<Output = T>) -> Result<T, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("no runtime: {error}"))?;
    Ok(runtime.block_on(future))
}
