//! The disk under a host's file is full for a while.

use stagecall_sandbox::control::{Fault, Rule};
use stagecall_tests::harness::{Customer, Harness, Reply, request, until};

use super::callbacks::callback_path;
use super::crowd::Crowd;
use super::privacy::ALL_LOGS;

/// The size of the disk: several times what the file and its journal need.
const DISK: usize = 24 * 1024 * 1024;
/// What the log says while it is full.
const FULL: &str = "the disk is full. Make room";
/// Who sets this has a machine that lets nobody mount a small disk, and knows that these scenarios are left out.
const LEFT_OUT: &str = "STAGECALL_WITHOUT_SMALL_DISK";

/// A callback about a participant of whom nobody knows; each number is another one.
async fn callback(harness: &Harness, path: &str, number: u32) -> Reply {
    let body = format!("{{\"key\": \"{number:032x}\"}}");
    let headers = [("content-type", "application/json")];
    request(harness.listen(), "POST", path, &headers, body.as_bytes()).await
}

/// A customer whose host has a disk of its own; none where that is left out on purpose.
async fn on_a_small_disk(seed: u64) -> Option<(Harness, Customer)> {
    let (mut harness, acme) = Harness::with_one(seed).await;
    if let Err(why) = harness.on_a_small_disk(DISK) {
        assert!(
            std::env::var_os(LEFT_OUT).is_some(),
            "this machine lets nobody mount a small disk; {LEFT_OUT}=1 leaves this out: {why}"
        );
        return None;
    }
    harness.open_to_callbacks();
    harness.logs = ALL_LOGS;
    Some((harness, acme))
}

/// Whoever enters is invited when there is room again, and not before: what cannot be recorded is not sent. A callback
/// is refused, so that the platform sends it again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_full_disk_nothing_is_taken_and_nothing_is_sent() {
    let Some((mut harness, acme)) = on_a_small_disk(171).await else {
        return;
    };
    harness.start_for(&[&acme]).await;
    let path = callback_path(&harness, &acme, "new_response").await;
    assert_eq!(callback(&harness, &path, 0).await.status, 200);
    harness.disk().fill();
    let crowd = {
        let mut crowd = Crowd::new(&acme, 4).await;
        crowd.enter(4).await;
        crowd
    };
    harness.logged(&[FULL]).await;
    for number in 1..50 {
        let reply = callback(&harness, &path, number).await;
        assert_eq!(reply.status, 503, "{}", reply.body);
    }
    until("the host says that it cannot write", async || {
        let health = request(harness.listen(), "GET", "/health", &[], b"").await;
        (health.status == 503).then_some(())
    })
    .await;
    assert_eq!(acme.count("willo.participants.create").await, 0);

    harness.disk().clear();
    crowd.ends_well(&harness).await;
    for number in 0..50 {
        assert_eq!(callback(&harness, &path, number).await.status, 200);
    }
}

/// The disk is full again and again, with calls under way whose outcome cannot be recorded; once the host is killed
/// meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_is_full_now_and_then_doubles_and_loses_nothing() {
    let Some((mut harness, acme)) = on_a_small_disk(172).await else {
        return;
    };
    let mut random = fastrand::Rng::with_seed(172);
    harness.start_for(&[&acme]).await;
    harness
        .faults(vec![
            Rule::now_and_then("willo.participants.create", 0.5, Fault::Latency { ms: 300 }),
            Rule::now_and_then("willo.participants.create", 0.1, Fault::DropAfter),
        ])
        .await;
    let mut crowd = Crowd::new(&acme, 30).await;
    for round in 0..5 {
        crowd.enter(6).await;
        crowd.go_on().await;
        let moment = harness.player.calls(0).await.unwrap().next + random.usize(1..20);
        until("the host is at work", async || {
            (harness.player.calls(moment).await.unwrap().next >= moment).then_some(())
        })
        .await;
        let before = harness.log().matches(FULL).count();
        harness.disk().fill();
        crowd.go_on().await;
        until("the log says that the disk is full", async || {
            (harness.log().matches(FULL).count() > before).then_some(())
        })
        .await;
        if round == 2 {
            harness.kill();
            harness.disk().clear();
            harness.start().await;
        } else {
            harness.disk().clear();
        }
    }
    harness.no_faults().await;
    crowd.ends_well(&harness).await;
}
