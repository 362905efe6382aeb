//! `stagecall serve`.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;
use stagecall_core::clock::SystemClock;
use stagecall_core::ids::TenantId;
use stagecall_core::ports::{OperatorStore as _, Secrets};
use stagecall_embedded::{FileSecrets, Store, Vault};
use stagecall_http::Sender;
use tokio::sync::watch;
use url::Url;

use crate::config::{self, Config};
use crate::host::{Host, Parts, interrupted};
use crate::store::{self, StoreUrl};
use crate::{exit, logging};
use stagecall_operations::tenants::names::Configured;
use stagecall_operations::tenants::serve::set_up;

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  stagecall serve --config stagecall.toml\n  stagecall serve --config stagecall.toml --check\n  stagecall serve --store sqlite:stagecall.db --listen 127.0.0.1:8080\n  stagecall serve --print-example > stagecall.toml"
)]
pub(crate) struct Arguments {
    /// The address to listen on for callbacks; overrides the configuration file. [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<SocketAddr>,
    /// The public URL of that listener, which platforms call; overrides the configuration file.
    #[arg(long, value_name = "URL")]
    pub(crate) public_url: Option<Url>,
    /// Check the configuration file and exit.
    #[arg(long)]
    pub(crate) check: bool,
    /// Print a commented example of the configuration file and exit.
    #[arg(long)]
    pub(crate) print_example: bool,
    /// Write logs as JSON, one event per line.
    #[arg(long)]
    pub(crate) log_json: bool,
}

/// Serves the tenants of the store, and of a configuration file if there is one, until interrupted.
pub(crate) async fn run(arguments: Arguments, on: &store::Arguments) -> anyhow::Result<u8> {
    if arguments.print_example {
        print!("{}", config::EXAMPLE);
        return Ok(exit::OK);
    }
    let config = match store::load(on)? {
        Some(config) => Some(config),
        None if on.store.is_some() => None,
        None => {
            return Err(exit::usage(
                "nothing to serve: name a configuration file with --config, or a store with tenants with --store",
            ));
        }
    };
    let StoreUrl::Sqlite(path) = store::place(on, config.as_ref()) else {
        return Err(exit::usage(
            "a stack on AWS does not need serve; name a store on this machine with --store sqlite:PATH",
        ));
    };
    let file = on.config.clone().unwrap_or_else(|| path.clone());
    let mut config = config.unwrap_or_else(|| Config::of_store(&path));
    config.host.store = path;
    config.host.sandbox |= on.sandbox;
    if let Some(listen) = arguments.listen {
        config.host.listen = listen;
    }
    if let Some(public_url) = arguments.public_url {
        if public_url.scheme() != "https" && !config.host.sandbox {
            return Err(exit::usage(format!(
                "--public-url is {public_url}; use an https address, because callbacks carry a token"
            )));
        }
        config.host.public_url = Some(public_url);
    }
    if arguments.check {
        let mappings: usize = config
            .tenants
            .iter()
            .map(|one| one.tenant.mappings.len())
            .sum();
        println!(
            "{} is valid: {} tenant(s), {mappings} mapping(s)",
            file.display(),
            config.tenants.len()
        );
        return Ok(exit::OK);
    }
    logging::start(tracing::Level::INFO, arguments.log_json);
    serve(config, &file).await
}

async fn serve(config: Config, file: &Path) -> anyhow::Result<u8> {
    let store = Store::open_exclusive(&config.host.store)?;
    let vault = Vault::beside(&config.host.store, Arc::new(SystemClock));
    let secrets: Arc<dyn Secrets> = if config.tenants.is_empty() {
        Arc::new(vault.clone())
    } else {
        let sources = config::sources(&config.tenants);
        Arc::new(FileSecrets::new(sources, &config.host.callback_key)?.or(vault.clone()))
    };
    let host = Host::new(Parts {
        store: store.clone(),
        secrets,
        transport: Arc::new(Sender::new(store::guard(config.host.sandbox))?),
        clock: Arc::new(SystemClock),
        timing: config.timing.clone(),
        workers: config.host.workers,
        workers_per_tenant: config.host.workers_per_tenant,
        listen: config.host.listen,
        public_url: config.host.public_url.clone(),
    })?;
    let configured = config.tenants.iter().map(|one| Configured {
        tenant: &one.tenant,
        by_name: &one.by_name,
    });
    let configured: Vec<_> = configured.collect();
    let in_vault = |id: &TenantId| vault.has(id);
    if let Some(refused) = set_up(&configured, &store, &*host.eploy(), in_vault).await? {
        eprintln!("stagecall: {refused}");
        return Ok(exit::REFUSED);
    }
    println!(
        "stagecall serves {} tenant(s) of {}, callbacks on http://{}",
        store.list_tenants().await?.len(),
        file.display(),
        host.addr()?
    );
    if config.host.public_url.is_none() {
        tracing::info!(
            "platforms cannot call back without host.public_url, results are found by sweeping"
        );
    }
    until_interrupted(host, interrupted()).await
}

/// Runs the host until `interrupted` resolves. Returns earlier only if a part of the host has failed.
async fn until_interrupted(
    host: Host,
    interrupted: impl Future<Output = ()>,
) -> anyhow::Result<u8> {
    let (stop, stopped) = watch::channel(false);
    let mut running = tokio::spawn(host.run(stopped));
    tokio::select! {
        ended = &mut running => {
            ended.context("the host panicked")??;
            return Ok(exit::FAILED);
        }
        () = interrupted => {}
    }
    tracing::info!("host stopping");
    stop.send_replace(true);
    running.await.context("the host panicked")??;
    Ok(exit::OK)
}

#[cfg(test)]
mod tests;
