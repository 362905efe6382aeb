//! Outbound ports that do nothing: this function makes no calls and publishes no events.

use async_trait::async_trait;
use stagecall_core::events::DomainEvent;
use stagecall_core::ports::Events;
use stagecall_http::{Limits, Request, Response, Transport, TransportError};

/// Sends nothing, so that neither the platforms' clients nor a client of the bus are linked.
pub(crate) struct NoopOutbound;

#[async_trait]
impl Transport for NoopOutbound {
    async fn send(&self, _: Request, _: Limits) -> Result<Response, TransportError> {
        Err(TransportError::NotSent(
            "this function makes no outbound calls".to_owned(),
        ))
    }
}

#[async_trait]
impl Events for NoopOutbound {
    async fn publish(&self, events: Vec<DomainEvent>) {
        if !events.is_empty() {
            tracing::error!(
                "domain events dropped by the callback function; please report this as a bug"
            );
        }
    }
}
