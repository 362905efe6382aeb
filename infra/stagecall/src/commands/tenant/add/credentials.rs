//! Where credentials come from, in this order: a file or standard input, the environment, the store, or a prompt.

use std::io::Read as _;
use std::path::Path;

use anyhow::Context as _;
use secrecy::SecretString;
use stagecall_core::ids::{AccountId, TenantId};
use stagecall_core::ports::{PlatformSecret, TenantSecret};
use stagecall_platforms::PlatformSpec;

use crate::exit;
use crate::prompt;
use stagecall_operations::Installation;
use stagecall_operations::credentials::{Given, parse};

/// The credentials of one tenant while they are collected. Does not print.
pub(super) struct Credentials {
    tenant: TenantId,
    given: Given,
    stored: Option<TenantSecret>,
}

impl Credentials {
    /// Those given in a file (`-`: standard input), and those in the store. The file is TOML: `[eploy]` with
    /// `client_id` and `client_secret`, and a table for each platform account.
    pub(super) async fn gather(
        on: &Installation,
        tenant: &TenantId,
        file: Option<&Path>,
    ) -> anyhow::Result<Self> {
        let given = match file {
            Some(file) => read(file)?,
            None => Given::new(),
        };
        Ok(Self {
            tenant: tenant.clone(),
            given,
            // The store's error for missing credentials looks like its other errors; those show again on writing.
            stored: on.vault.secret(tenant, true).await.ok(),
        })
    }

    /// Eploy's client id and secret. Those of the platforms are kept.
    pub(super) fn eploy(&self) -> anyhow::Result<TenantSecret> {
        let stored = self.stored.as_ref();
        let id = self
            .given("eploy", "client_id")
            .map(Ok)
            .or_else(|| stored.map(|stored| Ok(stored.eploy_client_id.clone())));
        let id = id.unwrap_or_else(|| {
            prompt::secret("Eploy: Client ID", &self.flag("eploy", "client_id"))
        });
        let secret = self
            .given("eploy", "client_secret")
            .map(Ok)
            .or_else(|| stored.map(|stored| Ok(stored.eploy_client_secret.clone())));
        let secret = secret.unwrap_or_else(|| {
            prompt::secret("Eploy: Client Secret", &self.flag("eploy", "client_secret"))
        });
        Ok(TenantSecret {
            eploy_client_id: id?,
            eploy_client_secret: secret?,
            platforms: stored
                .map(|stored| stored.platforms.clone())
                .unwrap_or_default(),
            hrms: stored.and_then(|stored| stored.hrms.clone()),
        })
    }

    /// The secrets of a platform account. Optional ones are not prompted for.
    pub(super) fn platform(
        &self,
        account: &AccountId,
        kind: &PlatformSpec,
    ) -> anyhow::Result<PlatformSecret> {
        let stored = self
            .stored
            .as_ref()
            .and_then(|stored| stored.platforms.get(account));
        let mut secret = PlatformSecret::default();
        for secret_spec in kind.secrets {
            let known = self
                .given(account.as_str(), secret_spec.key)
                .or_else(|| stored.and_then(|stored| stored.0.get(secret_spec.key).cloned()));
            let value = match known {
                Some(value) => value,
                None if secret_spec.optional => continue,
                None => prompt::secret(
                    &format!("{}: {}", kind.title, secret_spec.about),
                    &self.flag(account.as_str(), secret_spec.key),
                )?,
            };
            secret.0.insert(secret_spec.key.to_owned(), value);
        }
        Ok(secret)
    }

    fn given(&self, table: &str, key: &str) -> Option<SecretString> {
        let of_file = self
            .given
            .get(table)
            .and_then(|table| table.get(key))
            .cloned();
        let of_environment = || {
            std::env::var(variable(table, key))
                .ok()
                .filter(|value| !value.is_empty())
                .map(SecretString::from)
        };
        of_file.or_else(of_environment)
    }

    fn flag(&self, table: &str, key: &str) -> String {
        format!(
            "{key} in [{table}] of --secrets, or {} (for tenant {})",
            variable(table, key),
            self.tenant
        )
    }
}

/// `STAGECALL_WILLO_API_KEY`
fn variable(table: &str, key: &str) -> String {
    format!("STAGECALL_{table}_{key}")
        .replace('-', "_")
        .to_ascii_uppercase()
}

fn read(file: &Path) -> anyhow::Result<Given> {
    let mut text = String::new();
    if file == Path::new("-") {
        std::io::stdin()
            .read_to_string(&mut text)
            .context("cannot read standard input")?;
    } else {
        text = std::fs::read_to_string(file)
            .map_err(|error| exit::usage(format!("{}: {error}", file.display())))?;
    }
    parse(&text).map_err(exit::usage)
}
