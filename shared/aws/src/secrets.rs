//! Secrets from Secrets Manager: one for each tenant, as JSON.

mod shape;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueError;
use stagecall_core::Timestamp;
use stagecall_core::clock::Clock;
use stagecall_core::error::StoreError;
use stagecall_core::ids::{AccountId, TenantId};
use stagecall_core::ports::{CallbackTokens, Secrets, TenantSecret};
use stagecall_core::timing::{after, seconds};

use crate::fault::problem;
use shape::Contents;

/// The store's name in errors.
const SECRETS: &str = "secrets";

/// For how long a secret is answered from memory. A new callback token is known everywhere after this time at the latest.
const REMEMBERED_SECONDS: f64 = 300.0;

/// The most secrets that are remembered.
const MOST_REMEMBERED: usize = 10_000;

/// The tenants' secrets, named `{prefix}/{tenant}`. What is in one, the README shows.
pub struct ManagedSecrets {
    client: Client,
    prefix: String,
    clock: Arc<dyn Clock>,
    remembered: Mutex<HashMap<TenantId, Remembered>>,
}

struct Remembered {
    until: Timestamp,
    /// `None`: there is no such secret.
    contents: Option<Arc<Contents>>,
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

    /// What is in the tenant's secret; `None` if there is none.
    async fn contents(
        &self,
        tenant: &TenantId,
        fresh: bool,
    ) -> Result<Option<Arc<Contents>>, StoreError> {
        let now = self.clock.now();
        if !fresh
            && let Some(known) = self
                .remembered()
                .get(tenant)
                .filter(|known| known.until > now)
        {
            return Ok(known.contents.clone());
        }
        let contents = self.read(tenant).await?.map(Arc::new);
        let mut remembered = self.remembered();
        if remembered.len() >= MOST_REMEMBERED {
            remembered.retain(|_, known| known.until > now);
        }
        // Whoever calls with invented names does not fill the memory.
        if remembered.len() >= MOST_REMEMBERED {
            remembered.clear();
        }
        let entry = Remembered {
            until: after(now, seconds(REMEMBERED_SECONDS)),
            contents: contents.clone(),
        };
        remembered.insert(tenant.clone(), entry);
        Ok(contents)
    }

    async fn read(&self, tenant: &TenantId) -> Result<Option<Contents>, StoreError> {
        let failed = |problem: String| {
            StoreError::new(
                SECRETS,
                "read a secret",
                format!("tenant {tenant}: {problem}"),
            )
        };
        // The names that Secrets Manager knows; it would not even look for another.
        let possible = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=.@-".contains(&byte);
        if tenant.as_str().is_empty() || !tenant.as_str().bytes().all(possible) {
            return Ok(None);
        }
        let name = format!("{}/{tenant}", self.prefix);
        let answer = match self.client.get_secret_value().secret_id(&name).send().await {
            Ok(answer) => answer,
            Err(error)
                if matches!(
                    error.as_service_error(),
                    Some(GetSecretValueError::ResourceNotFoundException(_))
                ) =>
            {
                return Ok(None);
            }
            Err(error) => {
                return Err(failed(format!(
                    "{name} cannot be read: {}",
                    problem(&error)
                )));
            }
        };
        let text = answer
            .secret_string
            .ok_or_else(|| failed(format!("{name} is binary. Put JSON text into it")))?;
        Contents::parse(&text)
            .map(Some)
            .map_err(|problem| failed(format!("{name}: {problem}")))
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
        contents.map(|contents| contents.secret.clone()).ok_or_else(|| {
            let problem = format!(
                "tenant {tenant}: there is no secret {}/{tenant}. Create it, as the README of shared/aws shows",
                self.prefix
            );
            StoreError::new(SECRETS, "read a secret", problem)
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

#[cfg(test)]
mod tests;
