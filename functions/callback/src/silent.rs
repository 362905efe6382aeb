//! No way out: this function reads what platforms send and calls nobody.

use async_trait::async_trait;
use stagecall_http::{Limits, Request, Response, Transport, TransportError};

/// Sends nothing, so that no HTTP client is linked.
pub(crate) struct Silent;

#[async_trait]
impl Transport for Silent {
    async fn send(&self, _: Request, _: Limits) -> Result<Response, TransportError> {
        Err(TransportError::NotSent(
            "this function calls nobody".to_owned(),
        ))
    }
}
