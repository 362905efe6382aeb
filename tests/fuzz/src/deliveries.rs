//! Callbacks.

use serde_json::json;
use stagecall_core::ports::{IncomingCall, PlatformConnections as _};

use crate::outside::{Outside, silent, tenant};
use crate::run::Target;

/// Willo's callbacks.
pub const WILLO: Target = Target {
    name: "willo-delivery",
    samples: &[
        r#"{"key": "0123456789abcdef0123456789abcdef", "interview": "fedcba9876543210fedcba9876543210", "stage": "Accepted"}"#,
        r#"{"participant": {"key": "0123456789abcdef0123456789abcdef", "name": "Ada Example", "email": "ada@example.com"}, "interview": {"key": "fedcba9876543210fedcba9876543210"}}"#,
        r#"{"data": {"participant": "0123456789abcdef0123456789abcdef"}, "event": "new_response", "url": "https://app.willotalent.com/interviews/fedcba9876543210fedcba9876543210/participants/0123456789abcdef0123456789abcdef/"}"#,
    ],
    check: |input, choice| delivery("willo", input, choice),
};

/// Callbacks of `WeCP`, should there be any.
pub const WECP: Target = Target {
    name: "wecp-delivery",
    samples: &[
        r#"{"event": "Test Finished", "data": {"candidate": {"_id": "c1", "name": "Ada Example"}, "testId": "t1"}, "metadata": {"candidateId": "201"}}"#,
        r#"[{"candidates": [{"id": 11}, {"candidateId": "c12"}]}]"#,
    ],
    check: |input, choice| delivery("wecp", input, choice),
};

fn delivery(platform: &str, input: &[u8], choice: u64) -> Result<(), String> {
    let connections = Outside::new(200, b"", false).platforms();
    let reader = connections
        .reader(&tenant(&json!({}))?, &platform.into())
        .ok_or("there is no reader")?;
    let events = [
        "new_response",
        "Ada Example <ada@example.com>",
        "",
        "<script>",
    ];
    let event = events[usize::try_from(choice).unwrap_or(0) % events.len()];
    let query = [("event".to_owned(), event.to_owned())];
    let call = IncomingCall {
        query: &query,
        headers: &[("content-encoding".to_owned(), "gzip".to_owned())],
        body: input,
    };
    let hint = match reader.read(&call) {
        Ok(hint) => hint,
        Err(error) => return silent(&error.to_string()),
    };
    if hint.references.len() > 20 {
        return Err(format!(
            "{} references of one callback",
            hint.references.len()
        ));
    }
    let there = String::from_utf8_lossy(input).to_lowercase();
    for reference in &hint.references {
        let reference = reference.as_str();
        let plain = reference
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        if !plain || reference.is_empty() || reference.len() > 64 {
            return Err(format!("a reference is {reference:?}"));
        }
        // A number may be written in another way, such as with an escape; a key is there as it is.
        if platform == "willo" && !there.contains('\\') && !there.contains(reference) {
            return Err(format!("the reference {reference} is not in the body"));
        }
    }
    if let Some(event) = &hint.event {
        silent(event)?;
        let plain = event
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        if !plain || event.len() > 40 {
            return Err(format!("an event is {event:?}"));
        }
    }
    Ok(())
}
