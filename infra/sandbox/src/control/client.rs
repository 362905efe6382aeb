//! A client of the control API, for the demo and the tests.

use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::client::{Client, ClientError};

/// The timeout of a call. The sandbox answers at once; this is for a busy machine.
const CALL_TIMEOUT: Duration = Duration::from_mins(1);

/// Why a call to the control API failed.
#[derive(Debug, thiserror::Error)]
pub enum PlayerError {
    /// No response.
    #[error("the sandbox did not answer: {0}")]
    Client(#[from] ClientError),
    /// It rejected the call.
    #[error("the sandbox refused ({status}): {error}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The reason.
        error: String,
    },
    /// An unexpected response: the sandbox may be of another version.
    #[error("invalid response of the sandbox: {0}")]
    Unreadable(#[from] serde_json::Error),
}

pub(super) type Played<T> = Result<T, PlayerError>;

/// Acts as the people around the simulators, over HTTP: a method for each command.
#[derive(Clone, Debug)]
pub struct SandboxClient {
    client: Client,
    url: String,
}

#[derive(Deserialize)]
struct Refusal {
    error: String,
}

impl SandboxClient {
    /// A client of the sandbox at this address (`http://127.0.0.1:8900`). Must be called within a Tokio runtime.
    pub fn new(base: &str) -> Self {
        Self {
            client: Client::new(CALL_TIMEOUT),
            url: format!("{}/control", base.trim_end_matches('/')),
        }
    }

    pub(super) async fn send<T: DeserializeOwned>(&self, command: &Value) -> Played<T> {
        let body = command.to_string().into_bytes();
        let reply = self.client.post_json(&self.url, body).await?;
        if (200..300).contains(&reply.status) {
            return Ok(serde_json::from_slice(&reply.body)?);
        }
        let error = match serde_json::from_slice::<Refusal>(&reply.body) {
            Ok(refusal) => refusal.error,
            Err(_) => String::from_utf8_lossy(&reply.body).into_owned(),
        };
        Err(PlayerError::Refused {
            status: reply.status,
            error,
        })
    }
}
