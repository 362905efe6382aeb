//! Opens tenants' Eploy systems, and keeps what their clients share.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::SignedDuration;
use stagecall_core::clock::Clock;
use stagecall_core::error::CallError;
use stagecall_core::ids::TenantId;
use stagecall_core::ports::{Allowance, Eploy, EployConnections, Purpose, Secrets, TokenCache};
use stagecall_core::tenant::{EployConnection, Tenant};
use stagecall_core::timing::Timing;
use stagecall_http::Transport;
use tokio::time::Instant;
use url::{Host, Url};

use crate::allowance::{Budget, Limits, MAX_CALLS_PER_TAKE};
use crate::client::Client;
use crate::connection::{Cache, Connection};
use crate::dialect::Dialect;
use crate::errors::Problem;
use crate::inspect::Inspector;
use crate::position::Stages;
use crate::token::Tokens;

/// The maximum number of open tenants; beyond that, the least recently used is closed.
const MAX_OPEN_TENANTS: usize = 2000;

/// The connections to the tenants' Eploy systems. One per process: it shares tokens, cached vacancies, and the calls
/// taken from the allowance.
pub struct Connections {
    transport: Arc<dyn Transport>,
    secrets: Arc<dyn Secrets>,
    allowance: Arc<dyn Allowance>,
    token_cache: Option<Arc<dyn TokenCache>>,
    clock: Arc<dyn Clock>,
    call_limit: Duration,
    at_once: u32,
    /// The maximum number of open tenants.
    pub(crate) capacity: usize,
    open: Mutex<HashMap<TenantId, Open>>,
}

/// An open tenant, with the configuration it was opened with.
struct Open {
    configured: EployConnection,
    connection: Arc<Connection>,
    used: Instant,
}

impl Connections {
    /// Connections over this transport. A call with its token request and repetition may take [`Timing::call_seconds`].
    pub fn new(
        transport: Arc<dyn Transport>,
        secrets: Arc<dyn Secrets>,
        allowance: Arc<dyn Allowance>,
        clock: Arc<dyn Clock>,
        timing: &Timing,
    ) -> Self {
        Self {
            transport,
            secrets,
            allowance,
            token_cache: None,
            clock,
            call_limit: Duration::try_from_secs_f64(timing.call_seconds).unwrap_or_default(),
            at_once: MAX_CALLS_PER_TAKE,
            capacity: MAX_OPEN_TENANTS,
            open: Mutex::default(),
        }
    }

    /// Shares tokens with every process that uses this cache. Without it a process requests its own, which tests that
    /// the credentials work.
    pub fn with_token_cache(self, cache: Arc<dyn TokenCache>) -> Self {
        Self {
            token_cache: Some(cache),
            ..self
        }
    }

    /// Takes every call from the allowance one by one: for a process that makes a few calls and ends, and would leave
    /// the rest unused.
    pub fn counting_each_call(self) -> Self {
        Self { at_once: 1, ..self }
    }

    /// A read-only view of the tenant's Eploy, for its setup.
    pub fn inspector(&self, tenant: &Tenant) -> Result<Inspector, CallError> {
        Ok(Inspector::new(self.client(tenant, Purpose::WriteBack)?))
    }

    fn client(&self, tenant: &Tenant, purpose: Purpose) -> Result<Client, CallError> {
        Ok(Client {
            connection: self.connection(tenant)?,
            purpose,
            stages: Stages::of(tenant),
        })
    }

    fn connection(&self, tenant: &Tenant) -> Result<Arc<Connection>, CallError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = open.get_mut(&tenant.id)
            && known.configured == tenant.eploy
        {
            known.used = Instant::now();
            return Ok(known.connection.clone());
        }
        let connection = Arc::new(self.open(&tenant.id, &tenant.eploy)?);
        if open.len() >= self.capacity
            && let Some(idle) = open
                .iter()
                .min_by_key(|(_, open)| open.used)
                .map(|(id, _)| id.clone())
        {
            open.remove(&idle);
        }
        let opened = Open {
            configured: tenant.eploy.clone(),
            connection: connection.clone(),
            used: Instant::now(),
        };
        open.insert(tenant.id.clone(), opened);
        Ok(connection)
    }

    fn open(
        &self,
        tenant: &TenantId,
        connection: &EployConnection,
    ) -> Result<Connection, CallError> {
        let (api, dialect) = check(connection).map_err(|problems| {
            Problem::Configuration.error("open the connection", &problems.join("; "))
        })?;
        Ok(Connection {
            tenant: tenant.clone(),
            budget: Budget::new(
                self.allowance.clone(),
                tenant.clone(),
                Limits {
                    daily: connection.daily_calls,
                    zone: dialect.allowance_day,
                    at_once: self.at_once,
                    poll_interval: SignedDuration::from_secs(connection.poll_seconds.into()),
                },
            ),
            api,
            dialect,
            token_cache: self.token_cache.clone(),
            clock: self.clock.clone(),
            secrets: self.secrets.clone(),
            transport: self.transport.clone(),
            call_limit: self.call_limit,
            tokens: Tokens::default(),
            cache: Mutex::new(Cache::default()),
        })
    }
}

