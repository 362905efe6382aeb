//! Opens platform accounts: settings, secrets and pace come together here.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use jiff::SignedDuration;
use secrecy::ExposeSecret as _;
use stagecall_core::clock::Clock;
use stagecall_core::error::{CallError, ProblemCode, StoreError};
use stagecall_core::ids::{AccountId, TenantId};
use stagecall_core::ports::{
    DeliveryReader, Platform, PlatformConnections, PlatformSecret, Secrets,
};
use stagecall_core::tenant::{PlatformConnection, Settings, Tenant};
use stagecall_core::timing::{Timing, seconds};
use stagecall_http::{Pace, Paced, Transport};
use url::Url;

use crate::adapter::{Account, Adapter};
use crate::client::Client;
use crate::fault::Fault;
use crate::kind::{Kind, kind};
use crate::problem;
use crate::settings::{Secret, pace, validate};

/// Beyond this many accounts, the paces of those that nobody is using are forgotten.
const PACES: usize = 1000;

type Paces = HashMap<(TenantId, AccountId), (Pace, Arc<dyn Transport>)>;

/// Every tenant's platform accounts.
pub struct Connections {
    transport: Arc<dyn Transport>,
    secrets: Arc<dyn Secrets>,
    clock: Arc<dyn Clock>,
    call_time: SignedDuration,
    paces: Mutex<Paces>,
}

impl Connections {
    /// Accounts that are called over `transport`, within the time limit of `timing`, each at its own pace however
    /// often it is opened. To be used within a Tokio runtime.
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

    /// The transport of one account, at its pace.
    fn paced(&self, tenant: &TenantId, account: &AccountId, pace: Pace) -> Arc<dyn Transport> {
        let mut paces = self.paces.lock().unwrap_or_else(PoisonError::into_inner);
        if paces.len() > PACES {
            paces.retain(|_, (_, transport)| Arc::strong_count(transport) > 1);
        }
        let key = (tenant.clone(), account.clone());
        match paces.get(&key) {
            Some((same, transport)) if *same == pace => transport.clone(),
            _ => {
                let transport: Arc<dyn Transport> =
                    Arc::new(Paced::new(self.transport.clone(), pace));
                paces.insert(key, (pace, transport.clone()));
                transport
            }
        }
    }

    /// Puts the clock and the operation to a fault before any call.
    fn error(&self, fault: Fault) -> CallError {
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

    fn reader(&self, tenant: &Tenant, account: &AccountId) -> Option<Arc<dyn DeliveryReader>> {
        let connection = tenant.platforms.get(account)?;
        Some(kind(&connection.kind)?.reader?())
    }
}

/// The kind and the base address of a connection that has nothing wrong with it.
fn opened(connection: &PlatformConnection) -> Result<(&'static Kind, Url), Fault> {
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

fn misconfigured(code: ProblemCode, problem: String, remedy: &str) -> Fault {
    Fault::not_sent(code, problem, remedy).of_connection()
}

/// Where an account's adapter comes from, and comes from again when its credentials are refused.
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
    /// An adapter with the secret as it is stored now, or `None` if that is the one which was refused.
    pub async fn renew(
        &self,
        kind: &'static Kind,
        operation: &'static str,
    ) -> Result<Option<Arc<dyn Adapter>>, CallError> {
        let before = self.used().clone();
        let adapter = self.open(kind, true, operation).await?;
        Ok(Some(adapter).filter(|_| !same(&before, &self.used())))
    }

    async fn open(
        &self,
        kind: &'static Kind,
        fresh: bool,
        operation: &'static str,
    ) -> Result<Arc<dyn Adapter>, CallError> {
        let error = |fault: Fault| fault.during(operation, self.clock.now(), SignedDuration::ZERO);
        let mut secret = self
            .secrets
            .secret(&self.tenant, fresh)
            .await
            .map_err(|problem| error(unread(&problem)))?;
        let secret = secret.platforms.remove(&self.account).unwrap_or_default();
        let missing: Vec<_> = kind
            .secrets
            .iter()
            .filter(|wanted| !given(&secret, wanted))
            .map(|wanted| format!("{} ({})", wanted.key, wanted.about))
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

    fn used(&self) -> std::sync::MutexGuard<'_, PlatformSecret> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unread(problem: &StoreError) -> Fault {
    Fault::not_sent(
        problem::SECRET_UNREAD.code,
        format!("the credentials could not be read: {problem}"),
        problem::SECRET_UNREAD.remedy,
    )
    .of_connection()
}

/// Whether a secret is there if it has to be, and can go into a header.
fn given(secret: &PlatformSecret, wanted: &Secret) -> bool {
    let value = secret
        .0
        .get(wanted.key)
        .map_or("", |value| value.expose_secret().trim());
    let printable = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
    (wanted.optional || !value.is_empty()) && value.bytes().all(printable)
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
