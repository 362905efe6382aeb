//! Live interviews (REFERENCE.md §15): made with one call, candidates scheduled with another. Both bodies were seen
//! in code; how interviews and their candidates are read is not established, so those paths are settings.

use serde_json::{Map, Value, json};
use stagecall_core::ids::{AssessmentId, Reference};
use stagecall_core::meeting::Appointment;
use stagecall_core::ports::{AssessmentOrder, InviteAnswer, InviteOrder};
use stagecall_core::result::{AssessmentResult, Comment, Rating, Status, SubResult};
use stagecall_http::Response;
use url::Url;

use super::errors::{self, Asked};
use super::settings::Options;
use super::{assessment_id, candidates, invite, report, rows, status};
use crate::adapter::{Listed, email_of};
use crate::error::PlatformError;
use crate::json::{Record, id, text};
use crate::problem;

/// The maximum length of the part of a name made from the vacancy's title, in characters.
const MAX_TITLE_CHARS: usize = 80;

/// The maximum number of reported scorecard lines.
const MAX_SCORECARD_LINES: usize = 50;

/// The name of a created interview: the mapping's name and our own, by which it is found again.
pub(super) fn name(order: &AssessmentOrder) -> String {
    let worded = order.options.get("name").and_then(Value::as_str);
    let title: String = order
        .vacancy
        .as_deref()
        .unwrap_or("Interview")
        .chars()
        .filter(|c| !c.is_control())
        .take(MAX_TITLE_CHARS)
        .collect();
    let worded = worded.unwrap_or("{vacancy}").replace("{vacancy}", &title);
    format!("{} [{}]", worded.trim(), order.client_ref)
}

/// The body that creates one.
pub(super) fn body(order: &AssessmentOrder, options: &Options) -> Result<Value, PlatformError> {
    let group = group(&order.options).ok_or_else(|| {
        PlatformError::not_sent(
            problem::OPTIONS.code,
            "the mapping does not say in which group an interview is created",
            "Give the mapping's option \"group\".",
        )
    })?;
    let mut body = json!({
        "interviewName": name(order),
        "groupId": group,
        "recordInterview": order.options.get("record").is_some_and(|record| *record == true),
        "metadata": {"preparedFor": order.client_ref},
    });
    if let Some(user) = &options.user_email {
        body["metadata"]["user_email"] = user.as_str().into();
    }
    if let Some(scorecard) = order.options.get("scorecard") {
        body["scorecard"] = scorecard.clone();
    }
    Ok(body)
}

/// The group that a mapping names.
pub(super) fn group(options: &Map<String, Value>) -> Option<&str> {
    options.get("group").and_then(Value::as_str)
}

/// The interview of this name in the list of interviews. A missing list is not an error: at worst an unused interview
/// is created.
pub(super) fn find(answer: &Response, name: &str) -> Result<Option<AssessmentId>, PlatformError> {
    if answer.status == 404 {
        return Ok(None);
    }
    let rows = rows(answer, Asked::Interviews)?;
    let same = |row: &&Value| {
        Record::of(row, &[]).is_some_and(|record| {
            record.text(&["name", "interview_name", "title"]).as_deref() == Some(name)
        })
    };
    Ok(rows.iter().filter(same).find_map(key))
}

/// The created interview.
pub(super) fn made(answer: &Response) -> Result<AssessmentId, PlatformError> {
    let body = errors::body(answer, Asked::MakeInterview)?;
    key(&body).ok_or_else(|| PlatformError::unreadable("WeCP's answer names no interview"))
}

fn key(value: &Value) -> Option<AssessmentId> {
    let record = Record::of(value, &["interview", "data"])?;
    ["interview_id", "_id", "id"]
        .iter()
        .find_map(|name| id(record.get(&[name])?))
        .map(|key| assessment_id::AssessmentRoute::of_interview(&key))
}

/// The body that schedules a candidate. One interviewer is a text, as seen in code; several are a list (inferred).
pub(super) fn schedule(
    interview: &str,
    order: &InviteOrder,
    appointment: Appointment,
    interviewers: &[String],
    options: &Options,
) -> Result<Value, PlatformError> {
    let interviewer = match interviewers {
        [one] => json!(one),
        several => json!(several),
    };
    Ok(json!({
        "interviewId": interview,
        "sendEmail": order.options.get("send_email").is_none_or(|send| *send == true),
        "schedules": [{
            "emailId": email_of(&order.person)?,
            "interviewDuration": appointment.minutes,
            "interviewer": interviewer,
            "interviewTime": format!("{:.3}", appointment.at),
        }],
        "metadata": invite::metadata(order, options),
    }))
}

