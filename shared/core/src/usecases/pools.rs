//! Talent pools that take candidates by the outcome of another mapping's invitation.

use crate::error::Error;
use crate::ids::InvitationKey;
use crate::invitation::{Entry, Invitation};
use crate::ports::Inserted;
use crate::report::Moment;
use crate::tenant::{Mapping, MappingKind, Tenant};

use crate::engine::Engine;

/// Saves an entry for each pool that takes this invitation's candidate. Idempotent.
pub(super) async fn feed(engine: &Engine, tenant: &Tenant, row: &Invitation) -> Result<(), Error> {
    let Some(moment) = row.moment() else {
        return Ok(());
    };
    for mapping in &tenant.mappings {
        if !takes(mapping, row, moment) {
            continue;
        }
        let key = InvitationKey {
            mapping: mapping.id.clone(),
            round: 1,
            ..row.key.clone()
        };
        let entry = Entry::seen(engine.now());
        let place = Invitation::detected(
            key.clone(),
            row.candidate.clone(),
            row.vacancy.clone(),
            mapping.assessment.clone(),
            entry,
        )
        .under(mapping.definition_id())
        .for_pool();
        if engine.insert(&place).await? == Inserted::New {
            tracing::info!(tenant = %tenant.id, invitation = %key.name(), "candidate selected for the talent pool");
        }
    }
    Ok(())
}

/// Whether the mapping is a pool that takes candidates with this outcome.
fn takes(mapping: &Mapping, row: &Invitation, moment: Moment) -> bool {
    let MappingKind::Pool(plan) = &mapping.kind else {
        return false;
    };
    let percent = row
        .snapshot
        .as_ref()
        .and_then(|snapshot| snapshot.score.as_ref()?.percent);
    !mapping.paused
        && mapping.vacancies.contains(&row.vacancy)
        && plan.after.iter().any(|outcome| {
            outcome.mapping == row.key.mapping
                && outcome.on == moment
                && outcome
                    .min_percent
                    .is_none_or(|least| percent.is_some_and(|percent| percent >= f64::from(least)))
        })
}

#[cfg(test)]
mod tests;
