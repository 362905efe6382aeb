//! Sends an invitation: check the stage, read the candidate, claim, send, save, and report right away. After an unknown
//! outcome, the invitation is looked up first.

mod look_up;
mod precheck;
mod prepare;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use self::precheck::Precheck;
use super::merged::merged_into;
use super::write_back::{WriteBack, with_own_action};
use crate::clock::Deadline;
use crate::engine::{Applied, Dispatch, Engine};
use crate::error::{CallError, Error, Phase};
use crate::ids::{InvitationKey, Reference};
use crate::invitation::{Event, FailReason, Invitation, SkipReason, State, Writer};
use crate::ports::{
    Bound, Eploy, EployConnections, InviteAnswer, InviteOrder, Platform, PlatformConnections,
    Withdrawn,
};
use crate::tenant::{Mapping, Tenant};
use crate::timing::{after, seconds};
use crate::work::{Handled, Handler, Kind, Work};
use async_trait::async_trait;

/// Sends invitations.
#[derive(Clone)]
pub struct Inviter {
    pub(super) engine: Engine,
    eploy: Arc<dyn EployConnections>,
    platforms: Arc<dyn PlatformConnections>,
    /// Reports what was sent.
    write_back: WriteBack,
}

impl Inviter {
    /// Sends by the connections of this writer, which reports what was sent.
    pub fn new(write_back: WriteBack) -> Self {
        Self {
            engine: write_back.engine.clone(),
            eploy: write_back.eploy.clone(),
            platforms: write_back.platforms.clone(),
            write_back,
        }
    }

    /// Advances one invitation on its way to the platform. Calling it twice, or too early, does nothing. A search of
    /// the platform has time until `deadline`.
    pub async fn invite(&self, key: &InvitationKey, deadline: Deadline) -> Result<(), Error> {
        let Some(row) = self.engine.load(key).await? else {
            return Ok(());
        };
        let now = self.engine.now();
        let tenant = self.engine.tenant(&key.tenant).await?;
        if tenant.paused {
            return Ok(());
        }
        let mapping = self.engine.definition(&tenant, &row).await?;
        let mapping = mapping.as_ref();
        let row = match row.state {
            State::Detected if row.retry_at.is_some_and(|at| at > now) => return Ok(()),
            State::Detected => row,
            State::Sending { lease_until } if lease_until > now => return Ok(()),
            State::Sending { .. } if row.retry_at.is_some_and(|at| at > now) => return Ok(()),
            State::Sending { .. } => match self.look_up(&tenant, mapping, row, deadline).await? {
                Some(absent) => absent,
                None => return Ok(()),
            },
            _ => return Ok(()),
        };
        if row.unreported() {
            let work = Work::step(key.clone(), crate::invitation::Step::WriteBack);
            self.engine.enqueue(vec![work]).await;
        }
        // Boxed: it would be a large future for its callers.
        Box::pin(self.send(&tenant, mapping, row, deadline)).await
    }

