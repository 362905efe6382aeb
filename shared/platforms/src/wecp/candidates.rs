//! Reading candidates: a row of a test's array (REFERENCE.md §13), and one in full (§14).

use serde_json::Value;
use stagecall_core::ids::{AssessmentId, Reference};
use stagecall_core::ports::{Found, ListedStatus};
use stagecall_core::result::{AssessmentResult, Status};
use stagecall_http::{Response, read_json};
use url::Url;

use super::errors::{self, Asked};
use super::{links, report, status};
use crate::adapter::Listed;
use crate::error::PlatformError;
use crate::json::{Record, id};

/// What a candidate may be wrapped in; `raw` is where one client keeps the detail (§14).
pub(super) const INNER: [&str; 3] = ["candidate", "data", "raw"];

/// The maximum number of addresses of one candidate: a form has a few fields.
const MAX_EMAILS: usize = 20;

/// A row of the list; `None` if it has no id.
pub(super) fn listed(row: &Value, base: &Url) -> Option<Listed> {
    let record = Record::of(row, &INNER)?;
    let reference = Reference::new(key(&record)?);
    // The row parsed like a result, so that the change token changes exactly when the result does.
    let shown = read(&record, &reference, base);
    Some(line(&record, &shown, emails(&record), base))
}

/// The line of a list with this result.
pub(super) fn line(
    record: &Record<'_>,
    shown: &AssessmentResult,
    emails: Vec<String>,
    base: &Url,
) -> Listed {
    Listed {
        found: Found {
            reference: shown.reference.clone(),
            client_ref: shown.client_ref.clone(),
            link: links::own(record, base).next().map(Into::into),
        },
        emails,
        sighting: ListedStatus {
            reference: shown.reference.clone(),
            status: Some(shown.status),
            change_token: shown.snapshot().digest,
        },
    }
}

/// A candidate in full; a deleted one counts as cancelled.
pub(super) fn result(
    answer: &Response,
    reference: &Reference,
    base: &Url,
) -> Result<AssessmentResult, PlatformError> {
    if errors::says_gone(answer) {
        return Ok(AssessmentResult::bare(reference.clone(), Status::Cancelled));
    }
    let body = errors::body(answer, Asked::Candidate)?;
    let record = Record::of(&body, &INNER)
        .ok_or_else(|| PlatformError::unreadable("WeCP's answer is no candidate"))?;
    Ok(read(&record, reference, base))
}

/// The result in a record. Scores, counts and the report are read only after the run has ended: partial values are not
/// a result.
fn read(record: &Record<'_>, reference: &Reference, base: &Url) -> AssessmentResult {
    let status = status::status(record);
    let so_far = AssessmentResult {
        assessment: ["test_id", "quiz_id"]
            .iter()
            .find_map(|name| id(record.get(&[name])?))
            .map(AssessmentId::new),
        client_ref: client_ref(record),
        stage: status::other_word(record),
        started_at: record.time(&status::STARTED_AT),
        parts: report::runs(record, status).into_iter().collect(),
        ..AssessmentResult::bare(reference.clone(), status)
    };
    if !matches!(status, Status::Completed | Status::Expired) {
        return so_far;
    }
    AssessmentResult {
        completed_at: record
            .time(&status::FINISHED_AT)
            .filter(|_| status == Status::Completed),
        // Zeros may stand where nothing is known (§14): a candidate who never began has no score of 0.
        score: report::score(record).filter(|score| {
            status == Status::Completed || so_far.started_at.is_some() || score.value > 0.0
        }),
        ratings: report::score_in_words(record),
        parts: [so_far.parts.clone(), report::parts(record)].concat(),
        report_link: report::link(record, base),
        integrity: report::integrity(record),
        ..so_far
    }
}

/// The candidate's id.
pub(super) fn key(record: &Record<'_>) -> Option<String> {
    ["candidate_id", "_id", "id"]
        .iter()
        .find_map(|name| id(record.get(&[name])?))
}

/// Our own reference, where the `metadata` comes back (§11: not established), as an object or as the text of one.
pub(super) fn client_ref(record: &Record<'_>) -> Option<String> {
    let metadata = record.get(&["metadata", "meta_data", "meta"])?;
    let parsed: Value;
    let metadata = match metadata {
        Value::String(text) => {
            parsed = read_json(text.as_bytes()).ok()??;
            &parsed
        }
        value => value,
    };
    Some(
        Record::of(metadata, &[])?
            .get(&["invitation_id"])?
            .as_str()?
            .to_owned(),
    )
}

/// Everything that may be the candidate's address. The form's labels are the customer's own, in any language (§13),
/// so the values tell and not the labels.
pub(super) fn emails(record: &Record<'_>) -> Vec<String> {
    let form = record.get(&["candidate_details", "details", "form"]);
    let named = [
        "email",
        "email_id",
        "email_address",
        "candidate_email",
        "emails",
    ]
    .iter()
    .filter_map(|name| record.get(&[name]));
    let mut emails = Vec::new();
    form.into_iter()
        .chain(named)
        .for_each(|value| collect_emails(value, 4, &mut emails));
    emails
}

fn collect_emails(value: &Value, depth: usize, emails: &mut Vec<String>) {
    let Some(depth) = depth.checked_sub(1).filter(|_| emails.len() < MAX_EMAILS) else {
        return;
    };
    match value {
        Value::String(text) if text.contains('@') => emails.push(text.trim().to_owned()),
        Value::Array(items) => items
            .iter()
            .for_each(|item| collect_emails(item, depth, emails)),
        Value::Object(object) => object
            .values()
            .for_each(|item| collect_emails(item, depth, emails)),
        _ => {}
    }
}
