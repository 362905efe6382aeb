//! Where a participant stands. Willo's words for it are not established (REFERENCE.md §5), so every plausible one
//! is known, and where none is, the facts speak.

use serde_json::Value;
use stagecall_core::result::Status;

use crate::json::{Record, holds, id, text};

/// Willo's words and ours. Accepted and rejected are stages that a reviewer chooses after the response (§3).
const WORDS: &[(Status, &[&str])] = &[
    (
        Status::Sent,
        &[
            "invited",
            "invite_sent",
            "invitation_sent",
            "sent",
            "resent",
            "reminded",
            "pending",
            "delivered",
            "not_started",
            "awaiting_response",
            "no_response",
        ],
    ),
    (
        Status::Opened,
        &[
            "opened",
            "viewed",
            "clicked",
            "seen",
            "invite_opened",
            "email_opened",
        ],
    ),
    (
        Status::Started,
        &[
            "started",
            "in_progress",
            "ongoing",
            "incomplete",
            "partially_completed",
        ],
    ),
    (
        Status::Completed,
        &[
            "completed",
            "complete",
            "finished",
            "responded",
            "submitted",
            "answered",
            "reviewed",
            "new_response",
            "response_received",
            "accepted",
            "rejected",
        ],
    ),
    (Status::Expired, &["expired", "overdue", "deadline_passed"]),
    (Status::Declined, &["declined", "withdrawn", "opted_out"]),
    (
        Status::Bounced,
        &[
            "bounced",
            "email_bounced",
            "undelivered",
            "undeliverable",
            "failed_delivery",
            "delivery_failed",
        ],
    ),
    (
        Status::Cancelled,
        &[
            "cancelled",
            "canceled",
            "archived",
            "deleted",
            "removed",
            "revoked",
        ],
    ),
];

/// Facts with the same meaning, each as a flag or a time.
const FACTS: &[(Status, &[&str])] = &[
    (
        Status::Completed,
        &[
            "completed",
            "completed_at",
            "is_completed",
            "finished",
            "finished_at",
            "submitted",
            "submitted_at",
            "responded_at",
        ],
    ),
    (Status::Bounced, &["bounced", "bounced_at", "is_bounced"]),
    (
        Status::Declined,
        &["declined", "declined_at", "withdrawn", "withdrawn_at"],
    ),
    (Status::Expired, &["expired", "expired_at", "is_expired"]),
    (
        Status::Cancelled,
        &[
            "cancelled",
            "cancelled_at",
            "archived",
            "archived_at",
            "is_archived",
            "deleted_at",
        ],
    ),
    (Status::Started, &["started", "started_at", "is_started"]),
    (Status::Opened, &["opened", "opened_at", "viewed_at"]),
];

/// The participant's status, if the record has it.
pub(super) fn status(record: &Record<'_>) -> Option<Status> {
    let fact = |status: Status| {
        FACTS
            .iter()
            .filter(|(of, _)| *of == status)
            .flat_map(|(_, names)| *names)
            .filter_map(|name| record.get(&[name]))
            .any(holds)
    };
    if fact(Status::Completed) {
        return Some(Status::Completed);
    }
    let words = [
        record.get(&["status"]).and_then(status_of),
        record.get(&["stage"]).and_then(status_of),
    ];
    let [status, stage] = words;
    let has_responses = !record.list(&["responses", "answers"]).is_empty();
    // What the candidate did outranks the reviewer's board: the card of a completed interview may be moved to Archived or
    // Withdrawn, or the participant be marked as archived later (REFERENCE.md §5).
    let on_board = |word| matches!(word, Some(Status::Cancelled | Status::Declined));
    if status == Some(Status::Completed)
        || (stage == Some(Status::Completed) && on_board(status))
        || (status.is_none() && has_responses && on_board(stage))
    {
        return Some(Status::Completed);
    }
    let endings = [
        Status::Bounced,
        Status::Declined,
        Status::Expired,
        Status::Cancelled,
    ];
    let ending = words
        .into_iter()
        .flatten()
        .find(|status| endings.contains(status))
        .or_else(|| endings.into_iter().find(|status| fact(*status)));
    if ending.is_some() {
        return ending;
    }
    let by_words = words
        .into_iter()
        .flatten()
        .max_by_key(|status| progress(*status));
    let by_facts = if has_responses {
        // Responses can be there before the last one is (§4: several sessions), unless no word says where they are.
        Some(if by_words.is_none() {
            Status::Completed
        } else {
            Status::Started
        })
    } else if fact(Status::Started) {
        Some(Status::Started)
    } else if fact(Status::Opened) {
        Some(Status::Opened)
    } else {
        None
    };
    by_words
        .into_iter()
        .chain(by_facts)
        .max_by_key(|status| progress(*status))
}

/// The platform's own name of the status: the stage, else a status that our words do not cover.
pub(super) fn stage(record: &Record<'_>) -> Option<String> {
    record.text(&["stage", "stage_name"]).or_else(|| {
        let status = record.text(&["status"])?;
        let plain = normal(&status);
        let decision = matches!(plain.as_str(), "accepted" | "rejected");
        (decision || known(&plain).is_none()).then_some(status)
    })
}

/// The status of a status or stage field, a text or an object with a text under one of several names.
fn status_of(value: &Value) -> Option<Status> {
    match value {
        Value::Object(object) => ["name", "title", "label", "slug", "type", "status", "key"]
            .iter()
            .filter_map(|name| object.get(*name)?.as_str())
            .find_map(|word| known(&normal(word))),
        value => known(&normal(&text(value)?)),
    }
}

