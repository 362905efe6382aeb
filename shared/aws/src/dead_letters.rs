//! Dead letters: messages that failed as often as their queue allows, and their redrive.
//!
//! A dead letter is redriven by receiving and sending, not by SQS's own move task, so that the number can be limited and an
//! emulator supports it. A crash between the two leaves the message in both queues, which is harmless because messages are
//! idempotent.

use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName, QueueAttributeName};
use stagecall_core::Timestamp;
use stagecall_core::error::StoreError;
use stagecall_core::work::Work;

use crate::fault::problem;

/// The store's name in errors.
const DEAD_LETTERS: &str = "dead letters";

/// The maximum number of messages that SQS returns in one call.
const MAX_RECEIVED: i32 = 10;

/// How long messages are hidden from others while they are redriven.
const VISIBILITY_TIMEOUT: Duration = Duration::from_mins(1);

/// A message that failed repeatedly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// SQS's id, which is also in the functions' logs.
    pub id: String,
    /// When it was first sent.
    pub sent_at: Option<Timestamp>,
    /// Its work; `None` if unreadable.
    pub work: Option<Work>,
}

#[derive(Clone, Debug)]
pub struct DeadLetters {
    client: Client,
    url: String,
    home: String,
}

impl DeadLetters {
    /// The dead letters in the queue `url`, which come from the queue `home`.
    pub fn new(client: Client, url: impl Into<String>, home: impl Into<String>) -> Self {
        Self {
            client,
            url: url.into(),
            home: home.into(),
        }
    }

    /// Their approximate number.
    pub async fn count(&self) -> Result<usize, StoreError> {
        let answer = self
            .client
            .get_queue_attributes()
            .queue_url(&self.url)
            .attribute_names(QueueAttributeName::ApproximateNumberOfMessages)
            .attribute_names(QueueAttributeName::ApproximateNumberOfMessagesNotVisible)
            .send()
            .await
            .map_err(|error| failed("count", problem(&error)))?;
        let counted = answer.attributes.unwrap_or_default();
        Ok(counted
            .values()
            .filter_map(|count| count.parse::<usize>().ok())
            .fold(0, usize::saturating_add))
    }

    /// Some of them, at most ten. They remain in the queue.
    pub async fn sample(&self) -> Result<Vec<DeadLetter>, StoreError> {
        let messages = self.receive(MAX_RECEIVED, Duration::ZERO).await?;
        Ok(messages
            .into_iter()
            .map(|message| DeadLetter {
                sent_at: attribute(&message, &MessageSystemAttributeName::SentTimestamp)
                    .and_then(|sent| Timestamp::from_millisecond(sent.parse().ok()?).ok()),
                work: message
                    .body
                    .and_then(|body| serde_json::from_str(&body).ok()),
                id: message.message_id.unwrap_or_default(),
            })
            .collect())
    }

    /// Sends at most `most` of them back to their source queue, with a new count of attempts. Returns how many.
    pub async fn redrive(&self, most: usize) -> Result<usize, StoreError> {
        let mut sent = 0;
        while sent < most {
            let batch_size =
                i32::try_from(most - sent).map_or(MAX_RECEIVED, |left| left.min(MAX_RECEIVED));
            let messages = self.receive(batch_size, VISIBILITY_TIMEOUT).await?;
            if messages.is_empty() {
                break;
            }
            // Messages beyond the requested number become visible again in a minute.
            for message in messages.into_iter().take(most - sent) {
                self.send_back(message).await?;
                sent += 1;
            }
        }
        Ok(sent)
    }

    async fn send_back(&self, message: Message) -> Result<(), StoreError> {
        let operation = "send back";
        let group = attribute(&message, &MessageSystemAttributeName::MessageGroupId);
        self.client
            .send_message()
            .queue_url(&self.home)
            .set_message_group_id(group.map(ToOwned::to_owned))
            .set_message_body(message.body)
            .send()
            .await
            .map_err(|error| failed(operation, problem(&error)))?;
        self.client
            .delete_message()
            .queue_url(&self.url)
            .set_receipt_handle(message.receipt_handle)
            .send()
            .await
            .map_err(|error| failed(operation, problem(&error)))?;
        Ok(())
    }

    async fn receive(&self, most: i32, hidden: Duration) -> Result<Vec<Message>, StoreError> {
        let answer = self
            .client
            .receive_message()
            .queue_url(&self.url)
            .max_number_of_messages(most)
            // A wait of a second queries all of SQS's servers instead of some.
            .wait_time_seconds(1)
            .visibility_timeout(i32::try_from(hidden.as_secs()).unwrap_or(i32::MAX))
            .message_system_attribute_names(MessageSystemAttributeName::MessageGroupId)
            .message_system_attribute_names(MessageSystemAttributeName::SentTimestamp)
            .send()
            .await
            .map_err(|error| failed("receive", problem(&error)))?;
        Ok(answer.messages.unwrap_or_default())
    }
}

fn attribute<'a>(message: &'a Message, name: &MessageSystemAttributeName) -> Option<&'a str> {
    message.attributes.as_ref()?.get(name).map(String::as_str)
}

