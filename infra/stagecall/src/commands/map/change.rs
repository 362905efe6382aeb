//! `stagecall map pause`, `resume` and `remove`.

use clap::Args;
use stagecall_core::invitation::Invitation;

use super::show::find;
use crate::confirm::Audit;
use crate::exit;
use stagecall_operations::Installation;
use stagecall_operations::invitations::count_open;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The tenant.
    tenant: String,
    /// The mapping.
    mapping: String,
    #[command(flatten)]
    audit: Audit,
}

/// The new state of a mapping.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum To {
    Paused,
    On,
    Gone,
}

pub(crate) async fn run(arguments: Arguments, to: To, on: &Installation) -> anyhow::Result<u8> {
    let mut tenant = on.tenant(&arguments.tenant).await?;
    let mapping = find(&tenant, &arguments.mapping)?;
    let id = mapping.id.clone();
    if to != To::Gone && mapping.paused == (to == To::Paused) {
        println!(
            "mapping {id} is already {}",
            if mapping.paused { "paused" } else { "on" }
        );
        return Ok(exit::OK);
    }
    let (verb, done, what) = match to {
        To::Paused => (
            "map pause",
            "paused",
            "will be paused: applications that enter meanwhile are skipped. Open invitations are still followed and reported.",
        ),
        To::On => (
            "map resume",
            "on",
            "will be resumed: applications that enter its trigger stage from now on are invited.",
        ),
        To::Gone => (
            "map remove",
            "removed",
            "will be removed. Invitations that were not sent yet are dropped; open invitations are still followed and reported as the mapping says, until they end.",
        ),
    };
    let open = match to {
        To::Gone => {
            let of = |one: &Invitation| one.key.mapping == id;
            count_open(&*on.records, &tenant.id, of).await?
        }
        To::Paused | To::On => 0,
    };
    let open = if open > 0 {
        format!(" {open} of its invitations are open.")
    } else {
        String::new()
    };
    if !arguments
        .audit
        .confirm(&format!("Mapping {id} of {} {what}{open}", tenant.id))?
    {
        return Ok(exit::OK);
    }
    match to {
        To::Gone => tenant.mappings.retain(|mapping| mapping.id != id),
        To::Paused | To::On => {
            for mapping in tenant
                .mappings
                .iter_mut()
                .filter(|mapping| mapping.id == id)
            {
                mapping.paused = to == To::Paused;
            }
        }
    }
    on.records.put_tenant(&tenant).await?;
    let audit = &arguments.audit;
    audit
        .actor()
        .record(on, verb, Some(&tenant.id), id.as_str())
        .await?;
    println!("mapping {id} is {done}");
    Ok(exit::OK)
}
