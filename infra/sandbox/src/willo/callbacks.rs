//! Callbacks: unsigned POSTs without an event name (shared/platforms/REFERENCE.md §7).

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Account;
use super::model::Event;
use super::quirks::CallbackBody;
use crate::context::Context;
use crate::outbox::Delivery;
use crate::record::Platform;

impl Account {
    /// Calls all webhooks that follow an event of a participant.
    pub(super) fn happened(
        &self,
        event: Event,
        place: usize,
        now: Timestamp,
        around: &mut Context,
    ) {
        let participant = &self.participants[place];
        let body = self.callback_body(place, now).to_string().into_bytes();
        for webhook in self.followers(event, &participant.of) {
            around.call_back(
                event.operation(),
                Delivery {
                    platform: Platform::Willo,
                    account: self.name.clone(),
                    webhook: webhook.key.clone(),
                    url: webhook.url.clone(),
                    event: event.name(),
                    participant: participant.key.clone(),
                    body: body.clone(),
                    fault: None,
                    retries: self.quirks.callback_retries,
                    retry: Duration::from_millis(self.quirks.callback_retry_ms),
                },
            );
        }
    }

    fn callback_body(&self, place: usize, now: Timestamp) -> Value {
        let it = &self.participants[place];
        let flat = json!({
            "key": it.key,
            "interview": it.of,
            "stage": self.shown_stage(it),
        });
        match self.quirks.callback_body {
            CallbackBody::Flat => flat,
            CallbackBody::Nested => json!({
                "participant": {
                    "key": it.key,
                    "name": it.name,
                    "email": it.email,
                    "stage": self.shown_stage(it),
                },
                "interview": {"key": it.of},
            }),
            CallbackBody::Data => json!({"data": flat}),
            CallbackBody::Dump => self.shown_participant(it, now),
        }
    }
}