    /// Continues from `Detected`.
    async fn send(
        &self,
        tenant: &Tenant,
        mapping: Option<&Mapping>,
        row: Invitation,
        deadline: Deadline,
    ) -> Result<(), Error> {
        // After the row is saved, so that either the erasure finds it or this finds the erasure: see the port.
        if self.engine.ledger.purge_if_erased(&row).await? {
            tracing::warn!(tenant = %tenant.id, invitation = %row.key.name(), "candidate erased, invitation removed without sending");
            return Ok(());
        }
        let present = tenant.present(&row.key.mapping, row.definition.as_ref());
        let (Some(mapping), Some(present)) = (mapping, present) else {
            let event = skip(SkipReason::MappingRemoved);
            return self.leave_unsent(&row, mapping, event).await;
        };
        let (person, entry, position) = match self.precheck(tenant, mapping, present, &row).await {
            Precheck::Send(person, entry, position) => (*person, entry, position),
            Precheck::Hold(event) => {
                return self.leave_unsent(&row, Some(mapping), *event).await;
            }
        };
        let platform = match self
            .platforms
            .platform(tenant, &row.assessment.account)
            .await
        {
            Ok(platform) => platform,
            Err(error) => {
                let event = self.classify_failure(&row, None, &error);
                self.apply_event(&row, Some(mapping), event).await?;
                return Ok(());
            }
        };
        if let Some(position) = &position
            && !self.hold_entry(tenant, mapping, &row, position).await?
        {
            return Ok(());
        }
        let Some((row, task)) = self.prepare_task(tenant, mapping, row, &*platform).await? else {
            return Ok(());
        };
        let timing = &self.engine.timing;
        let lease_until = self.engine.in_seconds(timing.lease_seconds);
        let claim = Event::Claim {
            lease_until,
            entered_at: entry.as_ref().and_then(|entry| entry.at),
            history: entry.map(|entry| entry.history),
            sent_to: person
                .email
                .as_deref()
                .and_then(|email| platform.address_digest(email)),
        };
        let Applied::Yes(claimed) = self
            .engine
            .apply(&row, claim, Some(mapping), Dispatch::Inline)
            .await?
        else {
            return Ok(());
        };
        // Saving the claim took time. A call that could outlive its lease is not made: a worker that looks the
        // invitation up after the lease must be able to rely on no call being under way.
        if after(self.engine.now(), seconds(timing.call_seconds)) > lease_until {
            return Ok(());
        }
        let order = InviteOrder {
            client_ref: row.key.name(),
            assessment: row.assessment.assessment.clone(),
            person,
            metadata: metadata(&row),
            options: mapping.options.clone(),
            task,
        };
        let answer = platform.invite(&order).await;
        let event = self
            .outcome(&*platform, &claimed, mapping, &order, answer, deadline)
            .await?;
        let (lease, accepted) = match &event {
            Event::Sent {
                writer, reference, ..
            } => {
                let lease = writer.map(|writer| writer.lease_until);
                (lease, Some(reference.clone()))
            }
            _ => (None, None),
        };
        let may_be_there = accepted.is_some() || matches!(event, Event::OutcomeUnknown { .. });
        let Some(row) = self.apply_event(&claimed, Some(mapping), event).await? else {
            if may_be_there {
                self.compensate_erasure(tenant, &claimed, accepted.as_ref(), true)
                    .await?;
            }
            return Ok(());
        };
        if let Some(lease_until) = lease
            && row.report.lease_until == lease
        {
            self.write_back
                .report(tenant, row, Ok(None), lease_until)
                .await?;
        }
        Ok(())
    }

    /// Saves that the row is not sent, after its entry was passed on to a mapping that gave way to it.
    async fn leave_unsent(
        &self,
        row: &Invitation,
        mapping: Option<&Mapping>,
        event: Event,
    ) -> Result<(), Error> {
        self.pass_on(row, &event).await?;
        self.apply_event(row, mapping, event).await?;
        Ok(())
    }

    /// Handles an acceptance, or possible acceptance, that could not be saved. If the candidate was erased meanwhile,
    /// an invitation that is certainly ours is withdrawn: nothing of theirs may stay, nor the reference that was bound
    /// after the erasure.
    async fn compensate_erasure(
        &self,
        tenant: &Tenant,
        row: &Invitation,
        reference: Option<&Reference>,
        is_ours: bool,
    ) -> Result<(), Error> {
        if self.engine.ledger.load(&row.key).await?.is_some() {
            return Ok(());
        }
        self.engine.ledger.purge_if_erased(row).await?;
        let name = row.key.name();
        let Some(reference) = reference.filter(|_| is_ours) else {
            tracing::error!(tenant = %tenant.id, invitation = %name, "candidate erased, outcome of the invitation unknown; look for it on the platform and remove it by hand");
            return Ok(());
        };
        let of = &row.assessment;
        let withdrawn = match self.platforms.platform(tenant, &of.account).await {
            Ok(platform) => platform.withdraw(&of.assessment, reference).await,
            Err(error) => Err(error),
        };
        let tenant = &tenant.id;
        let problem = match withdrawn {
            Ok(Withdrawn::Done) => {
                tracing::warn!(%tenant, invitation = %name, %reference, "candidate erased while the invitation was sent; it was taken back");
                return Ok(());
            }
            Ok(Withdrawn::Impossible { why }) => why,
            Err(error) => error.to_string(),
        };
        tracing::error!(%tenant, invitation = %name, %reference, problem, "candidate erased while the invitation was sent; remove it on the platform by hand");
        Ok(())
    }

