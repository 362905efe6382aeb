//! A stage change by the recruiter takes precedence over Stagecall's.

use serde_json::json;
use stagecall_sandbox::control::{CandidateAct, Write};
use stagecall_tests::harness::{Customer, Harness};

/// A customer whose completed applications go on to the skills test, or with a poor result to the unsuccessful ones.
async fn moving(seed: u64) -> (Harness, Customer) {
    let (mut harness, acme) = Harness::with_one(seed).await;
    harness.mapping("acme")["report"]["moves"] =
        json!([{"on": "completed", "stage": "13", "status": "34"}]);
    harness.start_for(&[&acme]).await;
    (harness, acme)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_completed_application_moves_on_once() {
    let (_rig, acme) = moving(81).await;
    let judged = acme.invitee().await;
    let id = judged.application.id;
    acme.act(&judged.participants, CandidateAct::Answer).await;
    acme.shows(id, "Completed").await;
    acme.polled().await;
    let position = acme.judged(id).await.application.position;
    assert_eq!(
        (&*position.stage, position.status.as_deref()),
        ("Skills Test", Some("To Be Completed"))
    );
    // A recruiter who moves it back is not overruled by a later score.
    acme.move_to(&[id], "Shortlist", None).await;
    acme.score(&judged.participants, 5).await;
    acme.scored(id, 50.0).await;
    acme.polled().await;
    assert_eq!(
        acme.judged(id).await.application.position.stage,
        "Shortlist"
    );
    let moves = acme
        .written(id)
        .await
        .into_iter()
        .filter(|write| *write == Write::Move);
    assert_eq!(moves.count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_application_that_the_recruiter_moved_stays_where_it_is() {
    let (_rig, acme) = moving(82).await;
    let judged = acme.invitee().await;
    let id = judged.application.id;
    acme.shows(id, "Invited").await;
    acme.move_to(&[id], "Second Interview", None).await;
    acme.act(&judged.participants, CandidateAct::Answer).await;
    acme.shows(id, "Completed").await;
    acme.polled().await;
    assert_eq!(
        acme.judged(id).await.application.position.stage,
        "Second Interview"
    );
    assert!(!acme.written(id).await.contains(&Write::Move));
}
