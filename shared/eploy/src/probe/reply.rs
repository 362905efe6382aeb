//! Responses as an experiment sees them: what a client treats as a failure may be the result.

use serde_json::Value;
use stagecall_core::error::CallError;
use stagecall_http::{Method, NotJson};

use super::Probe;
use crate::call::Call;
use crate::errors::{Permission, Problem};
use crate::inspect::server_time;
use crate::refusal::RequestKind;
use crate::wire::Page;

/// Eploy's response.
pub(super) enum ProbeReply {
    /// A success, with its body if not empty, and its status.
    Yes(Option<Value>, u16),
    /// Not found, with the status: 404 or 410.
    Missing(u16),
    /// A refusal of the request as it is, with its status: 400 and the like.
    Refused(u16),
    /// Not permitted, in words.
    Forbidden(String),
}

impl ProbeReply {
    /// The records, if this is a response to a search; `None` if it was refused.
    pub(super) fn records(self, page: u32, size: u32) -> Option<Vec<Value>> {
        match self {
            Self::Yes(answer, _) => Page::read(answer, page, size).ok().map(|page| page.records),
            Self::Missing(_) => Some(Vec::new()),
            Self::Refused(_) | Self::Forbidden(_) => None,
        }
    }

    /// The refusal in words.
    pub(super) fn in_words(&self) -> String {
        match self {
            Self::Yes(_, status) => format!("it was answered ({status})"),
            Self::Missing(status) => format!("there is no such thing (HTTP {status})"),
            Self::Refused(status) => format!("it was refused (HTTP {status})"),
            Self::Forbidden(why) => why.clone(),
        }
    }
}

impl Probe<'_> {
    /// Makes the call. An error concerns the whole connection, or leaves the result unknown.
    pub(super) async fn ask(
        &mut self,
        method: Method,
        path: &str,
        body: Option<Value>,
        permission: Permission,
    ) -> Result<ProbeReply, CallError> {
        let call = Call {
            operation: "probe the dialect",
            method,
            path,
            body,
            kind: RequestKind::List(permission),
        };
        self.probed.calls += 1;
        let (answer, token) = self.client.answer(&call).await?;
        self.server_time = server_time(&answer).or(self.server_time);
        let status = answer.status;
        match self.client.success(&call, answer, &token) {
            Ok(answer) => answer
                .json()
                .map(|body| ProbeReply::Yes(body, status))
                .map_err(|NotJson| Problem::Unreadable.error(call.operation, "it is not JSON")),
            Err(error) if Problem::NotFound.is(&error) || Problem::WebPage.is(&error) => {
                Ok(ProbeReply::Missing(status))
            }
            Err(error) if Problem::SearchRejected.is(&error) => Ok(ProbeReply::Refused(status)),
            Err(error) if Problem::Permission.is(&error) => {
                Ok(ProbeReply::Forbidden(error.problem))
            }
            Err(error) => Err(error),
        }
    }
}
