//! Sending a webhook.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::fmt::rfc2822::DateTimeParser;
use jiff::{SignedDuration, Timestamp};
use stagecall_core::error::{CallError, ErrorScope, Phase, ProblemCode, System};
use stagecall_core::ports::{Hrms, HrmsAnswer, Secrets, Webhook};
use stagecall_core::tenant::{HrmsEndpoint, Tenant};
use stagecall_core::timing::Timing;
use stagecall_http::{Limits, Method, Request, Response, Transport, TransportError};

use crate::signing::{SigningKey, keys, signatures};

/// The maximum response size in bytes. Only the status is used.
const MAX_RESPONSE_BYTES: usize = 64 * 1024;

const OPERATION: &str = "announce a hire";

/// The client of the tenants' HRMS. The transport's guard decides which addresses may be called.
pub struct HrmsClient {
    transport: Arc<dyn Transport>,
    secrets: Arc<dyn Secrets>,
    limits: Limits,
}

impl HrmsClient {
    /// A client over this transport. A call may take [`Timing::call_seconds`].
    pub fn new(transport: Arc<dyn Transport>, secrets: Arc<dyn Secrets>, timing: &Timing) -> Self {
        Self {
            transport,
            secrets,
            limits: Limits {
                time: Duration::try_from_secs_f64(timing.call_seconds).unwrap_or_default(),
                answer: MAX_RESPONSE_BYTES,
            },
        }
    }

    /// What the tenant's webhooks are signed with.
    async fn keys(&self, tenant: &Tenant, fresh: bool) -> Result<Vec<SigningKey>, CallError> {
        let secret = self.secrets.secret(&tenant.id, fresh).await;
        let secret = secret.map_err(|error| {
            problem(
                Phase::NotSent,
                "hrms.secret_store",
                error.to_string(),
                "It is retried automatically; if it persists, fix the problem named here.",
            )
        })?;
        let unusable = |which: &str, why: String| {
            problem(
                Phase::NotSent,
                "hrms.secret_unusable",
                format!("tenant {}, hrms.{which}: {why}", tenant.id),
                "Store the secret that the receiver was given: whsec_ and the base64 of 24 to 64 random bytes.",
            )
        };
        let hrms = secret
            .hrms
            .ok_or_else(|| unusable("current", "there is no signing secret".to_owned()))?;
        let mut usable = Vec::new();
        for (which, key) in keys(&hrms) {
            match key.map_err(|why| unusable(which, why.to_string())) {
                Ok(key) => usable.push(key),
                Err(error) if usable.is_empty() => return Err(error),
                // The receiver may already use the new secret, so the webhook is sent without the previous one.
                Err(error) => {
                    tracing::warn!(tenant = %tenant.id, %error, "previous signing secret unreadable, left out");
                }
            }
        }
        Ok(usable)
    }
}

#[async_trait]
impl Hrms for HrmsClient {
    async fn deliver(
        &self,
        tenant: &Tenant,
        endpoint: &HrmsEndpoint,
        notice: &Webhook,
    ) -> Result<HrmsAnswer, CallError> {
        let keys = self.keys(tenant, notice.again).await?;
        let request = Request::new(Method::Post, endpoint.url.clone()).json(&notice.body);
        let signed = signatures(&keys, &notice.id, notice.at, &request.body);
        let request = request
            .header("webhook-id", &notice.id)
            .header("webhook-timestamp", notice.at.as_second().to_string())
            .header("webhook-signature", signed);
        match self.transport.send(request, self.limits).await {
            Ok(answer) => Ok(HrmsAnswer {
                status: answer.status,
                retry_after: retry_after(&answer, notice.at),
            }),
            Err(error) => Err(unanswered(&error)),
        }
    }
}

fn problem(phase: Phase, code: ProblemCode, problem: impl Into<String>, remedy: &str) -> CallError {
    CallError {
        system: System::Hrms,
        operation: OPERATION,
        phase,
        scope: ErrorScope::Connection,
        code,
        problem: problem.into(),
        remedy: remedy.to_owned(),
        retry_at: None,
    }
}

/// Maps a missing response to an error.
fn unanswered(error: &TransportError) -> CallError {
    let (phase, code, remedy) = match error {
        TransportError::Guarded(_) => (
            Phase::NotSent,
            "hrms.address_refused",
            "Give the endpoint an https address on the public internet.",
        ),
        TransportError::NotSent(_) if error.is_unresolved() => (
            Phase::NotSent,
            "hrms.host_unknown",
            "Check the endpoint's address.",
        ),
        TransportError::NotSent(_) => (
            Phase::NotSent,
            "hrms.no_connection",
            "It is retried automatically; if it persists, check the endpoint's address and whether it can be reached from where Stagecall runs.",
        ),
        TransportError::Lost(_) => (
            Phase::Unknown,
            "hrms.no_answer",
            "It is retried automatically, with the same webhook-id; if it persists, the endpoint should confirm first and work afterwards.",
        ),
        TransportError::TooLarge(_) => (
            Phase::Unknown,
            "hrms.answer_too_large",
            "The endpoint should answer with a status and little else.",
        ),
        TransportError::Encoded(_) => (
            Phase::Unknown,
            "hrms.answer_encoded",
            "The endpoint should answer uncompressed: no encoding is requested.",
        ),
    };
    problem(phase, code, error.to_string(), remedy)
}

/// For how long an answer asks to be left alone: seconds or a date (REFERENCE.md §5). Nonsense is nothing.
fn retry_after(answer: &Response, now: Timestamp) -> Option<SignedDuration> {
    let text = answer.header("retry-after")?.trim();
    let wait = match text.parse::<u32>() {
        Ok(seconds) => SignedDuration::from_secs(seconds.into()),
        Err(_) => DateTimeParser::new()
            .parse_timestamp(text)
            .ok()?
            .duration_since(now),
    };
    Some(wait.max(SignedDuration::ZERO))
}

#[cfg(test)]
mod tests;
