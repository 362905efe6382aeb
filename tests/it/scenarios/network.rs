//! The network between a host and the outside breaks: before a request arrives, in the middle of one, after one, in the
//! middle of an answer; and it recovers.

use std::time::Duration;

use serde_json::json;
use stagecall_tests::harness::{Customer, Harness, PLATFORM, State, TcpProxy, until};

use super::crowd::Crowd;
use super::privacy::ALL_LOGS;

/// As long as it can be.
const ALL: usize = usize::MAX;
/// How long a call may take, in seconds.
const CALL: f64 = 1.0;

fn requests_break_after(requests: usize) -> State {
    let answers = ALL;
    State::Breaking { requests, answers }
}

fn answers_break_after(answers: usize) -> State {
    let requests = ALL;
    State::Breaking { requests, answers }
}

/// A customer whose Eploy and Willo are each reached through a proxy.
async fn over_lines(seed: u64) -> (Harness, Customer, TcpProxy, TcpProxy) {
    let (mut harness, acme) = Harness::with_one(seed).await;
    harness.logs = ALL_LOGS;
    harness.config["timing"]["call_seconds"] = json!(CALL);
    harness.config["timing"]["lease_seconds"] = json!(CALL + 0.5);
    let eploy = harness.proxy_connection("acme", "/eploy/base_url");
    let willo = harness.proxy_connection("acme", &format!("/platforms/{PLATFORM}/base_url"));
    (harness, acme, eploy, willo)
}

/// One candidate after the other, with the connection broken at a different point of each invitation.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wherever_a_line_is_cut_the_candidate_is_invited_once() {
    let (mut harness, acme, _eploy, willo) = over_lines(181).await;
    harness.start_for(&[&acme]).await;
    let mut crowd = Crowd::new(&acme, 8).await;
    for (cut, arrives) in [
        (requests_break_after(0), false),
        (requests_break_after(1), false),
        (requests_break_after(150), false),
        (State::Down, false),
        (State::Silent, false),
        (answers_break_after(0), true),
        (answers_break_after(1), true),
        (answers_break_after(90), true),
    ] {
        let (sent, before) = (invitations(&harness).await, failed(&harness));
        willo.set(cut);
        crowd.enter(1).await;
        until("the invitation has met the cut", async || {
            (failed(&harness) > before).then_some(())
        })
        .await;
        assert_eq!(
            invitations(&harness).await - sent,
            usize::from(arrives),
            "{cut:?}"
        );
        willo.set(State::Up);
        until("the candidate is invited", async || {
            (invitations(&harness).await == sent + 1).then_some(())
        })
        .await;
    }
    crowd.ends_well(&harness).await;
}

async fn invitations(harness: &Harness) -> usize {
    harness.player.invitations(0).await.unwrap().next
}

/// The number of failed invitations in the host's log.
fn failed(harness: &Harness) -> usize {
    let log = harness.log();
    let unknown = log.matches("invitation outcome unknown");
    unknown.count() + log.matches("invitation deferred").count()
}

/// A crowd, while the two connections break alternately, at any point and moment.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lines_that_are_cut_again_and_again_double_and_lose_nothing() {
    let (mut harness, acme, eploy, willo) = over_lines(182).await;
    let mut random = fastrand::Rng::with_seed(182);
    harness.open_to_callbacks();
    harness.start_for(&[&acme]).await;
    // So few that Willo lists them on one page: its link to a second one would not lead over the line.
    let mut crowd = Crowd::new(&acme, 24).await;
    for round in 0..12 {
        crowd.enter(2).await;
        crowd.go_on().await;
        let moment = harness.player.calls(0).await.unwrap().next + random.usize(1..12);
        until("the host is at work", async || {
            (harness.player.calls(moment).await.unwrap().next >= moment).then_some(())
        })
        .await;
        let line = if random.bool() { &eploy } else { &willo };
        let before = line.cuts();
        line.set(match round % 4 {
            0 => requests_break_after(random.usize(0..400)),
            1 => answers_break_after(random.usize(0..400)),
            2 => State::Down,
            _ => State::Silent,
        });
        if round % 4 < 2 {
            until("something was cut off", async || {
                (line.cuts() > before).then_some(())
            })
            .await;
        } else {
            // Until calls have run out of time.
            tokio::time::sleep(Duration::from_secs_f64(CALL + 0.2)).await;
        }
        line.set(State::Up);
    }
    crowd.ends_well(&harness).await;
}
