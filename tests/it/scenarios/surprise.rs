//! No candidate is invited whom the recruiter did not mean.

use serde_json::json;
use stagecall_sandbox::control::{Fault, NewApplications, NewVacancy, Rule};
use stagecall_tests::harness::{Customer, Harness, TRIGGER, until};

/// How many invitations went out for an application.
async fn invitations(acme: &Customer, application: u64) -> usize {
    acme.judged(application).await.invitations.len()
}

/// Adds applications that are at the trigger stage already.
async fn there_already(harness: &Harness, acme: &Customer, vacancy: u64, count: u32) -> Vec<u64> {
    let new = NewApplications {
        stage: Some(TRIGGER.0.to_owned()),
        status: Some(TRIGGER.1.to_owned()),
        ..NewApplications::new(vacancy, count)
    };
    let created = harness.player.apply(&acme.name, &new).await.unwrap();
    created.iter().map(|one| one.application).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_at_the_stage_before_a_mapping_is_turned_on_is_not_invited() {
    let (mut harness, acme) = Harness::with_one(31).await;
    let there = there_already(&harness, &acme, acme.vacancy, 3).await;
    harness.start_for(&[&acme]).await;
    acme.invitee().await;
    acme.polled().await;
    for id in &there {
        assert_eq!(invitations(&acme, *id).await, 0);
        assert!(acme.written(*id).await.is_empty());
    }
    // Nor after a restart.
    harness.stop().await;
    harness.start().await;
    acme.polled().await;
    assert_eq!(harness.player.invitations(0).await.unwrap().next, 1);
    // Out and in again is how a recruiter says "now".
    acme.leave(&there[..1]).await;
    acme.polled().await;
    acme.enter(&there[..1]).await;
    acme.invited(there[0]).await;
    assert_eq!(harness.player.invitations(0).await.unwrap().next, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_at_the_stage_is_invited_where_the_mapping_includes_them() {
    let (mut harness, acme) = Harness::with_one(32).await;
    let there = there_already(&harness, &acme, acme.vacancy, 3).await;
    harness.mapping("acme")["include_current"] = json!(true);
    harness.start().await;
    for id in there {
        acme.invited(id).await;
        acme.shows(id, "Invited").await;
        assert_eq!(invitations(&acme, id).await, 1);
    }
}

/// A mapping that is added, and one whose vacancies change, begin with a baseline of their own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_configuration_invites_nobody_for_an_earlier_move() {
    let (mut harness, acme) = Harness::with_one(33).await;
    let vacancy = |title: &str| NewVacancy::called(title);
    let second = harness
        .player
        .vacancy("acme", &vacancy("Team Leader"))
        .await
        .unwrap();
    let third = harness
        .player
        .vacancy("acme", &vacancy("Care Assistant"))
        .await
        .unwrap();
    harness.start_for(&[&acme]).await;
    let before = [
        there_already(&harness, &acme, second, 2).await,
        there_already(&harness, &acme, third, 2).await,
    ]
    .concat();
    acme.polled().await;
    harness.stop().await;

    harness.mapping("acme")["vacancies"] = json!([acme.vacancy, second]);
    let mut added = harness.mapping("acme").clone();
    added["id"] = json!("added");
    added["vacancies"] = json!([third]);
    harness.tenant("acme")["mappings"]
        .as_array_mut()
        .unwrap()
        .push(added);
    harness.start().await;
    for (mapping, times) in [("mapping=video", 2), ("mapping=added", 1)] {
        until(&format!("{mapping} is on"), async || {
            let log = harness.log();
            let on = log
                .lines()
                .filter(|line| line.contains("mapping turned on") && line.contains(mapping));
            (on.count() == times).then_some(())
        })
        .await;
    }
    acme.polled().await;
    for id in before {
        assert_eq!(invitations(&acme, id).await, 0);
    }
    // Both are at work.
    for vacancy in [second, third] {
        let id = there_already(&harness, &acme, vacancy, 1).await[0];
        acme.invited(id).await;
    }
}

/// An application that enters while the mapping is paused is skipped, then and later.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paused_mapping_invites_nobody_then_or_later() {
    let (mut harness, acme) = Harness::with_one(34).await;
    harness.mapping("acme")["paused"] = json!(true);
    harness.start_for(&[&acme]).await;
    let id = acme.applicant().await.application;
    acme.enter(&[id]).await;
    acme.polled().await;
    harness.stop().await;
    harness.mapping("acme")["paused"] = json!(false);
    harness.start().await;
    acme.invitee().await;
    acme.polled().await;
    assert_eq!(invitations(&acme, id).await, 0);
    acme.leave(&[id]).await;
    acme.polled().await;
    acme.enter(&[id]).await;
    acme.invited(id).await;
}

/// A second entry is a new round only where the mapping says so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn coming_back_invites_again_only_where_the_mapping_says_so() {
    let mut harness = Harness::new(35).await;
    let (once, again) = (
        harness.customer("once").await,
        harness.customer("again").await,
    );
    harness.mapping("again")["reentry"] = json!("again");
    harness.start_for(&[&once, &again]).await;
    for customer in [&once, &again] {
        let id = customer.invitee().await.application.id;
        customer.shows(id, "Invited").await;
        customer.leave(&[id]).await;
        customer.polled().await;
        customer.enter(&[id]).await;
        let rounds = if customer.name == "again" { 2 } else { 1 };
        until(
            &format!("{} has had {rounds} rounds", customer.name),
            async || {
                let judged = customer.judged(id).await;
                (judged.participants.len() == rounds && judged.application.actions.len() == rounds)
                    .then_some(())
            },
        )
        .await;
        customer.polled().await;
        assert_eq!(invitations(customer, id).await, rounds);
    }
}

