//! The access token (REFERENCE.md §1): one per tenant, asked for once by however many calls need it, renewed before
//! it runs out, its text neither trimmed nor looked into.

mod held;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret as _;
use serde_json::json;
use stagecall_core::error::{CallError, ErrorScope, Phase};
use stagecall_core::person::is_invisible;
use stagecall_core::ports::{Purpose, TenantSecret};
use stagecall_core::timing::after;
use stagecall_http::{Method, Request, Response};
use tokio::time::Instant;
use url::form_urlencoded;

pub(crate) use held::{Token, Tokens};

use crate::connection::Connection;
use crate::dialect::TokenRequest;
use crate::errors::Problem;
use crate::refusal::{ErrorContext, RequestKind};
use crate::wire::Record;
use held::MAX_LIFETIME_SECONDS;

/// The lifetime of a token that does not say: that of the oldest versions (REFERENCE.md §1, documented V-TOKEN).
const DEFAULT_LIFETIME_SECONDS: u64 = 600;
/// How long before its end a token is renewed; a tenth of its life if that is less.
const RENEWAL_MARGIN_SECONDS: u64 = 60;

/// The call that needs a token, and its deadline.
#[derive(Clone, Copy)]
pub(crate) struct CallContext {
    pub(crate) purpose: Purpose,
    pub(crate) operation: &'static str,
    pub(crate) end: Instant,
}

impl Connection {
    /// A token: the current one, or a new one. Eploy has just refused the `refused` ones.
    pub(crate) async fn token(
        &self,
        call: CallContext,
        refused: &[Arc<Token>],
    ) -> Result<Arc<Token>, CallError> {
        let seen = self.tokens.ended.load(Ordering::SeqCst);
        let mut state = self.tokens.state.lock().await;
        if let Some(token) = &state.token
            && token.is_fresh(self.clock.now())
            && !refused.iter().any(|refused| Arc::ptr_eq(refused, token))
        {
            return Ok(token.clone());
        }
        if let Some((request, error)) = &state.failure
            && *request > seen
        {
            // Another call's request failed while this one waited; this one would fail, too.
            return Err(error.clone().during(call.operation));
        }
        let result = match self.cached_token(call.operation, refused).await {
            Some(token) => Ok(token),
            None => self.request_token(call).await,
        };
        let result = result.map(Arc::new).map_err(|mut error| {
            // Whatever the outcome of the token request, the call that needs it was not made.
            if error.phase == Phase::Unknown {
                error.phase = Phase::NotSent;
                error.scope = ErrorScope::Connection;
            }
            error
        });
        let request = self.tokens.ended.fetch_add(1, Ordering::SeqCst) + 1;
        state.token = result.as_ref().ok().cloned();
        state.failure = match &result {
            // Concerns this purpose only.
            Err(error) if Problem::AllowanceOurs.is(error) => None,
            Err(error) => Some((request, error.clone())),
            Ok(_) => None,
        };
        result
    }

    /// Requests a token; if the secret is refused, once more with a secret that changed meanwhile.
    async fn request_token(&self, call: CallContext) -> Result<Token, CallError> {
        let secret = self.secret(call.operation, false).await?;
        match self.request_token_with(call, &secret).await {
            Err(error) if Problem::Credentials.is(&error) => {
                let fresh = self.secret(call.operation, true).await?;
                if same(&secret, &fresh) {
                    return Err(error);
                }
                self.request_token_with(call, &fresh).await
            }
            other => other,
        }
    }

    pub(crate) async fn secret(
        &self,
        operation: &'static str,
        fresh: bool,
    ) -> Result<TenantSecret, CallError> {
        self.secrets
            .secret(&self.tenant, fresh)
            .await
            .map_err(|error| {
                let problem = if error.lasting {
                    Problem::Secret
                } else {
                    Problem::SecretStore
                };
                problem.error(operation, &error.to_string())
            })
    }

