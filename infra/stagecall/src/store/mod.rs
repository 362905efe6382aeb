//! Opens the installation that a command works on: a store of either kind.

mod arguments;
#[cfg(feature = "aws")]
mod aws;
mod sqlite;

use std::sync::Arc;

use async_trait::async_trait;
use jiff::tz::TimeZone;
use stagecall_core::clock::{Clock, SystemClock};
use stagecall_core::error::StoreError;
use stagecall_core::ports::{Queue, Secrets, SecretsWriter};
use stagecall_core::work::Work;
use stagecall_hrms::HrmsClient;
use stagecall_http::{Guard, Sender};
use stagecall_operations::{DeadQueue, Hosting, Installation, Surroundings};

use crate::config::{self, Config};
use crate::exit;

pub(crate) use arguments::{Arguments, StoreUrl};

const DEFAULT_FILE: &str = "stagecall.db";

/// Opens what is there; a store that does not exist is an error.
pub(crate) async fn open(arguments: &Arguments) -> anyhow::Result<Installation> {
    find(arguments, false).await
}

/// Opens the store, and creates the `SQLite` file if there is none.
pub(crate) async fn open_or_create(arguments: &Arguments) -> anyhow::Result<Installation> {
    find(arguments, true).await
}

#[cfg_attr(
    not(feature = "aws"),
    allow(clippy::unused_async, reason = "a stack is looked up over the network")
)]
async fn find(arguments: &Arguments, create: bool) -> anyhow::Result<Installation> {
    let config = load(arguments)?;
    let sandbox = arguments.sandbox || config.as_ref().is_some_and(|config| config.host.sandbox);
    let common = Common {
        transport: Arc::new(Sender::new(guard(sandbox))?),
        clock: Arc::new(SystemClock),
        sandbox,
        config,
    };
    match place(arguments, common.config.as_ref()) {
        StoreUrl::Sqlite(path) if !create && !path.exists() => Err(exit::usage(format!(
            "there is no store at {}. Name it with --store sqlite:PATH or --store aws:STACK, or add a first tenant with: stagecall tenant add",
            path.display()
        ))),
        StoreUrl::Sqlite(path) => sqlite::open(&path, common),
        #[cfg(feature = "aws")]
        StoreUrl::Aws(stack) => aws::open(&stack, common).await,
        #[cfg(not(feature = "aws"))]
        StoreUrl::Aws(stack) => Err(exit::usage(format!(
            "this command was built without AWS and cannot open aws:{stack}. Build it with: cargo install --path infra/stagecall --features aws"
        ))),
    }
}

/// What does not depend on the kind of store.
struct Common {
    transport: Arc<Sender>,
    clock: Arc<dyn Clock>,
    sandbox: bool,
    config: Option<Config>,
}

impl Common {
    fn surroundings(
        self,
        place: &StoreUrl,
        hosting: Hosting,
        secrets: Arc<dyn Secrets>,
        vault: Arc<dyn SecretsWriter>,
        queue: Arc<dyn Queue>,
        dead_letters: Vec<Box<dyn DeadQueue>>,
    ) -> Surroundings {
        let config = self.config;
        let timing = config.as_ref().map(|config| config.timing.clone());
        let timing = timing.unwrap_or_default();
        let hrms = HrmsClient::new(self.transport.clone(), secrets.clone(), &timing);
        Surroundings {
            name: place.to_string(),
            hosting,
            secrets,
            vault,
            queue,
            dead_letters,
            transport: self.transport,
            hrms: Arc::new(hrms),
            clock: self.clock,
            sandbox: self.sandbox,
            public_url: config
                .as_ref()
                .and_then(|config| config.host.public_url.clone()),
            timing,
            zone: TimeZone::system(),
        }
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
