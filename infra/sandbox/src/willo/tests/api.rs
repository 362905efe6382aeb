//! The API.

use std::collections::HashSet;

use hyper::Method;
use serde_json::{Value, json};

use super::key_of;
use crate::control::{CandidateAct, Standing};
use crate::testing::{ACME, Scene};

#[tokio::test]
async fn the_key_stands_bare_and_paths_end_in_a_slash() {
    let scene = Scene::new().await;
    let interviews = format!("{}/api/integrations/v2/interviews/", scene.willo.base_url);
    let ask = async |value: &str| {
        scene
            .send(
                Method::GET,
                &interviews,
                &[("authorization", value)],
                Vec::new(),
            )
            .await
            .unwrap()
    };
    let key = scene.willo.api_key.clone();
    let bearer = format!("Bearer {key}");
    assert_eq!(ask(&key).await.status, 200);
    let refused = ask(&bearer).await;
    assert_eq!(refused.status, 401);
    assert!(refused.body["detail"].is_string());
    scene
        .player
        .switch_willo(ACME, json!({"authorization": "bearer"}))
        .await
        .unwrap();
    assert_eq!(
        (ask(&key).await.status, ask(&bearer).await.status),
        (401, 200)
    );
    scene
        .player
        .switch_willo(ACME, json!({"authorization": "either"}))
        .await
        .unwrap();
    assert_eq!(
        (ask(&key).await.status, ask(&bearer).await.status),
        (200, 200)
    );

    let redirect = scene.willo(Method::GET, "interviews", None).await;
    assert_eq!(redirect.status, 301);
    assert_eq!(redirect.headers["location"], interviews);
    assert_eq!(
        scene
            .willo(Method::POST, "participants", Some(json!({})))
            .await
            .status,
        404
    );
    assert_eq!(
        scene.willo(Method::GET, "nonsense/", None).await.status,
        404
    );
    assert_eq!(
        scene
            .willo(Method::DELETE, "interviews/", None)
            .await
            .status,
        405
    );
}

#[tokio::test]
async fn lists_come_in_pages_of_at_most_thirty() {
    let scene = Scene::new().await;
    let interview = scene.interview().await;
    for number in 0..35 {
        scene
            .invite(&interview, &format!("ada{number}@example.com"))
            .await;
    }
    let mut url = format!(
        "{}/api/integrations/v2/participants/?interview={interview}&page_size=100",
        scene.willo.base_url
    );
    let mut keys = HashSet::new();
    let mut sizes = Vec::new();
    loop {
        let headers = [("authorization", scene.willo.api_key.as_str())];
        let page = scene
            .send(Method::GET, &url, &headers, Vec::new())
            .await
            .unwrap();
        assert_eq!(page.body["count"], 35);
        let results = page.body["results"].as_array().unwrap();
        sizes.push(results.len());
        keys.extend(results.iter().map(key_of));
        match page.body["next"].as_str() {
            Some(next) => next.clone_into(&mut url),
            None => break,
        }
    }
    assert_eq!((sizes, keys.len()), (vec![30, 5], 35));
    let past = scene
        .willo(Method::GET, "participants/?page=99", None)
        .await;
    assert_eq!(past.status, 404);
    let none = scene
        .willo(Method::GET, "participants/?interview=0", None)
        .await;
    assert_eq!(none.body["count"], 0);
}

#[tokio::test]
async fn an_invitation_needs_a_name_and_an_interview() {
    let scene = Scene::new().await;
    let interview = scene.interview().await;
    let ask = async |body: Value| scene.willo(Method::POST, "participants/", Some(body)).await;
    let refused = ask(json!({"email": "ada@example.com"})).await;
    assert_eq!(refused.status, 400);
    assert_eq!(refused.body["name"], json!(["This field is required."]));
    assert_eq!(
        refused.body["interview"],
        json!(["This field is required."])
    );
    let refused = ask(json!({"interview": interview, "name": "Ada Example", "email": "ada"})).await;
    assert!(refused.body["email"].is_array());
    let made = scene.invite(&interview, "Ada@example.com").await;
    assert_eq!(made.status, 201);
    let key = key_of(&made.body);
    let read = scene
        .willo(Method::GET, &format!("participants/{key}/"), None)
        .await;
    assert_eq!(read.body["status"], "invited");
    assert_eq!(read.body["stage"], "New");
    let sent = scene.player.invitations(0).await.unwrap().records;
    assert_eq!(sent.len(), 1);
    assert_eq!(
        (sent[0].email.as_str(), &sent[0].participant),
        ("ada@example.com", &key)
    );
}

#[tokio::test]
async fn a_second_invitation_does_what_is_switched() {
    let scene = Scene::new().await;
    for (duplicate, status, same, sent) in [
        ("new_key", 201, false, 2),
        ("same_key", 201, true, 1),
        ("same_key_sent_again", 201, true, 2),
        ("bad_request", 400, false, 1),
        ("conflict", 409, false, 1),
    ] {
        scene
            .player
            .switch_willo(ACME, json!({"duplicate": duplicate}))
            .await
            .unwrap();
        let interview = scene.player.interview(ACME, duplicate).await.unwrap();
        let before = scene.player.invitations(0).await.unwrap().next;
        let first = scene.invite(&interview, "ada@example.com").await;
        let second = scene.invite(&interview, "ADA@example.com").await;
        assert_eq!(second.status, status, "{duplicate}");
        assert_eq!(first.body["key"] == second.body["key"], same, "{duplicate}");
        let records = scene.player.invitations(before).await.unwrap().records;
        assert_eq!(records.len(), sent, "{duplicate}");
    }
}

