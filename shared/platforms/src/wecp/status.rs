//! Where a candidate stands. Flags and times tell it (REFERENCE.md §13, §14: seen in code); the words of the
//! screens (§16, documented) are read too, in case the API has them.

use stagecall_core::result::Status;

use crate::json::{Record, holds};

/// `WeCP`'s words and ours: those of its screens, and their likely names in an API.
const WORDS: &[(Status, &[&str])] = &[
    (Status::Queued, &["sendingemail", "sending", "queued"]),
    (
        Status::Sent,
        &[
            "notstarted",
            "invited",
            "sent",
            "emailsent",
            "delivered",
            "pending",
        ],
    ),
    (Status::Bounced, &["emailbounced", "bounced", "undelivered"]),
    (Status::Opened, &["opened", "emailopened"]),
    (Status::Started, &["ongoing", "started", "inprogress"]),
    (
        Status::Completed,
        &["finished", "completed", "submitted", "testfinished"],
    ),
    (Status::Expired, &["expired", "closed"]),
    (
        Status::Cancelled,
        &["cancelled", "canceled", "revoked", "removed", "deleted"],
    ),
];

const WORD: [&str; 5] = [
    "status",
    "candidate_status",
    "test_status",
    "invite_status",
    "email_status",
];

pub(super) const STARTED_AT: [&str; 4] = ["test_start_time", "start_time", "started_at", "started"];

pub(super) const FINISHED_AT: [&str; 6] = [
    "finish_time",
    "test_finish_time",
    "test_end_time",
    "end_time",
    "finished_at",
    "completed_at",
];

/// The candidate's status: finished by a flag, else by a word, else by the times.
pub(super) fn status(record: &Record<'_>) -> Status {
    let flags: Vec<_> = ["test_finished", "finished"]
        .iter()
        .filter_map(|name| record.get(&[name]))
        .collect();
    // A time without a flag counts; one beside a negative flag is from an earlier run.
    let finished = flags.iter().any(|flag| holds(flag))
        || (flags.is_empty() && record.time(&FINISHED_AT).is_some());
    if finished {
        return Status::Completed;
    }
    let words: Vec<_> = WORD
        .iter()
        .filter_map(|name| known(record.get(&[name])?.as_str()?))
        .collect();
    let ended = words.iter().copied().find(|word| {
        !matches!(
            word,
            Status::Queued | Status::Sent | Status::Opened | Status::Started
        )
    });
    if let Some(ended) = ended {
        return ended;
    }
    // Closed and not finished: expired. If that is wrong, a later "finished" still counts.
    if record.get(&["closed"]).is_some_and(holds) {
        return Status::Expired;
    }
    if words.contains(&Status::Started) || record.time(&STARTED_AT).is_some() {
        return Status::Started;
    }
    words.into_iter().next().unwrap_or(Status::Sent)
}

/// A status word that ours do not cover.
pub(super) fn other_word(record: &Record<'_>) -> Option<String> {
    let word = record
        .get(&["status", "candidate_status"])?
        .as_str()?
        .trim();
    (!word.is_empty() && word.len() <= 60 && known(word).is_none()).then(|| word.to_owned())
}

/// "Email bounced", "emailBounced" and "email-bounced" are one word.
fn known(word: &str) -> Option<Status> {
    let letters: String = word
        .chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect();
    WORDS
        .iter()
        .find(|(_, words)| words.contains(&letters.as_str()))
        .map(|(status, _)| *status)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn flags_words_and_times_give_the_status() {
        const AT: &str = "2026-11-20T09:00:00.000Z";
        for (value, status) in [
            (json!({}), Status::Sent),
            (
                json!({"testFinished": false, "testStartTime": null}),
                Status::Sent,
            ),
            (
                json!({"testFinished": false, "testStartTime": ""}),
                Status::Sent,
            ),
            (
                json!({"testFinished": false, "testStartTime": AT}),
                Status::Started,
            ),
            (
                json!({"testFinished": true, "testStartTime": AT}),
                Status::Completed,
            ),
            (json!({"finished": true, "closed": 1}), Status::Completed),
            (json!({"finished": "true"}), Status::Completed),
            (json!({"finishTime": AT}), Status::Completed),
            // A re-run.
            (
                json!({"retry": 1, "testFinished": false, "finished": false, "testStartTime": AT, "finishTime": AT}),
                Status::Started,
            ),
            (json!({"closed": 1, "testStartTime": AT}), Status::Expired),
            (json!({"closed": 0}), Status::Sent),
            (json!({"status": "Closed"}), Status::Expired),
            (json!({"status": "Sending email"}), Status::Queued),
            (json!({"status": "emailBounced"}), Status::Bounced),
            (
                json!({"emailStatus": "EMAIL_BOUNCED", "status": "Not started"}),
                Status::Bounced,
            ),
            (json!({"status": "Not started"}), Status::Sent),
            (json!({"status": "Ongoing"}), Status::Started),
            (
                json!({"status": "Finished", "testFinished": false}),
                Status::Completed,
            ),
            (
                json!({"status": "Email bounced", "testFinished": true}),
                Status::Completed,
            ),
            (json!({"status": true, "testFinished": "no"}), Status::Sent),
            (json!({"status": "Sparkling"}), Status::Sent),
        ] {
            let record = Record::of(&value, &[]).unwrap();
            assert_eq!(super::status(&record), status, "{value}");
        }
    }

    #[test]
    fn only_an_unknown_word_is_reported() {
        let of = |value: Value| other_word(&Record::of(&value, &[]).unwrap());
        assert_eq!(
            of(json!({"status": " Under review "})).as_deref(),
            Some("Under review")
        );
        assert_eq!(of(json!({"status": "Finished"})), None);
        assert_eq!(of(json!({"status": 7})), None);
    }
}
