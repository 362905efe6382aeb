//! The world around the clients: an answer to every request, and what they need beside it.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use serde_json::{Value, json};
use stagecall_core::clock::{Clock, SystemClock};
use stagecall_core::error::{CallError, Phase, StoreError};
use stagecall_core::ids::{AccountId, TenantId};
use stagecall_core::ports::{
    Allowance, CallbackTokens, PlatformSecret, Secrets, SigningSecrets, TenantSecret,
};
use stagecall_core::tenant::Tenant;
use stagecall_core::timing::Timing;
use stagecall_http::{Limits, Request, Response, Transport, TransportError};
use url::Url;

use crate::headers;

/// What the samples have of people. No error may repeat any of it.
pub const PERSONAL: &[&str] = &["Ada", "Example", "ada@", "900123", "pullover"];
/// What the samples have of secrets, and what the clients are given. No error may repeat any of it.
pub const SECRET: &[&str] = &["opaque-token", "client-word", "api-word", "whsec_"];

/// Answers every request alike, with headers that the answer's body decides, except that a token is granted where the answer is not about tokens.
pub struct Outside {
    status: u16,
    body: Vec<u8>,
    tokens: bool,
    called: Mutex<Vec<Url>>,
}

impl Outside {
    /// Answers with this status and body; `tokens`: also to requests for a token.
    pub fn new(status: u16, body: &[u8], tokens: bool) -> Arc<Self> {
        Arc::new(Self {
            status,
            body: body.to_vec(),
            tokens,
            called: Mutex::default(),
        })
    }

    /// What is wrong with where requests went: every one has to stay under `base`.
    pub fn strayed(&self, base: &str) -> Result<(), String> {
        let called = self.called.lock().unwrap_or_else(PoisonError::into_inner);
        match called.iter().find(|url| !url.as_str().starts_with(base)) {
            Some(url) => Err(format!("a request went to {url}")),
            None => Ok(()),
        }
    }

    /// The ways into Eploy over it.
    pub fn eploy(self: &Arc<Self>) -> stagecall_eploy::Connections {
        let (secrets, clock) = (Arc::new(Known), Arc::new(SystemClock));
        let timing = Timing::default();
        stagecall_eploy::Connections::new(self.clone(), secrets, Arc::new(Known), clock, &timing)
    }

    /// The way to the HRMS over it.
    pub fn hrms(self: &Arc<Self>) -> stagecall_hrms::HrmsClient {
        stagecall_hrms::HrmsClient::new(self.clone(), Arc::new(Known), &Timing::default())
    }

    /// The ways into the platforms over it.
    pub fn platforms(self: &Arc<Self>) -> stagecall_platforms::Connections {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let timing = Timing::default();
        stagecall_platforms::Connections::new(self.clone(), Arc::new(Known), clock, &timing)
    }
}

#[async_trait]
impl Transport for Outside {
    async fn send(&self, request: Request, _: Limits) -> Result<Response, TransportError> {
        let mut called = self.called.lock().unwrap_or_else(PoisonError::into_inner);
        called.push(request.url.clone());
        if !self.tokens && request.url.path().ends_with("/api/token") {
            let granted = json!({"access_token": "opaque-token", "expires_in": 3599});
            return Ok(Response {
                status: 200,
                headers: Vec::new(),
                body: granted.to_string().into_bytes(),
            });
        }
        Ok(Response {
            status: self.status,
            headers: headers::of(&self.body),
            body: self.body.clone(),
        })
    }
}

/// Has every secret, and any number of calls left.
struct Known;

#[async_trait]
impl Secrets for Known {
    async fn secret(&self, _: &TenantId, _: bool) -> Result<TenantSecret, StoreError> {
        let account = || {
            let key = ("api_key".to_owned(), SecretString::from("api-word"));
            PlatformSecret([key].into())
        };
        Ok(TenantSecret {
            eploy_client_id: "client-word".into(),
            eploy_client_secret: "client-word".into(),
            platforms: [("willo".into(), account()), ("wecp".into(), account())].into(),
            hrms: Some(SigningSecrets {
                current: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".into(),
                previous: None,
            }),
        })
    }

    async fn callback_tokens(
        &self,
        _: &TenantId,
        _: &AccountId,
    ) -> Result<Option<CallbackTokens>, StoreError> {
        Ok(None)
    }
}

#[async_trait]
impl Allowance for Known {
    async fn take(&self, _: &TenantId, _: &str, _: u32, _: u32) -> Result<bool, StoreError> {
        Ok(true)
    }

    async fn taken(&self, _: &TenantId, _: &str) -> Result<u32, StoreError> {
        Ok(0)
    }
}

/// A tenant with an account on every platform, whose calls are not paced.
pub fn tenant(dialect: &Value) -> Result<Tenant, String> {
    tenant_with(dialect, &json!({}))
}

/// The same, with these settings on each platform.
pub fn tenant_with(dialect: &Value, settings: &Value) -> Result<Tenant, String> {
    let mut settings = settings.clone();
    settings["calls_per_second"] = json!(10_000);
    settings["calls_in_flight"] = json!(10_000);
    serde_json::from_value(json!({
        "id": "acme",
        "eploy": {"base_url": "https://acme.eploy.net/", "dialect": dialect},
        "platforms": {
            "willo": {"kind": "willo", "settings": settings},
            "wecp": {"kind": "wecp", "settings": settings},
        },
    }))
    .map_err(|error| format!("the tenant: {error}"))
}

/// Whether a text repeats what nobody may read in an error or a log.
pub fn silent(text: &str) -> Result<(), String> {
    match PERSONAL
        .iter()
        .chain(SECRET)
        .find(|word| text.contains(**word))
    {
        Some(word) => Err(format!("\"{word}\" is repeated in: {text}")),
        None => Ok(()),
    }
}

/// How long ago at most the answer came that an error is about.
const MAX_RUN: SignedDuration = SignedDuration::from_mins(5);

/// The longest that anybody outside may make us wait: what Eploy says is believed for two days, and a little time has
/// passed since.
const MAX_WAIT: SignedDuration = SignedDuration::from_hours(49);

/// What may be said of any failed call: it repeats nothing, a server's error is never taken for "without effect", and no
/// answer stops the calls for good or lets the next one begin before now.
pub fn fair(error: &CallError, status: u16, wrote: bool) -> Result<(), String> {
    // Without its times, which have digits enough to look like anybody's number now and then.
    let timeless = CallError {
        phase: Phase::NotSent,
        retry_at: None,
        ..error.clone()
    };
    silent(&format!("{error} {timeless:?}"))?;
    if let Some(until) = error.retry_at {
        let wait = until.duration_since(Timestamp::now());
        if wait > MAX_WAIT || wait < -MAX_RUN {
            return Err(format!("an answer makes us wait until {until}"));
        }
    }
    if wrote && matches!(status, 500 | 502 | 504) && error.without_effect() {
        return Err(format!("{status} is taken for without effect: {error}"));
    }
    Ok(())
}
