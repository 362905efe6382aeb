//! No way out: this function reads what platforms send, calls nobody and tells nobody.

use async_trait::async_trait;
use stagecall_core::events::DomainEvent;
use stagecall_core::ports::Events;
use stagecall_http::{Limits, Request, Response, Transport, TransportError};

/// Sends nothing, so that neither the way to platforms nor a client of the bus is linked.
pub(crate) struct NoopOutbound;

#[async_trait]
impl Transport for NoopOutbound {
    async fn send(&self, _: Request, _: Limits) -> Result<Response, TransportError> {
        Err(TransportError::NotSent(
            "this function calls nobody".to_owned(),
        ))
    }
}

#[async_trait]
impl Events for NoopOutbound {
    async fn publish(&self, events: Vec<DomainEvent>) {
        if !events.is_empty() {
            tracing::error!(
                "this function has something to tell, which it should not; report this as a bug"
            );
        }
    }
}
