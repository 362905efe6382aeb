//! What `WeCP`'s refusals say: a plain text, or `{"errorMessage": "…"}` (REFERENCE.md §17), or a text in JSON.

use serde_json::Value;
use stagecall_http::Response;

use super::TITLE;
use crate::error::PlatformError;
use crate::json::{self, text};
use crate::problem;

/// The maximum size of a message, in bytes.
const MAX_MESSAGE_BYTES: usize = 500;

/// The request that a response belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Tests,
    Candidates,
    Candidate,
    /// The invitation of a candidate.
    Invite,
    Interviews,
    /// An interview's candidates.
    Schedules,
    MakeInterview,
    /// The scheduling of a candidate.
    Schedule,
    /// The addition of a candidate to a group.
    Group,
    /// The removal of a candidate.
    Remove,
}

impl Asked {
    /// Whether the call contains a candidate's address.
    fn names_a_person(self) -> bool {
        matches!(self, Self::Invite | Self::Schedule | Self::Group)
    }

    /// The setting of its path, and whether an error concerns the whole connection. That of tests does, because the
    /// account is unusable without it; the others concern only their feature.
    fn setting(self) -> (&'static str, bool) {
        match self {
            Self::Tests => ("base_url or its setting tests_path", true),
            Self::Invite => ("base_url or its setting invite_path", true),
            Self::Candidates | Self::Candidate | Self::MakeInterview => ("base_url", true),
            Self::Interviews => ("setting interviews_path", false),
            Self::Schedules => ("setting interview_candidates_path", false),
            Self::Schedule => ("settings schedule_path and organisation", false),
            Self::Group => ("setting group_path", false),
            Self::Remove => ("setting removal_path", false),
        }
    }
}

/// The body of a success.
pub(super) fn body(answer: &Response, asked: Asked) -> Result<Value, PlatformError> {
    if !answer.is_success() {
        return Err(fault(answer, asked));
    }
    json::answer(TITLE, answer)
}

/// Whether it says that there are none: a 404 with the text `No candidate found` (§13, seen in code), and by analogy
/// for tests.
pub(super) fn says_none(answer: &Response, asked: Asked) -> bool {
    let what = match asked {
        Asked::Tests => "no test",
        Asked::Candidates | Asked::Schedules | Asked::Group => "no candidate",
        Asked::Interviews => "no interview",
        _ => return false,
    };
    answer.status == 404 && message(answer).is_some_and(|message| message.contains(what))
}

/// Whether it means that the candidate was deleted, and not that the address is wrong.
pub(super) fn says_gone(answer: &Response) -> bool {
    matches!(answer.status, 404 | 410) && speaks_of_a_thing(answer)
}

/// Whether a refusal means that the candidate exists already; the wording is not established.
pub(super) fn says_already_there(answer: &Response) -> bool {
    const WORDS: [&str; 2] = ["already", "duplicate"];
    // "This test is already closed."
    const EXCLUDED: [&str; 5] = ["closed", "archived", "expired", "inactive", "limit"];
    match answer.status {
        409 => true,
        400 | 422 => message(answer).is_some_and(|message| {
            let has = |words: &[&str]| words.iter().any(|word| message.contains(word));
            has(&WORDS) && !has(&EXCLUDED)
        }),
        _ => false,
    }
}

/// Maps a refusal to an error. Texts may quote personal data or a key, so they are interpreted and not passed on.
pub(super) fn fault(answer: &Response, asked: Asked) -> PlatformError {
    let about = |words: &[&str]| {
        message(answer).is_some_and(|message| words.iter().any(|word| message.contains(word)))
    };
    match answer.status {
        401 | 403 => PlatformError {
            remedy: "Check the API key in the tenant's secret, and where they are used the partner credentials; user_email must be a user of the customer's WeCP account who may see and invite to the mapped tests.".to_owned(),
            ..PlatformError::of_status(TITLE, answer)
        },
        400 | 422 if about(&["api key", "x-api-key", "partner", "user-email", "user_email"]) => {
            PlatformError::refused(
                problem::CALLER_REFUSED.code,
                format!("{TITLE} does not accept who is calling ({})", answer.status),
                problem::CALLER_REFUSED.remedy,
            )
            .of_connection()
        }
        400 | 422 if asked.names_a_person() && about(&["email", "e-mail"]) => PlatformError::refused(
            problem::REFUSED_FIELDS.code,
            format!("{TITLE} does not accept the candidate's e-mail address"),
            "Check the candidate's e-mail address in Eploy.",
        ),
        404 if !speaks_of_a_thing(answer) => {
            let (setting, of_connection) = asked.setting();
            let fault = PlatformError::refused(
                problem::NOT_THE_API.code,
                format!("the address does not answer as {TITLE}'s API (404)"),
                &format!("Correct the connection's {setting}."),
            );
            if of_connection {
                fault.of_connection()
            } else {
                fault
            }
        }
        _ => PlatformError::of_status(TITLE, answer),
    }
}

/// Whether a message mentions a test or a candidate, or is in `WeCP`'s own envelope. Another server at a wrong address
/// answers with a web page, nothing, or a text with the path in it ("Cannot GET /ats/wecp/tests").
fn speaks_of_a_thing(answer: &Response) -> bool {
    let own = || json::anything(answer).get("errorMessage").is_some();
    message(answer).is_some_and(|message| {
        let things = ["test", "quiz", "candidate", "interview", "group"];
        !message.contains('/') && (things.iter().any(|thing| message.contains(thing)) || own())
    })
}

/// The message of a refusal, in lower case.
fn message(answer: &Response) -> Option<String> {
    if answer.body.len() > MAX_MESSAGE_BYTES {
        return None;
    }
    let message = match answer.json() {
        Ok(Some(Value::Object(object))) => ["errorMessage", "message", "error", "detail"]
            .iter()
            .find_map(|name| match object.get(*name)? {
                Value::Object(inner) => inner.get("message").and_then(text),
                value => text(value),
            })?,
        Ok(Some(Value::String(message))) => message,
        Ok(_) => return None,
        Err(_) => String::from_utf8_lossy(&answer.body).into_owned(),
    };
    let message = message.trim().to_lowercase();
    (!message.is_empty() && !message.starts_with('<')).then_some(message)
}