#[async_trait]
impl EployConnections for Connections {
    async fn eploy(&self, tenant: &Tenant, purpose: Purpose) -> Result<Arc<dyn Eploy>, CallError> {
        Ok(Arc::new(self.client(tenant, purpose)?))
    }
}

/// The problems of a connection's configuration, each with its key, the value and what would be valid.
pub fn validate(connection: &EployConnection) -> Vec<String> {
    check(connection).err().unwrap_or_default()
}

/// The API's address and the dialect, or all problems.
fn check(connection: &EployConnection) -> Result<(Url, Dialect), Vec<String>> {
    let mut problems = address_problems(&connection.base_url);
    if connection.daily_calls == 0 {
        problems
            .push("daily_calls is 0: no call could ever be made; 10000 is the default".to_owned());
    }
    let dialect = Dialect::from_settings(&connection.dialect);
    let api = api(&connection.base_url);
    match (dialect, api) {
        (Ok(dialect), Some(api)) if problems.is_empty() => Ok((api, dialect)),
        (dialect, _) => {
            problems.extend(dialect.err().unwrap_or_default());
            Err(problems)
        }
    }
}

/// What is wrong with the address. Which host it is, is the operator's word: the person who configures it confirms it
/// (REFERENCE.md §3: custom hosts exist). Nothing but this host is ever called.
fn address_problems(url: &Url) -> Vec<String> {
    let mut problems = Vec::new();
    let mut wrong = |why: &str| {
        // Not the whole address: it might hold a password.
        let shown = url.host_str().unwrap_or("?");
        problems.push(format!(
            "base_url (at {shown}) {why}; it must be the address at which you log in to Eploy, such as https://acme.eploy.net/"
        ));
    };
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    };
    if url.cannot_be_a_base() || url.host().is_none() {
        wrong("has no host");
    } else if url.scheme() != "https" && !(url.scheme() == "http" && loopback) {
        wrong("must begin with https://");
    }
    if !url.username().is_empty() || url.password().is_some() {
        wrong("must not hold a user name or password");
    }
    if url.query().is_some() || url.fragment().is_some() {
        wrong("must not have anything after its path");
    }
    let path = url.path().trim_end_matches('/').to_ascii_lowercase();
    if path.ends_with("/api") || path.contains("/api/") {
        wrong("must not end in /api, which is added automatically");
    }
    problems
}

