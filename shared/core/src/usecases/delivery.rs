//! Processes stored deliveries: finds the invitations that each is about, and fetches their results.

use std::sync::Arc;

use async_trait::async_trait;

use super::write_back::{SyncOutcome, WriteBack};
use crate::clock::Deadline;
use crate::engine::Engine;
use crate::error::Error;
use crate::ids::TenantId;
use crate::ports::{Deliveries, Delivery, DeliveryOutcome};
use crate::timing::{after, seconds};
use crate::work::{Handled, Handler, Kind, Work};

/// Processes deliveries.
#[derive(Clone)]
pub struct DeliveryProcessor {
    engine: Engine,
    deliveries: Arc<dyn Deliveries>,
    /// Updates single invitations.
    write_back: WriteBack,
}

impl DeliveryProcessor {
    /// Processes these deliveries; the writer updates single invitations.
    pub fn new(write_back: WriteBack, deliveries: Arc<dyn Deliveries>) -> Self {
        Self {
            engine: write_back.engine.clone(),
            deliveries,
            write_back,
        }
    }

    /// The maximum number of tries to find the invitation of a delivery: a callback can arrive before the row that it
    /// is about is saved, but not by much.
    const TRIES: u32 = 6;

    /// The minimum number of tries before a delivery whose invitation is known is given up.
    const MIN_KNOWN_TRIES: u32 = 10;

    /// Whether a delivery whose invitation is known has been tried often enough, and for long enough.
    fn is_exhausted(&self, delivery: &Delivery) -> bool {
        let age = self.engine.now().duration_since(delivery.at);
        delivery.tries >= Self::MIN_KNOWN_TRIES
            && age >= seconds(self.engine.timing.give_up_seconds)
    }

    /// Processes a stored delivery: updates the invitations that it refers to.
    pub async fn process_delivery(&self, tenant: &TenantId, id: &str) -> Result<(), Error> {
        let Some(mut delivery) = self.deliveries.load_delivery(tenant, id).await? else {
            return Ok(());
        };
        let mut known = Vec::new();
        for reference in &delivery.references {
            let bound = self
                .engine
                .ledger
                .find_by_reference(tenant, &delivery.account, reference)
                .await?;
            if let Some(key) = bound
                && known.iter().all(|(other, _)| *other != key)
            {
                known.push((key, reference));
            }
        }
        delivery.tries = delivery.tries.saturating_add(1);
        delivery.given_up = false;
        let delay = self.engine.timing.backoff(delivery.tries, &delivery.id);
        let again = || DeliveryOutcome::Again(after(self.engine.now(), delay));
        let outcome = if known.is_empty() {
            if delivery.tries < Self::TRIES {
                again()
            } else {
                tracing::warn!(%tenant, account = %delivery.account, delivery = delivery.id, "callback parked, no matching invitation");
                DeliveryOutcome::Unmatched
            }
        } else {
            let mut done = true;
            for (key, reference) in &known {
                let synced = self
                    .write_back
                    .sync_result(key, None, Some(*reference))
                    .await;
                done &= match synced {
                    Ok(synced) => synced == SyncOutcome::Recorded,
                    // The next try would not help, and the delivery's tries are counted.
                    Err(Error::UnknownTenant(_)) => false,
                    Err(Error::Store(error)) if error.lasting => {
                        tracing::error!(%tenant, invitation = %key.name(), %error, "callback's invitation unreadable");
                        false
                    }
                    Err(error) => return Err(error),
                };
            }
            if done {
                DeliveryOutcome::Handled
            } else if self.is_exhausted(&delivery) {
                // The sweeps keep asking for the invitation, within their own bounds, which notify the recruiter.
                tracing::error!(%tenant, account = %delivery.account, delivery = delivery.id, tries = delivery.tries, "callback given up, result not saved");
                delivery.given_up = true;
                DeliveryOutcome::Unmatched
            } else {
                again()
            }
        };
        self.deliveries.settle(&delivery, &outcome).await?;
        Ok(())
    }
}

#[async_trait]
impl Handler for DeliveryProcessor {
    fn kind(&self) -> Kind {
        Kind::Delivery
    }

    async fn handle(&self, work: Work, _: Deadline) -> Result<Handled, Error> {
        let Work::Delivery { tenant, id } = work else {
            return Ok(Handled::Misplaced);
        };
        self.process_delivery(&tenant, &id).await?;
        Ok(Handled::Done)
    }
}

#[cfg(test)]
mod tests;
