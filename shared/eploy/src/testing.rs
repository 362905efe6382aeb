//! Test doubles: a scripted transport in place of Eploy, and simple fakes of the ports.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use stagecall_core::clock::Clock;
use stagecall_core::error::{CallError, StoreError};
use stagecall_core::ids::{AccountId, TenantId};
use stagecall_core::ports::{
    Allowance, CallbackTokens, Eploy, EployConnections, Purpose, Secrets, TenantSecret, TokenCache,
};
use stagecall_core::tenant::Tenant;
use stagecall_core::timing::{Timing, after};
use stagecall_http::{Limits, Request, Response, Transport, TransportError};
use url::Url;

use crate::connections::Connections;
use crate::inspect::Inspector;

/// A request that was made.
#[derive(Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) url: Url,
    headers: Vec<(String, String)>,
    /// The raw body.
    pub(crate) text: String,
    /// The body as JSON; null if it is not JSON.
    pub(crate) body: Value,
    /// The number of requests for this path, including this one.
    pub(crate) nth: usize,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

/// The outcome of a request.
#[derive(Clone)]
pub(crate) struct Answer(Result<Response, TransportError>);

impl Answer {
    pub(crate) fn json(status: u16, body: &str) -> Self {
        Self(Ok(Response {
            status,
            headers: Vec::new(),
            body: body.as_bytes().to_vec(),
        }))
    }

    pub(crate) fn ok(body: &str) -> Self {
        Self::json(200, body)
    }

    pub(crate) fn bytes(status: u16, body: &[u8]) -> Self {
        let mut answer = Self::json(status, "");
        if let Ok(response) = &mut answer.0 {
            response.body = body.to_vec();
        }
        answer
    }

    pub(crate) fn value(body: &Value) -> Self {
        Self::ok(&body.to_string())
    }

    pub(crate) fn status(status: u16) -> Self {
        Self::json(status, "")
    }

    pub(crate) fn lost() -> Self {
        Self(Err(TransportError::Lost(
            "acme.eploy.net: broke".to_owned(),
        )))
    }

    pub(crate) fn not_sent() -> Self {
        Self(Err(TransportError::NotSent(
            "acme.eploy.net: no connection".to_owned(),
        )))
    }

    pub(crate) fn unresolved() -> Self {
        let why = "acme.eploy.net: the name cannot be resolved: no such host";
        Self(Err(TransportError::NotSent(why.to_owned())))
    }

