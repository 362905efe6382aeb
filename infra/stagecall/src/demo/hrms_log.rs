//! What the HRMS was told.

use std::collections::{HashMap, HashSet};

use anyhow::Context as _;
use serde_json::Value;
use stagecall_sandbox::control::{Judged, WebhookRecord};

use super::fixture::{Stage, TENANT};

/// The hires that the stand-in of the HRMS knows of. The same webhook id counts once, as the specification has it.
#[derive(Debug, Default)]
pub(crate) struct Told {
    seen: usize,
    by_application: HashMap<u64, HashSet<String>>,
}

impl Told {
    /// Reads what came since. Tells whether anything did.
    pub(crate) async fn read_on(&mut self, stage: &Stage) -> anyhow::Result<bool> {
        let taken = stage.player.webhooks(self.seen).await?;
        self.seen = taken.next;
        for webhook in &taken.records {
            let (application, id) = hire(webhook)
                .with_context(|| format!("the HRMS cannot read a webhook: {}", webhook.body))?;
            self.by_application
                .entry(application)
                .or_default()
                .insert(id);
        }
        Ok(!taken.records.is_empty())
    }

    /// Whether it was told of applications alone that the judge knows.
    pub(crate) fn only_of(&self, judged: &[Judged]) -> bool {
        let known: HashSet<u64> = judged.iter().map(|one| one.application.id).collect();
        self.by_application.keys().all(|id| known.contains(id))
    }

    /// How many hires of this application it knows of.
    pub(crate) fn of(&self, application: u64) -> usize {
        self.by_application
            .get(&application)
            .map_or(0, HashSet::len)
    }
}

/// The application that a webhook tells of, and the webhook's id.
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