    async fn request_token_with(
        &self,
        call: CallContext,
        secret: &TenantSecret,
    ) -> Result<Token, CallError> {
        let unprintable: Vec<&str> = [
            ("client id", &secret.eploy_client_id),
            ("client secret", &secret.eploy_client_secret),
        ]
        .into_iter()
        .filter(|(_, secret)| secret.expose_secret().chars().any(is_unprintable))
        .map(|(name, _)| name)
        .collect();
        if !unprintable.is_empty() {
            let detail = format!(
                "unprintable characters are in: {}. Store it again, typed or copied without them",
                unprintable.join(", ")
            );
            return Err(Problem::Secret.error(call.operation, &detail));
        }
        let asked_at = self.clock.now();
        let request = self.token_request(call.operation, secret)?;
        let answer = self
            .exchange(call.purpose, call.operation, request, call.end)
            .await?;
        if !answer.is_success() {
            let circumstances = ErrorContext {
                operation: call.operation,
                kind: RequestKind::Token,
                granted: None,
                dialect: &self.dialect,
                now: self.clock.now(),
                permitted: false,
            };
            return Err(circumstances.error(&answer));
        }
        let token = read(&answer, asked_at)
            .ok_or_else(|| Problem::NoApi.error(call.operation, "the answer is not a token"))?;
        tracing::debug!(tenant = %self.tenant, "token issued by Eploy");
        self.save_token(&token, secret).await;
        Ok(token)
    }

    fn token_request(
        &self,
        operation: &'static str,
        secret: &TenantSecret,
    ) -> Result<Request, CallError> {
        let url = self
            .api
            .join("token")
            .map_err(|_| Problem::Configuration.error(operation, "base_url has no path"))?;
        let request = Request::new(Method::Post, url).header("accept", "application/json");
        let mut fields = vec![
            ("grant_type", "client_credentials"),
            ("client_id", secret.eploy_client_id.expose_secret()),
            ("client_secret", secret.eploy_client_secret.expose_secret()),
        ];
        if let Some(scope) = &self.dialect.scope {
            fields.push(("scope", scope));
        }
        Ok(match self.dialect.token_request {
            TokenRequest::Json => {
                let fields = fields
                    .into_iter()
                    .map(|(key, value)| (key.to_owned(), json!(value)));
                request.json(&fields.collect())
            }
            TokenRequest::Form => {
                let mut request =
                    request.header("content-type", "application/x-www-form-urlencoded");
                request.body = form_urlencoded::Serializer::new(String::new())
                    .extend_pairs(fields)
                    .finish()
                    .into_bytes();
                request
            }
        })
    }
}

/// Whether a character is invisible: copied along with a secret.
fn is_unprintable(char: char) -> bool {
    char.is_control() || (char.is_whitespace() && char != ' ') || is_invisible(char)
}

fn same(one: &TenantSecret, other: &TenantSecret) -> bool {
    one.eploy_client_id.expose_secret() == other.eploy_client_id.expose_secret()
        && one.eploy_client_secret.expose_secret() == other.eploy_client_secret.expose_secret()
}

