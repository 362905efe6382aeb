//! Evaluates applications, each for each mapping: for the poll, which acts on the decisions, and for a dry run, which
//! shows them.

use std::collections::HashMap;

use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use jiff::Timestamp;

use super::decide::{Decision, decide_among, decide_by_history, decide_by_position};
use super::watched::Watched;
use crate::engine::Engine;
use crate::error::{CallError, ErrorScope, StoreError};
use crate::ids::{ApplicationId, AssessmentRef, InvitationKey, MappingId};
use crate::invitation::{Entry, Invitation, SkipReason};
use crate::ports::{ApplicationRow, Eploy, MappingStatus, StageInfo};
use crate::tenant::{MappingKind, Tenant};
use crate::usecases::entries::EntryOf;

/// How many status histories are requested at once: a whole page of them would overload Eploy.
const HISTORIES_AT_ONCE: usize = 8;

/// One application, evaluated for one mapping.
#[derive(Clone, Copy, Debug)]
pub struct Evaluation<'a> {
    /// The mapping.
    pub watched: &'a Watched,
    /// The application, as a search returned it.
    pub row: &'a ApplicationRow,
    /// The mapping's newest invitation of it.
    pub latest: Option<&'a Invitation>,
}

/// An evaluation with its decision; or with the error that prevents one, which affects this application alone.
pub type Decided<'a> = (Evaluation<'a>, Result<Decision, CallError>);

impl Evaluation<'_> {
    /// The invitation of this round, as seen at `now`.
    pub fn invitation(&self, tenant: &Tenant, round: u32, now: Timestamp) -> Invitation {
        let mapping = &self.watched.mapping;
        // Not older than what showed that it left the stay before.
        let before = self.latest.and_then(|latest| latest.entry.modified);
        let entry = Entry {
            modified: self.row.modified.max(before),
            not_before: (!mapping.include_current).then(|| self.watched.since(self.row)),
            ..Entry::seen(now)
        };
        let invitation = Invitation::detected(
            self.key(tenant, round),
            self.row.candidate.clone(),
            self.row.vacancy.clone(),
            mapping.assessment.clone(),
            entry,
        )
        .under(mapping.definition_id());
        match &mapping.kind {
            MappingKind::Pool(_) => invitation.for_pool(),
            _ => invitation,
        }
    }

    /// Whether the mapping's newest invitation is under another definition than the one that polls use. That one may be
    /// newer: a poll may have switched to it and not have saved its state.
    pub(super) fn is_under_another(&self) -> bool {
        let polls_use = self.watched.mapping.definition_id();
        self.latest
            .and_then(|latest| latest.definition.as_ref())
            .is_some_and(|of| *of != polls_use)
    }

    /// Whether the newest invitation is under the configured definition, which polls do not use yet and by which the
    /// application is still at the trigger.
    fn is_taken_by(&self, tenant: &Tenant) -> bool {
        self.is_under_another()
            && tenant
                .mapping(&self.watched.mapping.id)
                .filter(|present| {
                    let of = self.latest.and_then(|latest| latest.definition.as_ref());
                    of == Some(&present.definition_id())
                })
                .is_some_and(|present| present.takes(self.row))
    }

    /// Whether it entered again, by where it was and is.
    fn again_by(&self, latest: &Invitation, info: &StageInfo) -> Decision {
        let (mapping, status) = (&self.watched.mapping, self.watched.status(self.row));
        match info {
            StageInfo::History(rows) => decide_by_history(mapping, status, latest, rows),
            StageInfo::Position(at) => decide_by_position(mapping, status, latest, at),
            StageInfo::Gone => Decision::NoteLeft,
        }
    }

    /// Whether it left, by where it is now.
    fn left_by(&self, info: &StageInfo) -> Decision {
        let position = match info {
            StageInfo::History(rows) => rows.last().map(|row| &row.position),
            StageInfo::Position(at) => Some(at),
            StageInfo::Gone => None,
        };
        if position.is_some_and(|at| self.watched.mapping.triggered_by(at)) {
            Decision::Known
        } else {
            Decision::NoteLeft
        }
    }

    /// The key of the invitation of this round.
    pub(super) fn key(&self, tenant: &Tenant, round: u32) -> InvitationKey {
        InvitationKey {
            tenant: tenant.id.clone(),
            application: self.row.id.clone(),
            mapping: self.watched.mapping.id.clone(),
            round,
        }
    }
}

/// What a page of applications was read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reads {
    /// The changes. Applications whose mapping is being turned on are read again after that.
    Changes,
    /// The baseline of a mapping that is being turned on.
    WhoIsThere,
    /// The recheck queue, whatever the applications were read for first.
    Again,
}

