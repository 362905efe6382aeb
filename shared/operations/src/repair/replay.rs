//! Processing received callbacks again. Each fetches the current result from the platform, so repeating it changes
//! nothing.

use async_trait::async_trait;
use stagecall_core::Timestamp;
use stagecall_core::ids::TenantId;
use stagecall_core::ports::{Delivery, DeliveryOutcome};
use stagecall_core::work::Work;

use crate::actor::Actor;
use crate::change::{Change, Prepared};
use crate::error::Result;
use crate::installation::Installation;

/// Makes deliveries due again, whatever their outcome.
#[derive(Debug)]
pub struct Replay {
    tenant: TenantId,
    since: Timestamp,
    /// The same, in the installation's zone.
    since_local: String,
    found: Vec<Delivery>,
}

/// Prepares processing a tenant's deliveries since then again.
///
/// # Errors
/// There is no such tenant, or the store fails.
pub async fn prepare(
    on: &Installation,
    tenant: &str,
    since: Timestamp,
) -> Result<Prepared<Replay>> {
    let tenant = on.known_tenant(tenant).await?;
    let found = on.records.deliveries(&tenant, Some(since)).await?;
    let since_local = on.local(since);
    if found.is_empty() {
        let words = format!("no delivery of {tenant} since {since_local}");
        return Ok(Prepared::Nothing(words));
    }
    Ok(Prepared::Change(Replay {
        tenant,
        since,
        since_local,
        found: found.into_iter().map(|(delivery, _)| delivery).collect(),
    }))
}

#[async_trait]
impl Change for Replay {
    /// The number of deliveries.
    type Done = usize;

    fn in_words(&self) -> String {
        format!(
            "{} deliveries of {} since {} will be processed again, with a call to the platform for each.",
            self.found.len(),
            self.tenant,
            self.since_local
        )
    }

    async fn apply(self, on: &Installation, actor: &Actor) -> Result<usize> {
        let outcome = DeliveryOutcome::Again(on.clock.now());
        let mut work = Vec::new();
        for mut delivery in self.found {
            delivery.tries = 0;
            on.deliveries.settle(&delivery, &outcome).await?;
            work.push(Work::Delivery {
                tenant: self.tenant.clone(),
                id: delivery.id,
            });
        }
        let count = work.len();
        on.queue.push(work).await?;
        let target = format!("{count} deliveries since {}", self.since);
        let tenant = Some(&self.tenant);
        actor.record(on, "replay", tenant, target).await?;
        Ok(count)
    }
}
