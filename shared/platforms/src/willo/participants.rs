//! Reading participants: a line of the list, and one in full (REFERENCE.md §5: the exact JSON is not
//! established).

use serde_json::Value;
use sha2::{Digest as _, Sha256};
use stagecall_core::ids::{AssessmentId, Reference};
use stagecall_core::ports::{Found, ListedStatus};
use stagecall_core::result::{AssessmentResult, Comment, Rating, Score, Status, SubResult};
use stagecall_http::Response;
use url::Url;

use super::{errors, links, status};
use crate::adapter::Listed;
use crate::error::PlatformError;
use crate::json::{Record, id, score, score_in_words, text};

/// Objects that may wrap a participant.
const INNER: [&str; 3] = ["participant", "data", "candidate"];

const INTERVIEW: [&str; 3] = ["interview", "interview_key", "interview_id"];

const CLIENT_REF: [&str; 2] = ["external_id", "external_reference"];
/// The possible fields of the overall score.
const SCORES: [&str; 4] = ["score", "overall_score", "average_score", "total_score"];

/// Whether a row of the list belongs to another interview, in case the filter is ignored. Only values in a key's form
/// are compared: the same field may be the interview's title or an unrelated number.
pub(super) fn is_foreign(row: &Value, assessment: &AssessmentId) -> bool {
    let key = bare(assessment.as_str());
    Record::of(row, &INNER).is_some_and(|record| {
        INTERVIEW
            .iter()
            .filter_map(|name| record.get(&[name]).and_then(id))
            .map(|of| bare(&of))
            .find(|of| is_key(of) || !is_key(&key))
            .is_some_and(|of| of != key)
    })
}

/// A key without dashes.
fn bare(key: &str) -> String {
    key.replace('-', "").to_ascii_lowercase()
}