/// The API below an address (REFERENCE.md §3, documented V-REQ).
fn api(base: &Url) -> Option<Url> {
    let mut api = base.clone();
    api.path_segments_mut()
        .ok()?
        .pop_if_empty()
        .push("api")
        .push("");
    Some(api)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::{Answer, Scene};

    fn connection(base_url: &str) -> EployConnection {
        serde_json::from_value(json!({"base_url": base_url})).unwrap()
    }

    #[test]
    fn the_api_lies_below_the_address() {
        for (base, expected) in [
            ("https://acme.eploy.net", "https://acme.eploy.net/api/"),
            ("https://acme.eploy.net/", "https://acme.eploy.net/api/"),
            (
                "https://jobs.acme.example/eploy",
                "https://jobs.acme.example/eploy/api/",
            ),
            (
                "http://127.0.0.1:4000/acme/",
                "http://127.0.0.1:4000/acme/api/",
            ),
        ] {
            assert_eq!(check(&connection(base)).unwrap().0.as_str(), expected);
        }
    }

    #[test]
    fn an_invalid_address_is_reported_with_what_is_valid() {
        for (base, part) in [
            ("http://acme.eploy.net/", "https://"),
            ("http://127.0.0.1.acme.example/", "https://"),
            ("https://acme.eploy.net/api/", "/api"),
            ("https://acme.eploy.net/API", "/api"),
            ("https://user:word@acme.eploy.net/", "user name"),
            ("https://acme.eploy.net/?x=1", "after its path"),
            ("mailto:acme", "no host"),
        ] {
            let problems = validate(&connection(base));
            assert_eq!(problems.len(), 1, "{base}: {problems:?}");
            assert!(
                problems[0].contains(part) && problems[0].contains("https://acme.eploy.net/"),
                "{problems:?}"
            );
            assert!(!problems[0].contains("word@"), "{problems:?}");
        }
    }

    #[test]
    fn all_problems_are_reported_at_once() {
        let mut connection = connection("http://acme.eploy.net/");
        connection.daily_calls = 0;
        connection.dialect = json!({"dates": "gmt", "x": 1}).as_object().unwrap().clone();
        assert_eq!(validate(&connection).len(), 4);
    }

    #[tokio::test]
    async fn a_tenant_that_is_configured_wrong_cannot_be_opened() {
        let scene = Scene::new(|_| Answer::ok("{}")).dialect(json!({"dates": "gmt"}));
        let error = scene.open(Purpose::Poll).await.err().unwrap();
        assert_eq!(error.code, "eploy.configuration");
        assert!(error.problem.contains("dialect.dates"), "{error}");
    }

    #[tokio::test]
    async fn a_changed_configuration_takes_effect_at_once() {
        let scene = Scene::new(|_| Answer::ok("{}"));
        scene
            .client()
            .await
            .changed_applications(None, 1)
            .await
            .unwrap();
        let scene = scene.dialect(json!({"page_size": 7}));
        scene
            .client()
            .await
            .changed_applications(None, 1)
            .await
            .unwrap();
        assert_eq!(scene.last().body["Paging"]["RecordsPerPage"], 7);
    }

    #[tokio::test]
    async fn the_granted_scopes_can_be_asked_for() {
        let scene = Scene::bare(|_| {
            Answer::ok(r#"{"access_token": "t", "scope": "applications.read, actions.insert"}"#)
        });
        let scopes = scene.inspector().granted_scopes().await.unwrap().unwrap();
        assert_eq!(
            scopes.into_iter().collect::<Vec<_>>(),
            ["actions.insert", "applications.read"]
        );
    }

    #[tokio::test]
    async fn polls_stop_before_writes_do_and_say_until_when() {
        let scene = Scene::new(|_| Answer::ok("{}")).daily(20);
        let poll = scene.client_for(Purpose::Poll).await;
        // The token is the first of the twenty, so that sixteen leave fifteen, and two more beyond their share.
        for _ in 0..15 + 2 {
            poll.changed_applications(None, 1).await.unwrap();
        }
        let error = poll.changed_applications(None, 1).await.unwrap_err();
        assert_eq!(error.code, "eploy.allowance_ours");
        assert_eq!(
            error.retry_at,
            Some("2025-01-25T00:00:00Z".parse().unwrap())
        );
        // One is reserved for the polls of the rest of the day.
        assert_eq!(poll.allowance_left().await.unwrap().calls, 1);
        let write = scene.client_for(Purpose::WriteBack).await;
        assert_eq!(write.allowance_left().await.unwrap().calls, 1);
        write.changed_applications(None, 1).await.unwrap();
    }

    #[tokio::test]
    async fn a_call_that_the_store_cannot_count_is_not_made() {
        let scene = Scene::new(|_| Answer::ok("{}"));
        scene.allowance.fail();
        let error = scene
            .client()
            .await
            .changed_applications(None, 1)
            .await
            .unwrap_err();
        assert_eq!(error.code, "eploy.allowance_store");
        assert!(scene.requests().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_took_too_long_to_count_is_not_made() {
        let scene = Scene::new(|_| Answer::ok("{}"));
        scene.allowance.slow();
        let error = scene
            .client()
            .await
            .changed_applications(None, 1)
            .await
            .unwrap_err();
        assert_eq!(error.phase, stagecall_core::error::Phase::NotSent);
        assert!(scene.requests().is_empty());
    }
}
