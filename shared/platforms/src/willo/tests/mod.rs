use std::collections::BTreeMap;

use serde_json::json;
use stagecall_core::ports::PlatformSecret;

use super::*;
use crate::testing::answer;

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

/// The names that its parsers look for.
pub(super) const NAMES: &str = "(key|participant|interview|status|stage|score|scores|scorecard|ratings|comments|responses|transcript|completed_at|email|share_link|.{0,8})";
