//! The webhooks that the HRMS received.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::StoryError;
use super::customer::{Customer, TENANT};
use crate::control::Judged;
use crate::record::WebhookRecord;

/// The hires in the HRMS simulator. The same webhook id counts once, as the specification requires.
#[derive(Debug, Default)]
pub(super) struct HrmsLog {
    seen: usize,
    by_application: HashMap<u64, HashSet<String>>,
}

impl HrmsLog {
    /// Reads new webhooks. Returns whether there were any.
    pub(super) async fn read_on(&mut self, customer: &Customer) -> Result<bool, StoryError> {
        let taken = customer.player.webhooks(self.seen).await?;
        self.seen = taken.next;
        for webhook in &taken.records {
            let (application, id) =
                hire(webhook).ok_or_else(|| StoryError::Webhook(webhook.body.clone()))?;
            self.by_application
                .entry(application)
                .or_default()
                .insert(id);
        }
        Ok(!taken.records.is_empty())
    }

    /// Whether all webhooks are for known applications.
    pub(super) fn only_of(&self, judged: &[Judged]) -> bool {
        let known: HashSet<u64> = judged.iter().map(|one| one.application.id).collect();
        self.by_application.keys().all(|id| known.contains(id))
    }

    /// The number of hires of this application.
    pub(super) fn of(&self, application: u64) -> usize {
        self.by_application
            .get(&application)
            .map_or(0, HashSet::len)
    }
}

/// The application of a webhook, and the webhook's id.
fn hire(webhook: &WebhookRecord) -> Option<(u64, String)> {
    let header = |name: &str| {
        let found = webhook.headers.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.clone())
    };
    let body: Value = serde_json::from_str(&webhook.body).ok()?;
    let announced = webhook.hrms == TENANT && body["type"] == "candidate.hired";
    header("webhook-signature").filter(|_| announced)?;
    let application = body["data"]["application"]["id"].as_str()?.parse().ok()?;
    Some((application, header("webhook-id")?))
}
