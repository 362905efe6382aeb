//! Domain events on EventBridge.

use async_trait::async_trait;
use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::primitives::DateTime;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use stagecall_core::events::DomainEvent;
use stagecall_core::metrics;
use stagecall_core::ports::Events;

use crate::batch::{Refused, send_all};
use crate::fault::problem;

/// The `source` that subscribers' rules match; `detail-type` is the event's name, `detail` the event.
const SOURCE: &str = "stagecall";

#[derive(Clone, Debug)]
pub struct BusEvents {
    client: Client,
    bus: String,
}

impl BusEvents {
    /// The bus of this name.
    pub fn new(client: Client, bus: impl Into<String>) -> Self {
        Self {
            client,
            bus: bus.into(),
        }
    }

    async fn send(&self, events: Vec<DomainEvent>) -> Result<Vec<Refused>, String> {
        let entries: Vec<_> = events
            .iter()
            .map(|event| self.entry(event))
            .collect::<Result<_, _>>()
            .map_err(|error| error.to_string())?;
        let answer = self
            .client
            .put_events()
            .set_entries(Some(entries))
            .send()
            .await
            .map_err(|error| problem(&error))?;
        // In the order of the request; accepted entries have no code.
        let refused =
            answer
                .entries
                .into_iter()
                .flatten()
                .enumerate()
                .filter_map(|(place, entry)| {
                    Some(Refused {
                        place,
                        code: entry.error_code?,
                    })
                });
        Ok(refused.collect())
    }

    fn entry(&self, event: &DomainEvent) -> serde_json::Result<PutEventsRequestEntry> {
        Ok(PutEventsRequestEntry::builder()
            .event_bus_name(&self.bus)
            .source(SOURCE)
            .detail_type(event.what.name())
            .detail(serde_json::to_string(event)?)
            .time(DateTime::from_secs(event.at.as_second()))
            .build())
    }
}

#[async_trait]
impl Events for BusEvents {
    async fn publish(&self, events: Vec<DomainEvent>) {
        metrics::published(&events);
        let outcome = send_all(events, |batch| self.send(batch)).await;
        if outcome.lost > 0 {
            let (lost, code, problem) = (outcome.lost, outcome.code, outcome.failure);
            tracing::warn!(bus = self.bus, lost, code, problem, "events not published");
        }
    }
}

#[cfg(test)]
mod tests;
