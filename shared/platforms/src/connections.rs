//! Opens platform accounts from settings, secrets and rate limits.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::SignedDuration;
use secrecy::ExposeSecret as _;
use sha2::{Digest as _, Sha256};
use stagecall_core::clock::Clock;
use stagecall_core::error::{CallError, ProblemCode, StoreError};
use stagecall_core::ids::{AccountId, TenantId};
use stagecall_core::ports::{
    Platform, PlatformConnections, PlatformSecret, Secrets, WebhookParser,
};
use stagecall_core::tenant::{PlatformConnection, Settings, Tenant};
use stagecall_core::timing::{Timing, seconds};
use stagecall_http::{Paced, RateLimit, Transport};
use url::Url;

use crate::adapter::{Account, Adapter};
use crate::client::Client;
use crate::error::PlatformError;
use crate::kind::{PlatformSpec, kind};
use crate::problem;
use crate::settings::{Secret, pace, validate};

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
        }
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
        let (kind, base) = opened(connection).map_err(|fault| self.error(fault))?;
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

    fn reader(&self, tenant: &Tenant, account: &AccountId) -> Option<Arc<dyn WebhookParser>> {
        let connection = tenant.platforms.get(account)?;
        Some(kind(&connection.kind)?.reader?())
    }
}

/// The kind and the base address of a valid connection.
fn opened(connection: &PlatformConnection) -> Result<(&'static PlatformSpec, Url), PlatformError> {
    let wrong =
        |problem: String| misconfigured(problem::SETTINGS.code, problem, problem::SETTINGS.remedy);
    let problems = validate(connection);
    let Some(kind) = kind(&connection.kind).filter(|_| problems.is_empty()) else {
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

fn misconfigured(code: ProblemCode, problem: String, remedy: &str) -> PlatformError {
    PlatformError::not_sent(code, problem, remedy).of_connection()
}

/// Opens an account's adapter, and opens it again when its credentials are refused.
pub(crate) struct Credentials {
    secrets: Arc<dyn Secrets>,
    tenant: TenantId,
    account: AccountId,
    base: Url,
    settings: Settings,
    clock: Arc<dyn Clock>,
    used: Mutex<PlatformSecret>,
}

impl Credentials {
    /// An adapter with the currently stored secret, or `None` if that is the refused one.
    pub async fn renew(
        &self,
        kind: &'static PlatformSpec,
        operation: &'static str,
    ) -> Result<Option<Arc<dyn Adapter>>, CallError> {
        let before = self.used().clone();
        let adapter = self.open(kind, true, operation).await?;
        Ok(Some(adapter).filter(|_| !same(&before, &self.used())))
    }

    async fn open(
        &self,
        kind: &'static PlatformSpec,
        fresh: bool,
        operation: &'static str,
    ) -> Result<Arc<dyn Adapter>, CallError> {
        let error =
            |fault: PlatformError| fault.during(operation, self.clock.now(), SignedDuration::ZERO);
        let mut secret = self
            .secrets
            .secret(&self.tenant, fresh)
            .await
            .map_err(|problem| error(unread(&problem)))?;
        let secret = secret.platforms.remove(&self.account).unwrap_or_default();
        let missing: Vec<_> = kind
            .secrets
            .iter()
            .filter(|required| !is_valid(&secret, required))
            .map(|required| format!("{} ({})", required.key, required.about))
            .collect();
        if !missing.is_empty() {
            return Err(error(misconfigured(
                problem::NO_SECRET.code,
                format!(
                    "the secret of the platform account \"{}\" lacks, or has with unprintable characters: {}",
                    self.account,
                    missing.join(", ")
                ),
                problem::NO_SECRET.remedy,
            )));
        }
        *self.used() = secret.clone();
        (kind.open)(Account {
            base: self.base.clone(),
            settings: self.settings.clone(),
            secret,
        })
        .map_err(error)
    }

    /// A digest of an address under a key derived from the account's secret: the digest alone does not allow to test
    /// addresses. Another secret gives another digest, so one stored before a rotation finds nobody.
    pub fn address_digest(&self, email: &str) -> Option<String> {
        /// 128 bits distinguish the addresses of one list.
        const BYTES: usize = 16;
        let used = self.used();
        if used.0.is_empty() {
            return None;
        }
        let mut key = Sha256::new();
        key.update(b"stagecall address digest");
        for (name, value) in &used.0 {
            for part in [name.as_bytes(), value.expose_secret().as_bytes()] {
                key.update((part.len() as u64).to_be_bytes());
                key.update(part);
            }
        }
        let mut mac = Hmac::<Sha256>::new_from_slice(&key.finalize()).ok()?;
        mac.update(email.trim().to_lowercase().as_bytes());
        Some(hex::encode(&mac.finalize().into_bytes()[..BYTES]))
    }

    fn used(&self) -> std::sync::MutexGuard<'_, PlatformSecret> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unread(problem: &StoreError) -> PlatformError {
    PlatformError::not_sent(
        problem::SECRET_UNREAD.code,
        format!("the credentials could not be read: {problem}"),
        problem::SECRET_UNREAD.remedy,
    )
    .of_connection()
}

/// Whether a secret is present if required, and can go into a header.
fn is_valid(secret: &PlatformSecret, required: &Secret) -> bool {
    let value = secret
        .0
        .get(required.key)
        .map_or("", |value| value.expose_secret().trim());
    let printable = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
    (required.optional || !value.is_empty()) && value.bytes().all(printable)
}

fn same(one: &PlatformSecret, other: &PlatformSecret) -> bool {
    one.0.len() == other.0.len()
        && one
            .0
            .iter()
            .zip(&other.0)
            .all(|((key, value), (other_key, other_value))| {
                key == other_key && value.expose_secret() == other_value.expose_secret()
            })
}