    /// Classifies a failed call before or during sending: permanent, or to be retried. Only for calls that certainly
    /// had no effect.
    pub(super) fn classify_failure(
        &self,
        row: &Invitation,
        claim: Option<u32>,
        error: &CallError,
    ) -> Event {
        let (failure, until) = self
            .engine
            .retry_later(error, row.failure.as_ref(), &row.key);
        if error.may_retry() {
            warn(row, error, "invitation deferred");
            Event::Deferred {
                claim,
                failure,
                until,
            }
        } else {
            warn(row, error, "invitation refused");
            Event::Fail {
                claim,
                reason: FailReason::Refused(failure),
            }
        }
    }

    /// The event for the platform's answer.
    async fn outcome(
        &self,
        platform: &dyn Platform,
        row: &Invitation,
        mapping: &Mapping,
        order: &InviteOrder,
        answer: Result<InviteAnswer, CallError>,
        deadline: Deadline,
    ) -> Result<Event, Error> {
        let claim = Some(row.attempts);
        let reports = Some(mapping);
        Ok(match answer {
            // A worker that looked the row up after its lease bound another reference: this one is reported as a
            // duplicate, and not bound.
            Ok(InviteAnswer::Created { reference, link })
                if self.has_another(row, &reference).await? =>
            {
                Event::Sent {
                    reference,
                    link,
                    adopted: false,
                    writer: None,
                }
            }
            Ok(InviteAnswer::Created { reference, link }) => {
                self.bind_reference(row, vec![(reference, link)], false, claim, reports)
                    .await?
            }
            Ok(InviteAnswer::AlreadyThere { reference }) => {
                let found = match reference {
                    Some(reference) => vec![(reference, None)],
                    None => match platform
                        .find(
                            &order.assessment,
                            &order.person,
                            &order.client_ref,
                            row.sent_to.as_deref(),
                            deadline,
                        )
                        .await
                    {
                        Ok(found) => ours_first(found, &order.client_ref),
                        Err(error) => return Ok(self.classify_failure(row, claim, &error)),
                    },
                };
                self.bind_reference(row, found, true, claim, reports)
                    .await?
            }
            Err(error) if error.phase == Phase::Unknown => {
                warn(row, &error, "invitation outcome unknown");
                let (failure, _) = self
                    .engine
                    .retry_later(&error, row.failure.as_ref(), &row.key);
                let settled = self.engine.in_seconds(self.engine.timing.settle_seconds);
                Event::OutcomeUnknown {
                    attempt: row.attempts,
                    failure,
                    look_up_at: error.retry_at.map_or(settled, |at| at.max(settled)),
                }
            }
            Err(error) => self.classify_failure(row, claim, &error),
        })
    }

    /// Whether the row has another reference by now, which its sender cannot know if the lease is over. Then this one
    /// is not bound to it: where a platform does not tell whose a reference is, another entry of the same person may
    /// still have to find it.
    async fn has_another(&self, row: &Invitation, reference: &Reference) -> Result<bool, Error> {
        if matches!(row.state, State::Sending { lease_until } if lease_until > self.engine.now()) {
            return Ok(false);
        }
        let stored = self.engine.ledger.load(&row.key).await?;
        let known = stored.and_then(|row| row.reference);
        Ok(known.is_some_and(|known| known != *reference))
    }

