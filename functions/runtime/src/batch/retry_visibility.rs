//! Failed records return after a backoff by their number of attempts, instead of after their queue's visibility timeout,
//! which covers a whole batch.

use std::collections::HashMap;
use std::time::Duration;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use lambda_runtime::Error;
use stagecall_aws::{HeldMessage, HeldMessages, QueueUrls, connect_with};
use stagecall_core::timing::Timing;
use tokio::sync::OnceCell;
use tokio::time::{Instant, timeout_at};

use crate::environment::Environment;

/// The receipts needed to return the records of a batch.
#[derive(Default)]
pub(super) struct Receipts {
    queue: Option<String>,
    /// By the records' ids: the receipt, and the number of this attempt.
    records: HashMap<String, (String, u32)>,
}

impl Receipts {
    pub(super) fn of(batch: &SqsEvent) -> Self {
        let queue = batch.records.first();
        let records = batch.records.iter().filter_map(|record| {
            let tries = record.attributes.get("ApproximateReceiveCount");
            let tries = tries.and_then(|tries| tries.parse().ok()).unwrap_or(1);
            Some((
                record.message_id.clone()?,
                (record.receipt_handle.clone()?, tries),
            ))
        });
        Self {
            queue: queue.and_then(|record| record.event_source_arn.clone()),
            records: records.collect(),
        }
    }

    /// The failed records, each with the time until it should return.
    fn failed_messages(mut self, answer: &SqsBatchResponse, timing: &Timing) -> Vec<HeldMessage> {
        let failures = answer.batch_item_failures.iter();
        let messages = failures.filter_map(|failure| {
            let id = &failure.item_identifier;
            let (receipt, tries) = self.records.remove(id)?;
            Some(HeldMessage {
                receipt,
                again_in: Duration::try_from(timing.backoff(tries, id)).unwrap_or_default(),
            })
        });
        messages.collect()
    }
}

/// The client of the queue, created when the first record fails: most processes never need it.
#[derive(Default)]
pub(super) struct Returns(OnceCell<QueueClient>);

struct QueueClient {
    client: aws_sdk_sqs::Client,
    queues: QueueUrls,
    timing: Timing,
}

impl QueueClient {
    fn of_process() -> Result<Self, Error> {
        let environment = Environment::of_process()?;
        Ok(Self {
            client: aws_sdk_sqs::Client::new(&connect_with(environment.aws)?),
            queues: environment.queues,
            timing: environment.timing,
        })
    }
}

impl Returns {
    /// Tells the queue when the failed records should return. If that does not succeed until `end`, they return after the
    /// queue's visibility timeout.
    pub(super) async fn set_retry_times(
        &self,
        receipts: Receipts,
        answer: &SqsBatchResponse,
        end: Instant,
    ) {
        if answer.batch_item_failures.is_empty() {
            return;
        }
        let done = match timeout_at(end, self.change_visibility(receipts, answer)).await {
            Ok(done) => done,
            Err(_) => Err("no time left".into()),
        };
        if let Err(problem) = done {
            tracing::warn!(%problem, "retry times of failed records not set");
        }
    }

    async fn change_visibility(
        &self,
        receipts: Receipts,
        answer: &SqsBatchResponse,
    ) -> Result<(), Error> {
        let client = self
            .0
            .get_or_try_init(async || QueueClient::of_process())
            .await?;
        let queue = receipts.queue.clone().unwrap_or_default();
        let url = client.queues.named(&queue);
        let url = url.ok_or_else(|| format!("{queue} is none of the stack's queues"))?;
        HeldMessages::new(client.client.clone(), url)
            .set_visibility(receipts.failed_messages(answer, &client.timing))
            .await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use aws_lambda_events::sqs::{BatchItemFailure, SqsMessage};

    use super::*;

    fn record(id: &str, tries: Option<&str>) -> SqsMessage {
        let mut record = SqsMessage::default();
        record.message_id = Some(id.to_owned());
        record.receipt_handle = Some(format!("receipt of {id}"));
        record.event_source_arn = Some("arn:aws:sqs:eu-west-2:1:stack-poll".to_owned());
        record
            .attributes
            .extend(tries.map(|tries| ("ApproximateReceiveCount".to_owned(), tries.to_owned())));
        record
    }

    #[test]
    fn a_failed_record_returns_later_each_time() {
        let mut batch = SqsEvent::default();
        batch.records = vec![
            record("first", Some("1")),
            record("handled", Some("1")),
            record("fourth", Some("4")),
            record("unknown", None),
        ];
        let mut answer = SqsBatchResponse::default();
        for id in ["first", "fourth", "unknown", "somebody else's"] {
            let mut failure = BatchItemFailure::default();
            id.clone_into(&mut failure.item_identifier);
            answer.batch_item_failures.push(failure);
        }
        let receipts = Receipts::of(&batch);
        assert_eq!(
            receipts.queue.as_deref(),
            Some("arn:aws:sqs:eu-west-2:1:stack-poll")
        );
        let timing = Timing::default();
        let again = receipts.failed_messages(&answer, &timing);
        let delay = |tries, id| Duration::try_from(timing.backoff(tries, id)).unwrap();
        let expected =
            [("first", 1), ("fourth", 4), ("unknown", 1)].map(|(id, tries)| HeldMessage {
                receipt: format!("receipt of {id}"),
                again_in: delay(tries, id),
            });
        assert_eq!(again, expected);
        assert!(again[1].again_in > Duration::from_mins(2));
    }
}
