//! Messages of the queues: one by one, in the batches that Lambda hands over, and among the dead letters.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_lambda_events::sqs::SqsEvent;
use jiff::Timestamp;
use serde_json::{Value, json};
use stagecall_aws::{DeadLetters, QueueUrls, SqsQueue};
use stagecall_core::ports::Queue as _;
use stagecall_core::work::Work;
use stagecall_runtime::{InvocationDeadline, batch};

use super::Aws;
use crate::outside::silent;
use crate::run::{Target, block};

/// The body of a message.
pub const MESSAGE: Target = Target {
    name: "queue-message",
    samples: &[
        r#"{"work":"poll","tenant":"acme"}"#,
        r#"{"work":"invite","key":{"tenant":"acme","application":"1001","mapping":"support-video","round":1}}"#,
        r#"{"work":"write_back","key":{"tenant":"acme","application":"1001","mapping":"support-video","round":2},"news":true,"marker":"completed"}"#,
        r#"{"work":"sweep","tenant":"acme","assessment":{"account":"willo","assessment":"fedcba9876543210fedcba9876543210"}}"#,
        r#"{"work":"announce","key":{"tenant":"acme","hire":{"placement":"31"}}}"#,
        r#"{"work":"delivery","tenant":"acme","id":"9f86d081884c7d65"}"#,
        r#"{"work":"poll","tenant":["Ada Example"],"note":"opaque-token of ada@example.com"}"#,
    ],
    check: message,
};

/// A batch of messages.
pub const BATCH: Target = Target {
    name: "queue-batch",
    samples: &[
        include_str!("../../../events/invite.json"),
        include_str!("../../../events/poll.json"),
        include_str!("../../../events/writeback.json"),
        r#"{"Records": [{"messageId": "m1", "receiptHandle": "r1", "body": "{\"work\":\"poll\",\"tenant\":\"acme\"}", "attributes": {"ApproximateReceiveCount": "1"}, "eventSourceARN": "arn:aws:sqs:eu-west-2:123456789012:stagecall-dev-poll"}, {"messageId": "m2", "receiptHandle": "r2", "body": "Ada Example", "attributes": {"ApproximateReceiveCount": "5"}}, {"messageId": "m3", "body": null, "attributes": {}}]}"#,
    ],
    check: handled,
};

/// A message is work and written again as the same, or it is refused in words of ours.
fn message(input: &[u8], _: u64) -> Result<(), String> {
    let Ok(body) = std::str::from_utf8(input) else {
        // SQS carries text alone.
        return Ok(());
    };
    let parsed = batch::parse(body);
    match &parsed {
        Ok(work) => {
            let again = serde_json::to_string(work).map_err(|error| error.to_string())?;
            if batch::parse(&again).ok().as_ref() != Some(work) {
                return Err(format!(
                    "it is not the same when it is written again: {again}"
                ));
            }
            sent(work)?;
        }
        Err(refused) => {
            let told = refused.to_string();
            let ours = ["JSON, but not a work item", "empty", "not JSON"];
            if !ours
                .iter()
                .any(|ours| told == format!("the message is {ours}"))
            {
                return Err(format!("it is refused with: {told}"));
            }
            silent(&format!("{refused:?}"))?;
        }
    }
    dead(body, parsed.ok().as_ref())
}

/// As SQS takes it: its body is the work, its group is one that SQS does not refuse.
fn sent(work: &Work) -> Result<(), String> {
    let aws = Aws::new(|_, _| (200, b"{}".to_vec()));
    let queue = SqsQueue::new(aws_sdk_sqs::Client::new(&aws.config()), urls());
    block(queue.push(vec![work.clone()]))?.map_err(|error| error.to_string())?;
    let requests = aws.requests();
    let [request] = requests.as_slice() else {
        return Err(format!("it was sent {} times", requests.len()));
    };
    let request: Value = serde_json::from_slice(request).map_err(|error| error.to_string())?;
    let entry = &request["Entries"][0];
    let group = entry["MessageGroupId"].as_str().unwrap_or_default();
    if !(1..=128).contains(&group.len()) || !group.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(format!("SQS would refuse the group {group:?}"));
    }
    let body = entry["MessageBody"].as_str().unwrap_or_default();
    if batch::parse(body).ok().as_ref() != Some(work) {
        return Err(format!("something else was sent: {body}"));
    }
    Ok(())
}

/// Among the dead letters it is the same work, or none.
fn dead(body: &str, work: Option<&Work>) -> Result<(), String> {
    let letter = json!({"MessageId": "m1", "Body": body, "Attributes": {"SentTimestamp": body}});
    let answer = json!({"Messages": [letter]}).to_string().into_bytes();
    let aws = Aws::new(move |_, _| (200, answer.clone()));
    let letters = DeadLetters::new(
        aws_sdk_sqs::Client::new(&aws.config()),
        "https://sqs.example/dead",
        "https://sqs.example/home",
    );
    let sample = block(letters.sample())?.map_err(|error| error.to_string())?;
    match sample.as_slice() {
        [letter] if letter.work.as_ref() == work => Ok(()),
        other => Err(format!("among the dead letters it is {other:?}")),
    }
}

fn urls() -> QueueUrls {
    let url = |name: &str| format!("https://sqs.example/{name}");
    QueueUrls {
        poll: url("poll"),
        invite: url("invite"),
        write_back: url("result"),
    }
}

/// Of a batch, exactly those records are handed back that are no work; the others are each handled once.
fn handled(input: &[u8], _: u64) -> Result<(), String> {
    let Ok(event) = serde_json::from_slice::<SqsEvent>(input) else {
        return Ok(());
    };
    let bodies = event.records.iter().map(|record| record.body.as_deref());
    let work: Vec<_> = bodies
        .map(|body| batch::parse(body.unwrap_or_default()).ok())
        .collect();
    let names = event.records.iter().zip(&work);
    let expected: BTreeSet<String> = names
        .filter(|(_, work)| work.is_none())
        .map(|(record, _)| record.message_id.clone().unwrap_or_default())
        .collect();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let handler = {
        let seen = seen.clone();
        move |work: Work, _| {
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.push(work);
            std::future::ready(Ok(()))
        }
    };
    let now = Timestamp::now();
    let answer = block(async {
        let window = InvocationDeadline::ending(
            now.checked_add(Duration::from_mins(10)).unwrap_or(now),
            now,
            Duration::from_secs(1),
        );
        batch::within(window, 4, event, handler).await
    })?;
    let failures = answer.batch_item_failures.into_iter();
    let failed: BTreeSet<String> = failures.map(|failure| failure.item_identifier).collect();
    if failed != expected {
        return Err(format!("{failed:?} came back instead of {expected:?}"));
    }
    let mut seen: Vec<String> = seen
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .iter()
        .map(|work| format!("{work:?}"))
        .collect();
    let mut work: Vec<String> = work
        .iter()
        .flatten()
        .map(|one| format!("{one:?}"))
        .collect();
    seen.sort();
    work.sort();
    if seen == work {
        Ok(())
    } else {
        Err(format!("{seen:?} was handled instead of {work:?}"))
    }
}
