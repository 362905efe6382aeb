//! Inviting an application again, in a new round.

use async_trait::async_trait;
use stagecall_core::ids::InvitationKey;
use stagecall_core::invitation::{Invitation, Step};
use stagecall_core::ports::Inserted;
use stagecall_core::tenant::{Mapping, MappingKind};
use stagecall_core::work::Work;

use super::selection::One;
use crate::actor::Actor;
use crate::change::Change;
use crate::error::{Error, Result};
use crate::installation::Installation;

/// Invites an application again, by the mapping as it is configured now.
#[derive(Debug)]
pub struct NewRound {
    before: Invitation,
    mapping: Mapping,
    key: InvitationKey,
}

/// What became of a new round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reinvited {
    /// This invitation will be sent at once.
    Due(InvitationKey),
    /// The round was begun meanwhile.
    Existed(InvitationKey),
}

/// Prepares a new round.
///
/// # Errors
/// There is no such tenant, invitation or mapping, the round before has not ended, or the store fails.
pub async fn prepare(on: &Installation, one: &One) -> Result<NewRound> {
    let before = one.find(on).await?;
    let tenant = on.tenant(&one.tenant).await?;
    let Some(mapping) = tenant.mapping(&before.key.mapping) else {
        return Err(Error::NotFound(format!(
            "{} no longer has a mapping {}",
            tenant.id, before.key.mapping
        )));
    };
    let state = before.state.name();
    if matches!(state, "detected" | "sending" | "invited" | "started") {
        return Err(Error::Conflict(format!(
            "{} is {state}: wait until it has ended, or cancel it first with stagecall cancel",
            before.key
        )));
    }
    let mut key = before.key.clone();
    key.round = key.round.saturating_add(1);
    Ok(NewRound {
        before,
        mapping: mapping.clone(),
        key,
    })
}

#[async_trait]
impl Change for NewRound {
    type Done = Reinvited;

    fn in_words(&self) -> String {
        format!(
            "{} starts a new round: the candidate is invited to {} again, if the application is still at the trigger stage and the platform accepts a second invitation of the same person.",
            self.key, self.mapping.assessment
        )
    }

    async fn apply(self, on: &Installation, actor: &Actor) -> Result<Reinvited> {
        let Self {
            before,
            mapping,
            key,
        } = self;
        let mut entry = before.entry;
        entry.seen_at = on.clock.now();
        entry.left_at = None;
        entry.not_before = None;
        let saved = on.definitions.save_definition(&key.tenant, &mapping);
        saved.await?;
        let mut next = Invitation::detected(
            key.clone(),
            before.candidate,
            before.vacancy,
            mapping.assessment.clone(),
            entry,
        )
        .under(mapping.definition_id());
        next.pooled = matches!(mapping.kind, MappingKind::Pool(_));
        match on.ledger.insert(&next).await? {
            Inserted::New => {}
            Inserted::Existed => return Ok(Reinvited::Existed(key)),
            Inserted::Erased => {
                let why = "the candidate was erased: nobody is invited";
                return Err(Error::Conflict(why.to_owned()));
            }
        }
        let tenant = Some(&key.tenant);
        actor.record(on, "reinvite", tenant, key.name()).await?;
        let work = Work::step(key.clone(), Step::Invite);
        on.queue.push(vec![work]).await?;
        Ok(Reinvited::Due(key))
    }
}
