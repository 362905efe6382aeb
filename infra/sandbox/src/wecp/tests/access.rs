//! Access.

use hyper::Method;
use serde_json::{Value, json};

use super::Wecp;
use crate::control::{Fault, Profile, Rule, WecpSettings};
use crate::testing::ACME;

const TESTS: &str = "ats/wecp/tests";

#[tokio::test]
async fn a_wrong_key_is_refused_as_switched() {
    let wecp = Wecp::new().await;
    for (status, body) in [(401, "json"), (403, "text"), (401, "text"), (403, "json")] {
        wecp.switch(json!({"key_refused": status, "key_refused_body": body}))
            .await;
        for headers in [&[][..], &[("x-api-key", "wrong")]] {
            let refused = wecp.bare(Method::GET, TESTS, headers, None).await;
            assert_eq!(refused.status, status);
            assert_eq!(refused.body["message"].is_string(), body == "json");
            let kind = refused.headers["content-type"].to_str().unwrap();
            assert_eq!(kind.starts_with("text/plain"), body == "text");
        }
    }
    let right = [("X-API-Key", wecp.info.api_key.as_str())];
    assert_eq!(
        wecp.bare(Method::GET, TESTS, &right, None).await.status,
        200
    );
}

#[tokio::test]
async fn partner_and_acting_user_are_ignored_checked_or_required() {
    let wecp = Wecp::new().await;
    let (key, partner) = (wecp.info.api_key.as_str(), wecp.partner());
    let user = wecp.info.users[0].0.to_uppercase();
    let token = wecp.info.users[1].1.as_str();
    let ask = async |key: &str, partner: &str, user: &str| {
        let headers: Vec<_> = [
            ("x-api-key", key),
            ("x-wecp-partner-authorization", partner),
            ("wecp-user-email", user),
        ]
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .collect();
        wecp.bare(Method::GET, TESTS, &headers, None).await.status
    };
    let outsider = "eve@example.org";
    for (switch, statuses) in [
        ("ignored", [200, 200, 200, 200, 200, 200]),
        ("checked", [200, 401, 403, 200, 403, 200]),
        ("required", [401, 401, 403, 403, 403, 200]),
    ] {
        wecp.switch(json!({"partner": switch, "acting_user": switch}))
            .await;
        let seen = [
            ask(key, "", "").await,
            ask(key, "bm90OnJpZ2h0", &user).await,
            ask(key, &partner, outsider).await,
            ask(key, &partner, "").await,
            // A personal token is for its owner: the other user cannot act with it.
            ask(token, &partner, &user).await,
            ask(key, &partner, &user).await,
        ];
        assert_eq!(seen, statuses, "{switch}");
        assert_eq!(ask(token, &partner, "").await, 200, "the owner acts");
    }
    let settings = WecpSettings {
        users: Some(vec![outsider.to_owned()]),
        ..WecpSettings::default()
    };
    wecp.scene.player.set_wecp(ACME, &settings).await.unwrap();
    assert_eq!(ask(key, &partner, outsider).await, 200);
    assert_eq!(ask(token, &partner, "").await, 401, "its owner has left");
}

#[tokio::test]
async fn errors_are_text_or_have_a_message() {
    let wecp = Wecp::new().await;
    let path = "ats/wecp/candidates/0";
    let ask = async || wecp.call(Method::GET, path, None).await;
    assert_eq!((ask().await.status, ask().await.body), (404, Value::Null));
    wecp.switch(json!({"error_body": "error_message"})).await;
    assert_eq!(
        ask().await.body,
        json!({"errorMessage": "Candidate not found"})
    );
    wecp.switch(json!({"error_body": "json_string"})).await;
    assert_eq!(ask().await.body, json!("Candidate not found"));
    let lost = wecp.call(Method::GET, "ats/wecp/nonsense", None).await;
    assert_eq!(lost.status, 404);
}

#[tokio::test]
async fn it_throttles_and_takes_faults() {
    let wecp = Wecp::new().await;
    wecp.switch(json!({"calls_per_second": 0, "retry_after": 9}))
        .await;
    let refused = wecp.list().await;
    assert_eq!(
        (refused.status, &refused.headers["retry-after"]),
        (429, &"9".parse().unwrap())
    );
    wecp.switch(json!({"calls_per_second": null})).await;
    let profile = Profile {
        seed: 1,
        rules: vec![
            Rule::next(
                "wecp.candidates.create",
                1,
                Fault::ErrorAfter { status: 502 },
            ),
            Rule::next(
                "GET /wecp/acme/ats",
                1,
                Fault::TooMany { retry_after: None },
            ),
        ],
    };
    wecp.scene.player.set_faults(&profile).await.unwrap();
    assert_eq!(wecp.invite("ada@example.com").await.status, 502);
    assert_eq!(wecp.list().await.status, 429);
    assert_eq!(wecp.list().await.body.as_array().unwrap().len(), 1);
    let calls = wecp.scene.player.calls(0).await.unwrap().records;
    let names: Vec<_> = calls
        .iter()
        .rev()
        .take(3)
        .map(|call| &*call.operation)
        .collect();
    let expected = [
        "wecp.candidates.list",
        "wecp.candidates.list",
        "wecp.candidates.create",
    ];
    assert_eq!(names, expected);
    let faults: Vec<_> = calls
        .iter()
        .filter_map(|call| call.fault.as_deref())
        .collect();
    assert_eq!(faults, ["error_after", "too_many"]);
}
