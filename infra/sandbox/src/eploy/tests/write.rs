//! Moves, actions, questions, notes, lists, exports.

use std::time::Duration;

use serde_json::{Value, json};

use super::equals;
use crate::control::{
    By, EditCandidate, NewApplications, NewOption, NewVacancy, SystemSettings, Transition, Trigger,
    Write,
};
use crate::testing::{ACME, Scene};

#[tokio::test]
async fn a_move_takes_one_body_and_keeps_to_the_workflow() {
    let scene = Scene::new().await;
    let (_, ids) = scene.applications(1).await;
    let path = format!("applications/{}", ids[0]);
    let shapes = [
        (
            "workflow_ids",
            json!({"Workflow": {"StageId": 13, "StatusId": 36}}),
        ),
        (
            "workflow_objects",
            json!({"Workflow": {"Stage": {"Id": "13"}, "Status": {"Id": 36}}}),
        ),
        ("flat", json!({"StageId": 13, "StatusId": "36"})),
    ];
    for (name, right) in &shapes {
        for (shape, _) in &shapes {
            scene.player.move_to(ACME, &ids, "11", None).await.unwrap();
            scene.switch(json!({"stage_write": shape})).await;
            assert_eq!(scene.patch(&path, right.clone()).await.status, 200);
            let stage = scene.seen(ids[0]).await.position.stage_id;
            assert_eq!(stage, if name == shape { 13 } else { 11 }, "{name} {shape}");
        }
    }
    scene
        .switch(json!({"stage_write": "any", "patch_reply": "empty"}))
        .await;
    let (_, moved) = &shapes[0];
    let answer = scene.patch(&path, moved.clone()).await;
    assert_eq!((answer.status, answer.body), (204, Value::Null));
    for body in [
        json!({"StageId": 99}),
        json!({"StageId": 13, "StatusId": 30}),
    ] {
        assert_eq!(scene.patch(&path, body).await.status, 400);
    }
    scene
        .switch(json!({"stage_write": "flat", "unknown_property": "refuse"}))
        .await;
    assert_eq!(scene.patch(&path, moved.clone()).await.status, 400);

    let new = NewVacancy {
        title: "Volunteer".to_owned(),
        workflow: Some(2),
        ..NewVacancy::default()
    };
    let vacancy = scene.player.vacancy(ACME, &new).await.unwrap();
    let created = scene
        .player
        .apply(ACME, &NewApplications::new(vacancy, 1))
        .await
        .unwrap();
    let path = format!("applications/{}", created[0].application);
    assert_eq!(scene.patch(&path, json!({"StageId": 12})).await.status, 400);
}

/// The body of an action for this application, with the outcome "Invited".
async fn action_for(scene: &Scene, application: u64) -> Value {
    let seen = scene.seen(application).await;
    json!({
        "ActionTypeId": 42, "VacancyId": seen.vacancy, "CandidateId": seen.candidate, "CompanyId": 12,
        "ActionOutcomeId": "101", "StartDate": "2025-01-24T10:00:00.000Z",
        "ExternalProviderURL": "https://provider.example/invite/abc",
    })
}

#[tokio::test]
async fn an_action_is_created_found_and_updated() {
    let scene = Scene::new().await;
    let (_, ids) = scene.applications(1).await;
    let before = scene.seen(ids[0]).await;
    let action = action_for(&scene, ids[0]).await;
    let made = scene.post("actions", action.clone()).await;
    assert_eq!(made.status, 201);
    let id = made.body["Id"].as_u64().unwrap();
    for (field, wrong) in [
        ("ActionTypeId", json!(999)),
        ("CandidateId", json!(null)),
        ("ActionOutcomeId", json!(1)),
        ("StartDate", json!("soon")),
    ] {
        let mut body = action.clone();
        body[field] = wrong;
        assert_eq!(scene.post("actions", body).await.status, 400, "{field}");
    }

    let filters = json!([
        equals("Candidate.CandidateId", before.candidate),
        equals("Action.ActionType", 42),
        equals("Action.StartDate", "2025-01-24T10:00:00Z"),
    ]);
    let blocks = ["ActionId", "ActionOutcome"];
    let found = scene.search("actions", filters, &blocks).await;
    assert_eq!(found.ids("ActionId"), [id]);
    let outcome = &found.body["Records"][0]["ActionOutcome"];
    assert_eq!(outcome["Description"], "Invited");

    let result = json!({
        "CompletionDate": "2025-01-25T16:30:00Z", "ActionOutcomeId": 103,
        "CommentsHTML": "<p>Score 82/100</p>",
    });
    let path = format!("actions/{id}");
    assert_eq!(scene.patch(&path, result).await.status, 200);
    let seen = scene.seen(ids[0]).await;
    assert_eq!(seen.actions.len(), 1);
    let shown = &seen.actions[0];
    assert_eq!(shown.outcome.as_deref(), Some("Completed"));
    assert_eq!(shown.comments_html.as_deref(), Some("<p>Score 82/100</p>"));
    let link = "https://provider.example/invite/abc";
    assert_eq!(shown.link.as_deref(), Some(link));
    assert!(shown.completion.is_some());
    assert_eq!(
        (seen.modified, seen.position),
        (before.modified, before.position),
        "by default, an action leaves its application alone"
    );

    scene
        .switch(json!({"actions_touch_application": true}))
        .await;
    tokio::time::sleep(Duration::from_millis(2)).await;
    scene.patch(&path, json!({"CommentsHTML": "again"})).await;
    assert!(scene.seen(ids[0]).await.modified > before.modified);
}

