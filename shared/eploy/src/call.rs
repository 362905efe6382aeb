//! One call to Eploy: with a token, counted, its response classified.

use std::sync::Arc;

use secrecy::ExposeSecret as _;
use serde_json::Value;
use stagecall_core::error::CallError;
use stagecall_http::{Method, NotJson, Request, Response};
use tokio::time::Instant;
use url::Url;

use crate::client::Client;
use crate::errors::{Permission, Problem};
use crate::refusal::{ErrorContext, RequestKind};
use crate::token::{CallContext, Token};
use crate::wire::Record;

pub(crate) struct Call<'a> {
    /// The purpose, in a few words.
    pub(crate) operation: &'static str,
    pub(crate) method: Method,
    /// The path below `/api/`.
    pub(crate) path: &'a str,
    pub(crate) body: Option<Value>,
    pub(crate) kind: RequestKind,
}

impl<'a> Call<'a> {
    /// Creates a record, or does something with one.
    pub(crate) fn post(
        operation: &'static str,
        path: &'a str,
        body: Value,
        permission: Permission,
    ) -> Self {
        Self {
            operation,
            method: Method::Post,
            path,
            body: Some(body),
            kind: RequestKind::Record(permission),
        }
    }

    /// Changes a record.
    pub(crate) fn patch(
        operation: &'static str,
        path: &'a str,
        body: Value,
        permission: Permission,
    ) -> Self {
        Self {
            method: Method::Patch,
            ..Self::post(operation, path, body, permission)
        }
    }
}

impl Client {
    /// Makes a call. Any 2xx is a success, whatever its body (REFERENCE.md §9), unless that is a page for people: then
    /// Eploy may never have seen the call.
    pub(crate) async fn call(&self, call: Call<'_>) -> Result<Response, CallError> {
        let (answer, token) = self.answer(&call).await?;
        self.success(&call, answer, &token)
    }

    /// Makes a call and returns the response, whatever it is, with the token used.
    pub(crate) async fn answer(
        &self,
        call: &Call<'_>,
    ) -> Result<(Response, Arc<Token>), CallError> {
        let url = self.url(call.operation, call.path)?;
        let needs = CallContext {
            purpose: self.purpose,
            operation: call.operation,
            end: Instant::now() + self.connection.call_limit,
        };
        let mut refused = Vec::new();
        loop {
            let token = self.connection.token(needs, &refused).await?;
            let answer = self.send(call, &url, needs, &token).await?;
            // A 401 has no effect, so the call may be repeated: once with another token, and once more if that one was
            // an older one from the cache.
            let last = match refused.len() {
                0 => false,
                1 => !token.cached,
                _ => true,
            };
            if answer.status != 401 || last {
                return Ok((answer, token));
            }
            refused.push(token);
        }
    }

    /// Makes a call and reads its answer as JSON; `None` if it is empty.
    pub(crate) async fn call_for_json(&self, call: Call<'_>) -> Result<Option<Value>, CallError> {
        let operation = call.operation;
        let answer = self.call(call).await?;
        answer
            .json()
            .map_err(|NotJson| Problem::Unreadable.error(operation, "it is not JSON"))
    }

    fn url(&self, operation: &'static str, path: &str) -> Result<Url, CallError> {
        self.connection
            .api
            .join(path)
            .ok()
            .filter(|url| url.as_str().starts_with(self.connection.api.as_str()))
            .ok_or_else(|| Problem::Configuration.error(operation, "the path leaves the API"))
    }

    async fn send(
        &self,
        call: &Call<'_>,
        url: &Url,
        needs: CallContext,
        token: &Token,
    ) -> Result<Response, CallError> {
        let mut request = Request::new(call.method, url.clone())
            .header("accept", "application/json")
            .header("authorization", token.authorization.expose_secret());
        if let Some(body) = &call.body {
            request = request.json(body);
        }
        self.connection
            .exchange(self.purpose, call.operation, request, needs.end)
            .await
    }

    /// The response if it is a success, else the error it means.
    pub(crate) fn success(
        &self,
        call: &Call<'_>,
        answer: Response,
        token: &Arc<Token>,
    ) -> Result<Response, CallError> {
        if answer.is_success() && answer.is_page() {
            return Err(Problem::Unreadable.error(call.operation, "it is a web page"));
        }
        if answer.is_success() && says_error(&answer) {
            return Err(Problem::ErrorAnswer.error(call.operation, "with an error message"));
        }
        let permission = call.kind.permission();
        if answer.is_success() {
            if let Some(permission) = permission {
                self.connection.note_permitted(permission);
            }
            return Ok(answer);
        }
        let circumstances = ErrorContext {
            operation: call.operation,
            kind: call.kind,
            granted: token.scopes.as_ref(),
            dialect: &self.connection.dialect,
            now: self.connection.clock.now(),
            permitted: permission.is_some_and(|one| self.connection.was_permitted(one)),
        };
        Err(circumstances.error(&answer))
    }
}

/// Whether the body says that the call failed, whatever the status. A record has no such property.
fn says_error(answer: &Response) -> bool {
    /// More than any error message has. Longer bodies are not parsed twice.
    const MAX_ERROR_BYTES: usize = 8 * 1024;
    answer.body.len() <= MAX_ERROR_BYTES
        && answer.json().ok().flatten().is_some_and(|body| {
            Record::of(&body).is_some_and(|body| {
                let mut names = ["error_message", "error"].into_iter();
                names.any(|name| body.text(name).is_some())
            })
        })
}
