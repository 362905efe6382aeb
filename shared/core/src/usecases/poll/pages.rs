//! Ingests a page of applications into the ledger.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

use futures::future::try_join_all;

use super::cases::{Evaluation, Reads};
use super::decide::Decision;
use super::watched::Watched;
use super::{PollError, Poller, mappings};
use crate::engine::{Applied, Dispatch};
use crate::error::{CallError, StoreError};
use crate::ids::ApplicationId;
use crate::invitation::{Event, Invitation, SkipReason, State};
use crate::ports::{
    ApplicationPage, ApplicationRow, Eploy, Inserted, RecheckQueue, Saved, TenantState,
};
use crate::tenant::Tenant;
use crate::timing::after;

/// The outcome of an evaluation.
enum Outcome {
    /// A new entry to invite for.
    New,
    /// Recorded.
    Noted,
    /// The row changed meanwhile: the decision has to be made again.
    Changed,
    /// Eploy did not give its stage: it has to be rechecked.
    Unknown(CallError),
}

/// The maximum number of decisions on a page whose rows change meanwhile.
const TRIES: usize = 3;

/// The maximum length of the recheck queue. With more, the cause is Eploy and not the records.
const MAX_UNKNOWN: usize = 20;

/// The part of a page of changes that has to be ingested. An application in the recheck queue that did not change since
/// is rechecked at its own time; one that did change leaves the queue.
pub(super) fn newer<'a>(
    state: &mut TenantState,
    page: &'a ApplicationPage,
) -> Cow<'a, ApplicationPage> {
    let Some(again) = &mut state.poll.again else {
        return Cow::Borrowed(page);
    };
    let mut newer = page.clone();
    newer.rows.retain(|row| !again.rows.contains(row));
    again
        .rows
        .retain(|known| newer.rows.iter().all(|row| row.id != known.id));
    if again.rows.is_empty() {
        state.poll.again = None;
    }
    Cow::Owned(newer)
}

impl Poller {
    /// Saves everything that a page means for these mappings. Returns the number of new entries. When it returns, the
    /// ledger has the page.
    pub(super) async fn ingest_page(
        &self,
        eploy: &dyn Eploy,
        tenant: &Tenant,
        state: &mut TenantState,
        page: &ApplicationPage,
        reads: Reads,
    ) -> Result<usize, PollError> {
        let mut watched = self.engine.watched(tenant, state).await?;
        if mappings::prove(&watched, state, &page.rows, self.engine.now()) {
            watched = self.engine.watched(tenant, state).await?;
        }
        let of_some = |row: &&ApplicationRow| {
            watched.iter().any(|one| {
                let mapping = &one.mapping;
                !mapping.triggers.is_empty() && mapping.vacancies.contains(&row.vacancy)
            })
        };
        let mut rows: Vec<&ApplicationRow> = page.rows.iter().filter(of_some).collect();
        let (mut entries, mut unknown) = (0, HashMap::new());
        for _ in 0..TRIES {
            if rows.is_empty() {
                break;
            }
            let settled = self.decide_rows(eploy, tenant, &watched, &rows, reads, state.version);
            let mut changed = BTreeSet::new();
            for (application, settled) in settled.await? {
                match settled {
                    Outcome::New => entries += 1,
                    Outcome::Noted => {}
                    Outcome::Changed => {
                        changed.insert(application);
                    }
                    Outcome::Unknown(error) => {
                        unknown.insert(application, error);
                    }
                }
            }
            rows.retain(|row| changed.contains(&row.id));
        }
        if !rows.is_empty() {
            let problem = "other writers keep changing an application's row; the poll is repeated";
            let error = StoreError::new("ledger", "record an application's stage", problem);
            return Err(error.into());
        }
        for row in &page.rows {
            if let Some(error) = unknown.remove(&row.id) {
                self.look_again_at(state, row, error)?;
            }
        }
        Ok(entries)
    }

