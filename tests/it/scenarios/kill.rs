//! The host is killed at any moment, and another one continues.

use serde_json::json;
use stagecall_sandbox::control::{CandidateAct, Fault};
use stagecall_tests::harness::{Harness, completed, until};

use super::crowd::{Crowd, mild_faults};
use super::privacy::ALL_LOGS;

/// How often the host is killed.
const KILLS: usize = 15;
/// How many candidates there are.
const CANDIDATES: u32 = 40;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_is_killed_again_and_again_doubles_and_loses_nothing() {
    let (mut harness, acme) = Harness::with_one(91).await;
    let mut random = fastrand::Rng::with_seed(91);
    harness.open_to_callbacks();
    harness.logs = ALL_LOGS;
    harness.config["timing"]["call_seconds"] = json!(2.0);
    harness.config["timing"]["lease_seconds"] = json!(3.0);
    harness.start_for(&[&acme]).await;
    harness.faults(mild_faults()).await;
    let mut crowd = Crowd::new(&acme, CANDIDATES).await;
    for _ in 0..KILLS {
        crowd.enter(3).await;
        crowd.go_on().await;
        // In the middle of whatever it is doing then.
        let moment = harness.player.calls(0).await.unwrap().next + random.usize(1..25);
        until("the host is at work", async || {
            (harness.player.calls(moment).await.unwrap().next >= moment).then_some(())
        })
        .await;
        harness.kill();
        harness.start().await;
    }
    harness.no_faults().await;
    crowd.ends_well(&harness).await;
}

/// SIGTERM lets running work finish, and the next host continues.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn asked_to_end_the_host_finishes_what_it_is_doing() {
    let (mut harness, acme) = Harness::with_one(92).await;
    harness.start_for(&[&acme]).await;
    harness
        .always("willo.participants.create", Fault::Latency { ms: 700 })
        .await;
    let id = acme.applicant().await.application;
    acme.enter(&[id]).await;
    until("the invitation is about to be sent", async || {
        (acme.count("eploy.candidates.get").await == 1).then_some(())
    })
    .await;
    let status = harness.stop().await;
    assert_eq!(status.code(), Some(0));
    harness.no_faults().await;
    harness.start().await;
    let judged = acme.invited(id).await;
    acme.act(&judged.participants, CandidateAct::Answer).await;
    acme.shows(id, "Completed").await;
    assert!(completed(&acme.judged(id).await));
    assert_eq!(acme.count("willo.participants.create").await, 1);
    assert_eq!(harness.stop().await.code(), Some(0));
}
