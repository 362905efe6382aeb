//! Faults, records and the judgement, over HTTP.

use std::time::Duration;

use hyper::Method;
use serde_json::json;

use super::*;
use crate::client::{Client, ClientError};
use crate::testing::{ACME, Scene};

async fn one_fault(scene: &Scene, target: &str, fault: Fault) {
    let profile = Profile {
        seed: 1,
        rules: vec![Rule::next(target, 1, fault)],
    };
    scene.player.set_faults(&profile).await.unwrap();
}

#[tokio::test]
async fn a_call_has_its_effect_if_dropped_after_and_none_if_dropped_before() {
    let scene = Scene::new().await;
    let interview = scene.interview().await;
    let guest = json!({"interview": interview, "name": "Ada Example", "email": "ada@example.com"});
    for (fault, sent) in [(Fault::DropBefore, 0), (Fault::DropAfter, 1)] {
        one_fault(&scene, "willo.participants.create", fault).await;
        let answer = scene
            .try_willo(Method::POST, "participants/", Some(guest.clone()))
            .await;
        assert!(answer.is_err(), "no byte of an answer may come: {answer:?}");
        assert_eq!(
            scene.player.invitations(0).await.unwrap().records.len(),
            sent
        );
    }
    let calls = scene.player.calls(0).await.unwrap().records;
    let last = calls.last().unwrap();
    assert_eq!(last.operation, "willo.participants.create");
    assert_eq!(last.fault.as_deref(), Some("drop_after"));
    assert_eq!(last.status, None);
    // The connection is closed, the sandbox still runs.
    assert_eq!(scene.invite(&interview, "bo@example.com").await.status, 201);
}

#[tokio::test]
async fn errors_come_before_or_after_the_effect() {
    let scene = Scene::new().await;
    let (_, ids) = scene.applications(1).await;
    let path = format!("applications/{}", ids[0]);
    let body = json!({"Workflow": {"StageId": 12, "StatusId": 34}});
    let stage = async || scene.seen(ids[0]).await.position.stage_id;
    one_fault(
        &scene,
        "PATCH /eploy/acme/api/applications",
        Fault::ErrorBefore { status: 503 },
    )
    .await;
    assert_eq!(scene.patch(&path, body.clone()).await.status, 503);
    assert_eq!(stage().await, 10);
    one_fault(
        &scene,
        "eploy.applications.move",
        Fault::ErrorAfter { status: 500 },
    )
    .await;
    assert_eq!(scene.patch(&path, body.clone()).await.status, 500);
    assert_eq!(stage().await, 12);

    one_fault(
        &scene,
        "eploy",
        Fault::TooMany {
            retry_after: Some(9),
        },
    )
    .await;
    let refused = scene.get(&path).await;
    assert_eq!(
        (
            refused.status,
            refused.headers["retry-after"].to_str().unwrap()
        ),
        (429, "9")
    );
    assert!(refused.body["error_message"].is_string());
    one_fault(&scene, "eploy", Fault::AllowanceSpent).await;
    assert_eq!(scene.get(&path).await.status, 429);
    assert_eq!(scene.get(&path).await.status, 429, "it stays spent");
    let settings = SystemSettings {
        calls_today: Some(0),
        ..SystemSettings::default()
    };
    scene.player.set_eploy(ACME, &settings).await.unwrap();
    assert_eq!(scene.get(&path).await.status, 200);

    let began = std::time::Instant::now();
    one_fault(&scene, "eploy.applications.get", Fault::Latency { ms: 30 }).await;
    assert_eq!(scene.get(&path).await.status, 200);
    assert!(began.elapsed().as_millis() >= 30);
    let faults = scene.player.faults().await.unwrap();
    assert_eq!(faults.rules[0].when, When::Next(0));
    let counted: Vec<_> = faults.injected.keys().map(String::as_str).collect();
    assert_eq!(
        counted,
        [
            "allowance_spent",
            "error_after",
            "error_before",
            "latency",
            "too_many"
        ]
    );
}

