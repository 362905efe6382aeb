//! Records that failed come again soon, and not only when the time is over that their queue leaves a function for a whole
//! batch: the queue is told when, by how often they failed.

use std::collections::HashMap;
use std::time::Duration;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use lambda_runtime::Error;
use stagecall_aws::{HeldMessage, HeldMessages, QueueUrls, connect_with};
use stagecall_core::timing::Timing;
use tokio::sync::OnceCell;
use tokio::time::{Instant, timeout_at};

use crate::environment::Environment;

/// What it takes to hand the records of a batch back.
#[derive(Default)]
pub(super) struct Receipts {
    /// The queue that all of them come from.
    queue: Option<String>,
    /// By the records' ids: the receipt, and which try this was.
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

    /// Those of the records that the answer hands back, each with when it is to come again.
    fn handed_back(mut self, answer: &SqsBatchResponse, timing: &Timing) -> Vec<HeldMessage> {
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

/// The way to the queue, made when the first record fails: most processes never see that.
#[derive(Default)]
pub(super) struct Returns(OnceCell<Way>);

struct Way {
    client: aws_sdk_sqs::Client,
    queues: QueueUrls,
    timing: Timing,
}

impl Way {
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
    /// Tells the queue when the records that the answer hands back are to come again. If that cannot be told until `end`,
    /// they come again when the queue's own time is over.
    pub(super) async fn tell(&self, receipts: Receipts, answer: &SqsBatchResponse, end: Instant) {
        if answer.batch_item_failures.is_empty() {
            return;
        }
        let told = match timeout_at(end, self.try_to_tell(receipts, answer)).await {
            Ok(told) => told,
            Err(_) => Err("no time was left".into()),
        };
        if let Err(problem) = told {
            tracing::warn!(%problem, "records that were handed back come again later than they should");
        }
    }

    async fn try_to_tell(
        &self,
        receipts: Receipts,
        answer: &SqsBatchResponse,
    ) -> Result<(), Error> {
        let way = self.0.get_or_try_init(async || Way::of_process()).await?;
        let queue = receipts.queue.clone().unwrap_or_default();
        let url = way.queues.named(&queue);
        let url = url.ok_or_else(|| format!("{queue} is none of the stack's queues"))?;
        HeldMessages::new(way.client.clone(), url)
            .set_visibility(receipts.handed_back(answer, &way.timing))
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
    fn what_failed_comes_again_later_each_time() {
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
        let again = receipts.handed_back(&answer, &timing);
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
