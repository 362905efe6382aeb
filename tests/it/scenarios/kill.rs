//! The host ends at any moment, and another one goes on.

use std::collections::BTreeSet;

use serde_json::json;
use stagecall_sandbox::control::{CandidateAct, Fault, Judged, Rule, Standing};
use stagecall_tests::rig::{Customer, Rig, completed, percent, until};

/// How often the host is killed.
const KILLS: usize = 15;
/// How many candidates there are.
const CANDIDATES: u32 = 40;

/// What goes wrong besides.
fn mild_faults() -> Vec<Rule> {
    let rule = Rule::now_and_then;
    vec![
        rule("eploy", 0.02, Fault::Latency { ms: 30 }),
        rule("willo.participants", 0.05, Fault::Latency { ms: 50 }),
        rule("willo.participants", 0.03, Fault::DropAfter),
        rule("willo.participants", 0.02, Fault::DropBefore),
        rule("eploy.actions", 0.03, Fault::ErrorAfter { status: 502 }),
        rule("eploy.questions", 0.02, Fault::ErrorBefore { status: 503 }),
        rule("willo.callback", 0.10, Fault::CallbackLost),
        rule("willo.callback", 0.10, Fault::CallbackTwice),
    ]
}

fn declines(judged: &Judged) -> bool {
    judged.application.id.is_multiple_of(5)
}

/// Whoever has something to do does it; a reviewer scores.
async fn go_on(acme: &Customer) {
    let all = acme.all().await;
    let (mut declining, mut starting, mut answering, mut scored) = (vec![], vec![], vec![], vec![]);
    for judged in &all {
        for one in &judged.participants {
            match one.standing {
                Standing::Invited if declines(judged) => declining.push(one.clone()),
                Standing::Invited => starting.push(one.clone()),
                Standing::Started => answering.push(one.clone()),
                Standing::Completed if one.scores.is_empty() => scored.push(one.clone()),
                _ => {}
            }
        }
    }
    acme.act(&declining, CandidateAct::Decline).await;
    acme.act(&starting, CandidateAct::Start).await;
    acme.act(&answering, CandidateAct::Answer).await;
    acme.score(&scored, 7).await;
}

/// Whether an application is where its story ends.
fn has_ended(judged: &Judged) -> bool {
    let shown = judged
        .application
        .actions
        .last()
        .and_then(|action| action.outcome.as_deref());
    if declines(judged) {
        shown == Some("Declined")
    } else {
        completed(judged) && percent(judged) == Some(70.0)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_is_killed_again_and_again_doubles_and_loses_nothing() {
    let (mut rig, acme) = Rig::with_one(91).await;
    let mut random = fastrand::Rng::with_seed(91);
    rig.open_to_callbacks();
    rig.config["timing"]["call_seconds"] = json!(2.0);
    rig.config["timing"]["lease_seconds"] = json!(3.0);
    rig.start_for(&[&acme]).await;
    rig.faults(mild_faults()).await;
    let ids: Vec<u64> = acme
        .apply(CANDIDATES)
        .await
        .iter()
        .map(|one| one.application)
        .collect();
    let mut coming = ids.chunks(ids.len().div_ceil(KILLS));
    for _ in 0..KILLS {
        if let Some(some) = coming.next() {
            acme.enter(some).await;
        }
        go_on(&acme).await;
        // In the middle of whatever it is doing then.
        let moment = rig.player.calls(0).await.unwrap().next + random.usize(1..25);
        until("the host is at work", async || {
            (rig.player.calls(moment).await.unwrap().next >= moment).then_some(())
        })
        .await;
        rig.kill();
        rig.start().await;
    }
    rig.no_faults().await;
    until("every story has ended", async || {
        go_on(&acme).await;
        acme.all().await.iter().all(has_ended).then_some(())
    })
    .await;
    acme.polled().await;
    let all = acme.all().await;
    let there: BTreeSet<u64> = all.iter().map(|one| one.application.id).collect();
    assert_eq!(there, ids.into_iter().collect());
    for judged in &all {
        assert_eq!(judged.invitations.len(), 1, "{judged:#?}");
        assert_eq!(judged.participants.len(), 1, "{judged:#?}");
        assert_eq!(judged.application.actions.len(), 1, "{judged:#?}");
        assert!(has_ended(judged), "{judged:#?}");
    }
    assert!(!rig.log().contains("has a second invitation"));
}

/// SIGTERM lets what runs end, and the next host goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn asked_to_end_the_host_finishes_what_it_is_doing() {
    let (mut rig, acme) = Rig::with_one(92).await;
    rig.start_for(&[&acme]).await;
    rig.always("willo.participants.create", Fault::Latency { ms: 700 })
        .await;
    let id = acme.applicant().await.application;
    acme.enter(&[id]).await;
    until("the invitation is about to be sent", async || {
        (acme.count("eploy.candidates.get").await == 1).then_some(())
    })
    .await;
    let status = rig.stop().await;
    assert_eq!(status.code(), Some(0));
    rig.no_faults().await;
    rig.start().await;
    let judged = acme.invited(id).await;
    acme.act(&judged.participants, CandidateAct::Answer).await;
    acme.shows(id, "Completed").await;
    assert!(completed(&acme.judged(id).await));
    assert_eq!(acme.count("willo.participants.create").await, 1);
    assert_eq!(rig.stop().await.code(), Some(0));
}
