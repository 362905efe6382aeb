//! Pausing and resuming a tenant.

use async_trait::async_trait;
use stagecall_core::tenant::Tenant;

use crate::actor::Actor;
use crate::change::{Change, Prepared};
use crate::error::Result;
use crate::installation::Installation;

/// A tenant that is to be paused or resumed.
#[derive(Debug)]
pub struct Pause {
    tenant: Tenant,
    pause: bool,
}

/// Prepares pausing a tenant, or resuming it.
///
/// # Errors
/// There is no such tenant, or the store fails.
pub async fn prepare(on: &Installation, tenant: &str, pause: bool) -> Result<Prepared<Pause>> {
    let tenant = on.tenant(tenant).await?;
    if tenant.paused == pause {
        let state = if pause { "paused" } else { "on" };
        let already = format!("{} is already {state}", tenant.id);
        return Ok(Prepared::Nothing(already));
    }
    Ok(Prepared::Change(Pause { tenant, pause }))
}

#[async_trait]
impl Change for Pause {
    type Done = ();

    fn in_words(&self) -> String {
        let id = &self.tenant.id;
        if self.pause {
            format!(
                "{id} will not be polled or swept, and nobody is invited. Callbacks are still accepted and results still reported."
            )
        } else {
            format!(
                "{id} will be polled again. Candidates who entered a trigger stage meanwhile are invited."
            )
        }
    }

    async fn apply(mut self, on: &Installation, actor: &Actor) -> Result<()> {
        self.tenant.paused = self.pause;
        on.records.put_tenant(&self.tenant).await?;
        let what = if self.pause {
            "tenant pause"
        } else {
            "tenant resume"
        };
        let id = &self.tenant.id;
        actor.record(on, what, Some(id), id.as_str()).await
    }
}
