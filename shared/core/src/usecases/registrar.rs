//! Registers callbacks with the platforms.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use url::Url;

use crate::error::{CallError, Error};
use crate::ids::{AccountId, AssessmentId};
use crate::ports::{CallbackAddress, CallbackToken, PlatformConnections, Registration, Secrets};
use crate::tenant::Tenant;

/// Registers callbacks.
#[derive(Clone)]
pub struct Registrar {
    /// The public address of the listener, without the path.
    pub public_url: Url,
    /// The connections to tenants' platform accounts.
    pub platforms: Arc<dyn PlatformConnections>,
    /// The tenants' callback tokens.
    pub secrets: Arc<dyn Secrets>,
}

impl Registrar {
    /// Makes an account call back for these assessments. `None`: its platform has no callbacks. Safe to repeat.
    pub async fn register(
        &self,
        tenant: &Tenant,
        account: &AccountId,
        token: CallbackToken,
        assessments: &[AssessmentId],
    ) -> Result<Option<Registration>, CallError> {
        let platform = self.platforms.platform(tenant, account).await?;
        if !platform.capabilities().callbacks {
            return Ok(None);
        }
        let address = CallbackAddress {
            public_url: self.public_url.clone(),
            path: format!("callbacks/{}/{account}/", tenant.id),
            token,
        };
        let done = platform.register_callbacks(&address, assessments).await?;
        Ok(Some(done))
    }

    /// Registers the callbacks of all accounts that a tenant's mappings use, where possible. Returns the outcome for
    /// each account that calls back.
    pub async fn register_all(
        &self,
        tenant: &Tenant,
    ) -> Result<Vec<(AccountId, Registration)>, Error> {
        let mut registered = Vec::new();
        for (account, assessments) in Self::used(tenant) {
            let Some(tokens) = self.secrets.callback_tokens(&tenant.id, &account).await? else {
                continue;
            };
            let done = self
                .register(tenant, &account, tokens.current, &assessments)
                .await?;
            registered.extend(done.map(|done| (account, done)));
        }
        Ok(registered)
    }

    /// The accounts that a tenant's mappings use, with the assessments used there.
    pub fn used(tenant: &Tenant) -> BTreeMap<AccountId, Vec<AssessmentId>> {
        let mut accounts: BTreeMap<AccountId, BTreeSet<AssessmentId>> = BTreeMap::new();
        for mapping in &tenant.mappings {
            accounts
                .entry(mapping.assessment.account.clone())
                .or_default()
                .insert(mapping.assessment.assessment.clone());
        }
        accounts
            .into_iter()
            .map(|(account, assessments)| (account, assessments.into_iter().collect()))
            .collect()
    }
}

#[cfg(test)]
mod tests;
