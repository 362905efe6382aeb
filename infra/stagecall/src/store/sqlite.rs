//! An installation on this machine.

use std::path::Path;
use std::sync::Arc;

use stagecall_core::ports::Secrets;
use stagecall_embedded::{FileSecrets, Store, Vault};
use stagecall_operations::{Hosting, Installation};

use super::{Common, NoopQueue, StoreUrl};
use crate::config;

/// Opens the file, whether or not a host runs.
pub(super) fn open(path: &Path, common: Common) -> anyhow::Result<Installation> {
    let store = Arc::new(Store::open(path)?);
    let vault = Vault::beside(path, common.clock.clone());
    let secrets: Arc<dyn Secrets> = match &common.config {
        Some(config) => Arc::new(
            FileSecrets::new(config::sources(&config.tenants), &config.host.callback_key)?
                .or(vault.clone()),
        ),
        None => Arc::new(vault.clone()),
    };
    Ok(Installation::new(
        &store,
        common.surroundings(
            &StoreUrl::Sqlite(path.to_owned()),
            Hosting::Embedded,
            secrets,
            Arc::new(vault),
            Arc::new(NoopQueue),
            Vec::new(),
        ),
    ))
}
