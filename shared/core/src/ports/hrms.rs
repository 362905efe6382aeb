//! A tenant's HRMS, as the core needs it. `shared/hrms` implements it over HTTP.

use std::fmt;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use crate::error::CallError;
use crate::tenant::{HrmsEndpoint, Tenant};

/// One attempt to deliver a webhook. It may hold personal data, so its debug form shows none of the body.
#[derive(Clone, PartialEq, Eq)]
pub struct Webhook {
    /// The webhook's id: the same on every attempt, so that a receiver can drop duplicates.
    pub id: String,
    /// The time of this attempt.
    pub at: Timestamp,
    /// Whether there was an earlier attempt. The signing secret is then read again, because it may have been the cause.
    pub again: bool,
    /// The body, as JSON.
    pub body: serde_json::Value,
}

impl fmt::Debug for Webhook {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "Webhook({}, …)", self.id)
    }
}

/// An answer with any status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HrmsAnswer {
    /// The status; 2xx means delivered.
    pub status: u16,
    /// How long to wait before the next attempt, as the answer asked.
    pub retry_after: Option<SignedDuration>,
}

#[async_trait]
pub trait Hrms: Send + Sync {
    /// Signs and sends a webhook, once. An error means that there was no answer.
    async fn deliver(
        &self,
        tenant: &Tenant,
        endpoint: &HrmsEndpoint,
        webhook: &Webhook,
    ) -> Result<HrmsAnswer, CallError>;
}
