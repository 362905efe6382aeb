//! Sees that the platforms call back.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret as _;
use stagecall_core::error::CallError;
use stagecall_core::ids::{AccountId, AssessmentId, TenantId};
use stagecall_core::ports::{
    CallbackAddress, CallbackToken, PlatformConnections, Records as _, Secrets,
};
use stagecall_core::tenant::Tenant;
use stagecall_embedded::Store;
use tokio::sync::watch;
use tokio::time::Instant;
use url::Url;

/// How often it is looked whether there is something to register: tenants may be added and changed while the host runs.
const LOOK: Duration = Duration::from_secs(5);

/// After how long a registration that failed is tried again.
const AGAIN: Duration = Duration::from_mins(1);

/// How often registrations are checked: somebody may have removed one by hand.
const CHECK: Duration = Duration::from_hours(6);

/// What registering needs.
pub(crate) struct Registration {
    pub(crate) public_url: Url,
    pub(crate) platforms: Arc<dyn PlatformConnections>,
    pub(crate) secrets: Arc<dyn Secrets>,
}

/// What was last registered of an account, and when it is to be looked at again.
struct Done {
    assessments: Vec<AssessmentId>,
    token: CallbackToken,
    again: Instant,
}

type All = HashMap<(TenantId, AccountId), Done>;

impl Registration {
    /// Registers every account's callbacks, and keeps looking that they are there, until `stop` says so.
    pub(crate) async fn keep(&self, store: &Store, stop: watch::Receiver<bool>) {
        let mut stopped = std::pin::pin!(super::stopped(stop));
        let mut done = All::new();
        loop {
            tokio::select! {
                () = &mut stopped => return,
                () = self.register_all(store, &mut done) => {}
            }
            tokio::select! {
                () = &mut stopped => return,
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    /// Registers what is new, changed or to be looked at again.
    async fn register_all(&self, store: &Store, done: &mut All) {
        let tenants = match store.list_tenants().await {
            Ok(tenants) => tenants,
            Err(error) => {
                tracing::error!(%error, "the tenants could not be read for registering callbacks");
                return;
            }
        };
        for tenant in tenants.iter().filter(|tenant| !tenant.paused) {
            for (account, assessments) in accounts(tenant) {
                let token = match self.secrets.callback_tokens(&tenant.id, &account).await {
                    Ok(Some(tokens)) => tokens.current,
                    Ok(None) => continue,
                    Err(error) => {
                        tracing::warn!(tenant = %tenant.id, %account, %error, "the callback token could not be read");
                        continue;
                    }
                };
                let key = (tenant.id.clone(), account.clone());
                let settled = done.get(&key).is_some_and(|known| {
                    known.assessments == assessments
                        && known.token.0.expose_secret() == token.0.expose_secret()
                        && known.again > Instant::now()
                });
                if settled {
                    continue;
                }
                let pause = match self.register(tenant, &account, &token, &assessments).await {
                    Ok(()) => CHECK,
                    Err(error) => {
                        tracing::warn!(tenant = %tenant.id, %account, %error, "callbacks are not registered; results are found by sweeping");
                        AGAIN
                    }
                };
                let again = Instant::now() + pause;
                done.insert(
                    key,
                    Done {
                        assessments,
                        token,
                        again,
                    },
                );
            }
        }
    }

    async fn register(
        &self,
        tenant: &Tenant,
        account: &AccountId,
        token: &CallbackToken,
        assessments: &[AssessmentId],
    ) -> Result<(), CallError> {
        let platform = self.platforms.platform(tenant, account).await?;
        if !platform.capabilities().callbacks {
            return Ok(());
        }
        let address = CallbackAddress {
            public_url: self.public_url.clone(),
            path: format!("callbacks/{}/{account}/", tenant.id),
            token: token.clone(),
        };
        let done = platform.register_callbacks(&address, assessments).await?;
        tracing::info!(tenant = %tenant.id, %account, created = done.created, changed = done.changed, kept = done.kept, "callbacks registered");
        Ok(())
    }
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
