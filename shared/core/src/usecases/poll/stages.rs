//! Checks that the mappings' stages exist in Eploy.

use super::{PollError, Poller, Watched, mappings};
use crate::error::ErrorScope;
use crate::events::What;
use crate::ports::{Eploy, MappingStatus, TenantState};
use crate::tenant::Tenant;

impl Poller {
    /// Periodically checks whether the mappings' stages still exist.
    pub(super) async fn check_mappings(
        &self,
        eploy: &dyn Eploy,
        tenant: &Tenant,
        state: &mut TenantState,
    ) -> Result<(), PollError> {
        let now = self.engine.now();
        if state.check_at.is_some_and(|at| at > now) {
            return Ok(());
        }
        let timing = &self.engine.timing;
        let directory = match eploy.directory().await {
            Ok(directory) => directory,
            // The lists only show mistakes: invitations continue without them.
            Err(error) if error.scope == ErrorScope::Record => {
                tracing::warn!(tenant = %tenant.id, code = error.code, %error, "mappings' stages not checked");
                state.check_at = Some(self.engine.in_seconds(timing.suspend_seconds));
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        if let Some(plan) = &tenant.hires
            && let Some(reason) = mappings::broken_trigger(plan.triggers(), &directory)
        {
            tracing::error!(tenant = %tenant.id, %reason, "plan for hires is broken, no hires are announced");
        }
        let mut check_in = timing.recheck_seconds;
        let directory = mappings::with_proven(directory, state, now);
        for Watched { mapping, .. } in &self.engine.watched(tenant, state).await? {
            let Some(remembered) = state.mappings.get_mut(&mapping.id) else {
                continue;
            };
            let was_on = remembered.status.is_on();
            let broken_at = match remembered.status {
                MappingStatus::Broken { at, .. } => Some(at.unwrap_or(now)),
                _ => None,
            };
            let reason = mappings::broken(mapping, &directory);
            let works = remembered.status == MappingStatus::Active;
            if let Some(reason) = &reason
                && works
                && !remembered.doubted
            {
                tracing::warn!(tenant = %tenant.id, mapping = %mapping.id, %reason, "mapping may be broken, second check scheduled");
                remembered.doubted = true;
                check_in = check_in.min(timing.retry_seconds);
                continue;
            }
            remembered.doubted = false;
            match reason {
                Some(reason) => {
                    if broken_at.is_none() {
                        tracing::error!(tenant = %tenant.id, mapping = %mapping.id, %reason, "mapping is broken, no invitations");
                        let what = What::MappingBroken {
                            tenant: tenant.id.clone(),
                            mapping: mapping.id.clone(),
                            reason: reason.clone(),
                        };
                        self.engine.publish(what).await;
                    }
                    remembered.status = MappingStatus::Broken {
                        reason,
                        at: Some(broken_at.unwrap_or(now)),
                        on: was_on,
                    };
                    check_in = check_in.min(timing.suspend_seconds);
                }
                // Candidates that entered meanwhile are invited.
                None if broken_at.is_some() => {
                    remembered.status = mappings::repaired(mapping, was_on);
                }
                None => {}
            }
        }
        state.check_at = Some(self.engine.in_seconds(check_in));
        Ok(())
    }
}
