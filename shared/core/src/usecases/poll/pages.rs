//! Taking a page of applications into the ledger.

use std::collections::{BTreeSet, HashMap};

use futures::future::try_join_all;

use super::decide::{Decision, decide, decide_by_history};
use super::{Poller, Stop};
use crate::error::Reach;
use crate::events::{DomainEvent, What};
use crate::ids::{ApplicationId, InvitationKey, MappingId};
use crate::invitation::{Entry, Event, Invitation, SkipReason, Step};
use crate::ports::{
    ApplicationPage, ApplicationRow, Eploy, Inserted, MappingState, Standing, TenantState,
};
use crate::tenant::{Mapping, MappingKind, Tenant};
use crate::usecases::desk::Next;
use crate::work::Work;

/// One mapping's view of one application.
struct Case<'a> {
    mapping: &'a Mapping,
    state: &'a MappingState,
    row: &'a ApplicationRow,
    latest: Option<&'a Invitation>,
    /// How often the poll failed in a row before this one.
    failures: u32,
}

/// After so many failures of the poll, a record whose history cannot be read is left out.
const SET_ASIDE_AFTER: u32 = 3;

impl Poller {
    /// Puts everything on record that a page says to the mappings that `concerns` names. Returns how many new entries
    /// there were. When it returns, the ledger has the page.
    pub(super) async fn take_in(
        &self,
        eploy: &dyn Eploy,
        tenant: &Tenant,
        state: &TenantState,
        page: &ApplicationPage,
        concerns: impl Fn(&MappingId) -> bool,
    ) -> Result<usize, Stop> {
        let mappings: Vec<_> = tenant
            .mappings
            .iter()
            .filter(|mapping| concerns(&mapping.id) && !mapping.triggers.is_empty())
            .filter_map(|mapping| Some((mapping, state.mappings.get(&mapping.id)?)))
            .collect();
        let applications: BTreeSet<&ApplicationId> = page
            .rows
            .iter()
            .filter(|row| {
                mappings
                    .iter()
                    .any(|(mapping, _)| mapping.vacancies.contains(&row.vacancy))
            })
            .map(|row| &row.id)
            .collect();
        if applications.is_empty() {
            return Ok(0);
        }
        let applications: Vec<ApplicationId> = applications.into_iter().cloned().collect();
        let known = self
            .desk
            .ledger
            .of_applications(&tenant.id, &applications)
            .await?;
        let mut latest: HashMap<(&ApplicationId, &MappingId), &Invitation> = HashMap::new();
        for invitation in &known {
            let newest = latest
                .entry((&invitation.key.application, &invitation.key.mapping))
                .or_insert(invitation);
            if invitation.key.round > newest.key.round {
                *newest = invitation;
            }
        }
        let mut cases = Vec::new();
        for row in &page.rows {
            for (mapping, mapping_state) in &mappings {
                let latest = latest.get(&(&row.id, &mapping.id)).copied();
                cases.push(Case {
                    mapping,
                    state: mapping_state,
                    row,
                    latest,
                    failures: state.poll.failures,
                });
            }
        }
        let new = try_join_all(cases.iter().map(|case| self.settle(eploy, tenant, case))).await?;
        Ok(new.into_iter().filter(|new| *new).count())
    }

    /// Decides one case and does what was decided. Returns whether it is a new entry to invite for.
    async fn settle(
        &self,
        eploy: &dyn Eploy,
        tenant: &Tenant,
        case: &Case<'_>,
    ) -> Result<bool, Stop> {
        let status = &case.state.status;
        let mut decision = decide(case.mapping, status, case.row, case.latest);
        if decision == Decision::AskHistory
            && let Some(latest) = case.latest
        {
            decision = match eploy.standing(&case.row.id).await {
                Ok(Standing::History(rows)) => {
                    decide_by_history(case.mapping, status, latest, &rows)
                }
                Ok(Standing::Position(_)) => Decision::StillThere,
                Ok(Standing::Gone) => Decision::NoteLeft,
                // One record that cannot be read must not keep all others waiting for ever. Nothing is noted, so that
                // its next change is looked into again.
                Err(error) if case.failures >= SET_ASIDE_AFTER && error.reach == Reach::Record => {
                    tracing::warn!(tenant = %tenant.id, application = %case.row.id, code = error.code, %error, "a record was set aside");
                    Decision::Known
                }
                Err(error) => return Err(error.into()),
            };
        }
        match decision {
            Decision::NotConcerned | Decision::Known | Decision::AskHistory => Ok(false),
            Decision::StillThere => {
                if let Some(latest) = case.latest {
                    let modified = case.row.modified;
                    self.desk
                        .change(latest, Event::StillThere { modified }, None, Next::HandOut)
                        .await?;
                }
                Ok(false)
            }
            Decision::NoteLeft => {
                if let Some(latest) = case.latest {
                    self.desk
                        .change(
                            latest,
                            Event::Left,
                            case.mapping.expires_after_days,
                            Next::HandOut,
                        )
                        .await?;
                }
                Ok(false)
            }
            Decision::PassOver { round, reason } => {
                self.put_on_record(tenant, case, round, Some(reason))
                    .await?;
                Ok(false)
            }
            Decision::Invite { round } => self.put_on_record(tenant, case, round, None).await,
        }
    }

    /// Inserts the entry, and hands it out if it is new and to be invited.
    async fn put_on_record(
        &self,
        tenant: &Tenant,
        case: &Case<'_>,
        round: u32,
        passed_over: Option<SkipReason>,
    ) -> Result<bool, Stop> {
        let now = self.desk.now();
        let key = InvitationKey {
            tenant: tenant.id.clone(),
            application: case.row.id.clone(),
            mapping: case.mapping.id.clone(),
            round,
        };
        let mut invitation = Invitation::detected(
            key.clone(),
            case.row.candidate.clone(),
            case.row.vacancy.clone(),
            case.mapping.assessment.clone(),
            Entry {
                seen_at: now,
                entered_at: None,
                history: None,
                modified: case.row.modified,
                left_at: None,
                not_before: (round == 1 && !case.mapping.include_current)
                    .then_some(case.state.since),
            },
        );
        if matches!(case.mapping.kind, MappingKind::Pool(_)) {
            invitation = invitation.for_pool();
        }
        let invites = passed_over.is_none();
        if let Some(reason) = passed_over {
            invitation = invitation.passed_over(reason);
        }
        if self.desk.ledger.insert(&invitation).await? != Inserted::New || !invites {
            return Ok(false);
        }
        tracing::info!(tenant = %tenant.id, invitation = %key.name(), "entry seen");
        self.desk
            .hand_out(vec![Work::step(key.clone(), Step::Invite)])
            .await;
        let what = What::Detected { invitation: key };
        self.desk
            .events
            .publish(vec![DomainEvent { at: now, what }])
            .await;
        Ok(true)
    }
}
