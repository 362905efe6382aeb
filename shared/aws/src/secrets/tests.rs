use std::collections::BTreeMap;
use std::sync::Mutex;

use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::*;
use crate::testing::{Calls, error, stand_in};

/// A clock moved by the test.
struct Hand(Mutex<Timestamp>);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

impl Hand {
    fn forward(&self, by: f64) {
        let mut now = self.0.lock().unwrap();
        *now = after(*now, seconds(by));
    }
}

async fn secrets(
    answer: impl Fn(usize) -> (u16, Value) + Clone + Send + Sync + 'static,
) -> (ManagedSecrets, Calls, Arc<Hand>) {
    let (config, calls) = stand_in(move |before, _| answer(before)).await;
    let clock = Arc::new(Hand(Mutex::new("2026-11-22T10:00:00Z".parse().unwrap())));
    (
        ManagedSecrets::new(Client::new(&config), "stagecall", clock.clone()),
        calls,
        clock,
    )
}

/// A secret whose client secret contains the number of the read.
fn reading(number: usize) -> (u16, Value) {
    let text = json!({
        "eploy": {"client_id": "id", "client_secret": format!("hush-{number}")},
        "platforms": {"willo": {"api_key": "key"}},
        "callback_tokens": {"willo": {"current": "a".repeat(64)}},
    });
    (200, json!({"SecretString": text.to_string()}))
}

/// Secrets Manager's response about a secret in its recovery window.
fn being_deleted(message: &str) -> (u16, Value) {
    let code = "InvalidRequestException";
    (400, json!({"__type": code, "message": message}))
}

fn credentials() -> TenantSecret {
    TenantSecret {
        eploy_client_id: "id".to_owned().into(),
        eploy_client_secret: "hush".to_owned().into(),
        platforms: BTreeMap::default(),
        hrms: None,
    }
}

fn operations(calls: &Calls) -> Vec<String> {
    let all = calls.all().into_iter();
    all.map(|(operation, _)| operation).collect()
}

async fn client_secret(secrets: &ManagedSecrets, fresh: bool) -> String {
    let secret = secrets.secret(&"acme".into(), fresh).await.unwrap();
    secret.eploy_client_secret.expose_secret().to_owned()
}

#[tokio::test]
async fn a_secret_is_cached_for_its_time_and_reread_when_refused() {
    let (secrets, calls, clock) = secrets(reading).await;
    assert_eq!(client_secret(&secrets, false).await, "hush-0");
    clock.forward(CACHE_SECONDS - 1.0);
    assert_eq!(client_secret(&secrets, false).await, "hush-0");
    assert_eq!(client_secret(&secrets, true).await, "hush-1");
    assert_eq!(client_secret(&secrets, false).await, "hush-1");
    clock.forward(CACHE_SECONDS);
    assert_eq!(client_secret(&secrets, false).await, "hush-2");
    let asked: Vec<_> = calls
        .all()
        .into_iter()
        .map(|(operation, request)| (operation, request["SecretId"].clone()))
        .collect();
    assert_eq!(
        asked,
        vec![("GetSecretValue".to_owned(), json!("stagecall/acme")); 3]
    );
}

#[tokio::test]
async fn tokens_are_those_of_the_account() {
    let (secrets, calls, _) = secrets(reading).await;
    let tokens = secrets
        .callback_tokens(&"acme".into(), &"willo".into())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(tokens.current.0.expose_secret(), "a".repeat(64));
    assert!(tokens.previous.is_none());
    assert!(
        secrets
            .callback_tokens(&"acme".into(), &"wecp".into())
            .await
            .unwrap()
            .is_none()
    );
    assert_eq!(calls.count(), 1);
}

/// A call with an invented name costs one read, and one with an invalid name none.
#[tokio::test]
async fn a_missing_secret_has_no_tokens_and_is_named() {
    let (secrets, calls, _) = secrets(|_| error("ResourceNotFoundException")).await;
    for tenant in ["nobody", "nobody", "no body", "..%2f", ""] {
        assert!(
            secrets
                .callback_tokens(&tenant.into(), &"willo".into())
                .await
                .unwrap()
                .is_none()
        );
    }
    assert_eq!(calls.count(), 1);
    let problem = secrets
        .secret(&"nobody".into(), false)
        .await
        .unwrap_err()
        .to_string();
    assert!(
        problem.contains("stagecall/nobody") && problem.contains("Create it"),
        "{problem}"
    );
}

