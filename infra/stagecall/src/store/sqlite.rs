//! An installation on this machine.

use std::path::Path;
use std::sync::Arc;

use stagecall_core::clock::Clock;
use stagecall_core::ports::Secrets;
use stagecall_embedded::{FileSecrets, Store, Vault};

use super::{NoopQueue, Opened};
use crate::config::{self, Config};

/// Opens the file, whether or not a host runs.
pub(super) fn open(
    path: &Path,
    config: Option<&Config>,
    clock: Arc<dyn Clock>,
) -> anyhow::Result<Opened> {
    let store = Arc::new(Store::open(path)?);
    let vault = Vault::beside(path, clock);
    let secrets: Arc<dyn Secrets> = match config {
        Some(config) => Arc::new(
            FileSecrets::new(config::sources(&config.tenants), &config.host.callback_key)?
                .or(vault.clone()),
        ),
        None => Arc::new(vault.clone()),
    };
    Ok(Opened::of(
        &store,
        secrets,
        Arc::new(vault),
        Arc::new(NoopQueue),
    ))
}
