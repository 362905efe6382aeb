//! The machine kills a host at any moment, suspends it, and keeps a second one from its file.

use std::time::Duration;

use serde_json::json;
use stagecall_sandbox::control::{Fault, Rule};
use stagecall_tests::harness::{Harness, stagecall, until};

use super::crowd::{Crowd, mild_faults};
use super::privacy::ALL_LOGS;

/// How often the host is killed.
const KILLS: u64 = 24;
/// The number of suspensions.
const SUSPENSIONS: u32 = 5;
/// The lease of calls while it does, in seconds.
const LEASE: f64 = 1.5;

/// Killed after this many milliseconds, at any point, also while it starts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_hardly_ever_gets_to_serve_doubles_and_loses_nothing() {
    let (mut harness, acme) = Harness::with_one(161).await;
    let mut random = fastrand::Rng::with_seed(161);
    harness.open_to_callbacks();
    harness.logs = ALL_LOGS;
    harness.config["timing"]["call_seconds"] = json!(2.0);
    harness.config["timing"]["lease_seconds"] = json!(3.0);
    harness.start_for(&[&acme]).await;
    harness.faults(mild_faults()).await;
    let mut crowd = Crowd::new(&acme, 48).await;
    for _ in 0..KILLS {
        crowd.enter(2).await;
        crowd.go_on().await;
        harness.kill();
        harness.launch();
        tokio::time::sleep(Duration::from_millis(random.u64(20..500))).await;
    }
    harness.kill();
    harness.no_faults().await;
    harness.start().await;
    crowd.ends_well(&harness).await;
}

/// Suspended with calls in flight, and resumed after their leases expired: nothing is done twice. Meanwhile it still owns
/// its file.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_sleeps_past_its_leases_doubles_and_loses_nothing() {
    let (mut harness, acme) = Harness::with_one(162).await;
    harness.open_to_callbacks();
    harness.logs = ALL_LOGS;
    harness.config["timing"]["call_seconds"] = json!(1.0);
    harness.config["timing"]["lease_seconds"] = json!(LEASE);
    harness.start_for(&[&acme]).await;
    let mut crowd = Crowd::new(&acme, 30).await;
    for nap in 0..SUSPENSIONS {
        // Some answers come while it sleeps, some when it is awake again; and some get lost.
        let slow = Fault::Latency { ms: 700 };
        let operations = ["willo.participants.create", "eploy.actions"];
        let mut rules = operations
            .map(|one| Rule::next(one, 4, slow.clone()))
            .to_vec();
        rules.push(Rule::now_and_then(operations[0], 0.3, Fault::DropAfter));
        harness.faults(rules).await;
        crowd.enter(6).await;
        crowd.go_on().await;
        let slow_calls = u64::from(nap % 4) + 1;
        until("calls are under way", async || {
            let injected = harness.player.faults().await.unwrap().injected;
            (injected.get("latency") >= Some(&slow_calls)).then_some(())
        })
        .await;
        harness.pause();
        refused(&harness);
        tokio::time::sleep(Duration::from_secs_f64(LEASE + 0.3)).await;
        harness.resume();
    }
    harness.no_faults().await;
    crowd.ends_well(&harness).await;
}

/// A second host on the same file gets the reason why it cannot start.
fn refused(harness: &Harness) {
    let second = stagecall()
        .args(["serve", "--config"])
        .arg(harness.file("stagecall.toml"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&second.stderr);
    assert_eq!(second.status.code(), Some(1), "{said}");
    assert!(said.contains("another Stagecall host is running"), "{said}");
    assert!(said.contains("stagecall.db"), "{said}");
}
