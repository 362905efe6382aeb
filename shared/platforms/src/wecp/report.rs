//! What a finished test is reported with (REFERENCE.md §14, seen in code).

use jiff::SignedDuration;
use serde_json::{Map, Value};
use stagecall_core::result::{Rating, Score, Status, SubResult};
use url::Url;

use super::{KIND, links, status};
use crate::json::{self, Record, number, text};
use crate::spec::is_same_page;

/// The maximum number of reported questions, and of kinds of proctoring counts.
const MAX_QUESTIONS: usize = 200;
const MAX_COUNTS: usize = 40;

/// The counts in the detail, in case they have no object around them: where they are is not established.
const COUNTS: [&str; 8] = [
    "pasteContent",
    "fullScreenViolation",
    "screenShareStopped",
    "multipleFaces",
    "tabChanged",
    "copyContent",
    "noFaceDetected",
    "screenExtended",
];

/// The score. The list has a percentage, the detail points and their maximum, from which one is computed.
pub(super) fn score(record: &Record<'_>) -> Option<Score> {
    let read = |name| record.get(&[name]).and_then(number);
    let percent = read("percentage");
    let mut score = match read("score") {
        Some(points) => Score::of(points, read("max_score")),
        None => Score::of(percent?, Some(100.0)),
    };
    score.percent = percent.or(score.percent);
    Some(score)
}

/// The score in words, if it is not numeric.
pub(super) fn score_in_words(record: &Record<'_>) -> Vec<Rating> {
    ["score", "percentage"]
        .iter()
        .filter_map(|name| json::score_in_words(record.get(&[name])?))
        .collect()
}

/// How often the test was run again, if it was. Whether by the candidate or, with other test cases, by a reviewer is
/// not established. It is reported so that a re-run with the same score is a change, too.
pub(super) fn runs(record: &Record<'_>, status: Status) -> Option<SubResult> {
    let again = record
        .get(&["retry", "retries"])
        .and_then(number)
        .filter(|again| *again >= 1.0)?;
    let under_way = matches!(status, Status::Sent | Status::Opened | Status::Started);
    let remark = if under_way {
        format!("{again}, not finished yet")
    } else {
        again.to_string()
    };
    Some(remark_line("Re-runs", remark))
}

/// Times, languages, and question by question.
pub(super) fn parts(record: &Record<'_>) -> Vec<SubResult> {
    let taken = || {
        let begun = record.time(&status::STARTED_AT)?;
        let ended = record.time(&status::FINISHED_AT)?;
        let taken = ended.duration_since(begun);
        taken.is_positive().then(|| readable(taken))
    };
    // Its form, and whether it is the time allowed or taken, is not established: so it is reported under its own name.
    let duration = || {
        let duration = record.get(&["test_duration"])?.as_str()?.trim();
        match duration.parse::<SignedDuration>() {
            Ok(duration) => duration.is_positive().then(|| readable(duration)),
            // A number without a unit is meaningless.
            Err(_) => (1..=40)
                .contains(&duration.len())
                .then(|| duration.to_owned())
                .filter(|duration| duration.parse::<f64>().is_err()),
        }
    };
    let languages: Vec<_> = record
        .list(&["programming_languages_used"])
        .iter()
        .filter_map(text)
        .collect();
    let mut parts: Vec<_> = [
        taken().map(|taken| remark_line("Time taken", taken)),
        duration().map(|duration| remark_line("Test duration", duration)),
        (!languages.is_empty()).then(|| remark_line("Programming languages", languages.join(", "))),
    ]
    .into_iter()
    .flatten()
    .collect();
    let questions = record.get(&["question_wise_score", "questions"]);
    parts.extend(
        questions
            .map_or_else(Vec::new, elements)
            .into_iter()
            .take(MAX_QUESTIONS)
            .enumerate()
            .filter_map(|(at, value)| question(at + 1, value)),
    );
    parts
}

fn remark_line(label: &str, remark: String) -> SubResult {
    SubResult {
        label: label.to_owned(),
        score: None,
        remark: Some(remark),
    }
}

fn elements(value: &Value) -> Vec<&Value> {
    match value {
        Value::Object(object) => object.values().collect(),
        Value::Array(items) => items.iter().collect(),
        _ => Vec::new(),
    }
}

