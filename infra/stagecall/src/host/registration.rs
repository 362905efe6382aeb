//! Sees that the platforms call back.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use stagecall_core::error::CallError;
use stagecall_core::ids::{AccountId, AssessmentId};
use stagecall_core::ports::{CallbackAddress, PlatformConnections, Secrets};
use stagecall_core::tenant::Tenant;
use stagecall_embedded::Store;
use tokio::sync::watch;
use url::Url;

/// After how long a registration that failed is tried again.
const AGAIN: Duration = Duration::from_mins(1);

/// How often registrations are looked at: somebody may have removed one by hand.
const CHECK: Duration = Duration::from_hours(6);

/// What registering needs.
pub(crate) struct Registration {
    pub(crate) public_url: Url,
    pub(crate) platforms: Arc<dyn PlatformConnections>,
    pub(crate) secrets: Arc<dyn Secrets>,
}

impl Registration {
    /// Registers every account's callbacks, and keeps looking that they are there, until `stop` says so.
    pub(crate) async fn keep(&self, store: &Store, stop: watch::Receiver<bool>) {
        let mut stopped = std::pin::pin!(super::stopped(stop));
        loop {
            let pause = tokio::select! {
                () = &mut stopped => return,
                all = self.register_all(store) => if all { CHECK } else { AGAIN },
            };
            tokio::select! {
                () = &mut stopped => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Whether all are registered.
    async fn register_all(&self, store: &Store) -> bool {
        let tenants = match store.list_tenants().await {
            Ok(tenants) => tenants,
            Err(error) => {
                tracing::error!(%error, "the tenants could not be read for registering callbacks");
                return false;
            }
        };
        let mut all = true;
        for tenant in tenants.iter().filter(|tenant| !tenant.paused) {
            for (account, assessments) in accounts(tenant) {
                if let Err(error) = self.register(tenant, &account, &assessments).await {
                    tracing::warn!(tenant = %tenant.id, %account, %error, "callbacks are not registered; results are found by sweeping");
                    all = false;
                }
            }
        }
        all
    }

    async fn register(
        &self,
        tenant: &Tenant,
        account: &AccountId,
        assessments: &[AssessmentId],
    ) -> Result<(), Failed> {
        let platform = self.platforms.platform(tenant, account).await?;
        if !platform.capabilities().callbacks {
            return Ok(());
        }
        let Some(tokens) = self.secrets.callback_tokens(&tenant.id, account).await? else {
            return Ok(());
        };
        let address = CallbackAddress {
            public_url: self.public_url.clone(),
            path: format!("callbacks/{}/{account}/", tenant.id),
            token: tokens.current,
        };
        let done = platform.register_callbacks(&address, assessments).await?;
        tracing::info!(tenant = %tenant.id, %account, created = done.created, changed = done.changed, kept = done.kept, "callbacks registered");
        Ok(())
    }
}

#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error(transparent)]
    Call(#[from] CallError),
    #[error(transparent)]
    Store(#[from] stagecall_core::error::StoreError),
}

/// The accounts that mappings use, with the assessments they use there.
fn accounts(tenant: &Tenant) -> BTreeMap<AccountId, Vec<AssessmentId>> {
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
