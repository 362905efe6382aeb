//! An operator's changes happen once, and are recorded.

use serde_json::json;
use stagecall_sandbox::control::{CandidateAct, EditCandidate};
use stagecall_tests::harness::{Harness, until};

use super::{operate, story};

/// A candidate who had no e-mail address gets one, and is invited on an operator's command.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_retry_invites_whom_a_failure_left_out() {
    let (mut harness, acme) = Harness::with_one(205).await;
    let [done, nowhere, _] = story(&mut harness, &acme).await;
    let candidate = acme.judged(nowhere).await.application.candidate;
    let edit = EditCandidate {
        email: Some("ada@example.com".to_owned()),
        ..EditCandidate::default()
    };
    harness
        .player
        .edit_candidate("acme", candidate, &edit)
        .await
        .unwrap();
    let nowhere_id = nowhere.to_string();
    let unsaid = operate(&harness, &["retry", "acme", &nowhere_id]);
    assert_eq!(unsaid.code, Some(2));
    assert!(unsaid.error.contains("--yes"), "{}", unsaid.error);
    assert!(acme.judged(nowhere).await.participants.is_empty());
    let reason = "the address was added";
    operate(
        &harness,
        &["retry", "acme", &nowhere_id, "--yes", "--reason", reason],
    )
    .ok();
    acme.invited(nowhere).await;
    acme.shows(nowhere, "Invited").await;
    let explained = operate(&harness, &["explain", "acme", &nowhere_id]);
    assert!(
        explained
            .ok()
            .contains("retry by ada: the address was added"),
        "{}",
        explained.out
    );
    // Nothing is left to be tried again.
    let again = operate(&harness, &["retry", "acme", "--failed", "--yes"]);
    assert!(again.ok().contains("nothing to retry"), "{}", again.out);
    assert_eq!(acme.judged(nowhere).await.invitations.len(), 1);
    assert_eq!(acme.judged(done).await.invitations.len(), 1);
}

/// A new round only on purpose, and only once the one before has ended.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_round_and_a_cancelled_one() {
    let (mut harness, acme) = Harness::with_one(206).await;
    harness.start_for(&[&acme]).await;
    let one = acme.invitee().await;
    let id = one.application.id;
    acme.shows(id, "Invited").await;
    let open = operate(&harness, &["reinvite", "acme", &id.to_string(), "--yes"]);
    assert_eq!(open.code, Some(1), "{}", open.error);
    assert!(open.error.contains("stagecall cancel"), "{}", open.error);
    let cancelled = operate(&harness, &["cancel", "acme", &id.to_string(), "--yes"]);
    let explained = cancelled.ok();
    assert!(explained.contains("withdrawn on willo"), "{explained}");
    acme.shows(id, "Cancelled").await;
    // Doing it again does nothing.
    let again = operate(&harness, &["cancel", "acme", &id.to_string(), "--yes"]);
    assert!(again.ok().contains("nothing new"), "{}", again.out);
    operate(&harness, &["reinvite", "acme", &id.to_string(), "--yes"]).ok();
    until("the new round is settled", async || {
        let listed = operate(&harness, &["invitations", "acme", "--json"]).json();
        let rounds = listed.as_array().unwrap();
        let second = rounds.iter().find(|one| one["key"]["round"] == 2)?;
        // Willo has the person for this interview no more, so nothing is in the way.
        (second["state"] == json!("invited")).then_some(())
    })
    .await;
}

/// A lost result is fetched on an operator's command, without waiting for a sweep.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_resync_brings_what_was_missed() {
    let (mut harness, acme) = Harness::with_one(207).await;
    harness.without_sweeps();
    harness.start_for(&[&acme]).await;
    let judged = acme.invitee().await;
    let id = judged.application.id;
    acme.shows(id, "Invited").await;
    acme.act(&judged.participants, CandidateAct::Answer).await;
    operate(&harness, &["resync", "acme", &id.to_string(), "--yes"]).ok();
    acme.shows(id, "Completed").await;
    assert_eq!(acme.judged(id).await.application.actions.len(), 1);
    let all = operate(&harness, &["resync", "acme", "--since", "1h", "--yes"]);
    assert!(all.ok().contains("due at once"), "{}", all.out);
    acme.polled().await;
    assert_eq!(acme.judged(id).await.invitations.len(), 1);
}

