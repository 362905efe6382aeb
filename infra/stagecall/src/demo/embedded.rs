//! The host in this process, with its store in its own folder.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use stagecall_core::clock::SystemClock;
use stagecall_core::ids::{AccountId, TenantId};
use stagecall_core::ports::OperatorStore as _;
use stagecall_core::ports::TenantStates;
use stagecall_embedded::{FileSecrets, SigningSources, Source, Store, TenantSources};
use stagecall_http::{Guard, Sender};
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use url::Url;

use super::fixture::{Keys, Scene, TENANT, timing};
use super::hosting::Hosting;
use crate::host::{Host, Parts};

/// Work items processed at the same time.
const WORKERS: usize = 48;

pub(crate) struct Embedded {
    states: Store,
    listens: SocketAddr,
    file: PathBuf,
    stop: watch::Sender<bool>,
    running: JoinHandle<anyhow::Result<()>>,
    _folder: TempDir,
}

impl Embedded {
    /// Starts the host.
    pub(crate) async fn open(scene: &Scene) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("stagecall.db");
        let store = Store::open_exclusive(&file)?;
        let secrets = FileSecrets::new(
            BTreeMap::from([(TenantId::new(TENANT), sources(&folder, scene.keys())?)]),
            &folder.path().join("callback.key"),
        )?;
        // The callback URL needs the port, so the port is chosen first.
        let probe = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let listens = probe.local_addr()?;
        drop(probe);
        store.put_tenant(scene.tenant()).await?;
        let host = Host::new(Parts {
            store,
            secrets: Arc::new(secrets),
            transport: Arc::new(Sender::new(Guard::Sandbox)?),
            clock: Arc::new(SystemClock),
            timing: timing(),
            workers: WORKERS,
            workers_per_tenant: WORKERS,
            listen: listens,
            public_url: Some(Url::parse(&format!("http://{listens}/"))?),
        })?;
        let (stop, stopped) = watch::channel(false);
        Ok(Self {
            states: Store::open(&file)?,
            listens,
            file,
            stop,
            running: tokio::spawn(host.run(stopped)),
            _folder: folder,
        })
    }
}

#[async_trait]
impl Hosting for Embedded {
    fn states(&self) -> &dyn TenantStates {
        &self.states
    }

    fn addresses(&self) -> Vec<(&'static str, String)> {
        vec![
            ("callbacks", format!("http://{}/", self.listens)),
            ("database", self.file.display().to_string()),
        ]
    }

    fn patience(&self) -> Duration {
        Duration::from_mins(1)
    }

    async fn dead_letters(&self) -> anyhow::Result<Option<usize>> {
        Ok(None)
    }

    async fn end(self: Box<Self>) -> anyhow::Result<()> {
        self.stop.send_replace(true);
        self.running.await?
    }
}

/// The keys in files, as a configuration refers to them.
fn sources(folder: &TempDir, keys: &Keys) -> anyhow::Result<TenantSources> {
    let write = |name: &str, secret: &str| -> anyhow::Result<Source> {
        let path = folder.path().join(name);
        std::fs::write(&path, secret)?;
        Ok(Source::File(path))
    };
    let account = |name: &str, key: &str| -> anyhow::Result<_> {
        let sources = BTreeMap::from([("api_key".to_owned(), write(name, key)?)]);
        Ok((AccountId::new(name), sources))
    };
    Ok(TenantSources {
        eploy_client_id: write("client-id", &keys.client_id)?,
        eploy_client_secret: write("client-secret", &keys.client_secret)?,
        platforms: BTreeMap::from([account("willo", &keys.willo)?, account("wecp", &keys.wecp)?]),
        callbacks: BTreeMap::new(),
        hrms: Some(SigningSources {
            current: write("hrms", &keys.hrms)?,
            previous: None,
        }),
    })
}
