//! The credentials of an opened account.

use std::sync::{Arc, Mutex, PoisonError};

use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::SignedDuration;
use secrecy::ExposeSecret as _;
use sha2::{Digest as _, Sha256};
use stagecall_core::clock::Clock;
use stagecall_core::error::{CallError, ProblemCode, StoreError};
use stagecall_core::ids::{AccountId, TenantId};
use stagecall_core::ports::{PlatformSecret, Secrets};
use stagecall_core::tenant::Settings;
use url::Url;

use crate::adapter::{Account, Adapter};
use crate::error::PlatformError;
use crate::problem;
use crate::settings::Secret;
use crate::spec::PlatformSpec;

/// Opens an account's adapter, and opens it again when its credentials are refused.
pub(crate) struct Credentials {
    pub secrets: Arc<dyn Secrets>,
    pub tenant: TenantId,
    pub account: AccountId,
    pub base: Url,
    pub settings: Settings,
    pub clock: Arc<dyn Clock>,
    /// The secret that the adapter was opened with.
    pub used: Mutex<PlatformSecret>,
}

impl Credentials {
    /// An adapter with the currently stored secret, or `None` if that is the refused one.
    pub async fn renew(
        &self,
        kind: &'static PlatformSpec,
        operation: &'static str,
    ) -> Result<Option<Arc<dyn Adapter>>, CallError> {
        let before = self.used().clone();
        let adapter = self.open(kind, true, operation).await?;
        Ok(Some(adapter).filter(|_| !same(&before, &self.used())))
    }

    pub async fn open(
        &self,
        kind: &'static PlatformSpec,
        fresh: bool,
        operation: &'static str,
    ) -> Result<Arc<dyn Adapter>, CallError> {
        let error =
            |fault: PlatformError| fault.during(operation, self.clock.now(), SignedDuration::ZERO);
        let mut secret = self
            .secrets
            .secret(&self.tenant, fresh)
            .await
            .map_err(|problem| error(unread(&problem)))?;
        let secret = secret.platforms.remove(&self.account).unwrap_or_default();
        let missing: Vec<_> = kind
            .secrets
            .iter()
            .filter(|required| !is_valid(&secret, required))
            .map(|required| format!("{} ({})", required.key, required.about))
            .collect();
        if !missing.is_empty() {
            return Err(error(misconfigured(
                problem::NO_SECRET.code,
                format!(
                    "the secret of the platform account \"{}\" lacks, or has with unprintable characters: {}",
                    self.account,
                    missing.join(", ")
                ),
                problem::NO_SECRET.remedy,
            )));
        }
        *self.used() = secret.clone();
        (kind.open)(Account {
            base: self.base.clone(),
            settings: self.settings.clone(),
            secret,
        })
        .map_err(error)
    }

    /// A digest of an address under a key derived from the account's secret: the digest alone does not allow to test
    /// addresses. Another secret gives another digest, so one stored before a rotation finds nobody.
    pub fn address_digest(&self, email: &str) -> Option<String> {
        /// 128 bits distinguish the addresses of one list.
        const BYTES: usize = 16;
        let used = self.used();
        if used.0.is_empty() {
            return None;
        }
        let mut key = Sha256::new();
        key.update(b"stagecall address digest");
        for (name, value) in &used.0 {
            for part in [name.as_bytes(), value.expose_secret().as_bytes()] {
                key.update((part.len() as u64).to_be_bytes());
                key.update(part);
            }
        }
        let mut mac = Hmac::<Sha256>::new_from_slice(&key.finalize()).ok()?;
        mac.update(email.trim().to_lowercase().as_bytes());
        Some(hex::encode(&mac.finalize().into_bytes()[..BYTES]))
    }

    fn used(&self) -> std::sync::MutexGuard<'_, PlatformSecret> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unread(problem: &StoreError) -> PlatformError {
    PlatformError::not_sent(
        problem::SECRET_UNREAD.code,
        format!("the credentials could not be read: {problem}"),
        problem::SECRET_UNREAD.remedy,
    )
    .of_connection()
}

/// Whether a secret is present if required, and can go into a header.
fn is_valid(secret: &PlatformSecret, required: &Secret) -> bool {
    let value = secret
        .0
        .get(required.key)
        .map_or("", |value| value.expose_secret().trim());
    let printable = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
    (required.optional || !value.is_empty()) && value.bytes().all(printable)
}

fn same(one: &PlatformSecret, other: &PlatformSecret) -> bool {
    one.0.len() == other.0.len()
        && one
            .0
            .iter()
            .zip(&other.0)
            .all(|((key, value), (other_key, other_value))| {
                key == other_key && value.expose_secret() == other_value.expose_secret()
            })
}

/// A connection that cannot be opened as it is configured.
pub(crate) fn misconfigured(code: ProblemCode, problem: String, remedy: &str) -> PlatformError {
    PlatformError::not_sent(code, problem, remedy).of_connection()
}
