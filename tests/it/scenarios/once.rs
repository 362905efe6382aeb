//! Invited once, whatever the fate of the calls.

use serde_json::json;
use stagecall_sandbox::control::{CandidateAct, Fault, Rule};
use stagecall_tests::harness::{Customer, Harness, completed};

const INVITE: &str = "willo.participants.create";
const CREATE_ACTION: &str = "eploy.actions.create";

/// The candidate answers; in the end there is one participant, written to once, and one action that says so.
async fn ends_well(acme: &Customer, application: u64) {
    let judged = acme.invited(application).await;
    acme.shows(application, "Invited").await;
    acme.act(&judged.participants, CandidateAct::Answer).await;
    acme.shows(application, "Completed").await;
    let judged = acme.judged(application).await;
    assert!(completed(&judged), "{judged:#?}");
}

/// One candidate, while the next calls of an operation fail.
async fn through(seed: u64, target: &str, times: u64, fault: Fault) {
    let (mut harness, acme) = Harness::with_one(seed).await;
    harness.start_for(&[&acme]).await;
    harness
        .faults(vec![Rule::next(target, times, fault.clone())])
        .await;
    let id = acme.applicant().await.application;
    acme.enter(&[id]).await;
    ends_well(&acme, id).await;
    let injected = harness.player.faults().await.unwrap().injected;
    assert_eq!(
        injected.values().sum::<u64>(),
        times,
        "{fault:?}: {injected:?}"
    );
}

/// The invitation was sent and the answer lost: it is found and adopted. Only one call invites.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invitation_without_an_answer_is_found_and_adopted() {
    through(61, INVITE, 1, Fault::DropAfter).await;
    through(62, INVITE, 1, Fault::ErrorAfter { status: 502 }).await;
}

/// Looking it up fails at first as well.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invitation_is_not_sent_again_while_it_cannot_be_looked_up() {
    let (mut harness, acme) = Harness::with_one(63).await;
    harness.start_for(&[&acme]).await;
    harness
        .faults(vec![
            Rule::next(INVITE, 1, Fault::DropAfter),
            Rule::next(
                "willo.participants.list",
                3,
                Fault::ErrorBefore { status: 503 },
            ),
        ])
        .await;
    let id = acme.applicant().await.application;
    acme.enter(&[id]).await;
    ends_well(&acme, id).await;
    assert_eq!(acme.count(INVITE).await, 1);
    assert_eq!(
        harness.player.faults().await.unwrap().injected["error_before"],
        3
    );
}

/// The invitation was not sent, which only a lookup shows: it is sent again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invitation_that_did_not_arrive_is_sent_again() {
    through(64, INVITE, 2, Fault::DropBefore).await;
    through(65, INVITE, 2, Fault::ErrorBefore { status: 503 }).await;
}

/// The platform takes longer than a call may, and does it all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invitation_that_took_too_long_is_found() {
    let (mut harness, acme) = Harness::with_one(66).await;
    harness.config["timing"]["call_seconds"] = json!(1.0);
    harness.config["timing"]["settle_seconds"] = json!(2.0);
    harness.start_for(&[&acme]).await;
    harness
        .faults(vec![Rule::next(INVITE, 1, Fault::Latency { ms: 1500 })])
        .await;
    let id = acme.applicant().await.application;
    acme.enter(&[id]).await;
    ends_well(&acme, id).await;
    assert_eq!(acme.count(INVITE).await, 1);
}

/// The action was created, and the answer got lost: it is found. It did not arrive: it is created.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_action_is_created_once() {
    through(67, CREATE_ACTION, 1, Fault::DropAfter).await;
    through(68, CREATE_ACTION, 1, Fault::ErrorAfter { status: 502 }).await;
    through(69, CREATE_ACTION, 2, Fault::DropBefore).await;
}

/// Every write to Eploy fails once, before and after its effect.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_report_gets_through() {
    for (seed, fault) in [
        (71, Fault::DropAfter),
        (72, Fault::ErrorBefore { status: 500 }),
    ] {
        let (mut harness, acme) = Harness::with_one(seed).await;
        harness.start_for(&[&acme]).await;
        let operations = ["actions.update", "questions.update", "vacancies.get"];
        let rules = operations.map(|one| Rule::next(&format!("eploy.{one}"), 1, fault.clone()));
        harness.faults(rules.into()).await;
        let id = acme.applicant().await.application;
        acme.enter(&[id]).await;
        ends_well(&acme, id).await;
        acme.score(&acme.judged(id).await.participants, 7).await;
        assert!(completed(&acme.scored(id, 70.0).await));
        assert_eq!(
            harness
                .player
                .faults()
                .await
                .unwrap()
                .injected
                .values()
                .sum::<u64>(),
            3
        );
    }
}