#[tokio::test]
async fn a_call_has_its_effect_although_the_caller_timed_out() {
    let scene = Scene::new().await;
    let (_, ids) = scene.applications(1).await;
    one_fault(&scene, "eploy.applications", Fault::Latency { ms: 60 }).await;
    let impatient = Client::new(Duration::from_millis(10));
    let url = format!("{}/api/applications/{}", scene.eploy.base_url, ids[0]);
    let token = format!("Bearer {}", scene.token);
    let body = json!({"Workflow": {"StageId": 12, "StatusId": 34}}).to_string();
    let answer = impatient
        .send(
            Method::PATCH,
            &url,
            &[("authorization", &token)],
            body.into_bytes(),
        )
        .await;
    assert!(matches!(answer, Err(ClientError::TimedOut(_))));
    assert_eq!(scene.seen(ids[0]).await.position.stage_id, 10);
    let calls = scene.player.calls(0).await.unwrap().next;
    while scene.player.calls(0).await.unwrap().next == calls {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(scene.seen(ids[0]).await.position.stage_id, 12);
}

#[tokio::test]
async fn the_judgement_joins_both_sides() {
    let scene = Scene::new().await;
    let (_, ids) = scene.applications(3).await;
    scene
        .player
        .move_to(ACME, &ids[..2], "Video Interview", None)
        .await
        .unwrap();
    scene
        .player
        .move_to(ACME, &ids[..1], "Video Interview", Some("Completed"))
        .await
        .unwrap();
    let interview = scene.interview().await;
    let people = scene.player.people().await.unwrap();
    assert_eq!(people.len(), 3);
    let first = scene
        .invite(&interview, &people[0].email.to_uppercase())
        .await
        .body["key"]
        .clone();
    scene.invite(&interview, &people[0].email).await;
    let by_phone = json!({"interview": interview, "name": "Bo Example",
        "phone": people[1].mobile.replacen('0', "+44", 1)});
    assert_eq!(
        scene
            .willo(Method::POST, "participants/", Some(by_phone))
            .await
            .status,
        201
    );
    let key = [first.as_str().unwrap().to_owned()];
    scene
        .player
        .candidate(ACME, &key, CandidateAct::Answer)
        .await
        .unwrap();
    // The judge still finds what was sent to a former address of the candidate.
    let candidate = scene.seen(ids[0]).await.candidate;
    let edit = EditCandidate {
        email: Some("other@example.com".to_owned()),
        ..EditCandidate::default()
    };
    scene
        .player
        .edit_candidate(ACME, candidate, &edit)
        .await
        .unwrap();

    let judged = scene.player.judgement(ACME).await.unwrap();
    let sent: Vec<_> = judged.iter().map(|one| one.invitations.len()).collect();
    assert_eq!(sent, [2, 1, 0]);
    let stages: Vec<_> = judged[0]
        .entries
        .iter()
        .map(|entry| entry.stage.as_str())
        .collect();
    assert_eq!(stages, ["Application Review", "Video Interview"]);
    assert_eq!(judged[0].participants[0].standing, Standing::Completed);
    assert_eq!(judged[0].participants[1].standing, Standing::Invited);
    assert!(judged[0].application.actions.is_empty());
}

#[tokio::test]
async fn a_command_is_json_tagged_with_its_name() {
    let scene = Scene::new().await;
    let (_, ids) = scene.applications(1).await;
    let url = format!("{}/control", scene.sandbox.url());
    let post = async |command: serde_json::Value| {
        let headers = [("content-type", "application/json")];
        let body = command.to_string().into_bytes();
        let seen = scene.send(Method::POST, &url, &headers, body).await;
        let seen = seen.unwrap();
        (seen.status, seen.body)
    };
    let moved = json!({
        "command": "move_to",
        "system": ACME,
        "applications": ids,
        "stage": "Video Interview",
    });
    assert_eq!(post(moved.clone()).await, (200, json!(null)));
    assert_eq!(scene.seen(ids[0]).await.position.stage_id, 12);
    let mut misspelt = moved.clone();
    misspelt["state"] = json!("New");
    let mut unknown = moved;
    unknown["command"] = json!("teleport");
    for (command, word) in [(misspelt, "state"), (unknown, "teleport")] {
        let (status, body) = post(command).await;
        assert_eq!(status, 400);
        assert!(body["error"].as_str().unwrap().contains(word), "{body}");
    }
}

#[tokio::test]
async fn impossible_requests_are_rejected() {
    let scene = Scene::new().await;
    let refusals = [
        scene
            .player
            .switch_eploy(ACME, json!({"nonsense": 1}))
            .await
            .unwrap_err(),
        scene
            .player
            .switch_eploy(ACME, json!({"dates": "nonsense"}))
            .await
            .unwrap_err(),
        scene.player.application(ACME, 1).await.unwrap_err(),
        scene
            .player
            .apply(ACME, &NewApplications::new(1, 1))
            .await
            .unwrap_err(),
        scene
            .player
            .candidate(ACME, &["0".to_owned()], CandidateAct::Open)
            .await
            .unwrap_err(),
    ];
    let statuses: Vec<_> = refusals
        .iter()
        .map(|refusal| match refusal {
            PlayerError::Refused { status, error } if !error.is_empty() => *status,
            other => panic!("{other}"),
        })
        .collect();
    assert_eq!(statuses, [400, 400, 422, 422, 422]);
    let url = format!("{}/eploy/nobody/api/token", scene.sandbox.url());
    let unknown = scene
        .send(Method::POST, &url, &[], Vec::new())
        .await
        .unwrap();
    assert_eq!(unknown.status, 404);
}

#[tokio::test]
async fn nothing_answers_after_shutdown() {
    let scene = Scene::new().await;
    let player = scene.player.clone();
    player.people().await.unwrap();
    scene.sandbox.shutdown().await;
    assert!(matches!(player.people().await, Err(PlayerError::Client(_))));
}
