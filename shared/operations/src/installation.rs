//! The installation that operators work on: the ports of one store of either kind, and what reaches the tenants' systems.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use stagecall_core::app::Ports;
use stagecall_core::clock::Clock;
use stagecall_core::engine::{DefinitionCache, Engine};
use stagecall_core::error::StoreError;
use stagecall_core::events::DomainEvent;
use stagecall_core::ids::TenantId;
use stagecall_core::ports::{
    Allowance, Announcements, Definitions, Deliveries, Events, Hrms, Ledger, OperatorStore, Queue,
    Saved, Secrets, SecretsWriter, Sweeps, TenantSecret, TenantStates, Tenants,
};
use stagecall_core::tenant::Tenant;
use stagecall_core::timing::Timing;
use stagecall_http::Transport;
use url::Url;

use crate::error::{Error, Result};
use crate::time::local;

/// Attempts to change credentials that others change at the same time.
const MAX_SECRET_ATTEMPTS: usize = 5;

/// What hosts an installation, where advice depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hosting {
    /// `stagecall serve` on one machine, with `SQLite`.
    Embedded,
    /// Functions on AWS.
    Serverless,
}

/// A queue's dead letters: work that failed as often as its queue allows.
#[async_trait]
pub trait DeadQueue: Send + Sync {
    /// The queue's name, as the functions call it.
    fn name(&self) -> &str;

    /// The approximate number of dead letters.
    async fn count(&self) -> std::result::Result<usize, StoreError>;

    /// Some of them, in a line each. They stay in the queue.
    async fn sample(&self) -> std::result::Result<Vec<String>, StoreError>;

    /// Sends at most `most` of them back to be tried again. Returns the number.
    async fn redrive(&self, most: usize) -> std::result::Result<usize, StoreError>;
}

/// What an installation is made of, beside its store.
pub struct Surroundings {
    /// The store's name for people (`sqlite:stagecall.db`, `aws:stagecall-prod`).
    pub name: String,
    /// What hosts it.
    pub hosting: Hosting,
    /// All tenants' secrets: those in the store, and those that a configuration file describes.
    pub secrets: Arc<dyn Secrets>,
    /// The secrets in the store.
    pub vault: Arc<dyn SecretsWriter>,
    /// Where work is handed out.
    pub queue: Arc<dyn Queue>,
    /// Empty if there are no queues outside the process.
    pub dead_letters: Vec<Box<dyn DeadQueue>>,
    /// The way to the tenants' systems.
    pub transport: Arc<dyn Transport>,
    /// The client of the tenants' HRMS.
    pub hrms: Arc<dyn Hrms>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Intervals and limits.
    pub timing: Timing,
    /// Whether http and loopback addresses are allowed.
    pub sandbox: bool,
    /// The address that platforms call, if it is known.
    pub public_url: Option<Url>,
    /// The zone in which answers name times.
    pub zone: TimeZone,
}

/// Everything that operations work with.
pub struct Installation {
    /// The store's name for people (`sqlite:stagecall.db`, `aws:stagecall-prod`).
    pub name: String,
    /// What hosts it.
    pub hosting: Hosting,
    /// The invitations.
    pub ledger: Arc<dyn Ledger>,
    /// What sweeps of platforms' lists remember.
    pub sweeps: Arc<dyn Sweeps>,
    /// The tenants' configurations.
    pub tenants: Arc<dyn Tenants>,
    /// The definitions of mappings, by version.
    pub definitions: Arc<dyn Definitions>,
    /// What polls remember.
    pub states: Arc<dyn TenantStates>,
    /// The calls of the day.
    pub allowance: Arc<dyn Allowance>,
    /// The callbacks that arrived.
    pub deliveries: Arc<dyn Deliveries>,
    /// What only operators ask of the store.
    pub records: Arc<dyn OperatorStore>,
    /// The hires that were announced.
    pub announcements: Arc<dyn Announcements>,
    /// All tenants' secrets: those in the store, and those that a configuration file describes.
    pub secrets: Arc<dyn Secrets>,
    /// The secrets in the store.
    pub vault: Arc<dyn SecretsWriter>,
    /// Where work is handed out.
    pub queue: Arc<dyn Queue>,
    /// Empty if there are no queues outside the process.
    pub dead_letters: Vec<Box<dyn DeadQueue>>,
    /// The way to the tenants' systems.
    pub transport: Arc<dyn Transport>,
    /// The client of the tenants' HRMS.
    pub hrms: Arc<dyn Hrms>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Intervals and limits.
    pub timing: Arc<Timing>,
    /// Whether http and loopback addresses are allowed.
    pub sandbox: bool,
    /// The address that platforms call, if it is known.
    pub public_url: Option<Url>,
    /// The zone in which answers name times.
    pub zone: TimeZone,
}