#[tokio::test]
async fn an_external_id_comes_back_and_filters_if_switched() {
    let scene = Scene::new().await;
    let interview = scene.interview().await;
    let guest = |id: &str| {
        json!({"interview": interview, "name": "Ada Example", "email": format!("{id}@example.com"),
            "external_id": id, "send_invite": false})
    };
    let made = scene
        .willo(Method::POST, "participants/", Some(guest("one")))
        .await;
    assert!(made.body.get("external_id").is_none());
    scene
        .willo(Method::POST, "participants/", Some(guest("two")))
        .await;
    let path = format!("participants/?interview={interview}&external_id=two");
    assert_eq!(scene.willo(Method::GET, &path, None).await.body["count"], 2);
    scene
        .player
        .switch_willo(
            ACME,
            json!({"external_id": "echoed", "honours_send_invite": true}),
        )
        .await
        .unwrap();
    let found = scene.willo(Method::GET, &path, None).await;
    assert_eq!(found.body["count"], 1);
    assert_eq!(found.body["results"][0]["external_id"], "two");
    scene
        .willo(Method::POST, "participants/", Some(guest("three")))
        .await;
    // The judge knows them all, and that the third was not sent.
    let sent = scene.player.invitations(0).await.unwrap().records;
    let ids: Vec<_> = sent
        .iter()
        .map(|sent| sent.external_id.as_deref().unwrap())
        .collect();
    assert_eq!(ids, ["one", "two"]);
}

#[tokio::test]
async fn webhooks_are_created_changed_and_removed() {
    let scene = Scene::new().await;
    let body =
        json!({"url": "https://hooks.example.com/x?event=stage_change", "event": "stage_change"});
    let made = scene.willo(Method::POST, "webhooks/", Some(body)).await;
    let path = format!("webhooks/{}/", key_of(&made.body));
    let changed = scene
        .willo(
            Method::PATCH,
            &path,
            Some(json!({"url": "http://127.0.0.1:1/y"})),
        )
        .await;
    assert_eq!(changed.body["url"], "http://127.0.0.1:1/y");
    assert_eq!(changed.body["event"], "stage_change");
    assert_eq!(scene.willo(Method::GET, &path, None).await.status, 405);
    for wrong in [
        json!({"event": "opened"}),
        json!({"url": "x"}),
        json!({"interviews": "all"}),
    ] {
        assert_eq!(
            scene.willo(Method::PATCH, &path, Some(wrong)).await.status,
            400
        );
    }
    assert_eq!(
        scene.willo(Method::GET, "webhooks/", None).await.body["count"],
        1
    );
    assert_eq!(scene.willo(Method::DELETE, &path, None).await.status, 204);
    assert_eq!(scene.willo(Method::DELETE, &path, None).await.status, 404);
}

#[tokio::test]
async fn a_throttled_account_gets_429() {
    let scene = Scene::new().await;
    scene
        .player
        .switch_willo(ACME, json!({"calls_per_second": 0, "retry_after": 7}))
        .await
        .unwrap();
    let refused = scene.willo(Method::GET, "users/", None).await;
    assert_eq!(
        (refused.status, &refused.headers["retry-after"]),
        (429, &"7".parse().unwrap())
    );
    scene
        .player
        .switch_willo(ACME, json!({"retry_after": null}))
        .await
        .unwrap();
    let refused = scene.willo(Method::GET, "users/", None).await;
    assert!(!refused.headers.contains_key("retry-after"));
    scene
        .player
        .switch_willo(ACME, json!({"calls_per_second": null}))
        .await
        .unwrap();
    for list in ["users/", "departments/", "message-templates/"] {
        assert_ne!(scene.willo(Method::GET, list, None).await.body["count"], 0);
    }
}

#[tokio::test]
async fn a_removed_participant_is_gone_for_the_api_but_not_for_the_judge() {
    let scene = Scene::new().await;
    let interview = scene.interview().await;
    let key = key_of(&scene.invite(&interview, "ada@example.com").await.body);
    scene
        .player
        .candidate(ACME, std::slice::from_ref(&key), CandidateAct::Bounce)
        .await
        .unwrap();
    assert_eq!(
        scene
            .willo(Method::DELETE, &format!("participants/{key}/"), None)
            .await
            .status,
        204
    );
    assert_eq!(
        scene
            .willo(Method::GET, &format!("participants/{key}/"), None)
            .await
            .status,
        404
    );
    assert_eq!(
        scene.willo(Method::GET, "participants/", None).await.body["count"],
        0
    );
    let all = scene
        .player
        .participants(ACME, Some("ada@example.com"))
        .await
        .unwrap();
    assert_eq!((all[0].standing, all[0].removed), (Standing::Bounced, true));
}

#[tokio::test]
async fn times_have_six_digits_of_a_second_at_most() {
    let scene = Scene::new().await;
    let interview = scene.interview().await;
    let invited = scene.invite(&interview, "ada@example.com").await.body;
    let list = scene.willo(Method::GET, "participants/", None).await.body;
    for time in [
        &invited["created_at"],
        &invited["updated_at"],
        &list["results"][0]["created_at"],
    ] {
        let (_, fraction) = time.as_str().unwrap().split_once('.').unwrap();
        let digits = fraction.strip_suffix('Z').unwrap();
        assert_eq!(digits.len(), 6, "{time}");
    }
}
