//! The stand-in of Eploy, over HTTP.

mod access;
mod search;
mod write;

use serde_json::{Value, json};

fn equals(route: &str, value: impl Into<Value>) -> Value {
    json!({"Route": route, "Operation": "Equals", "Value": value.into()})
}

fn after(route: &str, value: impl Into<Value>) -> Value {
    json!({"Operation": "GreaterThan", "Value": value.into(), "Route": route})
}