#[tokio::test]
async fn a_broken_secret_is_named_without_its_values_and_not_cached() {
    let broken = |before| match before {
        0 => (200, json!({"SecretString": r#"{"eploy": "hush"}"#})),
        1 => (200, json!({"SecretBinary": "aHVzaA=="})),
        2 => error("AccessDeniedException"),
        _ => reading(3),
    };
    let (secrets, _, _) = secrets(broken).await;
    for expected in ["eploy is not an object", "binary", "Give it the action"] {
        let problem = secrets
            .secret(&"acme".into(), false)
            .await
            .unwrap_err()
            .to_string();
        assert!(
            problem.contains("tenant acme") && problem.contains(expected),
            "{problem}"
        );
        assert!(!problem.contains("hush"), "{problem}");
    }
    assert_eq!(client_secret(&secrets, false).await, "hush-3");
}

#[tokio::test]
async fn the_secret_of_a_removed_tenant_counts_as_missing() {
    let (secrets, _, _) = secrets(|_| {
        being_deleted(
            "You can't perform this operation on the secret because it was marked for deletion.",
        )
    })
    .await;
    let (acme, willo) = ("acme".into(), "willo".into());
    let tokens = secrets.callback_tokens(&acme, &willo).await;
    assert!(tokens.unwrap().is_none());
    let problem = secrets.secret(&acme, false).await.unwrap_err();
    assert!(
        problem.to_string().contains("there is no secret"),
        "{problem}"
    );
}

/// Other invalid requests in Secrets Manager do not count as a deleted secret.
#[tokio::test]
async fn another_invalid_request_is_an_error() {
    let (secrets, _, _) = secrets(|_| error("InvalidRequestException")).await;
    let (acme, willo) = ("acme".into(), "willo".into());
    assert!(secrets.callback_tokens(&acme, &willo).await.is_err());
}

#[tokio::test]
async fn a_tenant_that_comes_back_gets_its_secret_back_with_new_contents() {
    let (secrets, calls, _) = secrets(|before| match before {
        0 => being_deleted("You can't perform this operation on the secret because it was marked for deletion."),
        1 => being_deleted("You can't create this secret because a secret with this name is already scheduled for deletion."),
        _ => (200, json!({})),
    })
    .await;
    let (acme, credentials) = ("acme".into(), credentials());
    let saved = secrets.put_secret(&acme, None, &credentials).await;
    assert_eq!(saved.unwrap(), Saved::Saved);
    assert_eq!(
        operations(&calls),
        [
            "GetSecretValue",
            "CreateSecret",
            "RestoreSecret",
            "PutSecretValue"
        ]
    );
    let (_, written) = calls.all().pop().unwrap();
    assert_eq!(written["SecretId"], "stagecall/acme");
    assert!(written["SecretString"].as_str().unwrap().contains("hush"));
}

/// A stored version, with this API key.
fn version(name: &str, key: &str) -> (u16, Value) {
    let text = json!({
        "eploy": {"client_id": "id", "client_secret": "hush"},
        "platforms": {"willo": {"api_key": key}},
        "callback_tokens": {"willo": {"current": "a".repeat(64)}},
    });
    (
        200,
        json!({"SecretString": text.to_string(), "VersionId": name}),
    )
}

/// The second operator has read what the first one replaces.
#[tokio::test]
async fn of_two_concurrent_changes_of_a_secret_one_fails() {
    let conflict = || error("InvalidParameterException");
    let (secrets, calls, _) = secrets(move |before| match before {
        0 | 2 => version("v1", "old"),
        1 => version("v2", "theirs"),
        3 => (200, json!({"VersionId": "v3"})),
        4 => conflict(),
        5 => version("v2", "theirs"),
        // A rotation is retried automatically.
        6 => version("v2", "theirs"),
        7 => (200, json!({"VersionId": "v4"})),
        8 => conflict(),
        9 | 10 => version("v5", "theirs"),
        11 => (200, json!({"VersionId": "v6"})),
        _ => (200, json!({})),
    })
    .await;
    let acme = "acme".into();
    let before = secrets.secret(&acme, true).await.unwrap();
    // Replaced before it is read again, and after.
    for _ in 0..2 {
        let saved = secrets
            .put_secret(&acme, Some(&before), &credentials())
            .await;
        assert_eq!(saved.unwrap(), Saved::Conflict);
    }
    let until = "2026-11-23T10:00:00Z".parse().unwrap();
    secrets
        .rotate_callback_token(&acme, &"willo".into(), until)
        .await
        .unwrap();
    let (operation, last) = calls.all().pop().unwrap();
    assert_eq!(operation, "UpdateSecretVersionStage");
    assert_eq!(
        (
            &last["MoveToVersionId"],
            &last["RemoveFromVersionId"],
            &last["VersionStage"]
        ),
        (&json!("v6"), &json!("v5"), &json!("AWSCURRENT"))
    );
    let puts = calls
        .all()
        .into_iter()
        .filter(|(name, _)| name == "PutSecretValue");
    let labels: Vec<Value> = puts.map(|(_, put)| put["VersionStages"].clone()).collect();
    assert_eq!(labels, [json!([NEXT]), json!([NEXT]), json!([NEXT])]);
}

/// It is not read, so its content does not matter.
#[tokio::test]
async fn a_secret_is_removed_unread_and_once() {
    let (secrets, calls, _) = secrets(|before| match before {
        0 => (200, json!({})),
        1 => being_deleted("The secret was already scheduled for deletion."),
        2 => error("ResourceNotFoundException"),
        _ => error("AccessDeniedException"),
    })
    .await;
    let acme = "acme".into();
    assert!(secrets.remove_secret(&acme).await.unwrap());
    assert!(!secrets.remove_secret(&acme).await.unwrap());
    assert!(!secrets.remove_secret(&acme).await.unwrap());
    assert!(secrets.remove_secret(&acme).await.is_err());
    assert!(!secrets.remove_secret(&"no body".into()).await.unwrap());
    assert_eq!(operations(&calls), ["DeleteSecret"; 4]);
}
