//! What Willo's refusals say: Django REST framework's two shapes, `{"field": ["message"]}` and `{"detail": "message"}`
//! (REFERENCE.md §8).

use serde_json::Value;
use stagecall_http::Response;

use super::TITLE;
use crate::error::PlatformError;
use crate::{json, problem};

/// The body of a success.
pub(super) fn body(answer: &Response) -> Result<Value, PlatformError> {
    if !answer.is_success() {
        return Err(fault(answer));
    }
    json::answer(TITLE, answer)
}

/// Maps a refusal to an error. Messages may quote personal data, so only the names of fields are passed on.
pub(super) fn fault(answer: &Response) -> PlatformError {
    let body = json::anything(answer);
    match answer.status {
        404 if !is_absence(answer) => PlatformError::refused(
            problem::NOT_THE_API.code,
            "the address does not answer as Willo's API (404)",
            problem::NOT_THE_API.remedy,
        )
        .of_connection(),
        400 => match fields(&body).as_slice() {
            [] => PlatformError::of_status(TITLE, answer),
            fields if fields.contains(&"interview") => PlatformError::refused(
                problem::ASSESSMENT_REFUSED.code,
                "Willo does not accept the mapped interview",
                problem::ASSESSMENT_REFUSED.remedy,
            ),
            fields => PlatformError::refused(
                problem::REFUSED_FIELDS.code,
                format!("Willo does not accept: {}", fields.join(", ")),
                remedy(fields),
            ),
        },
        _ => PlatformError::of_status(TITLE, answer),
    }
}

/// Whether a 404 speaks of the thing asked for and not of the address: the framework says so in `detail` (§8, modelled
/// and inferred). A proxy, or whatever lives at a mistaken address, answers with a page, with nothing, or in other words; if
/// it counted, everybody would be taken for cancelled.
pub(super) fn is_absence(answer: &Response) -> bool {
    answer.status == 404
        && json::anything(answer)
            .get("detail")
            .is_some_and(Value::is_string)
}

/// Whether a refusal says that the candidate is there already: how is not established (REFERENCE.md §4), so a
/// conflict counts, and a 400 that says so about the person or the whole.
pub(super) fn says_already_there(answer: &Response) -> bool {
    const ABOUT: [&str; 4] = ["non_field_errors", "email", "participant", "detail"];
    // "The fields interview, email must make a unique set." is the framework's own wording.
    const WORDS: [&str; 3] = ["already", "duplicate", "unique"];
    // "This interview is already closed."
    const EXCLUDED: [&str; 4] = ["closed", "archived", "expired", "inactive"];
    match answer.status {
        409 => return true,
        400 => {}
        _ => return false,
    }
    let body = json::anything(answer);
    let has = |message: &str, words: &[&str]| words.iter().any(|word| message.contains(word));
    ABOUT
        .iter()
        .filter_map(|name| body.get(*name))
        .flat_map(|value| {
            value
                .as_array()
                .map_or(std::slice::from_ref(value), Vec::as_slice)
        })
        .filter_map(Value::as_str)
        .map(str::to_lowercase)
        .any(|message| has(&message, &WORDS) && !has(&message, &EXCLUDED))
}

/// The names of the refused fields, if they are plain names.
fn fields(body: &Value) -> Vec<&str> {
    let is_name = |name: &str| {
        (1..=40).contains(&name.len())
            && name
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
            && name != "detail"
    };
    body.as_object()
        .into_iter()
        .flat_map(|body| body.keys())
        .map(String::as_str)
        .filter(|name| is_name(name))
        .take(10)
        .collect()
}

fn remedy(fields: &[&str]) -> &'static str {
    if fields.contains(&"email") {
        "Check the candidate's e-mail address in Eploy."
    } else if fields.contains(&"phone") {
        "Check the candidate's telephone number in Eploy."
    } else {
        "Check these details of the candidate in Eploy."
    }
}
