//! The number of the customer's calls that are used.

use serde_json::json;
use stagecall_sandbox::control::{CallRecord, CandidateAct};
use stagecall_tests::harness::{Customer, Harness, until};

const POLL: &str = "eploy.applications.search";

/// The calls that the allowance counts, without the token.
async fn eploy(acme: &Customer, since: usize) -> Vec<CallRecord> {
    let (mut calls, _) = acme.calls(since).await;
    calls.retain(|call| call.operation.starts_with("eploy.") && call.operation != "eploy.token");
    calls
}

/// Every call but the polls' own.
async fn beside_polls(acme: &Customer, since: usize) -> Vec<String> {
    let calls = eploy(acme, since).await;
    let operations = calls.iter().map(|call| call.operation.to_string());
    operations.filter(|operation| operation != POLL).collect()
}

/// The number of calls so far.
async fn now(acme: &Customer) -> usize {
    acme.calls(0).await.1
}

/// Several polls make one search each and no other call. The interval is a second: two calls closer together would belong
/// to one poll.
async fn is_quiet(acme: &Customer) {
    acme.polled().await;
    let since = now(acme).await;
    let calls = until("there are five polls", async || {
        let calls = eploy(acme, since).await;
        (calls.len() >= 5).then_some(calls)
    })
    .await;
    for call in &calls {
        assert_eq!(call.operation, POLL, "{calls:#?}");
    }
    for pair in calls.windows(2) {
        let apart = pair[1].at.duration_since(pair[0].at);
        assert!(
            apart.as_millis() >= 900,
            "two calls in one poll: {calls:#?}"
        );
    }
}

/// Before any invitation, and with recorded invitations of all kinds, whose applications lie within the overlap that every
/// poll reads again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_poll_with_nothing_new_is_one_call() {
    let (mut harness, acme) = Harness::with_one(21).await;
    // Where a second entry counts, more has to be known.
    harness.mapping("acme")["reentry"] = json!("again");
    harness.tenant("acme")["eploy"]["dialect"] = json!({});
    harness.start_for(&[&acme]).await;
    is_quiet(&acme).await;

    let invited = acme.invitee().await;
    let other = acme.invitee().await;
    acme.act(&other.participants, CandidateAct::Answer).await;
    acme.shows(other.application.id, "Completed").await;
    acme.leave(&[other.application.id]).await;
    acme.shows(invited.application.id, "Invited").await;
    acme.polled().await;
    is_quiet(&acme).await;
}

/// A new application costs two calls until it is invited, and every step of it that is shown in Eploy a few more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_application_costs_two_calls_until_it_is_invited() {
    let (mut harness, acme) = Harness::with_one(22).await;
    harness.start_for(&[&acme]).await;
    let id = acme.applicant().await.application;
    acme.polled().await;

    let since = now(&acme).await;
    acme.enter(&[id]).await;
    let judged = acme.invited(id).await;
    let invited = judged.invitations[0].at;
    let mut before: Vec<CallRecord> = eploy(&acme, since).await;
    before.retain(|call| call.at <= invited && call.operation != POLL);
    let before: Vec<_> = before.iter().map(|call| &*call.operation).collect();
    assert_eq!(
        before,
        ["eploy.statushistory.search", "eploy.candidates.get"]
    );

    acme.shows(id, "Invited").await;
    acme.polled().await;
    let all = beside_polls(&acme, since).await;
    assert_eq!(all[2..], ["eploy.vacancies.get", "eploy.actions.create"]);

    // Afterwards one for each step, the action, and one for the questions once there is something to answer.
    let update = "eploy.actions.update";
    for (act, outcome, calls) in [
        (CandidateAct::Start, "Started", &[update][..]),
        (
            CandidateAct::Answer,
            "Completed",
            &[update, "eploy.questions.update"],
        ),
    ] {
        let since = now(&acme).await;
        acme.act(&judged.participants, act).await;
        acme.shows(id, outcome).await;
        acme.polled().await;
        let step = beside_polls(&acme, since).await;
        assert_eq!(step, calls, "{outcome}");
    }
}

/// A recruiter who works on applications away from the trigger costs nothing but the polls.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_that_concern_no_mapping_cost_nothing() {
    let (mut harness, acme) = Harness::with_one(23).await;
    harness.start_for(&[&acme]).await;
    let since = now(&acme).await;
    let ids: Vec<u64> = acme
        .apply(30)
        .await
        .iter()
        .map(|one| one.application)
        .collect();
    acme.move_to(&ids[..10], "Second Interview", None).await;
    acme.move_to(&ids[10..], "Unsuccessful", None).await;
    acme.polled().await;
    assert_eq!(beside_polls(&acme, since).await, Vec::<String>::new());
}