    /// Adds an application to the recheck queue, so that an unreadable one does not block the others.
    fn look_again_at(
        &self,
        state: &mut TenantState,
        row: &ApplicationRow,
        error: CallError,
    ) -> Result<(), PollError> {
        let again = state.poll.again.get_or_insert_with(|| RecheckQueue {
            rows: Vec::new(),
            times: 1,
            at: self.engine.in_seconds(self.engine.timing.retry_seconds),
        });
        let others = again.rows.len();
        again.rows.retain(|known| known.id != row.id);
        if again.rows.len() == others {
            // This one has not failed yet.
            let soon = self.engine.in_seconds(self.engine.timing.retry_seconds);
            again.at = again.at.min(soon);
        }
        if again.rows.len() >= MAX_UNKNOWN {
            return Err(error.into());
        }
        again.rows.push(row.clone());
        Ok(())
    }

    /// Rechecks the applications whose stage Eploy did not give. Returns the number of new entries.
    pub(super) async fn look_again(
        &self,
        eploy: &dyn Eploy,
        tenant: &Tenant,
        state: &mut TenantState,
    ) -> Result<usize, PollError> {
        let now = self.engine.now();
        let Some(before) = state.poll.again.take_if(|again| again.at <= now) else {
            return Ok(0);
        };
        let page = ApplicationPage {
            rows: before.rows.clone(),
            set_aside: Vec::new(),
            more: false,
        };
        let taken = self
            .ingest_page(eploy, tenant, state, &page, Reads::Again)
            .await;
        match &mut state.poll.again {
            _ if taken.is_err() => state.poll.again = Some(before),
            Some(again) => {
                again.times = before.times.saturating_add(1);
                let delay = self.engine.timing.backoff(again.times, tenant.id.as_str());
                again.at = after(self.engine.now(), delay);
            }
            None => {}
        }
        taken
    }

    /// Decides about these rows for these mappings, and acts on the decisions.
    async fn decide_rows(
        &self,
        eploy: &dyn Eploy,
        tenant: &Tenant,
        watched: &[Watched],
        rows: &[&ApplicationRow],
        reads: Reads,
        version: u64,
    ) -> Result<Vec<(ApplicationId, Outcome)>, PollError> {
        let applications: BTreeSet<&ApplicationId> = rows.iter().map(|row| &row.id).collect();
        let applications: Vec<ApplicationId> = applications.into_iter().cloned().collect();
        let ledger = &self.engine.ledger;
        let mut known = ledger.of_applications(&tenant.id, &applications).await?;
        let mut overtaken = self.set_back(&mut known).await?;
        overtaken.extend(self.adopt_merged(rows, &mut known).await?);
        let rows: Vec<&ApplicationRow> = rows
            .iter()
            .copied()
            .filter(|row| !overtaken.contains(&row.id))
            .collect();
        let cases: Vec<_> = self
            .engine
            .decide_rows::<PollError>(eploy, tenant, watched, &rows, &known, reads)
            .await?;
        let mut left = cases
            .iter()
            .filter(|(_, decision)| matches!(decision, Ok(Decision::NoteLeft)));
        if left.any(|(case, _)| case.is_under_another()) {
            self.is_current(tenant, version).await?;
        }
        let settling = cases.into_iter().map(async |(case, decision)| {
            let id = case.row.id.clone();
            Ok::<_, PollError>(match decision {
                Ok(decision) => (id, self.settle(tenant, case, decision).await?),
                Err(error) => (id, Outcome::Unknown(error)),
            })
        });
        let mut settled = try_join_all(settling).await?;
        settled.extend(overtaken.into_iter().map(|id| (id, Outcome::Changed)));
        Ok(settled)
    }

    /// Moves the times of rows back that a clock that was ahead wrote: by them, later entries would count as earlier. Those
    /// that are never due are seen here only. Returns the applications whose rows another writer changed meanwhile.
    async fn set_back(
        &self,
        known: &mut [Invitation],
    ) -> Result<BTreeSet<ApplicationId>, StoreError> {
        let mut overtaken = BTreeSet::new();
        for row in known {
            let Some(next) = row.set_back(self.engine.now(), &self.engine.timing) else {
                continue;
            };
            if self.engine.ledger.save(&next).await? == Saved::Saved {
                *row = next;
            } else {
                overtaken.insert(row.key.application.clone());
            }
        }
        Ok(overtaken)
    }