/// Reads the answer: the one schedule in an array. An empty one says neither that it was done nor that it was not
/// (REFERENCE.md §15), so the outcome is open.
pub(super) fn read_schedule(
    answer: &Response,
    order: &InviteOrder,
    base: &Url,
) -> Result<InviteAnswer, PlatformError> {
    if errors::says_already_there(answer) {
        return Ok(InviteAnswer::AlreadyThere { reference: None });
    }
    let listed: Vec<_> = match errors::body(answer, Asked::Schedule)? {
        Value::Array(rows) => rows,
        object @ Value::Object(_) => vec![object],
        _ => Vec::new(),
    }
    .iter()
    .filter_map(|row| listed(row, base))
    .collect();
    let ours = match listed.as_slice() {
        [one] => Some(one),
        several => several
            .iter()
            .find(|one| one.emails.iter().any(|email| order.person.has_email(email))),
    };
    ours.map(|one| InviteAnswer::Created {
        reference: one.found.reference.clone(),
        link: one.found.link.clone(),
    })
    .ok_or_else(|| PlatformError::unreadable("WeCP's answer has no schedule of the candidate"))
}

/// A candidate of an interview.
pub(super) fn listed(row: &Value, base: &Url) -> Option<Listed> {
    let record = Record::of(row, &candidates::INNER)?;
    let reference = Reference::new(candidates::key(&record)?);
    let shown = read(&record, &reference, base);
    let mut emails = candidates::emails(&record);
    emails.extend(
        ["user", "candidate_email"]
            .iter()
            .filter_map(|name| Some(record.get(&[name])?.as_str()?.trim().to_owned()))
            .filter(|text| text.contains('@')),
    );
    Some(candidates::line(&record, &shown, emails, base))
}

/// One candidate's result from the list of all; one who is not in it counts as cancelled.
pub(super) fn result(
    answer: &Response,
    reference: &Reference,
    base: &Url,
) -> Result<AssessmentResult, PlatformError> {
    let rows = rows(answer, Asked::Schedules)?;
    Ok(rows
        .iter()
        .filter_map(|row| Record::of(row, &candidates::INNER))
        .find(|record| candidates::key(record).as_deref() == Some(reference.as_str()))
        .map_or_else(
            || AssessmentResult::bare(reference.clone(), Status::Cancelled),
            |record| read(&record, reference, base),
        ))
}

/// The result in a record: the scorecard counts once the interview is over.
fn read(record: &Record<'_>, reference: &Reference, base: &Url) -> AssessmentResult {
    let status = status::status(record);
    let so_far = AssessmentResult {
        client_ref: candidates::client_ref(record),
        stage: status::other_word(record),
        started_at: record.time(&status::STARTED_AT),
        ..AssessmentResult::bare(reference.clone(), status)
    };
    if status != Status::Completed {
        return so_far;
    }
    let (ratings, comments) = scorecard(record);
    let recording = record.get(&["recording_link", "recording_url"]);
    AssessmentResult {
        completed_at: record.time(&status::FINISHED_AT),
        score: report::score(record),
        ratings: [report::score_in_words(record), ratings].concat(),
        comments,
        parts: recording
            .map(|_| SubResult {
                label: "Recording".to_owned(),
                score: None,
                remark: Some("in WeCP".to_owned()),
            })
            .into_iter()
            .collect(),
        report_link: report::link(record, base),
        ..so_far
    }
}

/// The lines of the scorecard: stars and choices are ratings, words are comments.
fn scorecard(record: &Record<'_>) -> (Vec<Rating>, Vec<Comment>) {
    let (mut ratings, mut comments) = (Vec::new(), Vec::new());
    for line in record
        .list(&["scorecard", "score_card"])
        .iter()
        .take(MAX_SCORECARD_LINES)
    {
        let Some(line) = Record::of(line, &[]) else {
            continue;
        };
        let (Some(question), Some(answer)) = (
            line.text(&["question", "label"]),
            line.get(&["answer", "rating", "value"]).and_then(text),
        ) else {
            continue;
        };
        match line.text(&["type_of_question", "type"]).as_deref() {
            Some("text") => comments.push(Comment {
                by: Some(question),
                text: answer,
            }),
            Some("star") => ratings.push(Rating {
                by: None,
                label: question,
                value: match answer.as_str() {
                    "1" => "1 star".to_owned(),
                    stars => format!("{stars} stars"),
                },
            }),
            _ => ratings.push(Rating {
                by: None,
                label: question,
                value: answer,
            }),
        }
    }
    (ratings, comments)
}