    /// Binds the first reference that is not another invitation's. A caller that reports it also says by which mapping.
    async fn bind_reference(
        &self,
        row: &Invitation,
        found: Vec<(Reference, Option<String>)>,
        adopted: bool,
        claim: Option<u32>,
        reports: Option<&Mapping>,
    ) -> Result<Event, Error> {
        let mut owner = None;
        for (reference, link) in found {
            let account = &row.assessment.account;
            match self
                .engine
                .ledger
                .bind_reference(account, &reference, row)
                .await?
            {
                // An erased one cannot be saved as sent, and is taken back then.
                Bound::Ours | Bound::Erased => {
                    return Ok(Event::Sent {
                        reference,
                        link,
                        adopted,
                        writer: reports.map(|mapping| Writer {
                            lease_until: self.engine.in_seconds(self.engine.timing.lease_seconds),
                            creates_action: mapping.report.action.is_some(),
                        }),
                    });
                }
                Bound::Other(key) => owner = Some(key),
            }
        }
        Ok(Event::Skip {
            claim,
            reason: SkipReason::Duplicate(owner),
        })
    }

    /// Saves an event. What the platform accepted is saved whatever else happened to the row meanwhile; any other event
    /// gives way. Returns the row to continue with, if the event was saved.
    pub(super) async fn apply_event(
        &self,
        row: &Invitation,
        mapping: Option<&Mapping>,
        event: Event,
    ) -> Result<Option<Invitation>, Error> {
        if let Event::Sent { .. } = event {
            let saved = self
                .engine
                .apply_to_newest(row, event, mapping, |_, sent| sent)
                .await?;
            return Ok(saved.map(|(before, next)| with_own_action(&before, next)));
        }
        Ok(
            match self
                .engine
                .apply(row, event, mapping, Dispatch::Enqueue)
                .await?
            {
                Applied::Yes(next) => Some(with_own_action(row, *next)),
                Applied::Rejected(_) | Applied::Conflict => None,
            },
        )
    }
}

/// The event for not sending it, before any claim.
fn skip(reason: SkipReason) -> Event {
    let claim = None;
    Event::Skip { claim, reason }
}

/// That a row's candidate is not there because candidates were merged in Eploy; otherwise, what is wrong.
pub(super) async fn follow_merge(
    eploy: &dyn Eploy,
    row: &Invitation,
    error: CallError,
) -> Result<Event, CallError> {
    let before = &row.candidate;
    let candidate = merged_into(eploy, &row.key.application, before, error).await?;
    tracing::info!(tenant = %row.key.tenant, invitation = %row.key.name(), %before, %candidate, "candidate merged into another");
    Ok(Event::CandidateMerged { candidate })
}

/// Notifies the operator of a delay; the recruiter is notified later, and only if it lasts.
fn warn(row: &Invitation, error: &CallError, what: &str) {
    tracing::warn!(tenant = %row.key.tenant, invitation = %row.key.name(), code = error.code, %error, "{what}");
}

/// Sorts those with our reference first and drops those with another reference of ours.
fn ours_first(
    mut found: Vec<crate::ports::Found>,
    client_ref: &str,
) -> Vec<(Reference, Option<String>)> {
    found.retain(|one| {
        one.client_ref
            .as_deref()
            .is_none_or(|theirs| theirs == client_ref)
    });
    found.sort_by_key(|one| one.client_ref.is_none());
    found
        .into_iter()
        .map(|one| (one.reference, one.link))
        .collect()
}

/// The ids that a platform may keep with the invitation (shared/platforms/REFERENCE.md §11, the partner guide's
/// `metadata`).
fn metadata(row: &Invitation) -> BTreeMap<String, String> {
    BTreeMap::from([
        ("candidateId".to_owned(), row.candidate.to_string()),
        ("applicationId".to_owned(), row.key.application.to_string()),
        ("invitationId".to_owned(), row.key.name()),
    ])
}

#[async_trait]
impl Handler for Inviter {
    fn kind(&self) -> Kind {
        Kind::Invite
    }

    async fn handle(&self, work: Work, deadline: Deadline) -> Result<Handled, Error> {
        let Work::Invite { key } = work else {
            return Ok(Handled::Misplaced);
        };
        self.invite(&key, deadline).await?;
        Ok(Handled::Done)
    }
}

#[cfg(test)]
mod tests;
