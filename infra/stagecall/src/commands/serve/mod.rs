//! `stagecall serve`.

mod names;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;
use stagecall_core::clock::SystemClock;
use stagecall_core::ports::{OperatorStore as _, Secrets};
use stagecall_core::tenant::Tenant;
use stagecall_embedded::{FileSecrets, Store, Vault};
use stagecall_http::Sender;
use tokio::sync::watch;
use url::Url;

use crate::config::{self, Config};
use crate::host::{Host, Parts, interrupted};
use crate::store::{self, StoreUrl};
use crate::{exit, logging};
use stagecall_operations::read::removed_account_problem;

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
    if let Err(refused) = set_up(&config, &store, &vault, &host).await? {
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

/// Saves the tenants of the file in the store, which everything else reads. A tenant that came from the file and is no
/// longer in it is paused, not deleted: its invitations are still in the store. Tenants that commands have added are left
/// unchanged; their secrets are in the vault.
async fn set_up(
    config: &Config,
    store: &Store,
    vault: &Vault,
    host: &Host,
) -> anyhow::Result<Result<(), names::Unresolved>> {
    let before = store.list_tenants().await?;
    let mut refused = None;
    let mut ready = 0;
    // Those of the file that are valid, and those that commands have added.
    let mut served: Vec<Tenant> = before
        .iter()
        .filter(|tenant| vault.has(&tenant.id))
        .cloned()
        .collect();
    for one in &config.tenants {
        let known = before.iter().find(|tenant| tenant.id == one.tenant.id);
        let mut found = names::resolve(one, known, &*host.eploy()).await;
        if let Ok(tenant) = &found
            && let Some(problem) = misconfigured(tenant, known, &served, store).await?
        {
            found = Err(names::Unresolved::Misconfigured(problem));
        }
        match found {
            Ok(tenant) => {
                store.put_tenant(&tenant).await?;
                served.push(tenant);
                ready += 1;
            }
            Err(unresolved) => {
                tracing::error!(tenant = %one.tenant.id, error = %unresolved, "tenant not updated from the configuration");
                refused = Some(unresolved);
            }
        }
    }
    if let (Some(unresolved), 0) = (refused, ready) {
        return Ok(Err(unresolved));
    }
    for mut tenant in before {
        let in_file = config.tenants.iter().any(|one| one.tenant.id == tenant.id);
        if !tenant.paused && !in_file && !vault.has(&tenant.id) {
            tracing::warn!(tenant = %tenant.id, "tenant paused, no longer in the configuration");
            tenant.paused = true;
            store.put_tenant(&tenant).await?;
        }
    }
    Ok(Ok(()))
}

/// What is wrong with a tenant of the file, compared with the tenants served already and with its saved data.
async fn misconfigured(
    tenant: &Tenant,
    before: Option<&Tenant>,
    served: &[Tenant],
    store: &Store,
) -> anyhow::Result<Option<String>> {
    let overlaps = tenant.overlaps(served);
    if !overlaps.is_empty() {
        let found: Vec<_> = overlaps.iter().map(ToString::to_string).collect();
        return Ok(Some(format!(
            "{}. If that is intended, set allow_overlap = true in one of the mappings",
            found.join("; ")
        )));
    }
    Ok(match before {
        Some(before) => removed_account_problem(store, before, tenant).await?,
        None => None,
    })
}

#[cfg(test)]
mod tests;
