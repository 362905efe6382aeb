//! One invitation per application, assessment and entry, whatever the configuration: where several mappings match the
//! same entry for the same assessment, the first of them holds it and the others give way.

use super::invite::Inviter;
use crate::engine::Engine;
use crate::error::{Error, StoreError};
use crate::ids::{AssessmentRef, InvitationKey, Reference, VacancyId};
use crate::invitation::{Entry, Event, Failure, Invitation, SkipReason, State};
use crate::ports::{Bound, Inserted};
use crate::tenant::{Mapping, MappingKind, Position, Tenant};

/// An entry that a mapping would invite for.
pub(super) struct EntryOf<'a> {
    /// The invitation for this entry.
    pub(super) key: &'a InvitationKey,
    /// The assessment, as the mapping says.
    pub(super) assessment: &'a AssessmentRef,
    /// The vacancy.
    pub(super) vacancy: &'a VacancyId,
    /// The application's position; `None` if reports of ours led it there.
    pub(super) position: Option<&'a Position>,
}

impl Engine {
    /// Whether `other` holds the entry: it is of another mapping, which covers applications at this position for the
    /// same assessment. That mapping may have been removed or renamed since.
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
    /// Claims the entry for this row, or gives way to the row that holds it, which is saved then. Returns whether this
    /// row has the entry.
    ///
    /// Two polls that do not know each other's rows can both save one. So each takes a numbered slot: a reference that
    /// is bound permanently before anything is sent. A row that finds a slot taken checks whether its owner still holds
    /// the entry; if not, the next slot counts. Where no other mapping has the assessment this costs nothing.
    pub(super) async fn hold_entry(
        &self,
        tenant: &Tenant,
        mapping: &Mapping,
        row: &Invitation,
        position: &Position,
    ) -> Result<bool, Error> {
        /// More than an application enters.
        const MAX_SLOTS: u32 = 1000;
        // A pool has slots of its own, for all applications of a candidate.
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
        let mut passed = Vec::new();
        for number in 1..=MAX_SLOTS {
            match ledger.bind_reference(account, &place(number), row).await? {
                Bound::Erased => {
                    ledger.purge_if_erased(row).await?;
                    return Ok(false);
                }
                Bound::Ours => {
                    // A row that failed and is retried may find that another took the next slot.
                    let next = place(number + 1);
                    if ledger
                        .find_by_reference(&tenant.id, account, &next)
                        .await?
                        .is_none()
                    {
                        return self
                            .is_uncontested(tenant, mapping, row, &entry, &passed)
                            .await;
                    }
                }
                Bound::Other(owner) => {
                    passed.push(owner.clone());
                    if let Some(owner) = ledger.load(&owner).await?
                        && self.engine.is_held(tenant, &owner, &entry).await?
                    {
                        let event = Event::Skip {
                            claim: None,
                            reason: SkipReason::Duplicate(Some(owner.key)),
                        };
                        self.apply_event(row, Some(mapping), event).await?;
                        return Ok(false);
                    }
                }
            }
        }
        Ok(true)
    }

    /// Whether none of those whose slots were passed over holds the entry after all: an operator may have retried one
    /// before it could see this row's slot. Then this row waits until it is known whether that one saw it and gave way.
    async fn is_uncontested(
        &self,
        tenant: &Tenant,
        mapping: &Mapping,
        row: &Invitation,
        entry: &EntryOf<'_>,
        passed: &[InvitationKey],
    ) -> Result<bool, Error> {
        for owner in passed {
            let Some(owner) = self.engine.ledger.load(owner).await? else {
                continue;
            };
            if self.engine.is_held(tenant, &owner, entry).await? {
                let event = Event::Deferred {
                    claim: None,
                    failure: Failure {
                        code: "mapping.entry_contested".to_owned(),
                        problem: format!("{} was retried at the same time", owner.key),
                        remedy: "Nothing: one of the two is sent".to_owned(),
                        first_failed_at: self.engine.now(),
                        attempts: 1,
                    },
                    until: self.engine.in_seconds(self.engine.timing.retry_seconds),
                };
                self.apply_event(row, Some(mapping), event).await?;
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// If this event is due to the row's own mapping, the rows that gave way take the entry: each gets a further round,
    /// which is saved first and is due once this row has been given up.
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

    /// Saves the same entry once more, to be invited for.
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
        if self.engine.insert(&next).await? == Inserted::New {
            tracing::info!(tenant = %key.tenant, invitation = %key.name(), "mapping with precedence does not invite, entry passed on");
        }
        Ok(())
    }
}

fn gave_way_to(row: &Invitation, holder: &Invitation) -> bool {
    matches!(&row.state, State::Skipped(SkipReason::Duplicate(Some(to))) if *to == holder.key)
}

#[cfg(test)]
mod tests;
