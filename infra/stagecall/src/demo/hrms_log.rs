//! The webhooks that the HRMS received.

use std::collections::{HashMap, HashSet};

use anyhow::Context as _;
use serde_json::Value;
use stagecall_sandbox::control::{Judged, WebhookRecord};

use super::fixture::{Stage, TENANT};

/// The hires in the HRMS simulator. The same webhook id counts once, as the specification requires.
#[derive(Debug, Default)]
pub(crate) struct Told {
    seen: usize,
    by_application: HashMap<u64, HashSet<String>>,
}

impl Told {
    /// Reads new webhooks. Returns whether there were any.
    pub(crate) async fn read_on(&mut self, stage: &Stage) -> anyhow::Result<bool> {
        let taken = stage.player.webhooks(self.seen).await?;
        self.seen = taken.next;
        for webhook in &taken.records {
            let (application, id) = hire(webhook)
                .with_context(|| format!("invalid webhook in the HRMS: {}", webhook.body))?;
            self.by_application
                .entry(application)
                .or_default()
                .insert(id);
        }
        Ok(!taken.records.is_empty())
    }

    /// Whether all webhooks are for known applications.
    pub(crate) fn only_of(&self, judged: &[Judged]) -> bool {
        let known: HashSet<u64> = judged.iter().map(|one| one.application.id).collect();
        self.by_application.keys().all(|id| known.contains(id))
    }

    /// The number of hires of this application.
    pub(crate) fn of(&self, application: u64) -> usize {
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
