//! Secrets from files and the environment, and callback tokens from a key file.

mod key_file;
mod vault;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use sha2::Sha256;
use stagecall_core::error::StoreError;
use stagecall_core::ids::{AccountId, TenantId};
use stagecall_core::ports::{
    CallbackToken, CallbackTokens, PlatformSecret, Secrets, SigningSecrets, TenantSecret,
};

/// The source of a secret: `{ env = "ACME_WILLO_KEY" }` or `{ file = "/run/secrets/willo" }`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// In this environment variable.
    Env(String),
    /// In this file; one newline at its end is ignored.
    File(PathBuf),
}

/// What is found in place of a source may be the secret itself, so the error quotes nothing.
impl<'de> Deserialize<'de> for Source {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "snake_case")]
        enum Given {
            Env(String),
            File(PathBuf),
        }
        match Given::deserialize(from) {
            Ok(Given::Env(name)) => Ok(Self::Env(name)),
            Ok(Given::File(path)) => Ok(Self::File(path)),
            Err(_) => Err(D::Error::custom(
                "give where the secret is: { env = \"VARIABLE\" } or { file = \"PATH\" }. If it is in the file itself, move it out and rotate it",
            )),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TenantSources {
    pub eploy_client_id: Source,
    pub eploy_client_secret: Source,
    /// The secrets of the platform accounts, by the names the tenant's configuration gives these, and by the names that
    /// the platform's client asks for (`api_key`).
    #[serde(default)]
    pub platforms: BTreeMap<AccountId, BTreeMap<String, Source>>,
    /// The callback tokens of these accounts, where they were rotated.
    #[serde(default)]
    pub callbacks: BTreeMap<AccountId, CallbackSettings>,
    #[serde(default)]
    pub hrms: Option<SigningSources>,
}

impl TenantSources {
    /// Makes the paths of files relative to `folder`.
    pub fn relative_to(&mut self, folder: &Path) {
        let platforms = self.platforms.values_mut().flat_map(BTreeMap::values_mut);
        let hrms = self.hrms.iter_mut();
        let hrms = hrms.flat_map(|of| std::iter::once(&mut of.current).chain(&mut of.previous));
        let sources = [&mut self.eploy_client_id, &mut self.eploy_client_secret];
        for source in sources.into_iter().chain(platforms).chain(hrms) {
            if let Source::File(path) = source {
                *path = folder.join(&path);
            }
        }
    }
}

/// The sources of the signing secrets. To rotate: put the new one first and the old one second, wait until the receiver
/// uses the new one, and remove the old one.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SigningSources {
    pub current: Source,
    /// The previous one, during a rotation.
    #[serde(default)]
    pub previous: Option<Source>,
}

/// The valid callback token of an account. To rotate it: increment the generation with `accept_previous` on, register
/// the callbacks again, and switch `accept_previous` off.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CallbackSettings {
    /// Counts the rotations, from 1.
    pub generation: u32,
    /// Whether the token of the generation before is still accepted.
    pub accept_previous: bool,
}

impl Default for CallbackSettings {
    fn default() -> Self {
        Self {
            generation: 1,
            accept_previous: false,
        }
    }
}

pub use vault::Vault;

type Environment = Box<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// The secrets of one machine.
///
/// Callback tokens are not stored: each is the HMAC-SHA256 of `tenant/account/generation` under the key of a file, in
/// hex. The key gives access to all tokens, so it belongs in the backup and nowhere else; with a new key every callback
/// has to be registered again.
pub struct FileSecrets {
    sources: BTreeMap<TenantId, TenantSources>,
    environment: Environment,
    /// Initialised with the key.
    hmac: Hmac<Sha256>,
    cache: Mutex<HashMap<TenantId, TenantSecret>>,
    /// The secrets of all other tenants.
    vault: Option<Vault>,
}

impl FileSecrets {
    /// The secrets at `sources`, and the tokens of the key in `key_file`, which is created if there is none. The
    /// secrets themselves are read at their first use.
    ///
    /// # Errors
    /// The key file cannot be read, created or parsed; or a name would make tokens ambiguous.
    pub fn new(
        sources: BTreeMap<TenantId, TenantSources>,
        key_file: &Path,
    ) -> Result<Self, StoreError> {
        Self::with_environment(sources, key_file, Box::new(|name| std::env::var(name).ok()))
    }

    fn with_environment(
        sources: BTreeMap<TenantId, TenantSources>,
        key_file: &Path,
        environment: Environment,
    ) -> Result<Self, StoreError> {
        for (tenant, of) in &sources {
            let accounts = of.platforms.keys().map(AccountId::as_str);
            if let Some(name) = accounts
                .chain([tenant.as_str()])
                .find(|name| name.contains('/'))
            {
                return Err(StoreError::new(
                    STORE,
                    "read the description",
                    format!(
                        "tenant {tenant}: the name {name} has a slash, which callback addresses and tokens cannot tell apart. Choose another name"
                    ),
                ));
            }
        }
        let no_key = |problem| StoreError::new(STORE, "read the callback key", problem);
        let key = key_file::read_or_create(key_file).map_err(no_key)?;
        Ok(Self {
            sources,
            environment,
            hmac: Hmac::new_from_slice(key.expose_secret())
                .map_err(|error| no_key(error.to_string()))?,
            cache: Mutex::default(),
            vault: None,
        })
    }

