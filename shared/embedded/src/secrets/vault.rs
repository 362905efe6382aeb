//! The secrets that commands store beside the database: a folder with a file per tenant, readable only by its owner.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use secrecy::{ExposeSecret as _, SecretString};
use stagecall_core::Timestamp;
use stagecall_core::clock::Clock;
use stagecall_core::credentials::Credentials;
use stagecall_core::error::StoreError;
use stagecall_core::ids::{AccountId, TenantId};
use stagecall_core::ports::{
    CallbackToken, CallbackTokens, Saved, Secrets, SecretsWriter, TenantSecret,
};

use super::STORE;

/// The secrets of the tenants that commands configure. Every access reads the file, so a running host uses at once what
/// a command writes.
#[derive(Clone)]
pub struct Vault {
    folder: PathBuf,
    clock: Arc<dyn Clock>,
}

impl Vault {
    /// The vault that belongs to the database at `store`: the folder `<store>.secrets`, created at the first secret.
    pub fn beside(store: &Path, clock: Arc<dyn Clock>) -> Self {
        let mut folder = store.as_os_str().to_owned();
        folder.push(".secrets");
        Self {
            folder: folder.into(),
            clock,
        }
    }

    /// Whether it has secrets of this tenant.
    pub fn has(&self, tenant: &TenantId) -> bool {
        self.file(tenant).is_ok_and(|file| file.exists())
    }

    fn file(&self, tenant: &TenantId) -> Result<PathBuf, StoreError> {
        let name = tenant.as_str();
        let plain = |sign: char| sign.is_ascii_alphanumeric() || sign == '-' || sign == '_';
        if name.is_empty() || !name.chars().all(plain) {
            return Err(failed(
                tenant,
                "its name has other characters than letters, digits, - and _",
            ));
        }
        Ok(self.folder.join(format!("{name}.json")))
    }

    /// The content of the tenant's file; `None` if there is none.
    fn read(&self, tenant: &TenantId) -> Result<Option<Credentials>, StoreError> {
        let file = self.file(tenant)?;
        // Small and local: not worth another thread.
        let text = match fs::read_to_string(&file) {
            Ok(text) => SecretString::from(text),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                return Err(failed(
                    tenant,
                    format!("{} cannot be read: {error}", file.display()),
                ));
            }
        };
        let credentials = Credentials::parse(text.expose_secret())
            .map_err(|problem| failed(tenant, format!("{}: {problem}", file.display())))?;
        credentials.warn_of_unusable(tenant);
        Ok(Some(credentials))
    }

    /// Locks the folder against every other writer, of this process or another, until it is dropped. So what was read
    /// stays current until it is replaced, and any draft is left from a crashed writer.
    fn lock(&self, tenant: &TenantId) -> Result<File, StoreError> {
        let place = self.folder.join(".lock");
        let lock = || {
            let mut making = fs::DirBuilder::new();
            making.recursive(true);
            #[cfg(unix)]
            std::os::unix::fs::DirBuilderExt::mode(&mut making, 0o700);
            making.create(&self.folder)?;
            let file = private().truncate(false).open(&place)?;
            file.lock()?;
            Ok(file)
        };
        lock().map_err(|error: std::io::Error| {
            failed(
                tenant,
                format!("{} cannot be used: {error}", place.display()),
            )
        })
    }

    /// Writes the file atomically and durably. The folder is locked.
    fn write(&self, tenant: &TenantId, credentials: &Credentials) -> Result<(), StoreError> {
        let file = self.file(tenant)?;
        let put = || {
            self.remove_drafts(tenant)?;
            put(&self.folder, &file, &credentials.to_text())
        };
        put().map_err(|error| {
            failed(
                tenant,
                format!("{} cannot be written: {error}", file.display()),
            )
        })
    }

    /// Removes the drafts of crashed writers: they hold secrets. The folder is locked.
    fn remove_drafts(&self, tenant: &TenantId) -> std::io::Result<()> {
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let rest = name
                .to_str()
                .and_then(|name| name.strip_prefix(tenant.as_str()));
            // No tenant's name has a dot.
            if rest.is_some_and(|rest| rest.starts_with('.') && rest.ends_with(DRAFT)) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}

/// The suffix of a draft's name.
const DRAFT: &str = ".new";

/// Readable only by its owner.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn put(folder: &Path, file: &Path, text: &SecretString) -> std::io::Result<()> {
    let draft = file.with_extension(&DRAFT[1..]);
    let mut out = private().truncate(true).open(&draft)?;
    out.write_all(text.expose_secret().as_bytes())?;
    out.sync_all()?;
    fs::rename(&draft, file)?;
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    Ok(())
}

fn failed(tenant: &TenantId, problem: impl std::fmt::Display) -> StoreError {
    StoreError::new(
        STORE,
        "use the stored secrets",
        format!("tenant {tenant}: {problem}"),
    )
}

/// 256 random bits.
fn token(tenant: &TenantId) -> Result<CallbackToken, StoreError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| failed(tenant, error))?;
    Ok(CallbackToken::of(bytes))
}

#[async_trait]
impl Secrets for Vault {
    async fn secret(&self, tenant: &TenantId, _fresh: bool) -> Result<TenantSecret, StoreError> {
        let credentials = self.read(tenant).map_err(StoreError::permanent)?;
        credentials.map(|credentials| credentials.secret().clone()).ok_or_else(|| {
            failed(tenant, "there are no secrets of it. Store them with stagecall tenant rotate, or describe them in the configuration file").permanent()
        })
    }

    async fn callback_tokens(
        &self,
        tenant: &TenantId,
        account: &AccountId,
    ) -> Result<Option<CallbackTokens>, StoreError> {
        // A caller with an invented name learns nothing.
        if self.file(tenant).is_err() {
            return Ok(None);
        }
        let credentials = self.read(tenant)?;
        Ok(credentials.and_then(|credentials| credentials.tokens(account, self.clock.now())))
    }
}

#[async_trait]
impl SecretsWriter for Vault {
    async fn put_secret(
        &self,
        tenant: &TenantId,
        before: Option<&TenantSecret>,
        secret: &TenantSecret,
    ) -> Result<Saved, StoreError> {
        // Held while a small file is written: not worth another thread.
        let _lock = self.lock(tenant)?;
        let stored = self.read(tenant)?;
        let known = stored.as_ref();
        let Some(credentials) = Credentials::replaced(known, before, secret, || token(tenant))?
        else {
            return Ok(Saved::Conflict);
        };
        self.write(tenant, &credentials)?;
        Ok(Saved::Saved)
    }

    async fn rotate_callback_token(
        &self,
        tenant: &TenantId,
        account: &AccountId,
        previous_until: Timestamp,
    ) -> Result<(), StoreError> {
        let no_account = || failed(tenant, format!("it has no account {account}"));
        let _lock = self.lock(tenant)?;
        let mut credentials = self.read(tenant)?.ok_or_else(no_account)?;
        if !credentials.rotate(account, token(tenant)?, previous_until) {
            return Err(no_account());
        }
        self.write(tenant, &credentials)
    }

    async fn remove_secret(&self, tenant: &TenantId) -> Result<bool, StoreError> {
        let file = self.file(tenant)?;
        if !self.folder.exists() {
            return Ok(false);
        }
        let _lock = self.lock(tenant)?;
        self.remove_drafts(tenant)
            .map_err(|error| failed(tenant, error))?;
        match fs::remove_file(file) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(failed(tenant, error)),
        }
    }
}
