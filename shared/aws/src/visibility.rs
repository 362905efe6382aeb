//! Messages that a function received and returns to the queue, to be received again after a given time.

use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::BuildError;
use aws_sdk_sqs::types::ChangeMessageVisibilityBatchRequestEntry;
use stagecall_core::error::StoreError;

use crate::batch::{Outcome, Refused, send_all};
use crate::fault::problem;

/// The maximum visibility timeout of SQS, in seconds: twelve hours.
const MAX_VISIBILITY_SECONDS: i32 = 43_200;

/// A received message, hidden from other consumers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldMessage {
    /// SQS's receipt handle of this receive.
    pub receipt: String,
    /// The time until it becomes visible again.
    pub again_in: Duration,
}

/// The received messages of one queue.
#[derive(Clone, Debug)]
pub struct HeldMessages {
    client: Client,
    url: String,
}

impl HeldMessages {
    /// Those of the queue at this URL.
    pub fn new(client: Client, url: impl Into<String>) -> Self {
        Self {
            client,
            url: url.into(),
        }
    }

    /// Sets when they become visible again, instead of after the queue's own visibility timeout.
    ///
    /// # Errors
    /// SQS did not accept all of them; the others become visible after the queue's own visibility timeout.
    pub async fn set_visibility(&self, messages: Vec<HeldMessage>) -> Result<(), StoreError> {
        let Outcome {
            lost,
            code,
            failure,
        } = send_all(messages, |batch| self.send(batch)).await;
        if lost == 0 {
            return Ok(());
        }
        let problem = failure.unwrap_or_else(|| {
            let code = code.unwrap_or_default();
            format!(
                "{} did not take the change of {lost} messages: {code}",
                self.url
            )
        });
        Err(StoreError::new("queue", "return messages", problem))
    }

    async fn send(&self, messages: Vec<HeldMessage>) -> Result<Vec<Refused>, String> {
        let entries: Vec<_> = messages
            .into_iter()
            .enumerate()
            .map(entry)
            .collect::<Result<_, BuildError>>()
            .map_err(|error| error.to_string())?;
        let answer = self
            .client
            .change_message_visibility_batch()
            .queue_url(&self.url)
            .set_entries(Some(entries))
            .send()
            .await
            .map_err(|error| problem(&error))?;
        let refused = answer.failed.into_iter();
        refused
            .map(|failed| Refused::of(&failed.id, failed.code))
            .collect()
    }
}

/// In whole seconds, as SQS requires, rounded up.
fn entry(
    (place, message): (usize, HeldMessage),
) -> Result<ChangeMessageVisibilityBatchRequestEntry, BuildError> {
    let seconds = message.again_in.as_millis().div_ceil(1000);
    let seconds = i32::try_from(seconds)
        .unwrap_or(MAX_VISIBILITY_SECONDS)
        .min(MAX_VISIBILITY_SECONDS);
    ChangeMessageVisibilityBatchRequestEntry::builder()
        .id(place.to_string())
        .receipt_handle(message.receipt)
        .visibility_timeout(seconds)
        .build()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::{Call, Calls, error, stand_in};

    async fn held(
        answer: impl Fn(usize, &Call) -> (u16, Value) + Clone + Send + Sync + 'static,
    ) -> (HeldMessages, Calls) {
        let (config, calls) = stand_in(answer).await;
        let client = Client::new(&config);
        (HeldMessages::new(client, "https://sqs/poll"), calls)
    }

    fn messages() -> Vec<HeldMessage> {
        [("a", 22_400), ("b", 60_000)]
            .map(|(receipt, milliseconds)| HeldMessage {
                receipt: receipt.to_owned(),
                again_in: Duration::from_millis(milliseconds),
            })
            .into()
    }

    #[tokio::test]
    async fn each_becomes_visible_in_its_own_time() {
        let taken = json!({"Successful": [{"Id": "0"}, {"Id": "1"}], "Failed": []});
        let (held, calls) = held(move |_, _| (200, taken.clone())).await;
        held.set_visibility(messages()).await.unwrap();
        let entries = json!([
            {"Id": "0", "ReceiptHandle": "a", "VisibilityTimeout": 23},
            {"Id": "1", "ReceiptHandle": "b", "VisibilityTimeout": 60},
        ]);
        let asked = json!({"QueueUrl": "https://sqs/poll", "Entries": entries});
        let operation = "ChangeMessageVisibilityBatch".to_owned();
        assert_eq!(calls.all(), [(operation, asked)]);
    }

    #[tokio::test]
    async fn a_rejected_change_is_an_error() {
        // The second of two is refused, and again when it is sent alone.
        let (one, _) = held(|before, _| {
            let id = if before == 0 { "1" } else { "0" };
            let failed = json!({"Id": id, "SenderFault": true, "Code": "ReceiptHandleIsInvalid"});
            (200, json!({"Successful": [], "Failed": [failed]}))
        })
        .await;
        let (all, _) = held(|_, _| error("AccessDeniedException")).await;
        let strange = |id: &'static str| {
            held(move |_, _| {
                let failed = json!({"Id": id, "SenderFault": true, "Code": "InternalError"});
                (200, json!({"Successful": [], "Failed": [failed]}))
            })
        };
        let (unsent, unnumbered) = (strange("2").await.0, strange("first").await.0);
        for (held, says) in [
            (one, "ReceiptHandleIsInvalid"),
            (all, "Give it the action"),
            (unsent, "was not sent"),
            (unnumbered, "was not sent"),
        ] {
            let problem = held
                .set_visibility(messages())
                .await
                .unwrap_err()
                .to_string();
            assert!(problem.contains(says), "{problem}");
        }
    }
}
