//! Secrets from Secrets Manager: one for each tenant, as JSON.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::{ProvideErrorMetadata, SdkError};
use secrecy::ExposeSecret as _;
use stagecall_core::Timestamp;
use stagecall_core::clock::Clock;
use stagecall_core::credentials::Credentials;
use stagecall_core::error::StoreError;
use stagecall_core::ids::{AccountId, TenantId};
use stagecall_core::ports::{
    CallbackToken, CallbackTokens, Saved, Secrets, SecretsWriter, TenantSecret,
};
use stagecall_core::timing::{after, seconds};

use crate::fault::{is_passing, problem};

/// The store's name in errors.
const SECRETS: &str = "secrets";

/// How long a secret is cached. A new callback token is known everywhere after this time at the latest.
const CACHE_SECONDS: f64 = 300.0;

const MAX_CACHED_SECRETS: usize = 10_000;

/// The label of a version that is about to become the current one.
const NEXT: &str = "STAGECALL-NEXT";

/// The maximum number of attempts to change a secret under concurrent changes.
const MAX_ATTEMPTS: usize = 5;

/// The tenants' secrets, named `{prefix}/{tenant}`. The README shows the format.
pub struct ManagedSecrets {
    client: Client,
    prefix: String,
    clock: Arc<dyn Clock>,
    remembered: Mutex<HashMap<TenantId, Remembered>>,
}

struct Remembered {
    until: Timestamp,
    /// `None`: there is no such secret.
    contents: Option<Arc<Credentials>>,
}

struct Stored {
    credentials: Credentials,
    version: Option<String>,
}

impl ManagedSecrets {
    /// The secrets under this prefix.
    pub fn new(client: Client, prefix: impl Into<String>, clock: Arc<dyn Clock>) -> Self {
        Self {
            client,
            prefix: prefix.into(),
            clock,
            remembered: Mutex::default(),
        }
    }

    /// The content of the tenant's secret; `None` if there is none.
    async fn contents(
        &self,
        tenant: &TenantId,
        fresh: bool,
    ) -> Result<Option<Arc<Credentials>>, StoreError> {
        let now = self.clock.now();
        if !fresh
            && let Some(known) = self
                .remembered()
                .get(tenant)
                .filter(|known| known.until > now)
        {
            return Ok(known.contents.clone());
        }
        let stored = self.read(tenant).await?;
        let contents = stored.map(|stored| Arc::new(stored.credentials));
        let mut remembered = self.remembered();
        if remembered.len() >= MAX_CACHED_SECRETS {
            remembered.retain(|_, known| known.until > now);
        }
        // Calls with invented names do not fill the memory.
        if remembered.len() >= MAX_CACHED_SECRETS {
            remembered.clear();
        }
        let entry = Remembered {
            until: after(now, seconds(CACHE_SECONDS)),
            contents: contents.clone(),
        };
        remembered.insert(tenant.clone(), entry);
        Ok(contents)
    }

    async fn read(&self, tenant: &TenantId) -> Result<Option<Stored>, StoreError> {
        let failed = |problem: String| {
            StoreError::new(
                SECRETS,
                "read a secret",
                format!("tenant {tenant}: {problem}"),
            )
        };
        if !is_possible(tenant) {
            return Ok(None);
        }
        let name = self.name(tenant);
        let answer = match self.client.get_secret_value().secret_id(&name).send().await {
            Ok(answer) => answer,
            Err(error) if is_missing(&error) || is_being_deleted(&error) => return Ok(None),
            Err(error) => {
                let failed = failed(format!("{name} cannot be read: {}", problem(&error)));
                return Err(if is_passing(&error) {
                    failed
                } else {
                    failed.permanent()
                });
            }
        };
        let text = answer.secret_string.ok_or_else(|| {
            failed(format!("{name} is binary. Put JSON text into it")).permanent()
        })?;
        let credentials = Credentials::parse(&text)
            .map_err(|problem| failed(format!("{name}: {problem}")).permanent())?;
        credentials.warn_of_unusable(tenant);
        Ok(Some(Stored {
            credentials,
            version: answer.version_id,
        }))
    }

    fn name(&self, tenant: &TenantId) -> String {
        format!("{}/{tenant}", self.prefix)
    }

    fn remembered(&self) -> std::sync::MutexGuard<'_, HashMap<TenantId, Remembered>> {
        self.remembered
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Secrets for ManagedSecrets {
    async fn secret(&self, tenant: &TenantId, fresh: bool) -> Result<TenantSecret, StoreError> {
        let contents = self.contents(tenant, fresh).await?;
        contents.map(|contents| contents.secret().clone()).ok_or_else(|| {
            let problem = format!(
                "tenant {tenant}: there is no secret {}. Create it, as the README of shared/aws shows",
                self.name(tenant)
            );
            StoreError::new(SECRETS, "read a secret", problem).permanent()
        })
    }

    async fn callback_tokens(
        &self,
        tenant: &TenantId,
        account: &AccountId,
    ) -> Result<Option<CallbackTokens>, StoreError> {
        let contents = self.contents(tenant, false).await?;
        Ok(contents.and_then(|contents| contents.tokens(account, self.clock.now())))
    }
}

#[async_trait]
impl SecretsWriter for ManagedSecrets {
    async fn put_secret(
        &self,
        tenant: &TenantId,
        before: Option<&TenantSecret>,
        secret: &TenantSecret,
    ) -> Result<Saved, StoreError> {
        let stored = self.read(tenant).await?;
        let known = stored.as_ref().map(|stored| &stored.credentials);
        let Some(credentials) = Credentials::replaced(known, before, secret, || token(tenant))?
        else {
            return Ok(Saved::Conflict);
        };
        self.write(tenant, &credentials, stored.as_ref()).await
    }

