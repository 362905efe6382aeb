use std::sync::atomic::{AtomicUsize, Ordering};

use stagecall_core::Timestamp;
use stagecall_core::error::StoreError;

use super::*;

fn window(seconds: i64, needs: u64) -> InvocationDeadline {
    let now = Timestamp::now();
    let ends = Timestamp::from_second(now.as_second() + seconds).unwrap();
    InvocationDeadline::ending(ends, now, Duration::from_secs(needs))
}

fn poll(tenant: &str) -> String {
    format!(r#"{{"work": "poll", "tenant": "{tenant}"}}"#)
}

fn batch<const N: usize>(bodies: [String; N]) -> SqsEvent {
    let records = bodies.into_iter().enumerate().map(|(place, body)| {
        let mut record = SqsMessage::default();
        record.message_id = Some(place.to_string());
        record.body = Some(body);
        record
    });
    let mut event = SqsEvent::default();
    event.records = records.collect();
    event
}

fn failed(answer: SqsBatchResponse) -> Vec<String> {
    let failures = answer.batch_item_failures.into_iter();
    let mut failed: Vec<_> = failures.map(|failure| failure.item_identifier).collect();
    failed.sort();
    failed
}

/// Acts as the tenant's name says.
async fn act(work: Work, _: Deadline) -> Result<(), RecordFailure> {
    match work.tenant().as_str() {
        "panics" => panic!("on purpose"),
        "fails" => Err(Error::from(StoreError::new("ledger", "read", "on purpose")).into()),
        "misplaced" => Err(RecordFailure::Misplaced),
        "sleeps" => {
            tokio::time::sleep(Duration::from_hours(1)).await;
            Ok(())
        }
        _ => Ok(()),
    }
}

#[tokio::test(start_paused = true)]
async fn a_bad_record_fails_alone() {
    let bodies = [
        poll("acme"),
        "not json".to_owned(),
        poll("panics"),
        String::new(),
        poll("other"),
        r#"{"work": "make tea"}"#.to_owned(),
        poll("fails"),
        poll("misplaced"),
        poll("last"),
    ];
    for side_by_side in [1, 4, 20] {
        let answer = within(window(60, 10), side_by_side, batch(bodies.clone()), act).await;
        assert_eq!(failed(answer), ["1", "2", "3", "5", "6", "7"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_record_that_takes_too_long_is_stopped_and_the_others_count() {
    let answer = within(
        window(60, 10),
        2,
        batch([poll("sleeps"), poll("acme"), poll("other")]),
        act,
    )
    .await;
    assert_eq!(failed(answer), ["0"]);
}

#[tokio::test(start_paused = true)]
async fn without_time_left_no_record_starts_and_all_are_returned() {
    let begun = Arc::new(AtomicUsize::new(0));
    let counted = begun.clone();
    let slow = move |_, _| {
        let counted = counted.clone();
        async move {
            counted.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_secs(20)).await;
            Ok(())
        }
    };
    // 58 seconds, in the last 30 of which none is started: one at a time, that is the first and the second.
    let answer = within(
        window(60, 30),
        1,
        batch(["a", "b", "c", "d"].map(poll)),
        slow,
    )
    .await;
    assert_eq!(begun.load(Ordering::Relaxed), 2);
    assert_eq!(failed(answer), ["2", "3"]);
}

#[tokio::test(start_paused = true)]
async fn no_more_run_at_once_than_allowed() {
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (now, peak) = (running.clone(), most.clone());
    let handler = move |_, _| {
        let (now, peak) = (now.clone(), peak.clone());
        async move {
            peak.fetch_max(now.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_secs(1)).await;
            now.fetch_sub(1, Ordering::Relaxed);
            Ok(())
        }
    };
    let bodies = ["a", "b", "c", "d", "e", "f", "g"].map(poll);
    let answer = within(window(60, 10), 3, batch(bodies), handler).await;
    assert!(failed(answer).is_empty());
    assert_eq!(
        (
            most.load(Ordering::Relaxed),
            running.load(Ordering::Relaxed)
        ),
        (3, 0)
    );
}

#[test]
fn the_text_of_a_malformed_message_stays_out_of_the_error() {
    for (body, reason) in [
        ("", "empty"),
        ("ada@example.com", "not JSON"),
        (
            r#"{"work": "ada@example.com"}"#,
            "JSON, but not a work item",
        ),
        (r#"{"work": "poll"}"#, "JSON, but not a work item"),
        (r#"{"work": "poll", "ten"#, "not JSON"),
    ] {
        let error = parse(body).unwrap_err();
        assert_eq!(error.to_string(), format!("the message is {reason}"));
    }
}

#[test]
fn work_for_a_removed_tenant_counts_as_handled() {
    assert!(outcome(Err(Error::UnknownTenant("acme".into()))).is_ok());
    assert!(outcome(Err(StoreError::new("ledger", "read", "down").into())).is_err());
}