    /// Stops a poll that was suspended while the mappings were changed: an invitation may be under a definition that it does
    /// not know, and by its own the application may seem to have left.
    async fn is_current(&self, tenant: &Tenant, version: u64) -> Result<(), PollError> {
        self.not_overtaken(&tenant.id, version).await?;
        match self.engine.tenants.tenant(&tenant.id).await? {
            Some(now) if now == *tenant => Ok(()),
            _ => Err(PollError::Overtaken),
        }
    }

    /// Follows merges of candidates in Eploy, after which an application belongs to another candidate than its rows
    /// say. Returns the applications whose rows another writer changed meanwhile.
    async fn adopt_merged(
        &self,
        rows: &[&ApplicationRow],
        known: &mut [Invitation],
    ) -> Result<BTreeSet<ApplicationId>, PollError> {
        let mut overtaken = BTreeSet::new();
        for invitation in known {
            let row = rows.iter().find(|row| row.id == invitation.key.application);
            let Some(row) = row.filter(|row| row.candidate != invitation.candidate) else {
                continue;
            };
            let event = Event::CandidateMerged {
                candidate: row.candidate.clone(),
            };
            match self
                .engine
                .apply(invitation, event, None, Dispatch::Inline)
                .await?
            {
                Applied::Yes(next) => {
                    tracing::info!(tenant = %next.key.tenant, invitation = %next.key.name(), before = %invitation.candidate, candidate = %next.candidate, "candidate merged into another");
                    *invitation = *next;
                }
                Applied::Conflict => {
                    overtaken.insert(row.id.clone());
                }
                Applied::Rejected(_) => {}
            }
        }
        Ok(overtaken)
    }

    /// Acts on a decision.
    async fn settle(
        &self,
        tenant: &Tenant,
        case: Evaluation<'_>,
        decision: Decision,
    ) -> Result<Outcome, PollError> {
        Ok(match decision {
            Decision::NotMatched | Decision::Known | Decision::AskHistory => Outcome::Noted,
            Decision::StillThere => {
                let modified = case.row.modified;
                self.note(tenant, &case, Event::StillThere { modified })
                    .await?
            }
            Decision::NoteLeft => {
                let modified = case.row.modified;
                self.note(tenant, &case, Event::Left { modified }).await?
            }
            Decision::Skip { round, reason } => {
                let reason = Some(reason);
                self.insert_invitation(tenant, &case, round, reason).await?
            }
            Decision::Invite { round } => {
                self.insert_invitation(tenant, &case, round, None).await?
            }
        })
    }

    /// Applies an event to the application's newest row.
    async fn note(
        &self,
        tenant: &Tenant,
        case: &Evaluation<'_>,
        event: Event,
    ) -> Result<Outcome, PollError> {
        let Some(latest) = case.latest else {
            return Ok(Outcome::Noted);
        };
        let definition = self.engine.definition(tenant, latest).await?;
        let changed = self
            .engine
            .apply(latest, event, definition.as_ref(), Dispatch::Enqueue);
        Ok(match changed.await? {
            Applied::Conflict => Outcome::Changed,
            Applied::Yes(_) | Applied::Rejected(_) => Outcome::Noted,
        })
    }

    /// Inserts the entry, and enqueues it if it is new and to be invited.
    async fn insert_invitation(
        &self,
        tenant: &Tenant,
        case: &Evaluation<'_>,
        round: u32,
        skipped: Option<SkipReason>,
    ) -> Result<Outcome, PollError> {
        let mut invitation = case.invitation(tenant, round, self.engine.now());
        if let Some(reason) = skipped {
            invitation = invitation.skipped(reason);
        }
        let inserted = self.engine.insert(&invitation).await?;
        Ok(
            if inserted == Inserted::New && invitation.state == State::Detected {
                Outcome::New
            } else {
                Outcome::Noted
            },
        )
    }
}
