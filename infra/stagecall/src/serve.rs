//! `stagecall serve`.

mod names;

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use stagecall_core::clock::{Clock as _, SystemClock};
use stagecall_embedded::{FileSecrets, Store};
use stagecall_http::{Guard, Sender};
use tokio::sync::watch;

use crate::cli::ServeArguments;
use crate::config::{self, Config};
use crate::host::{Host, Parts, interrupted};
use crate::{exit, logging};

/// Serves the tenants of a configuration file until interrupted.
pub(crate) async fn run(arguments: ServeArguments) -> anyhow::Result<u8> {
    if arguments.print_example {
        print!("{}", config::EXAMPLE);
        return Ok(exit::OK);
    }
    let file = arguments.config.unwrap_or_default();
    let config = match config::load(&file) {
        Ok(config) => config,
        Err(wrong) => {
            eprintln!("stagecall: {wrong}");
            return Ok(exit::USAGE);
        }
    };
    if arguments.check {
        let mappings: usize = config
            .tenants
            .iter()
            .map(|one| one.tenant.mappings.len())
            .sum();
        println!(
            "{} is in order: {} tenant(s), {mappings} mapping(s)",
            file.display(),
            config.tenants.len()
        );
        return Ok(exit::OK);
    }
    logging::start(tracing::Level::INFO, arguments.log_json);
    serve(config, &file).await
}

async fn serve(config: Config, file: &Path) -> anyhow::Result<u8> {
    let secrets = FileSecrets::new(config::sources(&config.tenants), &config.host.callback_key)?;
    let guard = if config.host.sandbox {
        Guard::Sandbox
    } else {
        Guard::Public
    };
    let store = Store::open_exclusive(&config.host.store, SystemClock.now())?;
    let host = Host::new(Parts {
        store: store.clone(),
        secrets: Arc::new(secrets),
        transport: Arc::new(Sender::new(guard)?),
        clock: Arc::new(SystemClock),
        timing: config.timing.clone(),
        workers: config.host.workers,
        workers_per_tenant: config.host.workers_per_tenant,
        listen: config.host.listen,
        public_url: config.host.public_url.clone(),
    })
    .await?;
    if let Err(refused) = set_up(&config, &store, &host).await? {
        eprintln!("stagecall: {refused}");
        return Ok(exit::REFUSED);
    }
    println!(
        "stagecall serves {} tenant(s) of {}, callbacks on http://{}",
        config.tenants.len(),
        file.display(),
        host.addr()?
    );
    if config.host.public_url.is_none() {
        tracing::info!(
            "host.public_url is not set: platforms cannot call back, and results are found by sweeping"
        );
    }
    let (stop, stopped) = watch::channel(false);
    let running = tokio::spawn(host.run(stopped));
    interrupted().await;
    tracing::info!("stopping");
    stop.send_replace(true);
    running.await.context("the host ended badly")?;
    Ok(exit::OK)
}

/// Puts the configured tenants into the store, which is what everything works from. A tenant that is in the store and
/// no longer in the file is paused, not forgotten: what it was invited to is still on record.
async fn set_up(
    config: &Config,
    store: &Store,
    host: &Host,
) -> anyhow::Result<Result<(), names::Unresolved>> {
    let before = store.list_tenants().await?;
    let mut refused = None;
    let mut ready = 0;
    for one in &config.tenants {
        let known = before.iter().find(|tenant| tenant.id == one.tenant.id);
        match names::resolve(one, known, &*host.eploy()).await {
            Ok(tenant) => {
                store.put_tenant(&tenant).await?;
                ready += 1;
            }
            Err(unresolved) => {
                tracing::error!(tenant = %one.tenant.id, error = %unresolved, "the tenant is left out until its stages can be found; start again when it is mended");
                refused = Some(unresolved);
            }
        }
    }
    if let (Some(unresolved), 0) = (refused, ready) {
        return Ok(Err(unresolved));
    }
    for mut tenant in before {
        if !tenant.paused && !config.tenants.iter().any(|one| one.tenant.id == tenant.id) {
            tracing::warn!(tenant = %tenant.id, "no longer in the configuration, and therefore paused");
            tenant.paused = true;
            store.put_tenant(&tenant).await?;
        }
    }
    Ok(Ok(()))
}