/// Whether it has the form of a key: 32 hex digits (§1).
fn is_key(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A row of the list; `None` if it has no key.
pub(super) fn listed(row: &Value, base: &Url) -> Option<Listed> {
    let record = Record::of(row, &INNER)?;
    let reference = Reference::new(status::key(&record)?);
    Some(Listed {
        found: Found {
            reference: reference.clone(),
            client_ref: record.text(&CLIENT_REF),
            link: links::candidate(row, base),
        },
        emails: record
            .text(&["email", "email_address"])
            .into_iter()
            .collect(),
        sighting: ListedStatus {
            reference,
            status: status::status(&record),
            change_token: change_token(row, base),
        },
    })
}

/// A participant in full; a deleted one counts as cancelled.
pub(super) fn result(
    answer: &Response,
    reference: &Reference,
    base: &Url,
) -> Result<AssessmentResult, PlatformError> {
    if errors::is_absence(answer) {
        return Ok(AssessmentResult::bare(reference.clone(), Status::Cancelled));
    }
    let body = errors::body(answer)?;
    let record = Record::of(&body, &INNER)
        .ok_or_else(|| PlatformError::unreadable("Willo's answer is no participant"))?;
    let responses = record.list(&["responses", "answers"]);
    let card = record.get(&["scorecard", "score_card"]);
    let card_lines = card.map_or(&[][..], |card| match card {
        Value::Array(lines) => lines,
        card => Record::of(card, &[]).map_or(&[][..], |card| {
            card.list(&["items", "criteria", "scores", "results", "lines"])
        }),
    });
    let status = status::status(&record).unwrap_or(Status::Sent);
    let parts = |lines: &[Value]| lines.iter().filter_map(part).collect::<Vec<_>>();
    // Words of a response are the candidate's answer, not a rating.
    let mut scored = parts(responses);
    scored.retain(|part| part.score.is_some());
    let scorecard = [parts(record.list(&["scores"])), parts(card_lines)].concat();
    Ok(AssessmentResult {
        assessment: interview(&record),
        client_ref: record.text(&CLIENT_REF),
        stage: status::stage(&record),
        started_at: record.time(&["started_at", "started", "started_on"]),
        completed_at: record.time(&[
            "completed_at",
            "completed",
            "finished_at",
            "finished",
            "submitted_at",
            "submitted",
            "responded_at",
        ]),
        score: SCORES
            .iter()
            .find_map(|name| score(record.get(&[name])?))
            .or_else(|| card.and_then(score))
            .or_else(|| Score::total(&scorecard)),
        parts: [scorecard, scored].concat(),
        ratings: record
            .list(&["ratings"])
            .iter()
            .filter_map(rating)
            .chain(
                SCORES
                    .iter()
                    .filter_map(|name| score_in_words(record.get(&[name])?)),
            )
            .collect(),
        comments: record
            .list(&["comments", "notes"])
            .iter()
            .filter_map(comment)
            .collect(),
        transcript: record
            .get(&["transcript"])
            .and_then(speech)
            .or_else(|| transcript(responses)),
        summary: record.text(&["summary", "ai_summary"]),
        report_link: links::report(&record, &body, base),
        ..AssessmentResult::bare(reference.clone(), status)
    })
}

fn interview(record: &Record<'_>) -> Option<AssessmentId> {
    let of = record.get(&INTERVIEW)?;
    id(of).map(AssessmentId::new)
}

/// A scored item: of a scorecard, or a response with a score.
fn part(line: &Value) -> Option<SubResult> {
    let record = Record::of(line, &[])?;
    let points = ["score", "value", "rating", "points"]
        .iter()
        .find_map(|name| record.get(&[name]))?;
    // A maximum beside the points, not in one object with them.
    let score = if points.is_object() {
        score(points)
    } else {
        score(line).or_else(|| score(points))
    };
    let remark = if score.is_none() { text(points) } else { None };
    if score.is_none() && remark.is_none() {
        return None;
    }
    Some(SubResult {
        label: label(&record).unwrap_or_else(|| "Score".to_owned()),
        score,
        remark,
    })
}

fn rating(line: &Value) -> Option<Rating> {
    let record = Record::of(line, &[])?;
    let value = record.text(&["value", "rating", "score"])?;
    let max = record.text(&["max", "max_score", "out_of"]);
    Some(Rating {
        by: author(&record),
        label: label(&record).unwrap_or_else(|| "Overall".to_owned()),
        value: max.map_or(value.clone(), |max| format!("{value} of {max}")),
    })
}

fn comment(line: &Value) -> Option<Comment> {
    if let Some(words) = line.as_str() {
        let words = words.trim();
        return (!words.is_empty()).then(|| Comment {
            by: None,
            text: words.to_owned(),
        });
    }
    let record = Record::of(line, &[])?;
    Some(Comment {
        by: author(&record),
        text: record.text(&["text", "comment", "body", "content", "message"])?,
    })
}

fn label(record: &Record<'_>) -> Option<String> {
    [
        "label",
        "name",
        "title",
        "criterion",
        "category",
        "question",
        "prompt",
    ]
    .iter()
    .find_map(|name| record.text(&[name]))
}

/// A reviewer, by name and not by address.
fn author(record: &Record<'_>) -> Option<String> {
    ["by", "author", "user", "reviewer", "created_by", "owner"]
        .iter()
        .find_map(|name| match record.get(&[name])? {
            Value::Object(_) => Record::of(record.get(&[name])?, &[])?.text(&["full_name", "name"]),
            Value::String(name) if !name.contains('@') => Some(name.trim().to_owned()),
            _ => None,
        })
}

/// The transcript, question by question.
fn transcript(responses: &[Value]) -> Option<String> {
    let answers: Vec<_> = responses
        .iter()
        .filter_map(|response| {
            let record = Record::of(response, &[])?;
            let text = [
                "transcript",
                "transcription",
                "text",
                "answer_text",
                "answer",
            ]
            .iter()
            .find_map(|name| speech(record.get(&[name])?))?;
            Some(match label(&record) {
                Some(question) => format!("{question}\n{text}"),
                None => text,
            })
        })
        .collect();
    (!answers.is_empty()).then(|| answers.join("\n\n"))
}

/// Speech as a text, an object with a text, or a list of either; a URL is not speech.
fn speech(value: &Value) -> Option<String> {
    match value {
        Value::Array(pieces) => {
            let pieces: Vec<_> = pieces.iter().filter_map(text).collect();
            (!pieces.is_empty()).then(|| pieces.join(" "))
        }
        value => text(value).filter(|words| Url::parse(words).is_err()),
    }
}

/// A digest of everything in a row that a result would show. Personal data is left out, because it is not part of the
/// result, and so are URLs other than pages for recruiters, because those of recordings may change with every read.
fn change_token(row: &Value, base: &Url) -> String {
    let mut digest = Sha256::new();
    digest_into(&mut digest, row, base, 16);
    hex::encode(&digest.finalize()[..16])
}

fn digest_into(digest: &mut Sha256, value: &Value, base: &Url, depth: usize) {
    const WHO: [&str; 9] = [
        "name",
        "first_name",
        "last_name",
        "full_name",
        "email",
        "email_address",
        "phone",
        "phone_number",
        "avatar",
    ];
    let Some(depth) = depth.checked_sub(1) else {
        return;
    };
    match value {
        Value::Object(object) => {
            let is_person = object.contains_key("email");
            let mut entries: Vec<_> = object
                .iter()
                .filter(|(name, _)| !(is_person && WHO.contains(&name.as_str())))
                .collect();
            entries.sort_by_key(|(name, _)| *name);
            digest.update(b"{");
            for (name, value) in entries {
                digest.update(name.as_bytes());
                digest.update(b":");
                digest_into(digest, value, base, depth);
            }
            digest.update(b"}");
        }
        Value::Array(items) => {
            digest.update(b"[");
            for item in items {
                digest_into(digest, item, base, depth);
                digest.update(b",");
            }
            digest.update(b"]");
        }
        Value::String(text) => match Url::parse(text) {
            Ok(url) if url.has_host() => {
                let page = links::page(text, base);
                digest.update(page.as_ref().map_or("", Url::path).as_bytes());
            }
            _ => digest.update(format!("\"{text}\"").as_bytes()),
        },
        scalar => digest.update(scalar.to_string().as_bytes()),
    }
}
