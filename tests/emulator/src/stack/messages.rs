//! What can happen to the messages of a queue, on purpose: they wait, come twice, or are lost.

use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};

use super::{Queue, Stack};
use crate::Error;

/// For how many seconds messages that were taken are nobody else's. Then they are back in their queue by themselves.
const VISIBILITY_SECONDS: i32 = 120;

/// A message that was taken out of its queue.
pub struct Taken(Message);

impl Taken {
    /// Whose work it is: its group.
    pub fn tenant(&self) -> Option<&str> {
        let attributes = self.0.attributes.as_ref()?;
        let group = attributes.get(&MessageSystemAttributeName::MessageGroupId)?;
        Some(group)
    }

    /// What it says.
    pub fn text(&self) -> &str {
        self.0.body.as_deref().unwrap_or_default()
    }
}

impl Stack {
    /// Takes everything that waits in a queue and holds it for two minutes at most, as if SQS were slow to hand it out. To
    /// be used while nobody else takes from the queue.
    pub async fn take(&self, queue: Queue) -> Result<Vec<Taken>, Error> {
        let mut taken = Vec::new();
        loop {
            let answer = self
                .sqs
                .receive_message()
                .queue_url(self.address(queue)?)
                .max_number_of_messages(10)
                .visibility_timeout(VISIBILITY_SECONDS)
                .wait_time_seconds(0)
                .message_system_attribute_names(MessageSystemAttributeName::MessageGroupId)
                .send()
                .await
                .map_err(|problem| Error::refused("take messages", problem.into_service_error()))?;
            let messages = answer.messages.unwrap_or_default();
            if messages.is_empty() {
                return Ok(taken);
            }
            taken.extend(messages.into_iter().map(Taken));
        }
    }

    /// Puts messages back that were taken, each with a copy beside it, as if SQS had handed out each twice.
    pub async fn put_back_twice(&self, queue: Queue, taken: Vec<Taken>) -> Result<(), Error> {
        let what = "put messages back";
        let address = self.address(queue)?;
        for message in taken {
            let group = message.tenant().map(str::to_owned);
            let Taken(message) = message;
            self.sqs
                .send_message()
                .queue_url(address)
                .set_message_body(message.body)
                .set_message_group_id(group)
                .send()
                .await
                .map_err(|problem| Error::refused(what, problem.into_service_error()))?;
            self.sqs
                .change_message_visibility()
                .queue_url(address)
                .set_receipt_handle(message.receipt_handle)
                .visibility_timeout(0)
                .send()
                .await
                .map_err(|problem| Error::refused(what, problem.into_service_error()))?;
        }
        Ok(())
    }

    /// Loses every message of a queue, also those that are being worked on. Returns about how many there were.
    pub async fn lose(&self, queue: Queue) -> Result<usize, Error> {
        let lost = self.depth(queue).await?;
        self.sqs
            .purge_queue()
            .queue_url(self.address(queue)?)
            .send()
            .await
            .map_err(|problem| Error::refused("lose messages", problem.into_service_error()))?;
        Ok(lost)
    }
}
