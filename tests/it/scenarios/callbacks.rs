//! The listener: what it accepts, what it refuses, and that it answers only after the delivery is on disk.

use stagecall_sandbox::control::{CandidateAct, Fault, Rule};
use stagecall_tests::harness::{Customer, Harness, Reply, request, until};

/// The path that was registered at Willo for an event, with the token.
pub(super) async fn callback_path(harness: &Harness, customer: &Customer, event: &str) -> String {
    let name = &customer.name;
    until(
        &format!("{name} has registered its callbacks"),
        async || (customer.count("willo.webhooks.create").await == 4).then_some(()),
    )
    .await;
    registered_path(harness, customer, event).await.unwrap()
}

/// The path that Willo is to call for an event at present, with the token.
pub(super) async fn registered_path(
    harness: &Harness,
    customer: &Customer,
    event: &str,
) -> Option<String> {
    let name = &customer.name;
    let key = harness.player.willo(name).await.unwrap().api_key;
    let path = format!("/willo/{name}/api/integrations/v2/webhooks/");
    let headers = [("authorization", key.as_str())];
    let reply = request(harness.sandbox.addr(), "GET", &path, &headers, b"").await;
    let listed: serde_json::Value = serde_json::from_str(&reply.body).unwrap();
    let hooks = listed["results"].as_array().unwrap();
    let hook = hooks.iter().find(|hook| hook["event"] == event)?;
    let address = hook["url"].as_str().unwrap();
    let base = format!("http://{}", harness.listen());
    Some(address.strip_prefix(&base).unwrap().to_owned())
}

async fn post(harness: &Harness, path: &str, body: &[u8]) -> Reply {
    let headers = [("content-type", "application/json")];
    request(harness.listen(), "POST", path, &headers, body).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_platform_is_let_in_and_only_with_sense() {
    let mut harness = Harness::new(131).await;
    let (acme, other) = (
        harness.customer("acme").await,
        harness.customer("other").await,
    );
    harness.open_to_callbacks();
    harness.start_for(&[&acme, &other]).await;
    let path = callback_path(&harness, &acme, "new_response").await;
    let others = callback_path(&harness, &other, "new_response").await;
    let body = br#"{"key": "0123456789abcdef0123456789abcdef"}"#;
    assert_eq!(post(&harness, &path, body).await.status, 200);
    assert_eq!(
        post(&harness, &path, body).await.status,
        200,
        "the same again"
    );

    let token = path
        .split(['/', '?'])
        .find(|part| part.len() == 64)
        .unwrap();
    let foreign = others
        .split(['/', '?'])
        .find(|part| part.len() == 64)
        .unwrap();
    assert_ne!(token, foreign);
    let mut nearly = token.to_owned();
    nearly.replace_range(63.., if token.ends_with('0') { "1" } else { "0" });
    let refused = post(&harness, &path.replace(token, foreign), body).await;
    assert_eq!(refused.status, 404, "another tenant's token");
    for wrong in [
        path.replace(token, &nearly),
        path.replace(token, ""),
        path.replace(token, &token[..63]),
        path.replace("/acme/", "/nobody/"),
        path.replace("/willo/", "/wecp/"),
        path.replace("/callbacks/", "/call/"),
    ] {
        let reply = post(&harness, &wrong, body).await;
        assert_eq!(reply.status, 404, "{}", wrong.replace(token, "TOKEN"));
    }
    // A wrong token and a wrong tenant get the same answer.
    let unknown = post(&harness, &path.replace("/acme/", "/nobody/"), body).await;
    assert_eq!(refused, unknown);

    let large = [b"{\"key\": \"".as_slice(), &vec![b'a'; 300 * 1024], b"\"}"].concat();
    assert_eq!(post(&harness, &path, &large).await.status, 413);
    for senseless in [b"".as_slice(), b"key=1", b"{\"key\": ", b"\xff\xfe"] {
        assert_eq!(
            post(&harness, &path, senseless).await.status,
            400,
            "{senseless:?}"
        );
    }
    for method in ["GET", "PUT", "DELETE"] {
        let reply = request(harness.listen(), method, &path, &[], b"").await;
        assert_eq!(reply.status, 405, "{method}");
    }
    let health = request(harness.listen(), "GET", "/health", &[], b"").await;
    assert_eq!((health.status, health.body.contains("ok")), (200, true));
    assert!(!harness.log().contains(token), "the token is in the log");
}

/// A host that is killed right after its 200 loses nothing: its successor fetches the result without another callback or a
/// sweep.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_is_on_disk() {
    let (mut harness, acme) = Harness::with_one(132).await;
    harness.open_to_callbacks();
    harness.without_sweeps();
    // The platform's own callbacks are lost. The test calls instead.
    let lost = Rule::now_and_then("willo.callback", 1.0, Fault::CallbackLost);
    harness.faults(vec![lost.clone()]).await;
    harness.start_for(&[&acme]).await;
    let path = callback_path(&harness, &acme, "new_response").await;
    let judged = acme.invitee().await;
    let id = judged.application.id;
    acme.shows(id, "Invited").await;
    // Nothing can be fetched before the host is killed.
    let busy = Fault::TooMany {
        retry_after: Some(1),
    };
    harness
        .faults(vec![
            lost,
            Rule::now_and_then("willo.participants.get", 1.0, busy),
        ])
        .await;
    acme.act(&judged.participants, CandidateAct::Answer).await;
    let body = format!("{{\"key\": \"{}\"}}", judged.participants[0].key);
    assert_eq!(post(&harness, &path, body.as_bytes()).await.status, 200);
    harness.kill();
    harness.no_faults().await;
    let shown = acme.judged(id).await.application.actions[0].outcome.clone();
    assert_eq!(
        shown.as_deref(),
        Some("Invited"),
        "it was told too early to prove anything"
    );
    harness.start().await;
    acme.shows(id, "Completed").await;
    assert!(
        harness
            .player
            .callbacks(0)
            .await
            .unwrap()
            .records
            .iter()
            .all(|one| one.status.is_none())
    );
}

/// A callback that overtakes the record of its own invitation is kept until that exists. One without an invitation is
/// parked.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unmatched_callback_is_parked() {
    let (mut harness, acme) = Harness::with_one(133).await;
    harness.open_to_callbacks();
    harness.start_for(&[&acme]).await;
    let path = callback_path(&harness, &acme, "stage_change").await;
    let body = br#"{"key": "0123456789abcdef0123456789abcdef"}"#;
    assert_eq!(post(&harness, &path, body).await.status, 200);
    harness
        .logged(&["callback parked, no matching invitation"])
        .await;
}

/// A restart finds the registrations correct and creates no second ones.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callbacks_are_registered_once() {
    let (mut harness, acme) = Harness::with_one(134).await;
    harness.open_to_callbacks();
    harness.start_for(&[&acme]).await;
    let path = callback_path(&harness, &acme, "new_score").await;
    harness.kill();
    harness.start().await;
    until("the registrations were looked at", async || {
        (harness.log().matches("callbacks registered").count() == 2).then_some(())
    })
    .await;
    assert_eq!(acme.count("willo.webhooks.create").await, 4);
    assert_eq!(callback_path(&harness, &acme, "new_score").await, path);
}