    async fn rotate_callback_token(
        &self,
        tenant: &TenantId,
        account: &AccountId,
        previous_until: Timestamp,
    ) -> Result<(), StoreError> {
        let operation = "rotate a callback token";
        let no_account = || {
            let problem = format!("tenant {tenant}: its secret has no account {account}");
            StoreError::new(SECRETS, operation, problem)
        };
        for _ in 0..MAX_ATTEMPTS {
            let stored = self.read(tenant).await?.ok_or_else(no_account)?;
            let mut credentials = stored.credentials.clone();
            if !credentials.rotate(account, token(tenant)?, previous_until) {
                return Err(no_account());
            }
            if self.write(tenant, &credentials, Some(&stored)).await? == Saved::Saved {
                return Ok(());
            }
        }
        let problem = format!("tenant {tenant}: its secret keeps changing concurrently. Try again");
        Err(StoreError::new(SECRETS, operation, problem))
    }

    async fn remove_secret(&self, tenant: &TenantId) -> Result<bool, StoreError> {
        if !is_possible(tenant) {
            return Ok(false);
        }
        let name = self.name(tenant);
        // Without reading it, so that a broken one is removed, too; with Secrets Manager's own recovery window.
        let deleted = self.client.delete_secret().secret_id(&name).send().await;
        self.remembered().remove(tenant);
        match deleted {
            Ok(_) => Ok(true),
            Err(error) if is_missing(&error) || is_being_deleted(&error) => Ok(false),
            Err(error) => Err(unwritten(tenant, &name, &problem(&error))),
        }
    }
}

impl ManagedSecrets {
    /// Replaces the secret that was read with this one.
    async fn write(
        &self,
        tenant: &TenantId,
        credentials: &Credentials,
        before: Option<&Stored>,
    ) -> Result<Saved, StoreError> {
        let name = self.name(tenant);
        let text = credentials.to_text();
        let text = text.expose_secret();
        let written = match before {
            None => self.create(&name, text).await.map(|()| Saved::Saved),
            Some(before) => self.replace(tenant, &name, text, before).await,
        };
        self.remembered().remove(tenant);
        written.map_err(|problem| unwritten(tenant, &name, &problem))
    }

    /// Secrets Manager has no conditional write. But it moves the label of the current version only from the version that it
    /// is asked to move it from (`UpdateSecretVersionStage`, `RemoveFromVersionId`, in the API's reference). So the new
    /// version is added beside the current one, under a label of ours, and then made the current one.
    async fn replace(
        &self,
        tenant: &TenantId,
        name: &str,
        text: &str,
        before: &Stored,
    ) -> Result<Saved, String> {
        let put = self.client.put_secret_value();
        let put = put.secret_id(name).secret_string(text);
        let put = put.version_stages(NEXT).send().await;
        let put = put.map_err(|error| problem(&error))?;
        let relabelled = self
            .client
            .update_secret_version_stage()
            .secret_id(name)
            .version_stage("AWSCURRENT")
            .set_move_to_version_id(put.version_id.clone())
            .set_remove_from_version_id(before.version.clone())
            .send()
            .await;
        let Err(error) = relabelled else {
            return Ok(Saved::Saved);
        };
        // The API does not document the error for that, so the current version is compared.
        let now = self.read(tenant).await.map_err(|error| error.to_string())?;
        let now = now.and_then(|now| now.version);
        if now == put.version_id {
            Ok(Saved::Saved)
        } else if now == before.version {
            Err(problem(&error))
        } else {
            Ok(Saved::Conflict)
        }
    }

    async fn create(&self, name: &str, text: &str) -> Result<(), String> {
        let create = self.client.create_secret().name(name).secret_string(text);
        match create.send().await {
            Ok(_) => Ok(()),
            // The secret of a removed tenant that is added again.
            Err(error) if is_being_deleted(&error) => {
                let restore = self.client.restore_secret().secret_id(name);
                restore.send().await.map_err(|error| problem(&error))?;
                self.put(name, text).await
            }
            Err(error) => Err(problem(&error)),
        }
    }

    async fn put(&self, name: &str, text: &str) -> Result<(), String> {
        let put = self.client.put_secret_value();
        let put = put.secret_id(name).secret_string(text);
        put.send().await.map(drop).map_err(|error| problem(&error))
    }
}

/// Whether the name is valid in Secrets Manager.
fn is_possible(tenant: &TenantId) -> bool {
    let possible = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=.@-".contains(&byte);
    !tenant.as_str().is_empty() && tenant.as_str().bytes().all(possible)
}

fn is_missing<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> bool {
    error.code() == Some("ResourceNotFoundException")
}

/// Whether the secret is in its recovery window after deletion, which lasts a month: it cannot be read, but its name is
/// taken. Only the message distinguishes this from other invalid requests.
fn is_being_deleted<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> bool {
    error.code() == Some("InvalidRequestException")
        && error
            .message()
            .is_some_and(|message| message.contains("deletion") || message.contains("deleted"))
}

fn unwritten(tenant: &TenantId, name: &str, problem: &str) -> StoreError {
    let problem = format!("tenant {tenant}: {name} cannot be written: {problem}");
    StoreError::new(SECRETS, "write a secret", problem)
}

/// 256 random bits.
fn token(tenant: &TenantId) -> Result<CallbackToken, StoreError> {
    let mut bits = [0; 32];
    getrandom::fill(&mut bits).map_err(|error| {
        StoreError::new(
            SECRETS,
            "make a callback token",
            format!("tenant {tenant}: {error}"),
        )
    })?;
    Ok(CallbackToken::of(bits))
}

#[cfg(test)]
mod tests;