/// Unmatched deliveries are listed, linked and dismissed. Handled ones can be replayed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callbacks_can_be_looked_into_again() {
    let (mut harness, acme) = Harness::with_one(208).await;
    harness.open_to_callbacks();
    harness.without_sweeps();
    harness.start_for(&[&acme]).await;
    let judged = acme.invitee().await;
    let id = judged.application.id;
    acme.shows(id, "Invited").await;
    // A candidate whom the recruiter invited by hand: the callbacks match no invitation.
    let by_hand = stagecall_sandbox::control::ByHand {
        interview: acme.interview.clone(),
        name: "Ada Example".to_owned(),
        email: "ada@example.com".to_owned(),
    };
    let key = harness
        .player
        .invite_by_hand("acme", &by_hand)
        .await
        .unwrap();
    harness
        .player
        .candidate("acme", std::slice::from_ref(&key), CandidateAct::Answer)
        .await
        .unwrap();
    let parked = until("it is parked", async || {
        let listed = operate(&harness, &["unmatched", "list", "acme", "--json"]).json();
        listed.as_array()?.first().cloned()
    })
    .await;
    let delivery = parked["id"].as_str().unwrap();
    let wrong = operate(
        &harness,
        &[
            "unmatched",
            "link",
            "acme",
            delivery,
            "--application",
            &id.to_string(),
            "--reference",
            &key,
            "--yes",
        ],
    );
    assert_eq!(wrong.code, Some(2), "{}", wrong.error);
    assert!(
        wrong.error.contains("on the platform, not"),
        "{}",
        wrong.error
    );
    operate(
        &harness,
        &["unmatched", "discard", "acme", &delivery[..12], "--yes"],
    )
    .ok();
    let listed = operate(&harness, &["unmatched", "list", "acme", "--json"]).json();
    let ids: Vec<_> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["id"])
        .collect();
    assert!(!ids.contains(&&json!(delivery)), "{listed}");

    // A result whose fetching failed for long is fetched when the deliveries are replayed.
    acme.act(&judged.participants, CandidateAct::Answer).await;
    acme.shows(id, "Completed").await;
    let calls = acme.count("willo.participants.get").await;
    let replayed = operate(&harness, &["replay", "acme", "--since", "1h", "--yes"]);
    assert!(
        replayed.ok().contains("processed at once"),
        "{}",
        replayed.out
    );
    until("the platform is asked again", async || {
        (acme.count("willo.participants.get").await > calls).then_some(())
    })
    .await;
    assert_eq!(acme.judged(id).await.application.actions.len(), 1);
}

/// A pause stops invitations, and ends on an operator's command, without a restart.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_is_paused_and_resumed_while_the_host_serves() {
    let (mut harness, acme) = Harness::with_one(209).await;
    harness.start_for(&[&acme]).await;
    operate(
        &harness,
        &["tenant", "pause", "acme", "--yes", "--reason", "upgrade"],
    )
    .ok();
    let shown = operate(&harness, &["tenant", "list"]);
    assert!(shown.ok().contains("paused"), "{}", shown.out);
    let id = acme.applicant().await.application;
    acme.enter(&[id]).await;
    let before = acme.count("eploy.applications.search").await;
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    assert!(acme.count("eploy.applications.search").await <= before + 1);
    assert!(acme.judged(id).await.participants.is_empty());
    operate(&harness, &["tenant", "resume", "acme", "--yes"]).ok();
    acme.invited(id).await;
}
