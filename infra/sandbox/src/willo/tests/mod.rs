//! The simulator of Willo, over HTTP.

mod api;
mod callbacks;

use serde_json::Value;

fn key_of(body: &Value) -> String {
    let key = body["key"].as_str().unwrap().to_owned();
    assert!(
        key.len() == 32
            && key
                .bytes()
                .all(|byte| byte.is_ascii_hexdigit() && !byte.is_ascii_uppercase())
    );
    key
}
