//! Tokens, scopes, roles, addresses, allowance.

use hyper::Method;
use serde_json::json;

use crate::control::{Role, SystemSettings};
use crate::testing::{ACME, Scene};

#[tokio::test]
async fn a_token_is_given_for_json_and_for_a_form_with_the_scopes_asked_for() {
    let scene = Scene::new().await;
    let mut body = scene.credentials();
    body["scope"] = json!("applications.read,actions.insert");
    let answer = scene.post("token", body).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body["token_type"], "Bearer");
    assert_eq!(answer.body["expires_in"], 3599);
    assert_eq!(answer.body["scope"], "actions.insert,applications.read");

    let key = &scene.eploy.keys[0];
    let form = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}",
        key.client_id, key.client_secret
    );
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let url = format!("{}/api/token", scene.eploy.base_url);
    let answer = scene
        .send(Method::POST, &url, &headers, form.into_bytes())
        .await
        .unwrap();
    assert_eq!(answer.status, 200);
    assert!(
        answer.body["scope"]
            .as_str()
            .unwrap()
            .contains("vacancies.read")
    );
}

#[tokio::test]
async fn credentials_scopes_tokens_roles_and_addresses_are_checked() {
    let mut scene = Scene::new().await;
    let mut wrong = scene.credentials();
    wrong["client_secret"] = json!("wrong");
    assert_eq!(scene.post("token", wrong.clone()).await.status, 400);
    scene
        .switch(json!({"wrong_credentials": 401, "error_body": "oauth"}))
        .await;
    let refused = scene.post("token", wrong).await;
    assert_eq!(refused.status, 401);
    assert_eq!(refused.body["error_description"], "invalid_client");

    let good = std::mem::replace(&mut scene.token, "stale".to_owned());
    assert_eq!(
        scene.search("applications", json!([]), &[]).await.status,
        401
    );

    let mut narrow = scene.credentials();
    narrow["scope"] = json!("candidates.read");
    let answer = scene.post("token", narrow).await;
    scene.token = answer.body["access_token"].as_str().unwrap().to_owned();
    assert_eq!(scene.search("candidates", json!([]), &[]).await.status, 200);
    assert_eq!(
        scene.search("applications", json!([]), &[]).await.status,
        403
    );

    scene.token = good;
    let settings = SystemSettings {
        end_tokens: true,
        ..SystemSettings::default()
    };
    scene.player.set_eploy(ACME, &settings).await.unwrap();
    assert_eq!(
        scene.search("applications", json!([]), &[]).await.status,
        401
    );

    let role = |name: &str| Role {
        name: name.to_owned(),
        scopes: ["applications.read".to_owned()].into(),
    };
    let settings = SystemSettings {
        roles: Some(vec![role("one"), role("two")]),
        ..SystemSettings::default()
    };
    scene.player.set_eploy(ACME, &settings).await.unwrap();
    assert_eq!(scene.post("token", scene.credentials()).await.status, 403);
    let settings = SystemSettings {
        roles: Some(vec![role("one")]),
        ..SystemSettings::default()
    };
    scene.player.set_eploy(ACME, &settings).await.unwrap();
    let answer = scene.post("token", scene.credentials()).await;
    assert_eq!(answer.body["scope"], "applications.read");

    let settings = SystemSettings {
        ip_ranges: Some(vec!["10.0.0.0/8".to_owned()]),
        ..SystemSettings::default()
    };
    scene.player.set_eploy(ACME, &settings).await.unwrap();
    assert_eq!(scene.post("token", scene.credentials()).await.status, 403);
}

/// A client requests all scopes of its key, also for records that the sandbox does not have.
#[tokio::test]
async fn scopes_of_records_that_are_left_out_are_granted() {
    let scene = Scene::new().await;
    let mut body = scene.credentials();
    body["scope"] = json!("payrates.read,paysalaries.read,timesheets.read");
    let answer = scene.post("token", body.clone()).await;
    assert_eq!(answer.body["scope"], body["scope"]);
    body["scope"] = json!("payrates.delete");
    assert_eq!(scene.post("token", body).await.status, 400);
}

#[tokio::test]
async fn the_allowance_is_shared_and_its_refusal_switches() {
    let scene = Scene::new().await;
    let settings = SystemSettings {
        allowance: Some(3),
        calls_today: Some(0),
        ..SystemSettings::default()
    };
    scene.player.set_eploy(ACME, &settings).await.unwrap();
    for status in [200, 200, 200, 429] {
        let answer = scene.search("vacancies", json!([]), &[]).await;
        assert_eq!(answer.status, status);
        assert!(!answer.headers.contains_key("retry-after"));
    }
    // A token costs a call, too.
    assert_eq!(scene.post("token", scene.credentials()).await.status, 429);
    scene
        .switch(json!({"allowance_status": 403, "allowance_retry_after": 60}))
        .await;
    let answer = scene.search("vacancies", json!([]), &[]).await;
    assert_eq!(answer.status, 403);
    assert_eq!(answer.headers["retry-after"], "60");
    assert!(
        answer.body["error_message"]
            .as_str()
            .unwrap()
            .contains("limit")
    );
    assert_eq!(scene.player.eploy(ACME).await.unwrap().calls_today, 3);
}