fn failed(operation: &'static str, problem: String) -> StoreError {
    StoreError::new(DEAD_LETTERS, operation, problem)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use serde_json::{Value, json};

    use super::*;
    use crate::testing::{Calls, error, stand_in};

    /// A dead-letter queue with these bodies, and a source queue that may refuse them.
    async fn with(bodies: &[&str], refuses: bool) -> (DeadLetters, Calls) {
        let left: Vec<Value> = (0..)
            .zip(bodies)
            .map(|(number, body)| {
                json!({
                    "MessageId": format!("m{number}"),
                    "ReceiptHandle": format!("r{number}"),
                    "Body": body,
                    "Attributes": {"MessageGroupId": "acme", "SentTimestamp": "1795341600000"},
                })
            })
            .collect();
        let left = Arc::new(Mutex::new(left));
        let (config, calls) = stand_in(move |_, (operation, request)| match operation.as_str() {
            "ReceiveMessage" => {
                let mut left = left.lock().unwrap();
                let most = usize::try_from(request["MaxNumberOfMessages"].as_u64().unwrap());
                let count = most.unwrap().min(left.len());
                let some: Vec<Value> = left.drain(..count).collect();
                (200, json!({"Messages": some}))
            }
            "GetQueueAttributes" => (
                200,
                json!({"Attributes": {
                    "ApproximateNumberOfMessages": "3",
                    "ApproximateNumberOfMessagesNotVisible": "1",
                }}),
            ),
            "SendMessage" if refuses => error("OverLimit"),
            _ => (200, json!({})),
        })
        .await;
        let client = Client::new(&config);
        (
            DeadLetters::new(client, "https://sqs/dead", "https://sqs/home"),
            calls,
        )
    }

    const POLL: &str = r#"{"work":"poll","tenant":"acme"}"#;

    #[tokio::test]
    async fn they_are_counted_and_shown_also_those_that_cannot_be_read() {
        let (letters, _) = with(&[POLL, "nonsense"], false).await;
        assert_eq!(letters.count().await.unwrap(), 4);
        let sample = letters.sample().await.unwrap();
        let poll = Work::Poll {
            tenant: "acme".into(),
        };
        assert_eq!(sample[0].work, Some(poll));
        assert_eq!(sample[0].id, "m0");
        assert_eq!(sample[0].sent_at, "2026-11-22T10:00:00Z".parse().ok());
        assert_eq!(sample[1].work, None);
    }

    #[tokio::test]
    async fn an_invalid_count_is_clamped() {
        for (counts, expected) in [
            (["-1", "many"], 0),
            (["18446744073709551615", "1"], usize::MAX),
        ] {
            let (config, _) = stand_in(move |_, _| {
                let attributes = json!({
                    "ApproximateNumberOfMessages": counts[0],
                    "ApproximateNumberOfMessagesNotVisible": counts[1],
                });
                (200, json!({"Attributes": attributes}))
            })
            .await;
            let letters = DeadLetters::new(Client::new(&config), "https://sqs/dead", "home");
            assert_eq!(letters.count().await.unwrap(), expected);
        }
    }

    #[tokio::test]
    async fn each_is_sent_back_in_its_group_before_it_is_deleted() {
        let bodies: Vec<String> = (0..23).map(|number| format!("body {number}")).collect();
        let bodies: Vec<&str> = bodies.iter().map(String::as_str).collect();
        let (letters, calls) = with(&bodies, false).await;
        assert_eq!(letters.redrive(1000).await.unwrap(), 23);
        let calls = calls.all();
        let of = |name: &str| -> Vec<Value> {
            calls
                .iter()
                .filter(|(operation, _)| operation == name)
                .map(|(_, request)| request.clone())
                .collect()
        };
        let sent = of("SendMessage");
        let sent_bodies: Vec<_> = sent
            .iter()
            .map(|one| one["MessageBody"].as_str().unwrap())
            .collect();
        assert_eq!(sent_bodies, bodies);
        assert!(sent.iter().all(|one| one["QueueUrl"] == "https://sqs/home"));
        assert!(sent.iter().all(|one| one["MessageGroupId"] == "acme"));
        assert_eq!(of("DeleteMessage").len(), 23);
    }

    #[tokio::test]
    async fn surplus_messages_are_left_alone() {
        let (config, calls) = stand_in(|_, (operation, _)| match operation.as_str() {
            "ReceiveMessage" => {
                let message = json!({"MessageId": "m", "ReceiptHandle": "r", "Body": POLL});
                (200, json!({"Messages": vec![message; 20]}))
            }
            _ => (200, json!({})),
        })
        .await;
        let letters = DeadLetters::new(Client::new(&config), "https://sqs/dead", "home");
        assert_eq!(letters.redrive(3).await.unwrap(), 3);
        assert_eq!(calls.count(), 1 + 2 * 3);
    }

    #[tokio::test]
    async fn at_most_the_requested_number_and_none_deleted_before_it_is_sent() {
        let (letters, _) = with(&[POLL; 12], false).await;
        assert_eq!(letters.redrive(11).await.unwrap(), 11);
        let (letters, calls) = with(&[POLL; 2], true).await;
        let refused = letters.redrive(10).await.unwrap_err().to_string();
        assert!(refused.contains("OverLimit"), "{refused}");
        assert!(
            calls
                .all()
                .iter()
                .all(|(operation, _)| operation != "DeleteMessage")
        );
    }
}