#[tokio::test]
async fn an_outcome_moves_the_application() {
    let scene = Scene::new().await;
    let (_, ids) = scene.applications(1).await;
    let player = &scene.player;
    player.move_to(ACME, &ids, "12", None).await.unwrap();
    let settings = SystemSettings {
        transitions: Some(vec![Transition {
            on: Trigger::Outcome(110),
            stage: Some(12),
            to_stage: 14,
            to_status: 101,
        }]),
        ..SystemSettings::default()
    };
    player.set_eploy(ACME, &settings).await.unwrap();
    let action = action_for(&scene, ids[0]).await;
    let made = scene.post("actions", action).await.body["Id"].clone();
    assert_eq!(scene.seen(ids[0]).await.position.stage_id, 12);
    let path = format!("actions/{made}");
    scene.patch(&path, json!({"ActionOutcomeId": 110})).await;
    let seen = scene.seen(ids[0]).await;
    assert_eq!(seen.position.stage, "Second Interview");
    assert_eq!(seen.history.last().unwrap().action, made.as_u64());

    // At a stage of the action kind, the outcome is the status.
    scene.patch(&path, json!({"ActionOutcomeId": 111})).await;
    let position = scene.seen(ids[0]).await.position;
    assert_eq!(position.status.as_deref(), Some("Unsuccessful"));

    let writes = player.writes(0).await.unwrap().records;
    let written: Vec<_> = writes.iter().map(|one| (one.write, one.by)).collect();
    assert_eq!(
        written,
        [
            (Write::Move, By::Recruiter),
            (Write::Move, By::Recruiter),
            (Write::ActionCreated, By::Api),
            (Write::ActionUpdated, By::Api),
            (Write::Move, By::Transition),
            (Write::ActionUpdated, By::Api),
            (Write::Move, By::Transition),
        ]
    );
}

#[tokio::test]
async fn a_status_that_sends_an_email_is_not_left_automatically() {
    let scene = Scene::new().await;
    let (_, ids) = scene.applications(2).await;
    let to_shortlist = |on| Transition {
        on,
        stage: None,
        to_stage: 11,
        to_status: 31,
    };
    let settings = SystemSettings {
        transitions: Some(vec![
            to_shortlist(Trigger::Status(38)),
            to_shortlist(Trigger::Status(36)),
        ]),
        ..SystemSettings::default()
    };
    scene.player.set_eploy(ACME, &settings).await.unwrap();
    scene
        .player
        .move_to(ACME, &ids[..1], "Unsuccessful", Some("Rejected"))
        .await
        .unwrap();
    scene
        .player
        .move_to(ACME, &ids[1..], "13", Some("Passed"))
        .await
        .unwrap();
    let stage = async |id| scene.seen(id).await.position.stage;
    assert_eq!(stage(ids[0]).await, "Unsuccessful");
    assert_eq!(stage(ids[1]).await, "Shortlist");
}

#[tokio::test]
async fn questions_are_a_bare_array_and_answered_by_kind() {
    let scene = Scene::new().await;
    let (_, ids) = scene.applications(1).await;
    let path = format!("applications/{}/questions", ids[0]);
    let asked = scene.get(&path).await.body;
    assert_eq!(asked.as_array().unwrap().len(), 5);
    assert_eq!(asked[1]["Answer"], Value::Null);
    let answers = json!([
        {"QuestionId": 276, "Answer": "82.5"}, {"QuestionId": "278", "Answer": 3},
        {"QuestionId": 253, "Answer": "true"}, {"QuestionId": 277, "Answer": "https://provider.example/r"},
    ]);
    assert_eq!(scene.patch(&path, answers).await.status, 200);
    let asked = scene.get(&path).await.body;
    assert_eq!(asked[0]["Answer"], true);
    assert_eq!(asked[1]["Answer"], 82.5);
    assert_eq!(
        asked[3]["Answer"],
        json!({"Id": "3", "Description": "Completed"})
    );
    for wrong in [
        json!([{"QuestionId": 276, "Answer": "many"}]),
        json!([{"QuestionId": 278, "Answer": 9}]),
        json!([{"QuestionId": 1, "Answer": "x"}]),
        json!({"QuestionId": 276, "Answer": 1}),
    ] {
        assert_eq!(scene.patch(&path, wrong).await.status, 400);
    }
    assert_eq!(scene.seen(ids[0]).await.answers.len(), 4);
}