impl Reads {
    fn concerns(self, watched: &Watched, row: &ApplicationRow) -> bool {
        match self {
            Self::Changes => !matches!(watched.status(row), MappingStatus::Baseline { .. }),
            Self::WhoIsThere => watched.is_turned_on() && !watched.was_on(row),
            Self::Again => true,
        }
    }
}

impl Engine {
    /// Decides about these applications for these mappings; `known` are the applications' invitations.
    pub async fn decide_rows<'a, E: From<CallError> + From<StoreError>>(
        &self,
        eploy: &dyn Eploy,
        tenant: &Tenant,
        watched: &'a [Watched],
        rows: &[&'a ApplicationRow],
        known: &'a [Invitation],
        reads: Reads,
    ) -> Result<Vec<Decided<'a>>, E> {
        let mut latest: HashMap<(&ApplicationId, &MappingId), &Invitation> = HashMap::new();
        for invitation in known {
            let newest = latest
                .entry((&invitation.key.application, &invitation.key.mapping))
                .or_insert(invitation);
            if invitation.key.round > newest.key.round {
                *newest = invitation;
            }
        }
        let mut cases = Vec::new();
        for row in rows {
            for one in watched {
                if one.mapping.triggers.is_empty() || !reads.concerns(one, row) {
                    continue;
                }
                let case = Evaluation {
                    watched: one,
                    row,
                    latest: latest.get(&(&row.id, &one.mapping.id)).copied(),
                };
                let mut decision = decide_among(watched, one, row, case.latest);
                if decision == Decision::NoteLeft && case.is_taken_by(tenant) {
                    decision = Decision::Known;
                }
                cases.push((case, Ok(decision)));
            }
        }
        let mut asking = Vec::new();
        for (number, (case, decision)) in cases.iter().enumerate() {
            // A row of the recheck queue is old: the application may have entered since it was read.
            let asks = match decision {
                Ok(Decision::AskHistory) => true,
                Ok(Decision::NoteLeft) => reads == Reads::Again,
                _ => false,
            };
            if let (true, Some(latest)) = (asks, case.latest) {
                let (case, leaves) = (*case, matches!(decision, Ok(Decision::NoteLeft)));
                asking.push(async move {
                    let info = stage_info(eploy, tenant, case).await?;
                    let decided = info.map(|info| {
                        if leaves {
                            case.left_by(&info)
                        } else {
                            case.again_by(latest, &info)
                        }
                    });
                    Ok::<_, CallError>((number, decided))
                });
            }
        }
        let asked: Vec<_> = stream::iter(asking)
            .buffer_unordered(HISTORIES_AT_ONCE)
            .try_collect()
            .await?;
        for (number, decision) in asked {
            cases[number].1 = decision;
        }
        self.invite_once(tenant, known, &mut cases).await?;
        Ok(cases)
    }

    /// Where several mappings would invite for one entry to one assessment, the first of the configuration does; and
    /// none where another mapping has, which may have been removed or renamed since.
    async fn invite_once(
        &self,
        tenant: &Tenant,
        known: &[Invitation],
        cases: &mut [Decided<'_>],
    ) -> Result<(), StoreError> {
        let mut inviting: Vec<(InvitationKey, AssessmentRef)> = Vec::new();
        for (case, decision) in cases {
            let Ok(Decision::Invite { round }) = *decision else {
                continue;
            };
            let assessment = &case.watched.mapping.assessment;
            let key = case.key(tenant, round);
            let mut first = inviting
                .iter()
                .find(|(other, of)| other.application == key.application && of == assessment)
                .map(|(other, _)| other.clone());
            for other in known {
                if first.is_some() {
                    break;
                }
                let entry = EntryOf {
                    key: &key,
                    assessment,
                    vacancy: &case.row.vacancy,
                    position: Some(&case.row.position),
                };
                if self.is_held(tenant, other, &entry).await? {
                    first = Some(other.key.clone());
                }
            }
            match first {
                Some(first) => {
                    let reason = SkipReason::Duplicate(Some(first));
                    *decision = Ok(Decision::Skip { round, reason });
                }
                None => inviting.push((key, assessment.clone())),
            }
        }
        Ok(())
    }
}

/// Reads where an application is. An error of its record alone does not fail the others.
async fn stage_info(
    eploy: &dyn Eploy,
    tenant: &Tenant,
    case: Evaluation<'_>,
) -> Result<Result<StageInfo, CallError>, CallError> {
    match eploy.stage_info(&case.row.id).await {
        Err(error) if error.scope == ErrorScope::Record => {
            tracing::warn!(tenant = %tenant.id, application = %case.row.id, code = error.code, %error, "stage of an application unknown, recheck scheduled");
            Ok(Err(error))
        }
        read => read.map(Ok),
    }
}