impl Installation {
    /// An installation with this store.
    pub fn new<S>(store: &Arc<S>, around: Surroundings) -> Self
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
            name: around.name,
            hosting: around.hosting,
            ledger: store.clone(),
            sweeps: store.clone(),
            tenants: store.clone(),
            definitions: DefinitionCache::over(store.clone()),
            states: store.clone(),
            allowance: store.clone(),
            deliveries: store.clone(),
            records: store.clone(),
            announcements: store.clone(),
            secrets: around.secrets,
            vault: around.vault,
            queue: around.queue,
            dead_letters: around.dead_letters,
            transport: around.transport,
            hrms: around.hrms,
            clock: around.clock,
            timing: Arc::new(around.timing),
            sandbox: around.sandbox,
            public_url: around.public_url,
            zone: around.zone,
        }
    }

    /// The engine for use cases that change invitations.
    pub fn engine(&self) -> Engine {
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

    /// The ports of use cases.
    pub fn ports(&self) -> Ports {
        Ports {
            engine: self.engine(),
            states: self.states.clone(),
            announcements: self.announcements.clone(),
            deliveries: self.deliveries.clone(),
            secrets: self.secrets.clone(),
            eploy: Arc::new(self.eploy()),
            platforms: Arc::new(self.platforms()),
            hrms: self.hrms.clone(),
        }
    }

    /// Connections to the tenants' Eploys, every call counted in the store.
    pub fn eploy(&self) -> stagecall_eploy::Connections {
        self.eploy_by(self.transport.clone(), self.allowance.clone())
    }

    /// Connections to the tenants' Eploys over this transport, every call counted in `allowance`.
    pub fn eploy_by(
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
    pub fn platforms(&self) -> stagecall_platforms::Connections {
        stagecall_platforms::Connections::new(
            self.transport.clone(),
            self.secrets.clone(),
            self.clock.clone(),
            &self.timing,
        )
    }

    /// Changes a tenant's credentials; retried if somebody else changed them meanwhile. `change` gets the current ones, if
    /// there are any.
    ///
    /// # Errors
    /// What `change` returns, or the store fails.
    pub async fn change_secret<E: From<Error>>(
        &self,
        tenant: &TenantId,
        change: impl Fn(Option<&TenantSecret>) -> std::result::Result<TenantSecret, E>,
    ) -> std::result::Result<TenantSecret, E> {
        for _ in 0..MAX_SECRET_ATTEMPTS {
            // The store's error for missing credentials looks like its other errors; those show again on writing.
            let before = self.vault.secret(tenant, true).await.ok();
            let secret = change(before.as_ref())?;
            let saved = self.vault.put_secret(tenant, before.as_ref(), &secret);
            if saved.await.map_err(Error::from)? == Saved::Saved {
                return Ok(secret);
            }
        }
        let busy = format!("the credentials of {tenant} keep changing; try again");
        Err(Error::Busy(busy).into())
    }

    /// The configured tenant of this name.
    ///
    /// # Errors
    /// There is none, or the store fails.
    pub async fn tenant(&self, name: &str) -> Result<Tenant> {
        let found = self.tenants.tenant(&TenantId::new(name)).await?;
        found.ok_or_else(|| self.no_tenant(name))
    }

    /// The configured tenants of these names; all if there is none.
    ///
    /// # Errors
    /// There is no tenant of one of the names, or the store fails.
    pub async fn tenants_named(&self, names: &[String]) -> Result<Vec<Tenant>> {
        if names.is_empty() {
            return Ok(self.records.list_tenants().await?);
        }
        let mut tenants = Vec::new();
        for name in names {
            tenants.push(self.tenant(name).await?);
        }
        Ok(tenants)
    }

    /// The id of a tenant that is or was configured, and has saved data.
    ///
    /// # Errors
    /// There is none, or the store fails.
    pub async fn known_tenant(&self, name: &str) -> Result<TenantId> {
        let id = TenantId::new(name);
        if self.tenants.tenant(&id).await?.is_some() || !self.records.counts(&id).await?.is_empty()
        {
            return Ok(id);
        }
        Err(self.no_tenant(name))
    }

    /// The tenants to work on: the named one, else all.
    ///
    /// # Errors
    /// There is none of that name, or the store fails.
    pub async fn named_or_all(&self, name: Option<&str>) -> Result<Vec<TenantId>> {
        Ok(match name {
            Some(name) => vec![self.known_tenant(name).await?],
            None => {
                let tenants = self.records.list_tenants().await?;
                tenants.into_iter().map(|tenant| tenant.id).collect()
            }
        })
    }

    fn no_tenant(&self, name: &str) -> Error {
        Error::NotFound(format!(
            "there is no tenant {name} in {}. List the tenants with: stagecall tenant list",
            self.name
        ))
    }

    /// A time in the installation's zone.
    pub fn local(&self, at: Timestamp) -> String {
        local(at, &self.zone)
    }
}

/// Nobody subscribes to what operators do; the functions and the host publish what follows from it.
struct NoopEvents;

#[async_trait]
impl Events for NoopEvents {
    async fn publish(&self, _: Vec<DomainEvent>) {}
}