#[tokio::test]
async fn notes_exist_only_where_they_are_switched_on() {
    let scene = Scene::new().await;
    let (_, ids) = scene.applications(1).await;
    let own = format!("applications/{}/notes", ids[0]);
    let note = json!({"ApplicationId": ids[0], "Text": "Invited"});
    assert_eq!(scene.post("notes", note.clone()).await.status, 404);
    assert_eq!(scene.post(&own, note.clone()).await.status, 404);
    scene.switch(json!({"notes": "notes"})).await;
    assert_eq!(scene.post("notes", note.clone()).await.status, 201);
    scene
        .switch(json!({"notes": "application", "create_status": 200}))
        .await;
    assert_eq!(
        scene.post(&own, json!({"Note": "Started"})).await.status,
        200
    );
    let seen = scene.seen(ids[0]).await;
    let texts: Vec<_> = seen.notes.iter().map(|note| note.text.as_str()).collect();
    assert_eq!(texts, ["Invited", "Started"]);
}

#[tokio::test]
async fn lists_of_options_have_text_ids_and_an_index() {
    let scene = Scene::new().await;
    let index = scene.get("options").await.body;
    let named = index["Values"]
        .as_array()
        .unwrap()
        .iter()
        .find(|list| list["Description"] == "Application Stage Names")
        .unwrap();
    let path = format!("options/dropdown/{}", named["Id"].as_str().unwrap());
    let stages = scene.get(&path).await.body;
    assert_eq!(
        stages["Values"][2],
        json!({"Id": "12", "Description": "Video Interview", "Reference": "", "ArchiveDate": null, "ParentId": null})
    );
    let gone = NewOption {
        list: 60,
        id: 12,
        name: "Old Interview".to_owned(),
        archived: true,
    };
    scene.player.option(ACME, &gone).await.unwrap();
    assert!(scene.get(&path).await.body["Values"][2]["ArchiveDate"].is_string());
    for known in [50, 86, 91, 193] {
        assert_eq!(
            scene.get(&format!("options/dropdown/{known}")).await.status,
            200
        );
    }
    scene.switch(json!({"options_index": "dropdown"})).await;
    assert_eq!(scene.get("options").await.status, 404);
    assert_eq!(scene.get("options/dropdown").await.status, 200);
}

#[tokio::test]
async fn exporting_hiring_editing_and_removing_are_seen() {
    let scene = Scene::new().await;
    let (_, ids) = scene.applications(2).await;
    let export = json!({"ExportPackageId": 5, "ApplicationId": ids[0]});
    for _ in 0..2 {
        assert_eq!(scene.post("export", export.clone()).await.status, 201);
    }
    scene.player.hire(ACME, &ids[..1]).await.unwrap();
    let seen = scene.seen(ids[0]).await;
    assert_eq!(seen.exported, [5]);
    assert_eq!(seen.placement.as_deref(), Some("Offer Accepted"));
    let hired = scene
        .search(
            "placements",
            json!([equals("Placement.PlacementStatus", "3")]),
            &["Candidate"],
        )
        .await;
    assert_eq!(hired.body["Records"][0]["Candidate"]["Id"], seen.candidate);

    let path = format!("candidates/{}", seen.candidate);
    let email = scene.get(&path).await.body["Email"]
        .as_str()
        .unwrap()
        .to_owned();
    let by_email = json!([equals("Candidate.Email", email.to_uppercase())]);
    let found = scene.search("candidates", by_email, &["CandidateID"]).await;
    assert_eq!(found.ids("CandidateId"), [seen.candidate]);
    let edit = EditCandidate {
        email: Some(String::new()),
        ..EditCandidate::default()
    };
    scene
        .player
        .edit_candidate(ACME, seen.candidate, &edit)
        .await
        .unwrap();
    assert_eq!(scene.get(&path).await.body["Email"], Value::Null);

    scene.player.withdraw(ACME, &ids[1..]).await.unwrap();
    assert_eq!(scene.seen(ids[1]).await.position.stage, "Withdrawn");
    scene.player.remove(ACME, &ids[1..]).await.unwrap();
    assert_eq!(
        scene.get(&format!("applications/{}", ids[1])).await.status,
        404
    );
    let left = scene
        .search("applications", json!([]), &["ApplicationId"])
        .await;
    assert_eq!(left.ids("ApplicationId"), ids[..1]);
}
