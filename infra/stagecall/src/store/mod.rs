//! The installation that a command works on: one store of either kind, opened as ports.

mod arguments;
#[cfg(feature = "aws")]
mod aws;
mod sqlite;

use std::sync::Arc;

use async_trait::async_trait;
use stagecall_core::clock::{Clock, SystemClock};
use stagecall_core::error::StoreError;
use stagecall_core::events::DomainEvent;
use stagecall_core::ids::TenantId;
use stagecall_core::ports::{
    Allowance, Announcements, Definitions, Deliveries, Events, Ledger, OperatorStore, Queue, Saved,
    Secrets, SecretsWriter, Sweeps, TenantSecret, TenantStates, Tenants,
};
use stagecall_core::tenant::Tenant;
use stagecall_core::timing::Timing;
use stagecall_core::usecases::{DefinitionCache, Engine};
use stagecall_core::work::Work;
use stagecall_http::{Guard, Sender, Transport};
use url::Url;

use crate::config::{self, Config};
use crate::exit;

pub(crate) use arguments::{Arguments, StoreUrl};

const DEFAULT_FILE: &str = "stagecall.db";

/// Attempts to change credentials that others change at the same time.
const MAX_SECRET_ATTEMPTS: usize = 5;

/// Everything that commands work with.
pub(crate) struct Installation {
    pub(crate) place: StoreUrl,
    pub(crate) ledger: Arc<dyn Ledger>,
    pub(crate) sweeps: Arc<dyn Sweeps>,
    pub(crate) tenants: Arc<dyn Tenants>,
    pub(crate) definitions: Arc<dyn Definitions>,
    pub(crate) states: Arc<dyn TenantStates>,
    pub(crate) allowance: Arc<dyn Allowance>,
    pub(crate) deliveries: Arc<dyn Deliveries>,
    pub(crate) records: Arc<dyn OperatorStore>,
    pub(crate) announcements: Arc<dyn Announcements>,
    /// All tenants' secrets: those in the store, and those that the configuration file describes.
    pub(crate) secrets: Arc<dyn Secrets>,
    /// The secrets in the store.
    pub(crate) vault: Arc<dyn SecretsWriter>,
    pub(crate) queue: Arc<dyn Queue>,
    /// Empty if there are no queues outside the process.
    pub(crate) dead: Vec<Box<dyn DeadQueue>>,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) timing: Arc<Timing>,
    /// Whether http and loopback addresses are allowed.
    pub(crate) sandbox: bool,
    /// The address that platforms call, if the configuration file has one.
    pub(crate) public_url: Option<Url>,
}

/// A queue's dead letters: work that failed as often as its queue allows.
#[async_trait]
pub(crate) trait DeadQueue: Send + Sync {
    fn name(&self) -> &str;

    /// The approximate number of dead letters.
    async fn count(&self) -> Result<usize, StoreError>;

    /// Some of them, in a line each. They stay in the queue.
    async fn sample(&self) -> Result<Vec<String>, StoreError>;

    /// Sends at most `most` of them back to be tried again. Returns the number.
    async fn redrive(&self, most: usize) -> Result<usize, StoreError>;
}

struct Opened {
    ledger: Arc<dyn Ledger>,
    sweeps: Arc<dyn Sweeps>,
    tenants: Arc<dyn Tenants>,
    definitions: Arc<dyn Definitions>,
    states: Arc<dyn TenantStates>,
    allowance: Arc<dyn Allowance>,
    deliveries: Arc<dyn Deliveries>,
    records: Arc<dyn OperatorStore>,
    announcements: Arc<dyn Announcements>,
    secrets: Arc<dyn Secrets>,
    vault: Arc<dyn SecretsWriter>,
    queue: Arc<dyn Queue>,
    dead: Vec<Box<dyn DeadQueue>>,
}

impl Opened {
    /// The ports of a store that implements all of them.
    fn of<S>(
        store: &Arc<S>,
        secrets: Arc<dyn Secrets>,
        vault: Arc<dyn SecretsWriter>,
        queue: Arc<dyn Queue>,
    ) -> Self
    where
        S: Ledger
            + Sweeps
            + Tenants
            + Definitions
            + TenantStates
            + Allowance
            + Deliveries
            + OperatorStore
            + Announcements
            + 'static,
    {
        Self {
            ledger: store.clone(),
            sweeps: store.clone(),
            tenants: store.clone(),
            definitions: DefinitionCache::over(store.clone()),
            states: store.clone(),
            allowance: store.clone(),
            deliveries: store.clone(),
            records: store.clone(),
            announcements: store.clone(),
            secrets,
            vault,
            queue,
            dead: Vec::new(),
        }
    }
}

impl Installation {
    /// Looks whether all of the store hangs together, where that can break.
    pub(crate) async fn verify(&self) -> Result<(), StoreError> {
        match &self.place {
            StoreUrl::Sqlite(path) => stagecall_embedded::Store::open(path)?.verify().await,
            StoreUrl::Aws(_) => Ok(()),
        }
    }

    /// Opens what is there; a store that does not exist is an error.
    pub(crate) async fn open(arguments: &Arguments) -> anyhow::Result<Self> {
        Self::find(arguments, false).await
    }

    /// Opens the store, and creates the `SQLite` file if there is none.
    pub(crate) async fn open_or_create(arguments: &Arguments) -> anyhow::Result<Self> {
        Self::find(arguments, true).await
    }

