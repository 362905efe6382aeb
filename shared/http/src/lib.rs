//! Outgoing HTTP for every client crate: plain-data messages, one trait to send them, and one guarded sender.

mod encoding;
mod guard;
mod json;
mod message;
mod rate_limit;
mod sender;

use async_trait::async_trait;

pub use guard::Guard;
pub use json::{NotJson, read_json};
pub use message::{Limits, Method, Request, Response};
pub use rate_limit::{Paced, RateLimit};
use sender::UNRESOLVED;
pub use sender::{Sender, SetUpError, tls};

/// A request without a readable response, classified by whether it may have taken effect.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// It was never sent: certainly without effect.
    #[error("could not be sent: {0}")]
    NotSent(String),
    /// A guard refused to send it: this connection may not call the address.
    #[error("will not be sent: {0}")]
    Guarded(String),
    /// It may have arrived: the connection broke or timed out.
    #[error("no answer: {0}")]
    Lost(String),
    /// The response was larger than allowed. The request took effect on the server.
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
    /// The response has an encoding that was not requested and is not supported. As with [`TooLarge`](Self::TooLarge), the
    /// request may have taken effect.
    #[error("the answer is encoded as \"{0}\", which was not requested")]
    Encoded(String),
}

impl TransportError {
    /// Whether the host's name could not be resolved: probably there is no such host.
    pub fn is_unresolved(&self) -> bool {
        matches!(self, Self::NotSent(why) if why.contains(UNRESOLVED))
    }
}

#[async_trait]
pub trait Transport: Send + Sync {
    /// Sends one request and reads its whole response within the limits. Never follows a redirect or repeats a request.
    async fn send(&self, request: Request, limits: Limits) -> Result<Response, TransportError>;
}