fn read(answer: &Response, asked_at: Timestamp) -> Option<Token> {
    let answer = answer.json().ok()??;
    let answer = Record::of(&answer)?;
    // Not `text`, which trims: the vendor's own sample begins with a space (REFERENCE.md §1).
    let token = answer
        .get("access_token")?
        .as_str()
        .filter(|token| !token.is_empty())?;
    let life = answer
        .number("expires_in")
        .unwrap_or(DEFAULT_LIFETIME_SECONDS)
        .min(MAX_LIFETIME_SECONDS);
    let life = life - RENEWAL_MARGIN_SECONDS.min(life / 10);
    let scopes = answer.text("scope").map(|scopes| {
        scopes
            .split([',', ' '])
            .filter(|scope| !scope.is_empty())
            .map(str::to_ascii_lowercase)
            .collect()
    });
    Some(Token {
        authorization: format!("Bearer {token}").into(),
        scopes,
        cached: false,
        asked_at,
        renew_at: after(asked_at, SignedDuration::from_secs(life.cast_signed())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Answer, Scene};

    const CANDIDATE: &str = r#"{"CandidateId": 9001, "FirstName": "Ada", "Surname": "Example"}"#;

    fn token(text: &str) -> Answer {
        Answer::ok(&format!(
            r#"{{"access_token": "{text}", "token_type": "Bearer", "expires_in": 3599, "scope": "candidates.read,Actions.Insert"}}"#
        ))
    }

    /// Why a call that needs a token is refused.
    async fn refused(scene: &Scene) -> CallError {
        let client = scene.client().await;
        client.candidate(&"1".into()).await.unwrap_err()
    }

    #[tokio::test]
    async fn a_token_is_requested_once_for_all_calls_and_used_unchanged() {
        let scene = Scene::bare(|request| match request.url.path() {
            "/api/token" => token(" to ken"),
            _ => Answer::ok(CANDIDATE),
        });
        let client = scene.client().await;
        let ids = ["1".into(), "2".into(), "3".into()];
        let reads = futures::future::join_all(ids.iter().map(|id| client.candidate(id))).await;
        assert!(reads.iter().all(Result::is_ok));
        let requests = scene.requests();
        assert_eq!(requests.len(), 4);
        assert_eq!(
            requests[0].body,
            json!({"grant_type": "client_credentials", "client_id": "id", "client_secret": "secret"})
        );
        for request in &requests[1..] {
            assert_eq!(request.header("authorization"), Some("Bearer  to ken"));
        }
    }

    /// Copied along unseen: Eploy would only refuse the credentials.
    #[tokio::test]
    async fn unprintable_characters_in_the_secret_are_named() {
        let scene = Scene::bare(|_| Answer::status(400));
        scene.secrets.rotate("sec\u{200b}ret");
        let error = refused(&scene).await;
        assert_eq!(error.code, "eploy.secret");
        assert!(
            error.problem.contains("client secret") && !error.problem.contains("client id"),
            "{error}"
        );
        assert_eq!(scene.requests().len(), 1, "with the secret before");
    }

    #[tokio::test]
    async fn a_token_is_renewed_before_it_expires() {
        let scene = Scene::bare(|request| match request.url.path() {
            "/api/token" => Answer::ok(r#"{"access_token": "t", "expires_in": "599"}"#),
            _ => Answer::ok(CANDIDATE),
        });
        let client = scene.client().await;
        for (passed, tokens) in [(0, 1), (530, 1), (20, 2)] {
            scene.clock.pass(passed);
            client.candidate(&"1".into()).await.unwrap();
            assert_eq!(scene.count("/api/token"), tokens, "after {passed} s more");
        }
    }

    #[tokio::test]
    async fn a_token_of_a_clock_that_was_ahead_is_not_kept() {
        let scene = Scene::bare(|request| match request.url.path() {
            "/api/token" => token("t"),
            _ => Answer::ok(CANDIDATE),
        });
        let client = scene.client().await;
        for (passed, tokens) in [(5 * 3600, 1), (-5 * 3600, 2), (30, 2)] {
            scene.clock.pass(passed);
            client.candidate(&"1".into()).await.unwrap();
            assert_eq!(scene.count("/api/token"), tokens, "after {passed} s more");
        }
    }

    #[tokio::test]
    async fn a_refused_token_is_renewed_once_and_the_call_repeated_once() {
        let scene =
            Scene::bare(
                |request| match (request.url.path(), request.header("authorization")) {
                    ("/api/token", _) if request.nth == 1 => token("old"),
                    ("/api/token", _) => token("new"),
                    (_, Some("Bearer new")) => Answer::ok(CANDIDATE),
                    _ => Answer::status(401),
                },
            );
        let client = scene.client().await;
        client.candidate(&"1".into()).await.unwrap();
        assert_eq!(scene.count("/api/token"), 2);
        assert_eq!(scene.requests().len(), 4);
        client.candidate(&"1".into()).await.unwrap();
        assert_eq!(scene.count("/api/token"), 2, "the new one is kept");
    }

    #[tokio::test]
    async fn a_refused_new_token_ends_the_call() {
        let scene = Scene::bare(|request| match request.url.path() {
            "/api/token" => token("any"),
            _ => Answer::status(401),
        });
        let error = refused(&scene).await;
        assert_eq!(error.code, "eploy.token_refused");
        assert_eq!(
            (error.phase, error.scope),
            (Phase::Refused, ErrorScope::Connection)
        );
        assert_eq!(scene.requests().len(), 4, "two tokens, two tries");
    }

    #[tokio::test]
    async fn a_refused_secret_is_reread_once() {
        let scene = Scene::bare(|request| match request.url.path() {
            "/api/token" if request.body["client_secret"] == "rotated" => token("t"),
            "/api/token" => Answer::status(400),
            _ => Answer::ok(CANDIDATE),
        });
        scene.secrets.rotate("rotated");
        scene.client().await.candidate(&"1".into()).await.unwrap();
        assert_eq!(scene.count("/api/token"), 2);
    }

    #[tokio::test]
    async fn a_wrong_secret_is_reported_after_one_call() {
        let scene = Scene::bare(|_| Answer::json(401, r#"{"error_message": "secret text"}"#));
        let error = refused(&scene).await;
        assert_eq!(error.code, "eploy.credentials");
        assert_eq!(error.operation, "read the candidate");
        assert!(!error.to_string().contains("secret text"), "{error}");
        assert_eq!(scene.requests().len(), 1);
    }

    #[tokio::test]
    async fn calls_that_wait_for_a_token_share_its_failure() {
        let scene = Scene::bare(|_| Answer::status(403));
        let client = scene.client().await;
        let ids = ["1".into(), "2".into(), "3".into()];
        let reads = futures::future::join_all(ids.iter().map(|id| client.candidate(id))).await;
        assert!(reads.iter().all(|read| {
            read.as_ref()
                .is_err_and(|error| error.code == "eploy.ip_forbidden")
        }));
        assert_eq!(scene.requests().len(), 1);
        client.candidate(&"1".into()).await.unwrap_err();
        assert_eq!(scene.requests().len(), 2, "a later call tries again");
    }

    #[tokio::test]
    async fn a_lost_token_request_leaves_the_call_unsent() {
        let table = [
            (Answer::lost(), "eploy.no_answer"),
            (Answer::status(500), "eploy.server_error"),
            (Answer::not_sent(), "eploy.unreachable"),
            (Answer::unresolved(), "eploy.host_unknown"),
            (Answer::ok("<html>"), "eploy.no_api"),
            (Answer::ok(""), "eploy.no_api"),
        ];
        for (answer, code) in table {
            let scene = Scene::bare(move |_| answer.clone());
            let error = refused(&scene).await;
            assert_eq!(error.code, code);
            assert!(error.without_effect(), "{error}");
        }
    }

    #[tokio::test]
    async fn the_form_and_the_scope_are_settings() {
        let scene = Scene::bare(|request| match request.url.path() {
            "/api/token" => token("t"),
            _ => Answer::ok(CANDIDATE),
        })
        .dialect(json!({"token_request": "form", "scope": "candidates.read,actions.insert"}));
        let client = scene.client().await;
        client.candidate(&"1".into()).await.unwrap();
        let request = &scene.requests()[0];
        assert_eq!(
            request.header("content-type"),
            Some("application/x-www-form-urlencoded")
        );
        assert_eq!(
            request.text,
            "grant_type=client_credentials&client_id=id&client_secret=secret&scope=candidates.read%2Cactions.insert"
        );
    }

    #[tokio::test]
    async fn token_calls_count_against_the_allowance() {
        let scene = Scene::bare(|request| match request.url.path() {
            "/api/token" => token("t"),
            _ => Answer::ok(CANDIDATE),
        });
        scene.client().await.candidate(&"1".into()).await.unwrap();
        let left = scene.client().await.allowance_left().await.unwrap();
        // Some are reserved for polls.
        assert_eq!(left.calls, 10_000 - 583 - 2);
    }
}
