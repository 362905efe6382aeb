//! One invitation for each application, assessment and entry, whatever is configured: where several mappings want the same
//! entry for the same assessment, the first of them holds it and the others give way.

use super::engine::Engine;
use super::invite::Inviter;
use crate::error::{Error, StoreError};
use crate::events::{DomainEvent, What};
use crate::ids::{AssessmentRef, InvitationKey, Reference, VacancyId};
use crate::invitation::{Entry, Event, Invitation, SkipReason, State};
use crate::ports::{Bound, Inserted};
use crate::tenant::{Mapping, MappingKind, Position, Tenant};

/// An entry that a mapping would invite for.
pub(super) struct EntryOf<'a> {
    /// As this invitation.
    pub(super) key: &'a InvitationKey,
    /// To this assessment, as the mapping says.
    pub(super) assessment: &'a AssessmentRef,
    /// For this vacancy.
    pub(super) vacancy: &'a VacancyId,
    /// Where the application is; `None` if reports of ours led it there.
    pub(super) position: Option<&'a Position>,
}

impl Engine {
    /// Whether `other` is what the entry is invited by: of another mapping, which takes applications at this position for
    /// the same assessment. That may be one that was removed since, or got another name.
    pub(super) async fn is_held(
        &self,
        tenant: &Tenant,
        other: &Invitation,
        entry: &EntryOf<'_>,
    ) -> Result<bool, StoreError> {
        let is_other = other.key.application == entry.key.application
            && other.key.mapping != entry.key.mapping
            && other.holds_its_entry();
        if !is_other {
            return Ok(false);
        }
        let by = self.definition(tenant, other).await?;
        Ok(by.is_some_and(|by| {
            let is_there = |position| by.triggered_by(position);
            by.assessment == *entry.assessment
                && by.vacancies.contains(entry.vacancy)
                && entry.position.is_none_or(is_there)
        }))
    }
}

impl Inviter {
    /// Takes the entry for this row, or gives way to the row that has it, which is on record then. Returns whether it is
    /// this row's.
    ///
    /// Two polls that know nothing of each other's rows can both put one on record. So each takes a place, one after the
    /// other: a reference that is bound for good before anything is sent. Whoever finds it taken looks whether its owner
    /// still holds the entry; if not, the next place counts. Where no other mapping has the assessment this costs nothing.
    pub(super) async fn hold_entry(
        &self,
        tenant: &Tenant,
        mapping: &Mapping,
        row: &Invitation,
        position: &Position,
    ) -> Result<bool, Error> {
        /// More than an application enters.
        const MAX_PLACES: u32 = 1000;
        // A pool has places of its own, for all applications of a candidate.
        let is_pool = matches!(mapping.kind, MappingKind::Pool(_));
        let mut others = tenant
            .mappings
            .iter()
            .filter(|one| one.id != row.key.mapping);
        if is_pool || !others.any(|one| one.assessment == mapping.assessment) {
            return Ok(true);
        }
        let AssessmentRef {
            account,
            assessment,
        } = &mapping.assessment;
        let place = |number: u32| {
            let application = &row.key.application;
            Reference::new(format!("entry/{assessment}/{application}/{number}"))
        };
        let entry = EntryOf {
            key: &row.key,
            assessment: &mapping.assessment,
            vacancy: &row.vacancy,
            position: mapping.triggered_by(position).then_some(position),
        };
        let ledger = &self.engine.ledger;
        for number in 1..=MAX_PLACES {
            match ledger
                .bind_reference(account, &place(number), &row.key)
                .await?
            {
                Bound::Ours => {
                    // An erasure before this looked for places did not find this one.
                    if ledger.purge_if_erased(row, Some(&place(number))).await? {
                        return Ok(false);
                    }
                    // A row that failed and is tried again may find that another has come after it.
                    let next = place(number + 1);
                    if ledger
                        .find_by_reference(&tenant.id, account, &next)
                        .await?
                        .is_none()
                    {
                        return Ok(true);
                    }
                }
                Bound::Other(owner) => {
                    if let Some(owner) = ledger.load(&owner).await?
                        && self.engine.is_held(tenant, &owner, &entry).await?
                    {
                        let event = Event::Skip {
                            claim: None,
                            reason: SkipReason::Duplicate(Some(owner.key)),
                        };
                        self.record(row, Some(mapping), event).await?;
                        return Ok(false);
                    }
                }
            }
        }
        Ok(true)
    }

    /// If this happens to the row because of its own mapping, those that gave way to it take the entry: each has a further
    /// round, which is put on record first and is due when the row has been given up.
    pub(super) async fn pass_on(&self, row: &Invitation, event: &Event) -> Result<(), Error> {
        let by_mapping = matches!(
            event,
            Event::Skip {
                reason: SkipReason::MappingRemoved
                    | SkipReason::MappingChanged
                    | SkipReason::Baseline,
                ..
            }
        );
        if !by_mapping {
            return Ok(());
        }
        let applications = [row.key.application.clone()];
        let ledger = &self.engine.ledger;
        let rows = ledger
            .of_applications(&row.key.tenant, &applications)
            .await?;
        for other in &rows {
            let is_newest = rows.iter().all(|one| {
                one.key.mapping != other.key.mapping || one.key.round <= other.key.round
            });
            if is_newest && other.entry.left_at.is_none() && gave_way_to(other, row) {
                self.enter_after(other).await?;
            }
        }
        Ok(())
    }

    /// Puts the same entry on record once more, to be invited for.
    async fn enter_after(&self, gave_way: &Invitation) -> Result<(), Error> {
        let now = self.engine.now();
        let key = InvitationKey {
            round: gave_way.key.round.saturating_add(1),
            ..gave_way.key.clone()
        };
        let mut next = Invitation::detected(
            key.clone(),
            gave_way.candidate.clone(),
            gave_way.vacancy.clone(),
            gave_way.assessment.clone(),
            Entry {
                seen_at: now,
                ..gave_way.entry.clone()
            },
        )
        .due_at(self.engine.in_seconds(self.engine.timing.retry_seconds));
        next.definition.clone_from(&gave_way.definition);
        if self.engine.ledger.insert(&next).await? == Inserted::New {
            tracing::info!(tenant = %key.tenant, invitation = %key.name(), "the mapping that this one gave way to does not invite; this one does");
            let what = What::Detected { invitation: key };
            let event = DomainEvent { at: now, what };
            self.engine.events.publish(vec![event]).await;
        }
        Ok(())
    }
}

fn gave_way_to(row: &Invitation, holder: &Invitation) -> bool {
    matches!(&row.state, State::Skipped(SkipReason::Duplicate(Some(to))) if *to == holder.key)
}

#[cfg(test)]
mod tests;