fn known(word: &str) -> Option<Status> {
    WORDS
        .iter()
        .find(|(_, words)| words.contains(&word))
        .map(|(status, _)| *status)
}

/// "In Progress" and "in-progress" are `in_progress`.
fn normal(word: &str) -> String {
    let spaced: String = word
        .chars()
        .map(|c| {
            if c.is_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                ' '
            }
        })
        .collect();
    spaced.split_whitespace().collect::<Vec<_>>().join("_")
}

/// The progress of a status along the usual order.
fn progress(status: Status) -> u8 {
    match status {
        Status::Completed => 3,
        Status::Started => 2,
        Status::Opened => 1,
        _ => 0,
    }
}

/// The participant's key: the top-level `key` first (REFERENCE.md §4, seen in code).
pub(super) fn key(record: &Record<'_>) -> Option<String> {
    ["key", "id", "participant_key", "participant_id", "uuid"]
        .iter()
        .find_map(|name| id(record.get(&[name])?))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(value: &Value) -> Option<Status> {
        super::status(&Record::of(value, &[]).unwrap())
    }

    #[test]
    fn words_are_known_in_any_spelling_and_shape() {
        for (value, status) in [
            (json!({"status": "invited"}), Status::Sent),
            (json!({"status": "In Progress"}), Status::Started),
            (json!({"status": "in-progress"}), Status::Started),
            (json!({"status": {"name": "Opened"}}), Status::Opened),
            (
                json!({"stage": {"key": "0123", "title": "Accepted"}}),
                Status::Completed,
            ),
            (json!({"status": "new response"}), Status::Completed),
            (
                json!({"status": "Bounced", "stage": "Invited"}),
                Status::Bounced,
            ),
            (json!({"stage": "Archived"}), Status::Cancelled),
            (
                json!({"status": "pending", "stage": "Rejected"}),
                Status::Completed,
            ),
        ] {
            assert_eq!(of(&value), Some(status), "{value}");
        }
    }

    #[test]
    fn every_word_is_unique() {
        let all: Vec<_> = WORDS.iter().flat_map(|(_, words)| *words).collect();
        for (at, word) in all.iter().enumerate() {
            assert!(!all[..at].contains(word), "{word}");
            assert_eq!(normal(word), **word);
        }
    }

    #[test]
    fn facts_decide_without_a_word() {
        for (value, status) in [
            (
                json!({"status": "Sparkling", "responses": [{}]}),
                Some(Status::Completed),
            ),
            (
                json!({"status": "started", "responses": [{}]}),
                Some(Status::Started),
            ),
            (
                json!({"status": "invited", "responses": [{}]}),
                Some(Status::Started),
            ),
            (
                json!({"status": "Sparkling", "started_at": "2026-01-01T00:00:00Z"}),
                Some(Status::Started),
            ),
            (
                json!({"status": "Sparkling", "opened": true}),
                Some(Status::Opened),
            ),
            (json!({"expired": true}), Some(Status::Expired)),
            (
                json!({"expired": false, "started_at": null, "responses": []}),
                None,
            ),
            (json!({"status": "Sparkling"}), None),
            (
                json!({"status": "expired", "completedAt": "2026-01-01T00:00:00Z"}),
                Some(Status::Completed),
            ),
            (
                json!({"completed": false, "status": "invited"}),
                Some(Status::Sent),
            ),
        ] {
            assert_eq!(of(&value), status, "{value}");
        }
    }

    /// The stage is a column of the reviewer's board; the status is what the candidate did.
    #[test]
    fn a_completed_interview_stays_completed_wherever_its_card_is_moved() {
        for value in [
            json!({"status": "completed", "stage": "Archived", "score": 8}),
            json!({"status": "completed", "stage": {"title": "Withdrawn"}}),
            json!({"status": "Completed", "stage": "Removed", "responses": [{}, {}]}),
            json!({"status": "completed", "stage": "Expired"}),
            json!({"status": "completed", "archived_at": "2026-01-01T00:00:00Z"}),
            json!({"status": "completed", "is_expired": true}),
            json!({"status": "archived", "stage": "Accepted"}),
            json!({"stage": "Archived", "responses": [{}, {}]}),
            json!({"stage": "Withdrawn", "completed_at": "2026-01-01T00:00:00Z"}),
        ] {
            assert_eq!(of(&value), Some(Status::Completed), "{value}");
        }
        // The same words cancel an unfinished participant.
        for (value, status) in [
            (
                json!({"status": "invited", "stage": "Archived"}),
                Status::Cancelled,
            ),
            (
                json!({"status": "started", "stage": "Withdrawn", "responses": [{}]}),
                Status::Declined,
            ),
            (json!({"status": "archived"}), Status::Cancelled),
        ] {
            assert_eq!(of(&value), Some(status), "{value}");
        }
    }

    #[test]
    fn the_stage_is_reported_in_willos_own_words() {
        let of = |value: Value| stage(&Record::of(&value, &[]).unwrap());
        assert_eq!(
            of(json!({"status": "completed", "stage": {"key": "0f", "name": "Shortlist"}}))
                .as_deref(),
            Some("Shortlist")
        );
        assert_eq!(
            of(json!({"status": "Accepted"})).as_deref(),
            Some("Accepted")
        );
        assert_eq!(
            of(json!({"status": "Sparkling"})).as_deref(),
            Some("Sparkling")
        );
        assert_eq!(of(json!({"status": "completed"})), None);
    }
}
