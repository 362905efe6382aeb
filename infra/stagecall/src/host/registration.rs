//! Sees that the platforms call back.

use std::collections::HashMap;
use std::time::Duration;

use secrecy::ExposeSecret as _;
use stagecall_core::ids::{AccountId, AssessmentId, TenantId};
use stagecall_core::ports::{CallbackToken, OperatorStore as _};
use stagecall_core::usecases::Registrar;
use stagecall_embedded::Store;
use tokio::sync::watch;
use tokio::time::Instant;

/// How often it is looked whether there is something to register: tenants may be added and changed while the host runs.
const LOOK: Duration = Duration::from_secs(5);

/// After how long a registration that failed is tried again.
const AGAIN: Duration = Duration::from_mins(1);

/// How often registrations are checked: somebody may have removed one by hand.
const CHECK: Duration = Duration::from_hours(6);

/// Registers, again and again.
pub(crate) struct Registration(pub(crate) Registrar);

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
            for (account, assessments) in Registrar::used(tenant) {
                let token = match self.0.secrets.callback_tokens(&tenant.id, &account).await {
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
                let registered = self
                    .0
                    .register(tenant, &account, token.clone(), &assessments)
                    .await;
                let pause = match registered {
                    Ok(done) => {
                        if let Some(done) = done {
                            tracing::info!(tenant = %tenant.id, %account, created = done.created, changed = done.changed, kept = done.kept, "callbacks registered");
                        }
                        CHECK
                    }
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
}
