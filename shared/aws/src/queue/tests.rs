use serde_json::{Value, json};
use stagecall_core::ids::InvitationKey;
use stagecall_core::invitation::Step;

use super::*;
use crate::testing::{Call, Calls, error, stand_in};

async fn queue(
    answer: impl Fn(usize, &Call) -> (u16, Value) + Clone + Send + Sync + 'static,
) -> (SqsQueue, Calls) {
    let (config, calls) = stand_in(answer).await;
    let urls = QueueUrls {
        poll: "https://sqs/poll".to_owned(),
        invite: "https://sqs/invite".to_owned(),
        write_back: "https://sqs/write-back".to_owned(),
    };
    (SqsQueue::new(Client::new(&config), urls), calls)
}

fn entries(call: &Call) -> &Vec<Value> {
    call.1["Entries"].as_array().unwrap()
}

/// SQS's response: these of the batch were not taken, the others were.
fn answered(call: &Call, refused: &[usize]) -> (u16, Value) {
    let (failed, taken): (Vec<_>, Vec<_>) =
        (0..entries(call).len()).partition(|place| refused.contains(place));
    let failed: Vec<_> = failed
        .iter()
        .map(
            |place| json!({"Id": place.to_string(), "SenderFault": false, "Code": "InternalError"}),
        )
        .collect();
    let taken: Vec<_> = taken
        .iter()
        .map(|place| json!({"Id": place.to_string(), "MessageId": "m", "MD5OfMessageBody": md5(call, *place)}))
        .collect();
    (200, json!({"Successful": taken, "Failed": failed}))
}

/// The client does not check it.
fn md5(_: &Call, _: usize) -> &'static str {
    "0"
}

fn polls(count: usize) -> Vec<Work> {
    (0..count)
        .map(|n| Work::Poll {
            tenant: TenantId::new(format!("t{n}")),
        })
        .collect()
}

fn bodies(calls: &[Call]) -> Vec<Work> {
    let messages = calls.iter().flat_map(entries);
    messages
        .map(|entry| serde_json::from_str(entry["MessageBody"].as_str().unwrap()).unwrap())
        .collect()
}

#[tokio::test]
async fn each_piece_goes_to_its_queue_in_its_tenants_group() {
    let key = InvitationKey {
        tenant: "acme".into(),
        application: "1".into(),
        mapping: "video".into(),
        round: 1,
    };
    let (queue, calls) = queue(|_, call| answered(call, &[])).await;
    let work = vec![
        Work::step(key.clone(), Step::WriteBack),
        Work::Poll {
            tenant: "a tenant with spaces".into(),
        },
        Work::step(key, Step::Invite),
        Work::Delivery {
            tenant: "acme".into(),
            id: "d".to_owned(),
        },
    ];
    queue.push(work.clone()).await.unwrap();
    let calls = calls.all();
    let urls: Vec<_> = calls
        .iter()
        .map(|(_, request)| request["QueueUrl"].as_str().unwrap())
        .collect();
    assert_eq!(
        urls,
        [
            "https://sqs/poll",
            "https://sqs/invite",
            "https://sqs/write-back"
        ]
    );
    assert_eq!(
        bodies(&calls),
        [&work[1], &work[2], &work[0], &work[3]].map(Clone::clone)
    );
    assert_eq!(entries(&calls[1])[0]["MessageGroupId"], "acme");
    let replaced = entries(&calls[0])[0]["MessageGroupId"].as_str().unwrap();
    assert!(replaced.len() == 64 && replaced.bytes().all(|byte| byte.is_ascii_hexdigit()));
}

#[tokio::test]
async fn a_retry_that_succeeds_counts() {
    let (queue, calls) =
        queue(|before, call| answered(call, if before == 0 { &[1, 4] } else { &[] })).await;
    queue.push(polls(6)).await.unwrap();
    assert_eq!(calls.count(), 2);
    assert!(queue.is_durable());
}

#[tokio::test]
async fn ten_messages_per_call_and_no_call_without_messages() {
    let (queue, calls) = queue(|_, call| answered(call, &[])).await;
    queue.push(Vec::new()).await.unwrap();
    assert_eq!(calls.count(), 0);
    queue.push(polls(25)).await.unwrap();
    let mut sizes: Vec<_> = calls.all().iter().map(|call| entries(call).len()).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [5, 10, 10]);
    assert_eq!(bodies(&calls.all()).len(), 25);
}

#[tokio::test]
async fn rejected_messages_are_sent_once_more_and_then_reported() {
    let (queue, calls) = queue(|before, call| {
        // Of the two retried, the second is refused again.
        answered(call, if before == 0 { &[1, 4] } else { &[1] })
    })
    .await;
    // A caller that relies on durability needs the error.
    let problem = queue.push(polls(6)).await.unwrap_err().to_string();
    assert!(problem.contains("did not take 1 messages"), "{problem}");
    let calls = calls.all();
    assert_eq!(calls.len(), 2);
    assert_eq!(
        bodies(&calls[1..]),
        [polls(6)[1].clone(), polls(6)[4].clone()]
    );
}

#[tokio::test]
async fn a_missing_queue_is_named_and_the_others_get_theirs() {
    let (queue, calls) = queue(|_, call| {
        if call.1["QueueUrl"] == "https://sqs/poll" {
            error("QueueDoesNotExist")
        } else {
            answered(call, &[])
        }
    })
    .await;
    let mut work = polls(1);
    work.push(Work::Delivery {
        tenant: "acme".into(),
        id: "d".to_owned(),
    });
    let problem = queue.push(work).await.unwrap_err().to_string();
    assert!(problem.contains("no such resource"), "{problem}");
    assert_eq!(calls.all()[1].1["QueueUrl"], "https://sqs/write-back");
}

#[tokio::test]
async fn throttling_is_retried() {
    let (queue, calls) = queue(|before, call| {
        if before == 0 {
            error("ThrottlingException")
        } else {
            answered(call, &[])
        }
    })
    .await;
    queue.push(polls(1)).await.unwrap();
    assert_eq!(calls.count(), 2);
}

#[test]
fn a_queues_address_is_found_by_its_name() {
    let urls = QueueUrls {
        poll: "https://sqs.eu-west-2.amazonaws.com/123456789012/stagecall-poll".to_owned(),
        invite: "https://sqs.eu-west-2.amazonaws.com/123456789012/stagecall-invite".to_owned(),
        write_back: "https://sqs.eu-west-2.amazonaws.com/123456789012/stagecall-result".to_owned(),
    };
    let arn = "arn:aws:sqs:eu-west-2:123456789012:stagecall-result";
    assert_eq!(urls.named(arn), Some(urls.write_back.as_str()));
    for other in ["arn:aws:sqs:eu-west-2:123456789012:result", ""] {
        assert_eq!(urls.named(other), None);
    }
}
