//! Opens platform accounts from settings, secrets and rate limits.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use jiff::SignedDuration;
use stagecall_core::clock::Clock;
use stagecall_core::error::CallError;
use stagecall_core::ids::{AccountId, TenantId};
use stagecall_core::ports::{Platform, PlatformConnections, Secrets, WebhookParser};
use stagecall_core::tenant::{PlatformConnection, Tenant};
use stagecall_core::timing::{Timing, seconds};
use stagecall_http::{Paced, RateLimit, Transport};
use url::Url;

use crate::client::Client;
use crate::credentials::{Credentials, misconfigured};
use crate::error::PlatformError;
use crate::kind::{KINDS, named};
use crate::problem;
use crate::spec::PlatformSpec;
use crate::validate::{pace, validate_as};

/// Up to this many accounts, no rate limiter is dropped.
const MIN_PACES: usize = 1000;

/// The rate limiter of each account. Only idle ones are dropped, so that no account becomes faster by it; and not with
/// each call, because that scans all of them.
struct Paces {
    by_account: HashMap<(TenantId, AccountId), Arc<Paced>>,
    forget_beyond: usize,
}

impl Default for Paces {
    fn default() -> Self {
        Self {
            by_account: HashMap::new(),
            forget_beyond: MIN_PACES,
        }
    }
}

impl Paces {
    fn forget_idle(&mut self) {
        if self.by_account.len() <= self.forget_beyond {
            return;
        }
        self.by_account
            .retain(|_, paced| Arc::strong_count(paced) > 1 || !paced.is_idle());
        self.forget_beyond = (2 * self.by_account.len()).max(MIN_PACES);
    }
}

/// Every tenant's platform accounts.
pub struct Connections {
    transport: Arc<dyn Transport>,
    secrets: Arc<dyn Secrets>,
    clock: Arc<dyn Clock>,
    call_time: SignedDuration,
    paces: Mutex<Paces>,
    kinds: &'static [&'static PlatformSpec],
}

impl Connections {
    /// Accounts that are called over `transport`, within the time limit of `timing`, each at its own rate however often
    /// it is opened. To be used within a Tokio runtime.
    pub fn new(
        transport: Arc<dyn Transport>,
        secrets: Arc<dyn Secrets>,
        clock: Arc<dyn Clock>,
        timing: &Timing,
    ) -> Self {
        Self {
            transport,
            secrets,
            clock,
            call_time: seconds(timing.call_seconds),
            paces: Mutex::default(),
            kinds: KINDS,
        }
    }

    /// The same, with these platforms in place of [`KINDS`].
    pub fn with_kinds(self, kinds: &'static [&'static PlatformSpec]) -> Self {
        Self { kinds, ..self }
    }

    pub(crate) async fn open(
        &self,
        tenant: &Tenant,
        account: &AccountId,
    ) -> Result<Client, CallError> {
        let connection = tenant.platforms.get(account).ok_or_else(|| {
            self.error(misconfigured(
                problem::UNKNOWN_ACCOUNT.code,
                format!("the tenant has no platform account \"{account}\""),
                problem::UNKNOWN_ACCOUNT.remedy,
            ))
        })?;
        let (kind, base) = opened(self.kinds, connection).map_err(|fault| self.error(fault))?;
        let credentials = Credentials {
            secrets: self.secrets.clone(),
            tenant: tenant.id.clone(),
            account: account.clone(),
            base: base.clone(),
            settings: connection.settings.clone(),
            clock: self.clock.clone(),
            used: Mutex::default(),
        };
        let adapter = credentials.open(kind, false, OPENING).await?;
        Ok(Client {
            kind,
            base,
            adapter: Mutex::new(adapter),
            credentials,
            transport: self.paced(&tenant.id, account, pace(kind, &connection.settings)),
            clock: self.clock.clone(),
            call_time: self.call_time,
        })
    }

    /// The transport of one account, with its rate limit.
    fn paced(&self, tenant: &TenantId, account: &AccountId, pace: RateLimit) -> Arc<dyn Transport> {
        let mut paces = self.paces.lock().unwrap_or_else(PoisonError::into_inner);
        paces.forget_idle();
        let key = (tenant.clone(), account.clone());
        match paces.by_account.get(&key) {
            Some(known) if known.pace() == pace => known.clone(),
            _ => {
                let new = Arc::new(Paced::new(self.transport.clone(), pace));
                paces.by_account.insert(key, new.clone());
                new
            }
        }
    }

    /// Adds clock and operation to an error before any call.
    fn error(&self, fault: PlatformError) -> CallError {
        fault.during(OPENING, self.clock.now(), SignedDuration::ZERO)
    }
}

const OPENING: &str = "open the platform account";

#[async_trait]
impl PlatformConnections for Connections {
    async fn platform(
        &self,
        tenant: &Tenant,
        account: &AccountId,
    ) -> Result<Arc<dyn Platform>, CallError> {
        Ok(Arc::new(self.open(tenant, account).await?))
    }

    fn title(&self, tenant: &Tenant, account: &AccountId) -> String {
        let Some(connection) = tenant.platforms.get(account) else {
            return "the platform".to_owned();
        };
        let kind = named(self.kinds, &connection.kind);
        kind.map_or(connection.kind.as_str(), |kind| kind.title)
            .to_owned()
    }

    fn reader(&self, tenant: &Tenant, account: &AccountId) -> Option<Arc<dyn WebhookParser>> {
        let connection = tenant.platforms.get(account)?;
        Some(named(self.kinds, &connection.kind)?.reader?())
    }
}

/// The kind and the base address of a valid connection.
fn opened(
    kinds: &[&'static PlatformSpec],
    connection: &PlatformConnection,
) -> Result<(&'static PlatformSpec, Url), PlatformError> {
    let wrong =
        |problem: String| misconfigured(problem::SETTINGS.code, problem, problem::SETTINGS.remedy);
    let problems = validate_as(kinds, connection);
    let Some(kind) = named(kinds, &connection.kind).filter(|_| problems.is_empty()) else {
        return Err(wrong(problems.join("; ")));
    };
    let mut base = match &connection.base_url {
        Some(base) => base.clone(),
        None => Url::parse(kind.base_url).map_err(|error| wrong(error.to_string()))?,
    };
    if !base.path().ends_with('/') {
        base.set_path(&format!("{}/", base.path()));
    }
    Ok((kind, base))
}
