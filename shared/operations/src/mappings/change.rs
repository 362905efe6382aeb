//! Pausing, resuming and removing a mapping.

use async_trait::async_trait;
use stagecall_core::ids::MappingId;
use stagecall_core::invitation::Invitation;
use stagecall_core::tenant::Tenant;

use super::show::find;
use crate::actor::Actor;
use crate::change::{Change, Prepared};
use crate::error::Result;
use crate::installation::Installation;
use crate::invitations::count_open;

/// The new state of a mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    /// It invites nobody.
    Paused,
    /// It invites again.
    On,
    /// It is removed.
    Gone,
}

/// A mapping that is to be paused, resumed or removed.
#[derive(Debug)]
pub struct MappingChange {
    tenant: Tenant,
    mapping: MappingId,
    to: To,
    /// The number of open invitations of a mapping that is to be removed.
    open: usize,
}

/// Prepares pausing, resuming or removing a mapping.
///
/// # Errors
/// There is no such tenant or mapping, or the store fails.
pub async fn prepare(
    on: &Installation,
    tenant: &str,
    mapping: &str,
    to: To,
) -> Result<Prepared<MappingChange>> {
    let tenant = on.tenant(tenant).await?;
    let mapping = find(&tenant, mapping)?;
    let id = mapping.id.clone();
    if to != To::Gone && mapping.paused == (to == To::Paused) {
        let state = if mapping.paused { "paused" } else { "on" };
        return Ok(Prepared::Nothing(format!(
            "mapping {id} is already {state}"
        )));
    }
    let of = |one: &Invitation| one.key.mapping == id;
    let open = match to {
        To::Gone => count_open(&*on.records, &tenant.id, of).await?,
        To::Paused | To::On => 0,
    };
    Ok(Prepared::Change(MappingChange {
        tenant,
        mapping: id,
        to,
        open,
    }))
}

#[async_trait]
impl Change for MappingChange {
    type Done = ();

    fn in_words(&self) -> String {
        let what = match self.to {
            To::Paused => {
                "paused: applications that enter meanwhile are skipped. Open invitations are still followed and reported."
            }
            To::On => "resumed: applications that enter its trigger stage from now on are invited.",
            To::Gone => {
                "removed. Invitations that were not sent yet are dropped; open invitations are still followed and reported as the mapping says, until they end."
            }
        };
        let open = match self.open {
            0 => String::new(),
            open => format!(" {open} of its invitations are open."),
        };
        format!(
            "Mapping {} of {} will be {what}{open}",
            self.mapping, self.tenant.id
        )
    }

    async fn apply(mut self, on: &Installation, actor: &Actor) -> Result<()> {
        let mappings = &mut self.tenant.mappings;
        let what = match self.to {
            To::Gone => {
                mappings.retain(|mapping| mapping.id != self.mapping);
                "map remove"
            }
            To::Paused | To::On => {
                let paused = self.to == To::Paused;
                let mut named = mappings.iter_mut();
                if let Some(mapping) = named.find(|mapping| mapping.id == self.mapping) {
                    mapping.paused = paused;
                }
                if paused { "map pause" } else { "map resume" }
            }
        };
        on.records.put_tenant(&self.tenant).await?;
        let target = self.mapping.as_str();
        actor.record(on, what, Some(&self.tenant.id), target).await
    }
}
