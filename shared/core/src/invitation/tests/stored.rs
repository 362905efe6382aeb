//! Rows that an earlier program wrote, with its names.

use serde_json::{Value, json};

use super::*;

/// Earlier names of fields.
const FIELDS: [(&str, &str); 9] = [
    ("schedule", "wake"),
    ("sweep", "watched"),
    ("failure", "trouble"),
    ("first_failed_at", "since"),
    ("attempts", "times"),
    ("history", "story"),
    ("snapshot", "finding"),
    ("change_token", "marker"),
    ("retry_at", "next_try"),
];

/// The same document with the old names. Only within a failure does `attempts` have another one.
fn as_it_was(now: Value, within: &str) -> Value {
    match now {
        Value::Object(fields) => {
            let renamed = fields.into_iter().map(|(name, value)| {
                let is_renamed = match name.as_str() {
                    "attempts" => within == "failure",
                    "history" => within.is_empty(),
                    _ => true,
                };
                let old = FIELDS.iter().find(|(new, _)| is_renamed && *new == name);
                let old = old.map_or(name.clone(), |(_, old)| (*old).to_owned());
                (old, as_it_was(value, &name))
            });
            Value::Object(renamed.collect())
        }
        other => other,
    }
}

#[test]
fn a_row_under_the_names_of_then_is_read() {
    let row = step(&fresh(), claim(60), 1).next;
    let row = step(&row, sent("r"), 2).next;
    let mut row = step(&row, reported(&row), 3).next;
    row.failure = Some(failure(4));
    row.report.failure = Some(failure(5));
    row.snapshot = Some(snapshot(Status::Sent, 1));
    row.change_token = Some("v1".to_owned());
    row.retry_at = Some(time(9));
    assert!(matches!(row.schedule, Schedule::Sweep { .. }));

    let now = serde_json::to_value(&row).unwrap();
    let then = as_it_was(now.clone(), "");
    for (new, old) in FIELDS {
        let is_there =
            |document: &Value, name: &str| document.to_string().contains(&format!("\"{name}\":"));
        assert!(
            is_there(&then, old) && !is_there(&now, old),
            "{old}, now {new}"
        );
    }
    assert_eq!(serde_json::from_value::<Invitation>(then).unwrap(), row);
}

#[test]
fn a_failed_part_under_the_names_of_then_is_read() {
    let refused = PartFailure {
        failure: failure(6),
        next: NextTry::At(time(9)),
        mentioned: true,
    };
    let now = serde_json::to_string(&refused).unwrap();
    let then = now.replace("\"mentioned\":", "\"told\":");
    assert_ne!(then, now);
    let read: PartFailure = serde_json::from_str(&then).unwrap();
    assert_eq!(read, refused);
}

#[test]
fn what_happened_under_the_names_of_then_has_those_of_now() {
    let named = |what: &str| {
        let entry = json!({"at": time(0), "what": what});
        serde_json::from_value::<HistoryEntry>(entry).unwrap().what
    };
    for (then, now) in [
        ("put_off", "deferred"),
        ("look_up_put_off", "lookup_deferred"),
        ("looked_up_absent", "lookup_not_found"),
        ("watch_over", "watch_expired"),
        ("report_doubted", "report_stale"),
        ("report_put_off", "report_deferred"),
        ("arranged", "scheduled"),
        ("forgotten", "purged"),
        ("sent", "sent"),
    ] {
        assert_eq!(named(then), now);
    }
    assert_eq!(Event::Purge.name(), "purged");
    assert_eq!(Event::ReportStale.name(), "report_stale");
}
