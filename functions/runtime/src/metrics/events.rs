//! Metrics of domain events.

use async_trait::async_trait;
use metrics::counter;
use stagecall_core::events::{DomainEvent, What};
use stagecall_core::ports::Events;

use super::{HIRES, HIRES_UNDELIVERED, INVITATIONS, MAPPINGS_BROKEN, SUSPENSIONS};

/// Counts domain events before they are published.
pub struct MeasuredEvents<E>(pub E);

#[async_trait]
impl<E: Events> Events for MeasuredEvents<E> {
    async fn publish(&self, events: Vec<DomainEvent>) {
        for event in &events {
            count(&event.what);
        }
        self.0.publish(events).await;
    }
}

fn count(what: &What) {
    let state = match what {
        What::Detected { .. } => "detected".to_owned(),
        What::Sent { .. } => "invited".to_owned(),
        What::Progressed { state, .. } => state.clone(),
        What::Skipped { .. } => "skipped".to_owned(),
        What::Failed { .. } => "failed".to_owned(),
        What::Suspended { .. } => return counter!(SUSPENSIONS).increment(1),
        What::MappingBroken { .. } => return counter!(MAPPINGS_BROKEN).increment(1),
        What::Hired(_) => return counter!(HIRES).increment(1),
        What::HireUndelivered { .. } => return counter!(HIRES_UNDELIVERED).increment(1),
        What::ResultReceived { .. }
        | What::Reported { .. }
        | What::ReportFailed { .. }
        | What::Resumed { .. } => return,
    };
    counter!(INVITATIONS, "State" => state).increment(1);
}
