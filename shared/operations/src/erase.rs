//! Erasing a candidate: everything here goes, a tombstone stays, and what is left in other systems is named.

use async_trait::async_trait;
use serde::Serialize;
use stagecall_core::ids::{CandidateId, TenantId};
use stagecall_core::invitation::{ActionRecord, FailReason, Invitation, State};
use stagecall_core::ports::{InvitationFilter, Withdrawn};

use crate::actor::Actor;
use crate::change::Change;
use crate::error::{Error, Result};
use crate::installation::Installation;
use crate::invitations;
use crate::repair::withdraw;

/// The candidate to erase.
#[derive(Clone, Debug)]
pub struct Question {
    /// The tenant.
    pub tenant: String,
    /// The candidate's id in Eploy.
    pub candidate: CandidateId,
    /// Leave the platforms' data unchanged.
    pub here_only: bool,
}

/// Removes everything about a candidate.
#[derive(Debug)]
pub struct Erasure {
    tenant: TenantId,
    candidate: CandidateId,
    here_only: bool,
    found: Vec<Invitation>,
}

/// What an erasure removed, and what is left elsewhere.
#[derive(Debug, Serialize)]
pub struct Erased {
    /// How much was removed.
    pub removed: Removed,
    /// The number of invitations that are left here: none.
    pub left: usize,
    /// What other systems still have, or did, in a sentence each.
    pub elsewhere: Vec<String>,
}

/// How much an erasure removed.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Removed {
    /// Invitations.
    pub invitations: usize,
    /// Platforms' references.
    pub references: usize,
    /// Callbacks.
    pub deliveries: usize,
    /// Announcements of a hire.
    pub announcements: usize,
    /// Names of the candidate's invitations in those of others.
    pub mentions_in_invitations_of_others: usize,
    /// Names of them in audit records.
    pub mentions_in_audit_records: usize,
    /// Applications in the state of polls.
    pub applications_remembered_by_polls: usize,
    /// Sweeps that begin again.
    pub unfinished_sweeps: usize,
}

/// Prepares the erasure of a candidate.
///
/// # Errors
/// There is no such tenant, an invitation is being sent right now, or the store fails.
pub async fn prepare(on: &Installation, question: &Question) -> Result<Erasure> {
    let tenant = on.known_tenant(&question.tenant).await?;
    let found = invitations::all(on, &tenant, &of(&question.candidate)).await?;
    let now = on.clock.now();
    let sending = |one: &&Invitation| matches!(one.state, State::Sending { lease_until } if lease_until > now);
    if let Some(one) = found.iter().find(sending) {
        return Err(Error::Busy(format!(
            "{} is being sent right now. Erase again in a minute or two, when it is known what the platform has",
            one.key
        )));
    }
    Ok(Erasure {
        tenant,
        candidate: question.candidate.clone(),
        here_only: question.here_only,
        found,
    })
}

fn of(candidate: &CandidateId) -> InvitationFilter {
    InvitationFilter {
        candidate: Some(candidate.clone()),
        ..InvitationFilter::default()
    }
}

#[async_trait]
impl Change for Erasure {
    type Done = Erased;

    fn in_words(&self) -> String {
        let there = if self.here_only {
            "The platforms' data is not removed."
        } else {
            "The platforms are asked to remove their data, including the answers."
        };
        format!(
            "Everything about candidate {} of {} will be removed permanently: {} invitations, with their results, references and callbacks, announcements of a hire, and the data of polls and sweeps. {there} A tombstone with the id is kept, and the candidate is never invited again.",
            self.candidate,
            self.tenant,
            self.found.len()
        )
    }

