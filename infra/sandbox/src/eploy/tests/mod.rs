//! The simulator of Eploy, over HTTP.

mod access;
mod search;
mod write;

use std::time::Duration;

use serde_json::{Value, json};

fn equals(route: &str, value: impl Into<Value>) -> Value {
    json!({"Route": route, "Operation": "Equals", "Value": value.into()})
}

/// Eploy's dates have milliseconds, and the next event must have a later one.
async fn next_millisecond() {
    tokio::time::sleep(Duration::from_millis(2)).await;
}

fn after(route: &str, value: impl Into<Value>) -> Value {
    json!({"Operation": "GreaterThan", "Value": value.into(), "Route": route})
}