    /// Uses the vault for every tenant that is not described.
    pub fn or(mut self, vault: Vault) -> Self {
        self.vault = Some(vault);
        self
    }

    /// The vault, if it is responsible for the tenant's secrets.
    fn vault(&self, tenant: &TenantId) -> Option<&Vault> {
        self.vault
            .as_ref()
            .filter(|_| !self.sources.contains_key(tenant))
    }

    fn read(&self, tenant: &TenantId) -> Result<TenantSecret, StoreError> {
        let sources = self.sources.get(tenant).ok_or_else(|| {
            StoreError::new(
                STORE,
                "read the secrets",
                format!("tenant {tenant}: the configuration does not say where its secrets are. Describe them there"),
            )
        })?;
        let mut platforms = BTreeMap::new();
        for (account, of) in &sources.platforms {
            let mut secrets = BTreeMap::new();
            for (name, source) in of {
                let secret = self.one(tenant, &format!("{account}.{name}"), source)?;
                secrets.insert(name.clone(), secret);
            }
            platforms.insert(account.clone(), PlatformSecret(secrets));
        }
        Ok(TenantSecret {
            eploy_client_id: self.one(tenant, "eploy_client_id", &sources.eploy_client_id)?,
            eploy_client_secret: self.one(
                tenant,
                "eploy_client_secret",
                &sources.eploy_client_secret,
            )?,
            platforms,
            hrms: match &sources.hrms {
                Some(of) => Some(SigningSecrets {
                    current: self.one(tenant, "hrms.current", &of.current)?,
                    // Everything works without it.
                    previous: of.previous.as_ref().and_then(|source| {
                        let read = self.one(tenant, "hrms.previous", source);
                        let warn = |error: &StoreError| {
                            tracing::warn!(%tenant, %error, "replaced secret unreadable, left out");
                        };
                        read.inspect_err(warn).ok()
                    }),
                }),
                None => None,
            },
        })
    }

    fn one(
        &self,
        tenant: &TenantId,
        key: &str,
        source: &Source,
    ) -> Result<SecretString, StoreError> {
        let failed = |problem: String| {
            StoreError::new(
                STORE,
                "read the secrets",
                format!("tenant {tenant}, {key}: {problem}"),
            )
        };
        let (text, place) = match source {
            Source::Env(name) => (
                (self.environment)(name).ok_or_else(|| {
                    failed(format!("the environment variable {name} is not set, or is not text. Set it and restart"))
                })?,
                format!("the environment variable {name}"),
            ),
            Source::File(path) => {
                let place = format!("the file {}", path.display());
                // Small, local, and only at first use and after a refusal: not worth another thread.
                let mut text = std::fs::read_to_string(path).map_err(|error| {
                    failed(format!("{place} cannot be read: {error}. Put the secret there"))
                })?;
                if text.ends_with('\n') {
                    text.pop();
                    if text.ends_with('\r') {
                        text.pop();
                    }
                }
                (text, place)
            }
        };
        if text.is_empty() {
            return Err(failed(format!("{place} is empty. Put the secret there")));
        }
        Ok(SecretString::from(text))
    }

    fn token(&self, tenant: &TenantId, account: &AccountId, generation: u32) -> CallbackToken {
        let mut hmac = self.hmac.clone();
        hmac.update(format!("{tenant}/{account}/{generation}").as_bytes());
        CallbackToken(SecretString::from(hex::encode(
            hmac.finalize().into_bytes(),
        )))
    }
}

const STORE: &str = "secrets";

#[async_trait]
impl Secrets for FileSecrets {
    async fn secret(&self, tenant: &TenantId, fresh: bool) -> Result<TenantSecret, StoreError> {
        if let Some(vault) = self.vault(tenant) {
            return vault.secret(tenant, fresh).await;
        }
        let cache = || self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if !fresh && let Some(known) = cache().get(tenant) {
            return Ok(known.clone());
        }
        let secret = self.read(tenant).map_err(StoreError::permanent)?;
        cache().insert(tenant.clone(), secret.clone());
        Ok(secret)
    }

    async fn callback_tokens(
        &self,
        tenant: &TenantId,
        account: &AccountId,
    ) -> Result<Option<CallbackTokens>, StoreError> {
        if let Some(vault) = self.vault(tenant) {
            return vault.callback_tokens(tenant, account).await;
        }
        let Some(sources) = self
            .sources
            .get(tenant)
            .filter(|sources| sources.platforms.contains_key(account))
        else {
            return Ok(None);
        };
        let CallbackSettings {
            generation,
            accept_previous,
        } = sources.callbacks.get(account).cloned().unwrap_or_default();
        let previous = generation
            .checked_sub(1)
            .filter(|before| accept_previous && *before > 0);
        Ok(Some(CallbackTokens {
            current: self.token(tenant, account, generation),
            previous: previous.map(|before| self.token(tenant, account, before)),
        }))
    }
}

#[cfg(test)]
mod tests;
