//! Where credentials come from, in this order: a file or standard input, the environment, the store, or a prompt.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

use anyhow::Context as _;
use secrecy::SecretString;
use stagecall_operations::connect::{Account, Connecting};
use stagecall_operations::credentials::{EPLOY, EPLOY_SECRETS, Given, parse};

use crate::exit;
use crate::prompt;

/// The credentials of one tenant that are given beside the prompts. Does not print.
pub(super) struct Credentials {
    tenant: String,
    given: Given,
}

impl Credentials {
    /// Those of a file (`-`: standard input). The file is TOML: `[eploy]` with `client_id` and `client_secret`, and a table
    /// for each platform account.
    pub(super) fn read(tenant: &str, file: Option<&Path>) -> anyhow::Result<Self> {
        Ok(Self {
            tenant: tenant.to_owned(),
            given: file.map(read).transpose()?.unwrap_or_default(),
        })
    }

    /// Eploy's client id and secret, without those that are saved and not given anew.
    pub(super) fn eploy(
        &self,
        connecting: &Connecting,
    ) -> anyhow::Result<BTreeMap<String, SecretString>> {
        let mut secrets = BTreeMap::new();
        for (key, about) in EPLOY_SECRETS {
            let value = match self.given(EPLOY, key) {
                Some(value) => value,
                None if connecting.has_eploy_secrets() => continue,
                None => prompt::secret(&format!("Eploy: {about}"), &self.flag(EPLOY, key))?,
            };
            secrets.insert(key.to_owned(), value);
        }
        Ok(secrets)
    }

    /// The secrets of a platform account, without those that are saved and not given anew. Optional ones are not prompted
    /// for.
    pub(super) fn account(
        &self,
        account: &Account,
        connecting: &Connecting,
    ) -> anyhow::Result<BTreeMap<String, SecretString>> {
        let table = account.id.as_str();
        let mut secrets = BTreeMap::new();
        for secret in account.kind.secrets {
            let key = secret.key;
            let value = match self.given(table, key) {
                Some(value) => value,
                None if secret.optional || connecting.has_secret(&account.id, key) => continue,
                None => prompt::secret(
                    &format!("{}: {}", account.kind.title, secret.about),
                    &self.flag(table, key),
                )?,
            };
            secrets.insert(key.to_owned(), value);
        }
        Ok(secrets)
    }

    fn given(&self, table: &str, key: &str) -> Option<SecretString> {
        let of_file = self.given.get(table).and_then(|table| table.get(key));
        let of_environment = || {
            std::env::var(variable(table, key))
                .ok()
                .filter(|value| !value.is_empty())
                .map(SecretString::from)
        };
        of_file.cloned().or_else(of_environment)
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