/// Out and in between two polls is seen in the status history.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn coming_back_between_two_polls_is_noticed() {
    let (mut harness, acme) = Harness::with_one(36).await;
    harness.mapping("acme")["reentry"] = json!("again");
    harness.start_for(&[&acme]).await;
    let id = acme.invitee().await.application.id;
    acme.shows(id, "Invited").await;
    acme.polled().await;
    acme.leave(&[id]).await;
    acme.enter(&[id]).await;
    until("there is a second round", async || {
        (invitations(&acme, id).await == 2).then_some(())
    })
    .await;
    acme.polled().await;
    assert_eq!(invitations(&acme, id).await, 2);
}

/// The invitation could not be sent. When it could, the application was elsewhere.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_leaves_before_the_invitation_went_out_is_not_invited() {
    let mut harness = Harness::new(37).await;
    let customers = [
        harness.customer("throttled").await,
        harness.customer("dropped").await,
    ];
    harness.start_for(&[&customers[0], &customers[1]]).await;
    let faults = [
        Fault::TooMany {
            retry_after: Some(1),
        },
        Fault::DropBefore,
    ];
    let rules = customers.iter().zip(faults).map(|(customer, fault)| Rule {
        system: Some(customer.name.clone()),
        ..Rule::now_and_then("willo.participants.create", 1.0, fault)
    });
    harness.faults(rules.collect()).await;
    let mut left = Vec::new();
    for customer in &customers {
        let id = customer.applicant().await.application;
        customer.enter(&[id]).await;
        until("it was tried", async || {
            (customer.count("willo.participants.create").await > 1).then_some(())
        })
        .await;
        customer.leave(&[id]).await;
        left.push(id);
    }
    for customer in &customers {
        customer.polled().await;
    }
    harness.no_faults().await;
    for (customer, id) in customers.iter().zip(left) {
        let tenant = format!("tenant={} ", customer.name);
        harness.logged(&["state=\"skipped\"", &tenant]).await;
        customer.polled().await;
        assert_eq!(invitations(customer, id).await, 0);
        let participants = harness
            .player
            .participants(&customer.name, None)
            .await
            .unwrap();
        assert!(participants.is_empty());
    }
}

/// The right stage with another status is no entry; the status that follows is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_status_counts_where_the_trigger_names_one() {
    let (mut harness, acme) = Harness::with_one(39).await;
    harness.mapping("acme")["vacancies"] = json!("all");
    harness.start_for(&[&acme]).await;
    let id = acme.applicant().await.application;
    acme.move_to(&[id], TRIGGER.0, Some("On Hold")).await;
    acme.polled().await;
    assert_eq!(invitations(&acme, id).await, 0);
    acme.enter(&[id]).await;
    acme.invited(id).await;
}
