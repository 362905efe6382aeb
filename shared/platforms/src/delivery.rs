//! Common parts of parsing callbacks: a callback is an unverified claim, so it is bounded, and only words that cannot
//! be personal are passed on.

use serde_json::Value;
use stagecall_core::ports::{IncomingCall, Unreadable};
use stagecall_http::{NotJson, read_json};

/// The maximum number of references in a hint.
pub(crate) const MAX_REFERENCES: usize = 20;
/// The maximum number of values that are visited.
pub(crate) const MAX_VALUES: usize = 20_000;
/// The maximum depth to which a body is visited.
pub(crate) const MAX_DEPTH: usize = 32;

/// The parsed body of the call.
pub(crate) fn body(call: &IncomingCall<'_>) -> Result<Value, Unreadable> {
    if call.body.trim_ascii().is_empty() {
        return Err(Unreadable("it has no body".to_owned()));
    }
    match read_json(call.body) {
        Ok(body) => Ok(body.unwrap_or_default()),
        Err(NotJson) => Err(Unreadable("its body is not JSON".to_owned())),
    }
}

/// The event: as our own address names it, else where the body has one, under the names that a receiver of live
/// deliveries tried (REFERENCE.md §7).
pub(crate) fn event(call: &IncomingCall<'_>, body: &Value) -> Option<String> {
    let in_address = || {
        let (_, value) = call.query.iter().find(|(name, _)| name == "event")?;
        name(value)
    };
    let in_body = || {
        [
            "event",
            "type",
            "event_type",
            "eventType",
            "trigger",
            "action",
        ]
        .iter()
        .find_map(|key| name(body.get(*key)?.as_str()?))
    };
    in_address().or_else(in_body)
}

/// A name is a short word: anything else is not an event and may be personal.
fn name(text: &str) -> Option<String> {
    let name = text
        .trim()
        .to_ascii_lowercase()
        .replace([' ', '-', '.'], "_");
    let fits = (1..=40).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    fits.then_some(name)
}
