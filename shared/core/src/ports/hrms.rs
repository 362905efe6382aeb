//! A tenant's HRMS, as the core needs it. `shared/hrms` speaks its HTTP.

use std::fmt;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use crate::error::CallError;
use crate::tenant::{HrmsEndpoint, Tenant};

/// One attempt to deliver a webhook. It may hold personal data, so its debug form shows none of the body.
#[derive(Clone, PartialEq, Eq)]
pub struct Webhook {
    /// The webhook's id: the same on every attempt, so that a receiver can drop what it has.
    pub id: String,
    /// When the attempt is made.
    pub at: Timestamp,
    /// Whether one was made before. The signing secret is then read anew, because it may be what was wrong.
    pub again: bool,
    /// The body, as JSON.
    pub body: serde_json::Value,
}

impl fmt::Debug for Webhook {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "Notice({}, …)", self.id)
    }
}

/// An answer, whatever its status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HrmsAnswer {
    /// The status; 2xx means delivered.
    pub status: u16,
    /// For how long not to try again, as the answer asked.
    pub retry_after: Option<SignedDuration>,
}

/// The tenants' HRMS.
#[async_trait]
pub trait Hrms: Send + Sync {
    /// Signs and sends a webhook, once. An error means that there was no answer.
    async fn deliver(
        &self,
        tenant: &Tenant,
        endpoint: &HrmsEndpoint,
        notice: &Webhook,
    ) -> Result<HrmsAnswer, CallError>;
}
