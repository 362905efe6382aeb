//! Cancelling an invitation: it is not sent, or is withdrawn on the platform and counts as cancelled.

use async_trait::async_trait;
use stagecall_core::invitation::{Event, Invitation};
use stagecall_core::ports::Withdrawn;

use super::selection::{One, apply};
use super::withdrawal::{is_finished, withdraw};
use crate::actor::Actor;
use crate::change::{Change, Prepared};
use crate::error::{Error, Result};
use crate::installation::Installation;

/// Cancels an invitation.
#[derive(Debug)]
pub struct Cancellation {
    row: Invitation,
    here_only: bool,
}

/// What a cancellation did.
#[derive(Debug)]
pub struct Cancelled {
    /// The invitation as it was before.
    pub row: Invitation,
    /// What the platform did, if it was asked.
    pub withdrawn: Option<Withdrawn>,
    /// Why the invitation does not count as cancelled, if it changed meanwhile.
    pub rejected: Option<String>,
}

/// Prepares a cancellation; with `here_only` the platform's data stays unchanged.
///
/// # Errors
/// There is no such tenant or invitation, or the store fails.
pub async fn prepare(
    on: &Installation,
    one: &One,
    here_only: bool,
) -> Result<Prepared<Cancellation>> {
    let row = one.find(on).await?;
    Ok(match obstacle(on, &row) {
        Some(no) => Prepared::Nothing(format!("{}: {no}", row.key)),
        None => Prepared::Change(Cancellation { row, here_only }),
    })
}

/// Why it cannot be cancelled, if so.
fn obstacle(on: &Installation, of: &Invitation) -> Option<String> {
    let applied = of.apply(Event::Cancel, on.clock.now(), &on.timing, None);
    applied.err().map(|no| no.to_string())
}

#[async_trait]
impl Change for Cancellation {
    type Done = Cancelled;

    fn in_words(&self) -> String {
        let key = &self.row.key;
        let account = &self.row.assessment.account;
        match &self.row.reference {
            Some(reference) if self.here_only => format!(
                "{key} will be marked cancelled, also in Eploy. {account} still has it, as {reference}: cancel it there too, or the candidate can still take it."
            ),
            Some(reference) => format!(
                "{key} will be withdrawn on {account}, where it is {reference}, and marked cancelled, also in Eploy."
            ),
            None => format!("{key} will not be sent."),
        }
    }

    async fn apply(self, on: &Installation, actor: &Actor) -> Result<Cancelled> {
        // The confirmation may have taken a while.
        let row = on.ledger.load(&self.row.key).await?.unwrap_or(self.row);
        let mut done = Cancelled {
            withdrawn: None,
            rejected: obstacle(on, &row),
            row,
        };
        if done.rejected.is_some() {
            return Ok(done);
        }
        let row = &done.row;
        let key = &row.key;
        if row.reference.is_some() && !self.here_only {
            if is_finished(on, row).await? {
                return Err(Error::Conflict(format!(
                    "{key}: the candidate has finished meanwhile, so nothing is cancelled. Fetch the result with: stagecall resync {} {}",
                    key.tenant, key.application
                )));
            }
            done.withdrawn = Some(withdraw(on, row).await?);
        }
        done.rejected = apply(on, row, &Event::Cancel).await?;
        if done.rejected.is_none() {
            let tenant = Some(&key.tenant);
            actor.record(on, "cancel", tenant, key.name()).await?;
        }
        Ok(done)
    }
}
