//! Looks an invitation up on the platform after an unknown outcome.

use super::{Inviter, follow_merge, ours_first, warn};
use crate::clock::Deadline;
use crate::engine::{Applied, Dispatch};
use crate::error::{CallError, Error};
use crate::ids::Reference;
use crate::invitation::{Event, Invitation};
use crate::ports::Purpose;
use crate::tenant::{Mapping, Tenant};
use crate::timing::after;

impl Inviter {
    /// After a lease expired: asks the platform. Returns the row, free to be sent, if the platform does not have it;
    /// `None` if there is nothing more to do now.
    pub(super) async fn look_up(
        &self,
        tenant: &Tenant,
        mapping: Option<&Mapping>,
        row: Invitation,
        deadline: Deadline,
    ) -> Result<Option<Invitation>, Error> {
        let found = match self.ask_platform(tenant, &row, deadline).await {
            Ok(found) => found,
            Err(LookUpStop::Merged(event)) => {
                self.apply_event(&row, mapping, event).await?;
                return Ok(None);
            }
            Err(LookUpStop::Call(error)) => {
                warn(&row, &error, "invitation lookup failed");
                let (failure, until) =
                    self.engine
                        .retry_later(&error, row.failure.as_ref(), &row.key);
                let event = Event::LookupDeferred { failure, until };
                if self.apply_event(&row, mapping, event).await?.is_none() {
                    self.compensate_erasure(tenant, &row, None, false).await?;
                }
                return Ok(None);
            }
        };
        let event = match self.bind_reference(&row, found, true, None, None).await? {
            sent @ Event::Sent { .. } => sent,
            // Nothing found, or only other invitations' references: ours was not accepted.
            _ => Event::LookupNotFound {
                again_at: failures(&row).map(|failures| {
                    let timing = &self.engine.timing;
                    let delay = timing.backoff(failures, &row.key.to_string());
                    after(self.engine.now(), delay)
                }),
            },
        };
        let absent = event == Event::LookupNotFound { again_at: None };
        let there = match &event {
            Event::Sent { reference, .. } => Some(reference.clone()),
            _ => None,
        };
        let dispatch = if absent {
            Dispatch::Inline
        } else {
            Dispatch::Enqueue
        };
        match self.engine.apply(&row, event, mapping, dispatch).await? {
            Applied::Yes(row) if absent => Ok(Some(*row)),
            Applied::Conflict if there.is_some() => {
                self.compensate_erasure(tenant, &row, there.as_ref(), false)
                    .await?;
                Ok(None)
            }
            _ => Ok(None),
        }
    }

    /// The platform's invitations of the row's candidate.
    async fn ask_platform(
        &self,
        tenant: &Tenant,
        row: &Invitation,
        deadline: Deadline,
    ) -> Result<Vec<(Reference, Option<String>)>, LookUpStop> {
        let platform = self
            .platforms
            .platform(tenant, &row.assessment.account)
            .await?;
        let eploy = self.eploy.eploy(tenant, Purpose::Invite).await?;
        let person = match eploy.candidate(&row.candidate).await {
            Ok(person) => person,
            Err(error) => {
                return Err(match follow_merge(&*eploy, row, error).await {
                    Ok(merged) => LookUpStop::Merged(merged),
                    Err(error) => error.into(),
                });
            }
        };
        let name = row.key.name();
        let found = platform
            .find(
                &row.assessment.assessment,
                &person,
                &name,
                row.sent_to.as_deref(),
                deadline,
            )
            .await?;
        Ok(ours_first(found, &name))
    }
}

/// How many sends have failed in a row: known failures, or senders that did not finish more than once or twice.
fn failures(row: &Invitation) -> Option<u32> {
    const MAX_UNSUSPICIOUS: u32 = 2;
    match &row.failure {
        Some(failure) => Some(failure.attempts),
        None => (row.attempts > MAX_UNSUSPICIOUS).then_some(row.attempts),
    }
}

/// Why a lookup stopped.
enum LookUpStop {
    /// The candidate was merged into another. This event is saved, and the row is due again.
    Merged(Event),
    /// A call failed.
    Call(CallError),
}

impl From<CallError> for LookUpStop {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}
