//! Failures are shown where the recruiter looks, with the remedy.

use serde_json::json;
use stagecall_sandbox::control::{
    ByHand, CandidateAct, EditCandidate, Fault, NewApplications, NewVacancy,
};
use stagecall_tests::harness::{Customer, Harness, completed, until};

/// Changes a candidate's address. An empty one removes it.
async fn set_email(harness: &Harness, acme: &Customer, candidate: u64, email: &str) {
    let edit = EditCandidate {
        email: Some(email.to_owned()),
        ..EditCandidate::default()
    };
    harness
        .player
        .edit_candidate(&acme.name, candidate, &edit)
        .await
        .unwrap();
}

/// Out of the stage and in again, each of which is seen.
async fn out_and_in(acme: &Customer, application: u64) {
    acme.leave(&[application]).await;
    acme.polled().await;
    acme.enter(&[application]).await;
}

/// The recruiter reads these words about an application.
async fn reads(acme: &Customer, application: u64, outcome: &str, words: &[&str]) {
    let comments = acme
        .shows(application, outcome)
        .await
        .comments_html
        .unwrap_or_default();
    for word in words {
        assert!(comments.contains(word), "\"{word}\" is not in {comments}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_address_is_reported_and_the_candidate_invited_once_it_exists() {
    let (mut harness, acme) = Harness::with_one(51).await;
    harness.start_for(&[&acme]).await;
    let created = acme.applicant().await;
    let id = created.application;
    let email = harness.player.people().await.unwrap()[0].email.clone();
    set_email(&harness, &acme, created.candidate, "").await;
    acme.enter(&[id]).await;
    let mend = [
        "no e-mail address in Eploy",
        "Add an e-mail address",
        "out of the invitation stage and back in",
    ];
    reads(&acme, id, "Not Invited", &mend).await;
    assert_eq!(acme.count("willo.participants.create").await, 0);

    set_email(&harness, &acme, created.candidate, &email).await;
    out_and_in(&acme, id).await;
    assert_eq!(acme.invited(id).await.invitations.len(), 1);
    acme.shows(id, "Invited").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_platform_refusal_is_reported_and_fixed_by_reentry() {
    let (mut harness, acme) = Harness::with_one(52).await;
    harness.start_for(&[&acme]).await;
    harness
        .always(
            "willo.participants.create",
            Fault::ErrorBefore { status: 400 },
        )
        .await;
    let id = acme.applicant().await.application;
    acme.enter(&[id]).await;
    let mend = [
        "Willo does not accept the invitation",
        "Check the candidate",
        "out of the invitation stage and back in",
    ];
    reads(&acme, id, "Not Invited", &mend).await;
    // It is not retried automatically.
    acme.polled().await;
    assert_eq!(acme.count("willo.participants.create").await, 1);

    harness.no_faults().await;
    out_and_in(&acme, id).await;
    assert_eq!(acme.invited(id).await.invitations.len(), 1);
    acme.shows(id, "Invited").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_interview_is_reported() {
    let (mut harness, acme) = Harness::with_one(53).await;
    harness.mapping("acme")["assessment"]["id"] = json!("0123456789abcdef0123456789abcdef");
    harness.start_for(&[&acme]).await;
    let id = acme.applicant().await.application;
    acme.enter(&[id]).await;
    reads(
        &acme,
        id,
        "Not Invited",
        &["does not accept the assessment", "Eploy administrator"],
    )
    .await;
}

/// The candidate was invited in Willo by hand already. However Willo answers a second invitation, the existing participant
/// is adopted and its result reported.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_candidate_whom_the_platform_has_already_is_adopted() {
    let mut harness = Harness::new(54).await;
    let mut customers = Vec::new();
    for duplicate in ["same_key", "bad_request", "conflict"] {
        let customer = harness.customer(duplicate).await;
        let quirks = json!({"duplicate": duplicate});
        harness
            .player
            .switch_willo(duplicate, quirks)
            .await
            .unwrap();
        customers.push(customer);
    }
    harness
        .start_for(&customers.iter().collect::<Vec<_>>())
        .await;
    for customer in &customers {
        let created = customer.applicant().await;
        let person = harness.player.people().await.unwrap().pop().unwrap();
        let guest = ByHand {
            interview: customer.interview.clone(),
            name: person.first_name,
            email: person.email,
        };
        let key = harness
            .player
            .invite_by_hand(&customer.name, &guest)
            .await
            .unwrap();
        customer.enter(&[created.application]).await;
        customer.shows(created.application, "Invited").await;
        let judged = customer.judged(created.application).await;
        customer
            .act(&judged.participants, CandidateAct::Answer)
            .await;
        customer.shows(created.application, "Completed").await;
        let judged = customer.judged(created.application).await;
        assert!(completed(&judged), "{}: {judged:#?}", customer.name);
        assert_eq!(judged.participants[0].key, key);
    }
}

/// One person with two applications: one participant, and the second application refers to its result.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_application_of_one_person_says_where_the_result_is() {
    let mut harness = Harness::new(55).await;
    let mut customers = Vec::new();
    for duplicate in ["same_key", "conflict"] {
        let customer = harness.customer(duplicate).await;
        let quirks = json!({"duplicate": duplicate});
        harness
            .player
            .switch_willo(duplicate, quirks)
            .await
            .unwrap();
        harness.mapping(duplicate)["vacancies"] = json!("all");
        customers.push(customer);
    }
    harness
        .start_for(&customers.iter().collect::<Vec<_>>())
        .await;
    for customer in &customers {
        let first = customer.applicant().await;
        let vacancy = NewVacancy::called("Team Leader");
        let vacancy = harness
            .player
            .vacancy(&customer.name, &vacancy)
            .await
            .unwrap();
        let new = NewApplications {
            candidate: Some(first.candidate),
            ..NewApplications::new(vacancy, 1)
        };
        let second = harness.player.apply(&customer.name, &new).await.unwrap()[0].application;
        customer.enter(&[first.application]).await;
        customer.shows(first.application, "Invited").await;
        customer.enter(&[second]).await;
        let other = format!("application {}", first.application);
        reads(
            customer,
            second,
            "Not Invited",
            &["already has this candidate", &other],
        )
        .await;
        assert_eq!(customer.judged(second).await.participants.len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_ending_is_shown() {
    let (mut harness, acme) = Harness::with_one(56).await;
    harness.start_for(&[&acme]).await;
    let endings = [
        (
            CandidateAct::Bounce,
            "Undeliverable",
            "Correct the candidate",
        ),
        (
            CandidateAct::Decline,
            "Declined",
            "declined the Willo invitation",
        ),
        (
            CandidateAct::Expire,
            "Expired",
            "expired without a response",
        ),
    ];
    let ids: Vec<u64> = acme
        .apply(3)
        .await
        .iter()
        .map(|one| one.application)
        .collect();
    acme.enter(&ids).await;
    for (id, (act, _, _)) in ids.iter().zip(&endings) {
        let judged = acme.invited(*id).await;
        acme.act(&judged.participants, *act).await;
    }
    for (id, (_, outcome, words)) in ids.iter().zip(&endings) {
        reads(&acme, *id, outcome, &[words]).await;
        let judged = acme.judged(*id).await;
        assert_eq!(
            (judged.invitations.len(), judged.application.actions.len()),
            (1, 1)
        );
    }
}

/// While the platform is down the invitation is reported as late, and later as sent.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delay_is_reported_and_then_cleared() {
    let (mut harness, acme) = Harness::with_one(57).await;
    harness.config["timing"]["late_seconds"] = json!(0.5);
    harness.start_for(&[&acme]).await;
    harness
        .always(
            "willo.participants.create",
            Fault::TooMany {
                retry_after: Some(1),
            },
        )
        .await;
    let id = acme.applicant().await.application;
    acme.enter(&[id]).await;
    until("the delay is told", async || {
        let judged = acme.judged(id).await;
        let text = judged.application.actions.first()?.comments_html.clone()?;
        (text.contains("Not invited to Willo yet") && text.contains("takes no more invitations"))
            .then_some(())
    })
    .await;
    harness.no_faults().await;
    let text = acme.shows(id, "Invited").await.comments_html.unwrap();
    assert!(!text.contains("yet"), "{text}");
    let judged = acme.judged(id).await;
    assert_eq!(
        (judged.invitations.len(), judged.application.actions.len()),
        (1, 1)
    );
}

/// An invitation that cannot be sent for too long is given up, which is reported.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn giving_up_is_reported() {
    let (mut harness, acme) = Harness::with_one(58).await;
    harness.config["timing"]["give_up_seconds"] = json!(1.5);
    harness.start_for(&[&acme]).await;
    harness
        .always(
            "willo.participants.create",
            Fault::TooMany {
                retry_after: Some(1),
            },
        )
        .await;
    let id = acme.applicant().await.application;
    acme.enter(&[id]).await;
    reads(
        &acme,
        id,
        "Not Invited",
        &[
            "took no more invitations",
            "out of the invitation stage and back in",
        ],
    )
    .await;
    let tries = acme.count("willo.participants.create").await;
    acme.polled().await;
    assert_eq!(acme.count("willo.participants.create").await, tries);
}
