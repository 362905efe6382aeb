//! Queues on SQS.

use async_trait::async_trait;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::BuildError;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use sha2::{Digest as _, Sha256};
use stagecall_core::error::StoreError;
use stagecall_core::ids::TenantId;
use stagecall_core::ports::Queue;
use stagecall_core::work::Work;

use crate::batch::{Outcome, Refused, send_all};
use crate::fault::problem;

/// The store's name in errors.
const QUEUE: &str = "queue";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueUrls {
    /// For tenants to poll.
    pub poll: String,
    /// For invitations to send.
    pub invite: String,
    /// For results: reports, sweeps and deliveries.
    pub write_back: String,
}

impl QueueUrls {
    /// The URL of the queue with this ARN (`arn:aws:sqs:eu-west-2:123456789012:stagecall-poll`); both end with the queue's
    /// name.
    pub fn named(&self, arn: &str) -> Option<&str> {
        let name = arn.rsplit(':').next();
        let all = [&self.poll, &self.invite, &self.write_back].into_iter();
        let mut of_this_name = all.filter(|url| url.rsplit('/').next() == name);
        of_this_name.next().map(String::as_str)
    }

    fn of(&self, work: &Work) -> &str {
        match work {
            Work::Poll { .. } => &self.poll,
            Work::Invite { .. } => &self.invite,
            Work::WriteBack { .. }
            | Work::Sweep { .. }
            | Work::Delivery { .. }
            // Outgoing webhooks: few, and no more urgent than a report.
            | Work::Announce { .. } => &self.write_back,
        }
    }
}

/// Enqueues work on SQS, as JSON, ten messages per call. The group of a message is its tenant: on a standard queue SQS then
/// prefers tenants with little work over those with much ("fair queues").
#[derive(Clone, Debug)]
pub struct SqsQueue {
    client: Client,
    urls: QueueUrls,
}

impl SqsQueue {
    /// The queues at these URLs.
    pub fn new(client: Client, urls: QueueUrls) -> Self {
        Self { client, urls }
    }

    async fn send(&self, url: &str, work: Vec<Work>) -> Result<Vec<Refused>, String> {
        let entries: Vec<_> = work
            .iter()
            .enumerate()
            .map(entry)
            .collect::<Result<_, _>>()?;
        let answer = self
            .client
            .send_message_batch()
            .queue_url(url)
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

#[async_trait]
impl Queue for SqsQueue {
    async fn push(&self, work: Vec<Work>) -> Result<(), StoreError> {
        let mut failure = None;
        for url in [&self.urls.poll, &self.urls.invite, &self.urls.write_back] {
            let of_this: Vec<Work> = work
                .iter()
                .filter(|work| self.urls.of(work) == url)
                .cloned()
                .collect();
            let Outcome {
                lost,
                code,
                failure: failed,
            } = send_all(of_this, |batch| self.send(url, batch)).await;
            let refused = (lost > 0).then(|| {
                let code = code.unwrap_or_default();
                failed.unwrap_or_else(|| format!("{url} did not take {lost} messages: {code}"))
            });
            failure = failure.or(refused);
        }
        failure.map_or(Ok(()), |problem| {
            Err(StoreError::new(QUEUE, "enqueue work", problem))
        })
    }

    fn is_durable(&self) -> bool {
        true
    }
}

fn entry((place, work): (usize, &Work)) -> Result<SendMessageBatchRequestEntry, String> {
    let body = serde_json::to_string(work).map_err(|error| error.to_string())?;
    SendMessageBatchRequestEntry::builder()
        .id(place.to_string())
        .message_body(body)
        .message_group_id(group(work.tenant()))
        .build()
        .map_err(|error: BuildError| error.to_string())
}

/// The tenant as a message's group: its name, or the digest if SQS would refuse the name (it takes 128 letters, digits and
/// punctuation marks of ASCII).
fn group(tenant: &TenantId) -> String {
    let name = tenant.as_str();
    if (1..=128).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic()) {
        name.to_owned()
    } else {
        hex::encode(Sha256::digest(name))
    }
}

#[cfg(test)]
mod tests;
