//! What an experiment hears: answers that a client would take for failures are what it is after.

use serde_json::Value;
use stagecall_core::error::CallError;
use stagecall_http::{Method, NotJson, Response};

use super::Probe;
use crate::call::Call;
use crate::errors::{Permission, Problem};
use crate::inspect::server_time;
use crate::refusal::RequestKind;
use crate::wire::{Page, Record};

/// What Eploy said.
pub(super) enum ProbeReply {
    /// Yes, with this body if it was not empty, and this status.
    Yes(Option<Value>, u16),
    /// There is no such thing: 404 or 410.
    Missing(Rejection),
    /// A refusal of the request as it is: 400 and the like.
    Refused(Rejection),
    /// The key or its user may not do this; in words.
    Forbidden(String),
}

/// A refusal.
pub(super) struct Rejection {
    pub(super) status: u16,
    /// The shape of its body: `error_message`, `oauth`, `html`, or `other` (REFERENCE.md §19).
    pub(super) shape: &'static str,
}

impl ProbeReply {
    /// The records, if this is an answer to a search; `None` if it was refused.
    pub(super) fn records(self, page: u32, size: u32) -> Option<Vec<Value>> {
        match self {
            Self::Yes(answer, _) => Page::read(answer, page, size).ok().map(|page| page.records),
            Self::Missing(_) => Some(Vec::new()),
            Self::Refused(_) | Self::Forbidden(_) => None,
        }
    }

    /// What was said, in words, where it was not yes.
    pub(super) fn in_words(&self) -> String {
        match self {
            Self::Yes(_, status) => format!("it was answered ({status})"),
            Self::Missing(said) => format!("there is no such thing (HTTP {})", said.status),
            Self::Refused(said) => format!("it was refused (HTTP {})", said.status),
            Self::Forbidden(why) => why.clone(),
        }
    }
}

impl Probe<'_> {
    /// Asks. An error is one that concerns the whole connection, or leaves open what Eploy would say.
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
        let said = Rejection {
            status: answer.status,
            shape: shape(&answer),
        };
        match self.client.success(&call, answer, &token) {
            Ok(answer) => answer
                .json()
                .map(|body| ProbeReply::Yes(body, answer.status))
                .map_err(|NotJson| Problem::Unreadable.error(call.operation, "it is not JSON")),
            Err(error) if Problem::NotFound.is(&error) || Problem::WebPage.is(&error) => {
                Ok(ProbeReply::Missing(said))
            }
            Err(error) if Problem::SearchRejected.is(&error) => Ok(ProbeReply::Refused(said)),
            Err(error) if Problem::Permission.is(&error) => {
                Ok(ProbeReply::Forbidden(error.problem))
            }
            Err(error) => Err(error),
        }
    }
}

fn shape(answer: &Response) -> &'static str {
    let Ok(body) = answer.json() else {
        return "html";
    };
    match body.as_ref().and_then(Record::of) {
        Some(body) if body.has("error_message") => "error_message",
        Some(body) if body.has("error") => "oauth",
        _ => "other",
    }
}
