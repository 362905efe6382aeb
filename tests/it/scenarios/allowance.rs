//! The day's calls are spent: nothing is lost, and work resumes without intervention.

use serde_json::json;
use stagecall_sandbox::control::{CandidateAct, NewApplications, SystemSettings};
use stagecall_tests::harness::{Harness, TRIGGER, until};

/// Eploy reports a spent allowance, in both ways. The log has it with the remedy, and the open work is done once there are
/// calls again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eploys_spent_allowance_is_reported_and_recovered_from() {
    let mut harness = Harness::new(141).await;
    let mut customers = Vec::new();
    for status in [429, 403] {
        let name = format!("status-{status}");
        customers.push(harness.customer(&name).await);
        let quirks = json!({"allowance_status": status});
        harness.player.switch_eploy(&name, quirks).await.unwrap();
    }
    harness
        .start_for(&customers.iter().collect::<Vec<_>>())
        .await;
    for customer in &customers {
        let id = customer.applicant().await.application;
        let spent = SystemSettings {
            allowance: Some(1),
            calls_today: Some(1),
            ..SystemSettings::default()
        };
        harness
            .player
            .set_eploy(&customer.name, &spent)
            .await
            .unwrap();
        customer.enter(&[id]).await;
        let tenant = format!("tenant={} ", customer.name);
        let line = harness.logged(&["tenant suspended", &tenant]).await;
        assert!(line.contains("eploy.allowance_eploy"), "{line}");
        assert!(
            line.contains("daily_calls") && line.contains("API Package"),
            "{line}"
        );
        assert!(customer.judged(id).await.invitations.is_empty());

        let tomorrow = SystemSettings {
            allowance: Some(0),
            calls_today: Some(0),
            ..SystemSettings::default()
        };
        harness
            .player
            .set_eploy(&customer.name, &tomorrow)
            .await
            .unwrap();
        customer.invited(id).await;
        customer.shows(id, "Invited").await;
        assert_eq!(customer.judged(id).await.invitations.len(), 1);
    }
}

/// Stagecall respects its allowance, and logs when it is spent. Reports come before invitations, and invitations before
/// polls.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_calls_are_made_than_were_given() {
    let (mut harness, acme) = Harness::with_one(142).await;
    let there = NewApplications {
        stage: Some(TRIGGER.0.to_owned()),
        status: Some(TRIGGER.1.to_owned()),
        ..NewApplications::new(acme.vacancy, 9)
    };
    harness.player.apply("acme", &there).await.unwrap();
    harness.mapping("acme")["include_current"] = json!(true);
    harness.tenant("acme")["eploy"]["daily_calls"] = json!(20);
    harness.config["host"]["workers_per_tenant"] = json!(1);
    harness.start().await;
    harness
        .logged(&["eploy.allowance_ours", "raise daily_calls"])
        .await;
    let made = async || {
        let (calls, _) = acme.calls(0).await;
        calls
            .iter()
            .filter(|call| call.operation.starts_with("eploy."))
            .count()
    };
    // Some are reserved for the polls of the rest of the day.
    until("the calls for invitations are made", async || {
        (made().await >= 16).then_some(())
    })
    .await;
    // Not all could be invited; those who were are shown.
    let all = acme.all().await;
    let invited = all.iter().filter(|one| !one.invitations.is_empty()).count();
    let shown = all
        .iter()
        .filter(|one| !one.application.actions.is_empty())
        .count();
    assert!((1..9).contains(&invited), "{invited} are invited");
    assert!(shown >= 1, "no invitation is shown");
    harness.kill();
    harness.start().await;
    // One has a new result, and no call is left to report it.
    let reported = all.iter().find(|one| !one.application.actions.is_empty());
    acme.act(&reported.unwrap().participants, CandidateAct::Answer)
        .await;
    harness
        .logged(&["eploy.allowance_ours", "report deferred"])
        .await;
    assert!(made().await <= 20);
    assert!(all.iter().all(|one| one.invitations.len() <= 1));
}
