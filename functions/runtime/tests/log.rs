//! The log of failed records. In its own process, because tracing caches for all threads whether a line is enabled, also for
//! threads without a subscriber.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::fs::File;
use std::sync::Arc;
use std::time::Duration;

use aws_lambda_events::sqs::{SqsEvent, SqsMessage};
use serde_json::{Value, json};
use stagecall_core::Timestamp;
use stagecall_core::work::Work;
use stagecall_logs::JsonLines;
use stagecall_runtime::InvocationDeadline;
use stagecall_runtime::batch::{RecordFailure, within};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Acts as the tenant's name says.
async fn act(work: Work) -> Result<(), RecordFailure> {
    match work.tenant().as_str() {
        "panics" => panic!("on purpose"),
        "misplaced" => Err(RecordFailure::Misplaced),
        _ => {
            tokio::time::sleep(Duration::from_hours(1)).await;
            Ok(())
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_log_names_the_work_of_a_failed_record() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let file = Arc::new(File::create(&log).unwrap());
    let lines = JsonLines::to(move || file.clone());
    tracing_subscriber::registry().with(lines).init();
    let tenants = ["panics", "misplaced", "sleeps"];
    let mut event = SqsEvent::default();
    event.records = tenants
        .map(|tenant| {
            let mut record = SqsMessage::default();
            record.message_id = Some(tenant.to_owned());
            record.body = Some(json!({"work": "poll", "tenant": tenant}).to_string());
            record
        })
        .into();
    let now = Timestamp::now();
    let ends = Timestamp::from_second(now.as_second() + 30).unwrap();
    let window = InvocationDeadline::ending(ends, now, Duration::from_secs(10));
    let answer = within(window, 3, event, |work, _| act(work)).await;
    assert_eq!(answer.batch_item_failures.len(), tenants.len());

    let log = std::fs::read_to_string(log).unwrap();
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    for tenant in tenants {
        let of = |line: &&Value| line["tenant"] == tenant;
        let line = lines.iter().find(of).unwrap();
        assert_eq!(line["level"], "ERROR", "{line}");
        assert_eq!(line["record"], tenant);
        assert_eq!(line["work"], format!("poll {tenant}"));
    }
}
