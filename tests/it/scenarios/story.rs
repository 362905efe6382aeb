//! The main job: entry, invitation, result, report.

use stagecall_sandbox::control::{CandidateAct, Fault, ReviewerAct, Rule, Write};
use stagecall_tests::harness::{Customer, Harness, QUESTION, completed, percent, until};

/// From the move in Eploy to the score in Eploy, with callbacks.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_candidate_is_invited_once_and_what_becomes_of_it_is_shown_in_eploy() {
    let (mut harness, acme) = Harness::with_one(11).await;
    harness.open_to_callbacks();
    harness.start_for(&[&acme]).await;
    let judged = acme.invitee().await;
    let id = judged.application.id;
    assert_eq!(judged.invitations.len(), 1);
    assert_eq!(judged.invitations[0].interview, acme.interview);
    let action = acme.shows(id, "Invited").await;
    assert_eq!(action.type_id, 42);
    assert!(action.start.is_some());
    assert_eq!(action.completion, None);

    acme.act(&judged.participants, CandidateAct::Start).await;
    acme.shows(id, "Started").await;
    acme.act(&judged.participants, CandidateAct::Answer).await;
    let action = acme.shows(id, "Completed").await;
    assert!(action.completion.is_some());
    acme.score(&judged.participants, 8).await;
    let text = "Clear & <b>loud</b>".to_owned();
    acme.review(&judged.participants, ReviewerAct::Comment { text })
        .await;

    let judged = acme.scored(id, 80.0).await;
    assert!(completed(&judged), "{judged:#?}");
    let comments = until("the comment is in Eploy, escaped", async || {
        let comments = acme.shows(id, "Completed").await.comments_html?;
        comments
            .contains("Clear &amp; &lt;b&gt;loud")
            .then_some(comments)
    })
    .await;
    assert!(comments.contains("80 %"), "{comments}");
    assert!(!comments.contains("<b>"), "{comments}");
    let link = acme.shows(id, "Completed").await.link.unwrap();
    let judged = acme.judged(id).await;
    let shown = judged
        .application
        .answers
        .iter()
        .find(|one| one.question == QUESTION + 1);
    assert_eq!(shown.unwrap().answer, link.as_str());
    let links = harness.player.willo("acme").await.unwrap().links;
    assert!(link.starts_with(&links), "{link} is not on {links}");

    let called = harness.player.callbacks(0).await.unwrap().records;
    assert!(!called.is_empty());
    assert!(
        called.iter().all(|one| one.status == Some(200)),
        "{called:#?}"
    );
    let created = acme.written(id).await;
    assert_eq!(
        created
            .iter()
            .filter(|write| **write == Write::ActionCreated)
            .count(),
        1
    );
}

/// Callbacks alone bring a result, where sweeps would take an hour.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_callback_brings_the_result_without_a_sweep() {
    let (mut harness, acme) = Harness::with_one(12).await;
    harness.open_to_callbacks();
    harness.without_sweeps();
    harness.start_for(&[&acme]).await;
    until("all callbacks are registered", async || {
        (acme.count("willo.webhooks.create").await == 4).then_some(())
    })
    .await;
    let judged = acme.invitee().await;
    acme.shows(judged.application.id, "Invited").await;
    play(&acme, judged.application.id).await;
}

/// Without a public address there are no callbacks, and everything still arrives.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_public_address_sweeps_bring_everything() {
    let (mut harness, acme) = Harness::with_one(13).await;
    harness.start_for(&[&acme]).await;
    let judged = acme.invitee().await;
    acme.act(&judged.participants, CandidateAct::Start).await;
    acme.shows(judged.application.id, "Started").await;
    play(&acme, judged.application.id).await;
    assert_eq!(acme.count("willo.webhooks.create").await, 0);
}

/// Every callback is lost, and everything still arrives.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_callbacks_lose_nothing() {
    let (mut harness, acme) = Harness::with_one(14).await;
    harness.open_to_callbacks();
    harness
        .faults(vec![Rule::now_and_then(
            "willo.callback",
            1.0,
            Fault::CallbackLost,
        )])
        .await;
    harness.start_for(&[&acme]).await;
    until("all callbacks are registered", async || {
        (acme.count("willo.webhooks.create").await == 4).then_some(())
    })
    .await;
    let judged = acme.invitee().await;
    play(&acme, judged.application.id).await;
    let called = harness.player.callbacks(0).await.unwrap().records;
    assert!(called.iter().all(|one| one.status.is_none()), "{called:#?}");
    assert!(harness.player.faults().await.unwrap().injected["callback_lost"] > 0);
}

/// Every callback comes twice, and nothing is written twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn doubled_callbacks_double_nothing() {
    let (mut harness, acme) = Harness::with_one(15).await;
    harness.open_to_callbacks();
    harness
        .faults(vec![Rule::now_and_then(
            "willo.callback",
            1.0,
            Fault::CallbackTwice,
        )])
        .await;
    harness.start_for(&[&acme]).await;
    let judged = acme.invitee().await;
    let id = judged.application.id;
    acme.shows(id, "Invited").await;
    play(&acme, id).await;
    acme.polled().await;
    let writes = acme.written(id).await;
    let created = writes
        .iter()
        .filter(|write| **write == Write::ActionCreated)
        .count();
    assert_eq!(created, 1, "{writes:?}");
    assert!(completed(&acme.judged(id).await));
}

/// The candidate answers, a reviewer scores, and Eploy shows it.
async fn play(acme: &Customer, application: u64) {
    let judged = acme.invited(application).await;
    acme.act(&judged.participants, CandidateAct::Answer).await;
    acme.shows(application, "Completed").await;
    acme.score(&judged.participants, 6).await;
    let judged = acme.scored(application, 60.0).await;
    assert!(completed(&judged), "{judged:#?}");
    // A reviewer changes the score.
    acme.score(&judged.participants, 9).await;
    let judged = acme.scored(application, 90.0).await;
    assert!(completed(&judged), "{judged:#?}");
    assert_eq!(percent(&judged), Some(90.0));
}
