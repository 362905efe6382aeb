//! Callbacks on completion. Whether WeCP has any is not known (shared/platforms/REFERENCE.md §17), so an account has
//! none until a test gives it an address.

use std::time::Duration;

use serde_json::json;

use super::Account;
use super::quirks::CallbackBody;
use crate::context::Context;
use crate::outbox::Delivery;
use crate::record::Platform;

const EVENT: &str = "completed";

impl Account {
    /// Calls back that a candidate has finished.
    pub(super) fn completed(&self, place: usize, around: &mut Context) {
        let Some(url) = &self.callback_url else {
            return;
        };
        let it = &self.candidates[place];
        let whole = if it.is_of_test() {
            self.shown_candidate(it)
        } else {
            self.shown_schedule(it)
        };
        let body = match self.quirks.callback_body {
            CallbackBody::Ids if it.is_of_test() => {
                json!({"candidateId": it.key, "quizId": it.of})
            }
            CallbackBody::Ids => json!({"_id": it.key, "interviewId": it.of}),
            CallbackBody::Wrapped => json!({"event": EVENT, "data": whole}),
            CallbackBody::Dump => whole,
        };
        around.call_back(
            "wecp.callback.completed",
            Delivery {
                platform: Platform::Wecp,
                account: self.name.clone(),
                webhook: "account".to_owned(),
                url: url.clone(),
                event: EVENT,
                participant: it.key.clone(),
                body: body.to_string().into_bytes(),
                fault: None,
                retries: self.quirks.callback_retries,
                retry: Duration::from_millis(self.quirks.callback_retry_ms),
            },
        );
    }
}
