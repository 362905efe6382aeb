//! A hire, as an operator sees it.

use serde_json::json;
use stagecall_tests::harness::until;

use super::operate;
use crate::scenarios::hires::{by_stage, hire, start, webhooks};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_sees_a_hire_and_redelivers_it() {
    let (mut harness, acme) = by_stage(611, json!({})).await;
    start(&mut harness, &acme).await;
    let hired = hire(&harness, &acme).await.to_string();
    let first = webhooks(&harness, 1).await;
    let list = ["hires", "list", "acme", "--json"];
    until("the hire is delivered", async || {
        let listed = operate(&harness, &list).json();
        (listed[0]["state"] == "delivered").then_some(())
    })
    .await;
    let explained = operate(&harness, &["explain", "acme", &hired]);
    let line = format!("hire application.{hired}: delivered");
    assert!(explained.ok().contains(&line), "{}", explained.out);
    assert!(
        explained.out.contains("attempt 1): HTTP 2"),
        "{}",
        explained.out
    );

    let unknown = operate(&harness, &["hires", "redeliver", "acme", "1", "--yes"]);
    assert_eq!(unknown.code, Some(4), "{}", unknown.error);
    let again = ["hires", "redeliver", "acme", &hired];
    assert_eq!(
        operate(&harness, &again).code,
        Some(2),
        "nobody could be asked"
    );
    let again = ["hires", "redeliver", "acme", &hired, "--yes", "--by", "ada"];
    operate(&harness, &again).ok();
    let second = webhooks(&harness, 2).await;
    assert_eq!(second.len(), 2);
    let id = |at: usize| {
        let headers = &second[at].headers;
        headers
            .iter()
            .find(|(name, _)| name == "webhook-id")
            .cloned()
    };
    assert_eq!(id(0), id(1));
    assert_eq!(first[0].body.len(), second[1].body.len());
    let explained = operate(&harness, &["explain", "acme", &hired]);
    assert!(
        explained.ok().contains("hires redeliver by ada"),
        "{}",
        explained.out
    );
}