    #[cfg_attr(
        not(feature = "aws"),
        allow(clippy::unused_async, reason = "a stack is looked up over the network")
    )]
    async fn find(arguments: &Arguments, create: bool) -> anyhow::Result<Self> {
        let config = load(arguments)?;
        let place = place(arguments, config.as_ref());
        let sandbox =
            arguments.sandbox || config.as_ref().is_some_and(|config| config.host.sandbox);
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let opened = match &place {
            StoreUrl::Sqlite(path) => {
                if !create && !path.exists() {
                    return Err(exit::usage(format!(
                        "there is no store at {}. Name it with --store sqlite:PATH or --store aws:STACK, or add a first tenant with: stagecall tenant add",
                        path.display()
                    )));
                }
                sqlite::open(path, config.as_ref(), clock.clone())?
            }
            #[cfg(feature = "aws")]
            StoreUrl::Aws(stack) => aws::open(stack, clock.clone()).await?,
            #[cfg(not(feature = "aws"))]
            StoreUrl::Aws(stack) => {
                return Err(exit::usage(format!(
                    "this command was built without AWS and cannot open aws:{stack}. Build it with: cargo install --path infra/stagecall --features aws"
                )));
            }
        };
        let public_url = config
            .as_ref()
            .and_then(|config| config.host.public_url.clone());
        let timing = config.map(|config| config.timing).unwrap_or_default();
        Ok(Self {
            place,
            ledger: opened.ledger,
            sweeps: opened.sweeps,
            tenants: opened.tenants,
            definitions: opened.definitions,
            states: opened.states,
            allowance: opened.allowance,
            deliveries: opened.deliveries,
            records: opened.records,
            announcements: opened.announcements,
            secrets: opened.secrets,
            vault: opened.vault,
            queue: opened.queue,
            dead: opened.dead,
            transport: Arc::new(Sender::new(guard(sandbox))?),
            clock,
            timing: Arc::new(timing),
            sandbox,
            public_url,
        })
    }

    /// The engine for use cases that change invitations.
    pub(crate) fn engine(&self) -> Engine {
        Engine {
            ledger: self.ledger.clone(),
            sweeps: self.sweeps.clone(),
            tenants: self.tenants.clone(),
            definitions: self.definitions.clone(),
            queue: self.queue.clone(),
            events: Arc::new(NoopEvents),
            clock: self.clock.clone(),
            timing: self.timing.clone(),
        }
    }

    /// Connections to the tenants' Eploys, every call counted in the store.
    pub(crate) fn eploy(&self) -> stagecall_eploy::Connections {
        self.eploy_by(self.transport.clone(), self.allowance.clone())
    }

    /// Connections to the tenants' Eploys over this transport, every call counted in `allowance`.
    pub(crate) fn eploy_by(
        &self,
        transport: Arc<dyn Transport>,
        allowance: Arc<dyn Allowance>,
    ) -> stagecall_eploy::Connections {
        stagecall_eploy::Connections::new(
            transport,
            self.secrets.clone(),
            allowance,
            self.clock.clone(),
            &self.timing,
        )
        .counting_each_call()
    }

    /// Connections to the tenants' platform accounts.
    pub(crate) fn platforms(&self) -> stagecall_platforms::Connections {
        stagecall_platforms::Connections::new(
            self.transport.clone(),
            self.secrets.clone(),
            self.clock.clone(),
            &self.timing,
        )
    }

    /// Changes a tenant's credentials; retried if somebody else changed them meanwhile. `change` gets the current ones, if
    /// there are any.
    pub(crate) async fn change_secret(
        &self,
        tenant: &TenantId,
        change: impl Fn(Option<&TenantSecret>) -> anyhow::Result<TenantSecret>,
    ) -> anyhow::Result<TenantSecret> {
        for _ in 0..MAX_SECRET_ATTEMPTS {
            // The store's error for missing credentials looks like its other errors; those show again on writing.
            let before = self.vault.secret(tenant, true).await.ok();
            let secret = change(before.as_ref())?;
            let saved = self.vault.put_secret(tenant, before.as_ref(), &secret);
            if saved.await? == Saved::Saved {
                return Ok(secret);
            }
        }
        anyhow::bail!("the credentials of {tenant} keep changing; try again")
    }

    /// The tenant of this name, or an error that exits with 4.
    pub(crate) async fn tenant(&self, name: &str) -> anyhow::Result<Tenant> {
        let id = TenantId::new(name);
        self.tenants.tenant(&id).await?.ok_or_else(|| {
            exit::not_found(format!(
                "there is no tenant {name} in {}. List the tenants with: stagecall tenant list",
                self.place
            ))
        })
    }
}

pub(crate) fn load(arguments: &Arguments) -> anyhow::Result<Option<Config>> {
    let Some(file) = &arguments.config else {
        return Ok(None);
    };
    config::load(file)
        .map(Some)
        .map_err(|wrong| exit::usage(wrong.to_string()))
}

/// The store that is named, else the one of the configuration file, else the default file.
pub(crate) fn place(arguments: &Arguments, config: Option<&Config>) -> StoreUrl {
    match (&arguments.store, config) {
        (Some(place), _) => place.clone(),
        (None, Some(config)) => StoreUrl::Sqlite(config.host.store.clone()),
        (None, None) => StoreUrl::Sqlite(DEFAULT_FILE.into()),
    }
}

/// The addresses that may be called.
pub(crate) fn guard(sandbox: bool) -> Guard {
    if sandbox {
        Guard::Sandbox
    } else {
        Guard::Public
    }
}

/// Nobody subscribes to what a command does; the functions and the host publish what follows from it.
struct NoopEvents;

#[async_trait]
impl Events for NoopEvents {
    async fn publish(&self, _: Vec<DomainEvent>) {}
}

/// The host of the store looks for due work on its own, several times a second.
struct NoopQueue;

#[async_trait]
impl Queue for NoopQueue {
    async fn push(&self, _: Vec<Work>) -> Result<(), StoreError> {
        Ok(())
    }

    fn is_durable(&self) -> bool {
        false
    }
}