    pub(crate) fn with_header(mut self, name: &str, value: &str) -> Self {
        if let Ok(response) = &mut self.0 {
            response.headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }
}

type Script = Box<dyn Fn(&Seen) -> Answer + Send + Sync>;

struct ScriptedTransport {
    script: Script,
    seen: Mutex<Vec<Seen>>,
}

#[async_trait]
impl Transport for ScriptedTransport {
    async fn send(&self, request: Request, _: Limits) -> Result<Response, TransportError> {
        // Lets other tasks run in between, as a network does.
        tokio::task::yield_now().await;
        let text = String::from_utf8(request.body).unwrap();
        let mut all = self.seen.lock().unwrap();
        let seen = Seen {
            method: request.method.to_string(),
            nth: 1 + all
                .iter()
                .filter(|seen| seen.url.path() == request.url.path())
                .count(),
            url: request.url,
            headers: request.headers,
            body: serde_json::from_str(&text).unwrap_or_default(),
            text,
        };
        all.push(seen.clone());
        (self.script)(&seen).0
    }
}

pub(crate) struct FakeClock(Mutex<Timestamp>);

impl FakeClock {
    pub(crate) fn pass(&self, seconds: i64) {
        let mut now = self.0.lock().unwrap();
        *now = after(*now, SignedDuration::from_secs(seconds));
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

/// A secret that may have changed since it was cached.
#[derive(Default)]
pub(crate) struct FakeSecrets(Mutex<Option<String>>);

impl FakeSecrets {
    /// Changes the secret behind the cache.
    pub(crate) fn rotate(&self, to: &str) {
        *self.0.lock().unwrap() = Some(to.to_owned());
    }
}

#[async_trait]
impl Secrets for FakeSecrets {
    async fn secret(&self, _: &TenantId, fresh: bool) -> Result<TenantSecret, StoreError> {
        let rotated = self.0.lock().unwrap().clone().filter(|_| fresh);
        Ok(TenantSecret {
            eploy_client_id: "id".into(),
            eploy_client_secret: rotated.unwrap_or_else(|| "secret".to_owned()).into(),
            platforms: std::collections::BTreeMap::new(),
            hrms: None,
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

/// Counts calls in memory.
#[derive(Default)]
pub(crate) struct FakeAllowance {
    taken: Mutex<HashMap<String, u32>>,
    takes: AtomicU32,
    failing: AtomicBool,
    slow: AtomicBool,
}

impl FakeAllowance {
    /// How often calls were taken.
    pub(crate) fn takes(&self) -> u32 {
        self.takes.load(Ordering::SeqCst)
    }

    /// Makes counting fail.
    pub(crate) fn fail(&self) {
        self.failing.store(true, Ordering::SeqCst);
    }

    /// Makes counting take longer than a call may.
    pub(crate) fn slow(&self) {
        self.slow.store(true, Ordering::SeqCst);
    }
}

#[async_trait]
impl Allowance for FakeAllowance {
    async fn take(
        &self,
        _: &TenantId,
        day: &str,
        calls: u32,
        ceiling: u32,
    ) -> Result<bool, StoreError> {
        if self.failing.load(Ordering::SeqCst) {
            return Err(StoreError::new("allowance", "take", "it is not there"));
        }
        if self.slow.load(Ordering::SeqCst) {
            tokio::time::sleep(std::time::Duration::from_secs(40)).await;
        }
        let mut taken = self.taken.lock().unwrap();
        let taken = taken.entry(day.to_owned()).or_default();
        let fits = *taken + calls <= ceiling;
        if fits {
            *taken += calls;
            self.takes.fetch_add(1, Ordering::SeqCst);
        }
        Ok(fits)
    }

    async fn taken(&self, _: &TenantId, day: &str) -> Result<u32, StoreError> {
        Ok(self
            .taken
            .lock()
            .unwrap()
            .get(day)
            .copied()
            .unwrap_or_default())
    }
}

/// Stores sealed tokens in memory.
#[derive(Default)]
pub(crate) struct FakeTokenCache {
    kept: Mutex<HashMap<TenantId, Vec<u8>>>,
    saves: AtomicU32,
    failing: AtomicBool,
}

impl FakeTokenCache {
    /// The stored token of a tenant.
    pub(crate) fn kept(&self, tenant: &str) -> Option<Vec<u8>> {
        self.kept.lock().unwrap().get(&tenant.into()).cloned()
    }

    /// Replaces the stored token of a tenant.
    pub(crate) fn replace(&self, tenant: &str, sealed: Vec<u8>) {
        self.kept.lock().unwrap().insert(tenant.into(), sealed);
    }

    /// How often a token was saved.
    pub(crate) fn saves(&self) -> u32 {
        self.saves.load(Ordering::SeqCst)
    }

    /// Makes loading and saving fail.
    pub(crate) fn fail(&self) {
        self.failing.store(true, Ordering::SeqCst);
    }

    fn check(&self) -> Result<(), StoreError> {
        if self.failing.load(Ordering::SeqCst) {
            return Err(StoreError::new("tokens", "reach them", "it is not there"));
        }
        Ok(())
    }
}

#[async_trait]
impl TokenCache for FakeTokenCache {
    async fn load_token(&self, tenant: &TenantId) -> Result<Option<Vec<u8>>, StoreError> {
        self.check()?;
        Ok(self.kept.lock().unwrap().get(tenant).cloned())
    }

    async fn save_token(
        &self,
        tenant: &TenantId,
        sealed: &[u8],
        _: Timestamp,
    ) -> Result<(), StoreError> {
        self.check()?;
        self.saves.fetch_add(1, Ordering::SeqCst);
        self.replace(tenant.as_str(), sealed.to_vec());
        Ok(())
    }
}

/// A tenant, its Eploy as a script, and everything that its clients need.
pub(crate) struct Scene {
    connections: Connections,
    transport: Arc<ScriptedTransport>,
    tenant: Tenant,
    pub(crate) clock: Arc<FakeClock>,
    pub(crate) secrets: Arc<FakeSecrets>,
    pub(crate) allowance: Arc<FakeAllowance>,
    pub(crate) tokens: Arc<FakeTokenCache>,
}

impl Scene {
    /// A scene whose script answers everything except token requests, which are granted.
    pub(crate) fn new(script: impl Fn(&Seen) -> Answer + Send + Sync + 'static) -> Self {
        Self::bare(move |request| match request.url.path() {
            "/api/token" => {
                Answer::ok(r#"{"access_token": "t", "token_type": "Bearer", "expires_in": 864000}"#)
            }
            _ => script(request),
        })
    }

    /// A scene whose script answers everything.
    pub(crate) fn bare(script: impl Fn(&Seen) -> Answer + Send + Sync + 'static) -> Self {
        let transport = Arc::new(ScriptedTransport {
            script: Box::new(script),
            seen: Mutex::default(),
        });
        let clock = Arc::new(FakeClock(Mutex::new(
            "2025-01-24T10:00:00Z".parse().unwrap(),
        )));
        let secrets = Arc::new(FakeSecrets::default());
        let allowance = Arc::new(FakeAllowance::default());
        Self {
            connections: Connections::new(
                transport.clone(),
                secrets.clone(),
                allowance.clone(),
                clock.clone(),
                &Timing::default(),
            ),
            transport,
            tenant: serde_json::from_value(
                json!({"id": "acme", "eploy": {"base_url": "https://acme.eploy.net/"}}),
            )
            .unwrap(),
            clock,
            secrets,
            allowance,
            tokens: Arc::default(),
        }
    }

    /// With tokens cached in the store.
    pub(crate) fn keeping_tokens(mut self) -> Self {
        self.connections = self.connections.with_token_cache(self.tokens.clone());
        self
    }

    /// In a process with this capacity of open tenants.
    pub(crate) fn capacity(mut self, tenants: usize) -> Self {
        self.connections.capacity = tenants;
        self
    }

    /// Another process on the same store, which caches its tokens there.
    pub(crate) fn another_process(&self) -> Self {
        let connections = Connections::new(
            self.transport.clone(),
            self.secrets.clone(),
            self.allowance.clone(),
            self.clock.clone(),
            &Timing::default(),
        );
        Self {
            connections: connections.with_token_cache(self.tokens.clone()),
            transport: self.transport.clone(),
            tenant: self.tenant.clone(),
            clock: self.clock.clone(),
            secrets: self.secrets.clone(),
            allowance: self.allowance.clone(),
            tokens: self.tokens.clone(),
        }
    }

    /// A client of the tenant of this name.
    pub(crate) async fn client_of(&self, tenant: &str, purpose: Purpose) -> Arc<dyn Eploy> {
        let mut tenant_of = self.tenant.clone();
        tenant_of.id = tenant.into();
        self.connections.eploy(&tenant_of, purpose).await.unwrap()
    }

    pub(crate) fn dialect(mut self, dialect: Value) -> Self {
        self.tenant.eploy.dialect = serde_json::from_value(dialect).unwrap();
        self
    }

    /// With this daily allowance.
    pub(crate) fn daily(mut self, calls: u32) -> Self {
        self.tenant.eploy.daily_calls = calls;
        self
    }

    pub(crate) async fn open(&self, purpose: Purpose) -> Result<Arc<dyn Eploy>, CallError> {
        self.connections.eploy(&self.tenant, purpose).await
    }

    pub(crate) async fn client_for(&self, purpose: Purpose) -> Arc<dyn Eploy> {
        self.open(purpose).await.unwrap()
    }

    pub(crate) async fn client(&self) -> Arc<dyn Eploy> {
        self.client_for(Purpose::WriteBack).await
    }

    pub(crate) fn inspector(&self) -> Inspector {
        self.connections.inspector(&self.tenant).unwrap()
    }

    /// Every request, oldest first.
    pub(crate) fn requests(&self) -> Vec<Seen> {
        self.transport.seen.lock().unwrap().clone()
    }

    /// How many requests there were for a path.
    pub(crate) fn count(&self, path: &str) -> usize {
        self.requests()
            .iter()
            .filter(|seen| seen.url.path() == path)
            .count()
    }

    /// How many requests there were for anything but a token.
    pub(crate) fn calls(&self) -> usize {
        self.requests().len() - self.count("/api/token")
    }

    /// The last request.
    pub(crate) fn last(&self) -> Seen {
        self.requests().pop().unwrap()
    }
}
