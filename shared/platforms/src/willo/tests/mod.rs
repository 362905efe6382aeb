use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::json;
use stagecall_core::ports::PlatformSecret;

use super::*;

mod invite;
mod reading;

const KEY: &str = "0123456789abcdef0123456789abcdef";
const INTERVIEW: &str = "fedcba9876543210fedcba9876543210";

fn willo(settings: Value) -> Willo {
    let Value::Object(settings) = settings else {
        panic!("settings are an object")
    };
    let secret = BTreeMap::from([("api_key".to_owned(), " k3y ".into())]);
    Willo::new(Account {
        base: Url::parse(KIND.base_url).unwrap(),
        settings,
        secret: PlatformSecret(secret),
    })
}

fn answer(status: u16, body: &Value) -> Response {
    Response {
        status,
        headers: Vec::new(),
        body: body.to_string().into_bytes(),
    }
}

/// Any JSON, with the names that are looked for among its own.
pub(super) fn any_json() -> impl Strategy<Value = Value> {
    const NAMES: &str = "(key|participant|interview|status|stage|score|scores|scorecard|ratings|comments|responses|transcript|completed_at|email|share_link|.{0,8})";
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,40}".prop_map(Value::from),
        "[0-9a-fA-F]{30,34}".prop_map(Value::from),
    ];
    leaf.prop_recursive(8, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::btree_map(NAMES, inner, 0..8)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}
