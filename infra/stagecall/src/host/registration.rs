//! Registers callbacks on the platforms, and keeps them registered.

use std::collections::HashMap;
use std::time::Duration;

use secrecy::ExposeSecret as _;
use stagecall_core::ids::{AccountId, AssessmentId, TenantId};
use stagecall_core::ports::{CallbackToken, OperatorStore as _};
use stagecall_core::usecases::Registrar;
use stagecall_embedded::Store;
use tokio::sync::watch;
use tokio::time::Instant;
use tracing::Instrument as _;

/// The interval between looks for something to register: tenants may be added and changed while the host runs.
const LOOK_INTERVAL: Duration = Duration::from_secs(5);

/// The pause after a failed registration.
const RETRY_PAUSE: Duration = Duration::from_mins(1);

/// The interval between checks of a registration: somebody may have removed it by hand.
const CHECK_INTERVAL: Duration = Duration::from_hours(6);

/// Registers callbacks at intervals.
pub(crate) struct Registration(pub(crate) Registrar);

/// The last registration of an account, and when to check it.
struct Done {
    assessments: Vec<AssessmentId>,
    token: CallbackToken,
    again: Instant,
}

type All = HashMap<(TenantId, AccountId), Done>;

impl Registration {
    /// Registers every account's callbacks, and checks them, until `stop` is set.
    pub(crate) async fn run(&self, store: &Store, stop: watch::Receiver<bool>) {
        let mut stopped = std::pin::pin!(super::stopped(stop));
        let mut done = All::new();
        loop {
            tokio::select! {
                () = &mut stopped => return,
                () = self.register_all(store, &mut done) => {}
            }
            tokio::select! {
                () = &mut stopped => return,
                () = tokio::time::sleep(LOOK_INTERVAL) => {}
            }
        }
    }

    /// Registers what is new, changed or due for a check.
    async fn register_all(&self, store: &Store, done: &mut All) {
        let tenants = match store.list_tenants().await {
            Ok(tenants) => tenants,
            Err(error) => {
                tracing::error!(%error, "tenants not read, callbacks not registered");
                return;
            }
        };
        for tenant in tenants.iter().filter(|tenant| !tenant.paused) {
            for (account, assessments) in Registrar::used(tenant) {
                let token = match self.0.secrets.callback_tokens(&tenant.id, &account).await {
                    Ok(Some(tokens)) => tokens.current,
                    Ok(None) => continue,
                    Err(error) => {
                        tracing::warn!(tenant = %tenant.id, %account, %error, "callback token not read");
                        continue;
                    }
                };
                let key = (tenant.id.clone(), account.clone());
                let up_to_date = done.get(&key).is_some_and(|known| {
                    known.assessments == assessments
                        && known.token.0.expose_secret() == token.0.expose_secret()
                        && known.again > Instant::now()
                });
                if up_to_date {
                    continue;
                }
                let span = tracing::error_span!("registration", tenant = %tenant.id);
                let registered = self
                    .0
                    .register(tenant, &account, token.clone(), &assessments)
                    .instrument(span)
                    .await;
                let pause = match registered {
                    Ok(done) => {
                        if let Some(done) = done {
                            tracing::info!(tenant = %tenant.id, %account, created = done.created, changed = done.changed, kept = done.kept, "callbacks registered");
                        }
                        CHECK_INTERVAL
                    }
                    Err(error) => {
                        tracing::warn!(tenant = %tenant.id, %account, %error, "callbacks not registered");
                        RETRY_PAUSE
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
