//! The deployed story: the project's own template on an emulator of AWS, the functions' own binaries, and customers in
//! the sandbox. The schedule drives everything. The sandbox's records decide.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "here, a panic is an answer"
)]

mod callbacks;
mod cast;
mod crowd;
mod data_residue;
mod evidence;
mod member;
mod missing_permission;
mod outage;
mod scene;
mod story;
mod strangers;
mod suspended;
mod verdict;

use std::panic::AssertUnwindSafe;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use futures::FutureExt as _;
use scene::Scene;
use stagecall_core::timing::Timing;
use stagecall_emulator::{Emulator, Functions, Plan, Stack};
use stagecall_sandbox::{Options, Sandbox};
use stagecall_tests::harness::within;

/// The timeout of anything that waits for the schedule: two rounds on a busy machine.
const SCHEDULE_TIMEOUT: Duration = Duration::from_secs(160);

/// The intervals of the story.
fn timing() -> Timing {
    Timing {
        call_seconds: 8.0,
        lease_seconds: 12.0,
        settle_seconds: 1.0,
        retry_seconds: 0.5,
        retry_max_seconds: 4.0,
        late_seconds: 600.0,
        give_up_seconds: 3600.0,
        sweep_seconds: 5.0,
        sweep_max_seconds: 10.0,
        suspend_seconds: 1.0,
        ..Timing::default()
    }
}

#[tokio::main(worker_threads = 2)]
async fn main() -> ExitCode {
    let began = Instant::now();
    // Beside the test itself, which is in <target>/<profile>/deps; tests/deployed has built them.
    let test = std::env::current_exe().unwrap();
    let functions = Functions::built_in(test.ancestors().nth(2).unwrap());
    let mut emulator = Emulator::start(&functions).await.unwrap();
    let plan = Plan::new("story", timing()).await.unwrap();
    let stack = emulator.deploy(&plan).await.unwrap();
    tell(began, "the stack is deployed");
    let sandbox = Sandbox::start(Options { port: 0, seed: 41 }).await.unwrap();
    let player = sandbox.player();
    let scene = Scene {
        stack: &stack,
        player: &player,
        began,
    };
    let story = async {
        // Both at once: each waits for its own schedule.
        let (mut cast, ()) = tokio::join!(
            story::begins(&scene),
            missing_permission::fails_visibly(&emulator, plan, &player),
        );
        story::goes_on(&scene, &mut emulator, &mut cast).await;
        evidence::metrics_for_the_alarms(&stack).await;
        evidence::no_unexpected_failures(&stack).await;
        let needles = data_residue::needles(&stack, &player, &cast.members()).await;
        evidence::nobody_in_the_logs(&stack, &needles, &cast.members()).await;
        data_residue::nobody_in_the_table(&stack, &needles, &cast.members()).await;
        let (schedule, queue, http) = evidence::invocations(&stack).await;
        let dead = stack.all_dead_letters().await.unwrap();
        let sums = verdict::judge(&cast.members()).await;
        println!(
            "deployed story: functions invoked by schedule {schedule}, by queue {queue}, over HTTP {http}; invited {}, reported {}, duplicates {}, lost {}, dead letters {dead}",
            sums.invited, sums.reported, sums.duplicates, sums.lost,
        );
        assert_eq!((sums.wrong, dead), (Vec::new(), 0));
        assert!(schedule > 0 && queue > 0 && http > 0);
        crowd::delays_no_other_tenant(&scene).await;
    };
    let outcome = AssertUnwindSafe(Box::pin(story)).catch_unwind().await;
    if outcome.is_err() {
        failures(&stack).await;
    }
    tell(began, "the end");
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// Prints the progress of the story.
fn tell(since: Instant, what: &str) {
    eprintln!("deployed: {:3} s: {what}", since.elapsed().as_secs());
}

/// What `look` finds, as soon as it finds something. Fails with `what` if two minutes of the schedule do not bring it.
async fn until<T>(what: &str, look: impl AsyncFnMut() -> Option<T>) -> T {
    within(SCHEDULE_TIMEOUT, look)
        .await
        .unwrap_or_else(|| panic!("timed out waiting until {what}"))
}

/// The functions' warnings and errors, to diagnose a failure.
async fn failures(stack: &Stack) {
    const LINES: usize = 40;
    let log = stack.log().await.unwrap_or_default();
    let failures: Vec<_> = log
        .iter()
        .filter(|line| {
            ["\"WARN\"", "\"ERROR\"", "panicked"]
                .iter()
                .any(|word| line.text.contains(word))
        })
        .collect();
    eprintln!("-- the last warnings and errors of the functions:");
    for line in &failures[failures.len().saturating_sub(LINES)..] {
        eprintln!("{}: {}", line.function, line.text);
    }
    eprintln!("--");
}