/// One question. Its id means nothing to people, so it is reported by its number.
fn question(place: usize, value: &Value) -> Option<SubResult> {
    let record = Record::of(value, &[])?;
    let title = record.text(&["title", "question_title", "question_name"]);
    let points = record.get(&["score"]).and_then(number);
    let count = |name: &str| {
        record
            .get(&[name])
            .and_then(number)
            .filter(|count| *count > 0.0)
    };
    let remarks = [
        record.text(&["language"]),
        // Only a programming question has this, also with 0.
        record
            .get(&["testcases_passed"])
            .and_then(number)
            .map(|passed| format!("test cases passed: {passed}")),
        count("total_attempts").map(|attempts| format!("attempts: {attempts}")),
        // In milliseconds.
        count("time_spent")
            .and_then(|spent| SignedDuration::try_from_secs_f64(spent / 1000.0).ok())
            .map(readable),
    ];
    let remark = remarks.into_iter().flatten().collect::<Vec<_>>().join(", ");
    if points.is_none() && remark.is_empty() {
        return None;
    }
    Some(SubResult {
        label: title.unwrap_or_else(|| format!("Question {place}")),
        score: points.map(|points| Score::of(points, count("max_score"))),
        remark: Some(remark).filter(|remark| !remark.is_empty()),
    })
}

/// "1 h 30 min", "4 min 12 s", "0 s".
fn readable(time: SignedDuration) -> String {
    let seconds = time.as_secs().unsigned_abs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let parts: Vec<_> = [(hours, "h"), (minutes, "min"), (seconds, "s")]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .take(2)
        .map(|(count, unit)| format!("{count} {unit}"))
        .collect();
    if parts.is_empty() {
        "0 s".to_owned()
    } else {
        parts.join(" ")
    }
}

/// Proctoring facts, in `WeCP`'s own words.
pub(super) fn integrity(record: &Record<'_>) -> Vec<(String, u64)> {
    let bare = || -> Map<String, Value> {
        COUNTS
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), record.get(&[name])?.clone())))
            .collect()
    };
    let object = record
        .get(&["proctoring_data", "proctoring"])
        .and_then(Value::as_object)
        .cloned();
    object
        .unwrap_or_else(bare)
        .iter()
        .filter_map(|(name, value)| Some((spoken(name)?, count(value)?)))
        .take(MAX_COUNTS)
        .collect()
}

/// How often: a count, a yes, or the list of the times it happened.
fn count(value: &Value) -> Option<u64> {
    match value {
        Value::Bool(happened) => Some(u64::from(*happened)),
        Value::Array(times) => u64::try_from(times.len()).ok(),
        Value::Number(count) => count.as_u64(),
        Value::String(count) => count.trim().parse().ok(),
        _ => None,
    }
}

/// "tabChanged" and `tab_changed` are "Tab changed".
fn spoken(name: &str) -> Option<String> {
    let plain = (1..=40).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    if !plain {
        return None;
    }
    let mut words = String::new();
    for letter in name.chars() {
        match letter {
            '_' => words.push(' '),
            letter if words.is_empty() => words.push(letter.to_ascii_uppercase()),
            letter if letter.is_ascii_uppercase() => {
                words.push(' ');
                words.push(letter.to_ascii_lowercase());
            }
            letter => words.push(letter),
        }
    }
    Some(words)
}

/// The report's page, unless it is the candidate's own link. Whether it needs a login is not established.
pub(super) fn link(record: &Record<'_>, base: &Url) -> Option<String> {
    let text = record.get(&["report_link", "report_url"])?.as_str()?;
    let page = KIND.address(text, base)?;
    let mut own = links::own(record, base);
    (!own.any(|own| is_same_page(&own, &page))).then(|| page.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_candidates_own_link_is_not_a_report() {
        let base = Url::parse(KIND.base_url).unwrap();
        let own = "https://assess.wecreateproblems.com/t/private-1";
        for (report, told) in [
            ("https://assess.wecreateproblems.com/reports/9", true),
            (own, false),
            (
                "https://assess.wecreateproblems.com/t/private-1/?from=report",
                false,
            ),
        ] {
            let value = json!({"report_link": report, "test_link": own});
            let link = link(&Record::of(&value, &[]).unwrap(), &base);
            assert_eq!(link.as_deref(), told.then_some(report), "{report}");
        }
    }

    #[test]
    fn times_are_written_readably() {
        for (seconds, told) in [
            (0, "0 s"),
            (12, "12 s"),
            (252, "4 min 12 s"),
            (5400, "1 h 30 min"),
            (3605, "1 h 5 s"),
            (93_784, "26 h 3 min"),
        ] {
            assert_eq!(readable(SignedDuration::from_secs(seconds)), told);
        }
    }

    #[test]
    fn only_counts_are_reported_in_plain_words() {
        for (name, words) in [
            ("tabChanged", Some("Tab changed")),
            ("no_face_detected", Some("No face detected")),
            ("ada@example.com", None),
            ("", None),
        ] {
            assert_eq!(spoken(name).as_deref(), words, "{name}");
        }
        for (value, often) in [
            (json!(3), Some(3)),
            (json!("3"), Some(3)),
            (json!(true), Some(1)),
            (json!([1, 2]), Some(2)),
            (json!(-1), None),
            (json!("often"), None),
        ] {
            assert_eq!(count(&value), often, "{value}");
        }
    }
}