    async fn apply(self, on: &Installation, actor: &Actor) -> Result<Erased> {
        // First, because the references are deleted below.
        let mut elsewhere = Vec::new();
        for one in &self.found {
            elsewhere.extend(on_platform(on, one, self.here_only).await);
        }
        elsewhere.extend(in_other_systems(&self.found));
        let now = on.clock.now();
        let erased = on.records.erase(&self.tenant, &self.candidate, now).await?;
        if erased.announcements > 0 {
            elsewhere.push(
                "the HRMS: the data of the hire that it was sent; remove it there".to_owned(),
            );
        }
        let target = format!("candidate {}", self.candidate);
        let tenant = Some(&self.tenant);
        actor.record(on, "erase", tenant, target).await?;
        let left = invitations::all(on, &self.tenant, &of(&self.candidate)).await?;
        if !left.is_empty() {
            return Err(Error::Busy(format!(
                "{} invitations were added meanwhile; erase again",
                left.len()
            )));
        }
        Ok(Erased {
            removed: Removed {
                invitations: erased.invitations.len(),
                references: erased.references,
                deliveries: erased.deliveries,
                announcements: erased.announcements,
                mentions_in_invitations_of_others: erased.skipped,
                mentions_in_audit_records: erased.audits,
                applications_remembered_by_polls: erased.poll_rows,
                unfinished_sweeps: erased.readings,
            },
            left: left.len(),
            elsewhere,
        })
    }
}

/// What happened to an invitation on its platform; `None` if it never got there.
async fn on_platform(on: &Installation, of: &Invitation, here_only: bool) -> Option<String> {
    let by_hand = "delete the participant or candidate there, by hand";
    let Some(reference) = &of.reference else {
        return is_perhaps_there(&of.state).then(|| {
            let at = &of.assessment;
            format!("{at}: possibly an invitation, it is not known whether it arrived; {by_hand}")
        });
    };
    let at = format!("{}: {reference}", of.assessment);
    if here_only {
        return Some(format!("{at} is still there; {by_hand}"));
    }
    Some(match withdraw(on, of).await {
        Ok(Withdrawn::Done) => format!(
            "{at} was removed there; ask the platform what it keeps of removed people, such as copies and backups"
        ),
        Ok(Withdrawn::Impossible { why }) => format!("{at} is still there. {why}"),
        Err(error) => format!("{at} is possibly still there ({error}); {by_hand}"),
    })
}

/// Whether the platform may have an invitation without having returned a reference.
fn is_perhaps_there(state: &State) -> bool {
    matches!(
        state,
        State::Sending { .. } | State::Failed(FailReason::OutcomeUnknown(_))
    )
}

/// What other systems still have of the candidate.
fn in_other_systems(found: &[Invitation]) -> Vec<String> {
    let mut lines = Vec::new();
    for one in found {
        let application = &one.key.application;
        match &one.report.action {
            Some(ActionRecord::Created(action)) => lines.push(format!(
                "Eploy: action {action} on application {application}; delete it there, with the candidate's record"
            )),
            Some(ActionRecord::Creating) => lines.push(format!(
                "Eploy: possibly an action on application {application}"
            )),
            None => {}
        }
    }
    lines.push("logs and metrics: they have ids of applications and invitations, never names or addresses; they are deleted when their retention ends".to_owned());
    lines.push("backups of the store: they are deleted when their retention ends; after a restore, erase again".to_owned());
    lines
}

#[cfg(test)]
mod tests {
    use stagecall_core::Timestamp;
    use stagecall_core::invitation::{Failure, SkipReason};

    use super::*;

    #[test]
    fn an_invitation_with_unknown_outcome_is_possibly_on_the_platform() {
        let failure = Failure {
            code: "willo.no_answer".to_owned(),
            problem: "no answer".to_owned(),
            remedy: "Wait".to_owned(),
            first_failed_at: Timestamp::UNIX_EPOCH,
            attempts: 1,
        };
        for (state, perhaps) in [
            (
                State::Sending {
                    lease_until: Timestamp::UNIX_EPOCH,
                },
                true,
            ),
            (
                State::Failed(FailReason::OutcomeUnknown(failure.clone())),
                true,
            ),
            (State::Failed(FailReason::Refused(failure)), false),
            (State::Detected, false),
            (State::Skipped(SkipReason::Baseline), false),
        ] {
            assert_eq!(is_perhaps_there(&state), perhaps, "{state:?}");
        }
    }
}
