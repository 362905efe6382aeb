//! Finding the invitation to repair, and applying an operator's event to it.

use stagecall_core::engine::{Applied, Dispatch};
use stagecall_core::ids::{ApplicationId, MappingId, TenantId};
use stagecall_core::invitation::{Event, Invitation};

use crate::error::{Error, Result};
use crate::installation::Installation;
use crate::invitations::{self, of_application};

/// Attempts to change a row that others change at the same time.
const MAX_ATTEMPTS: usize = 5;

/// An application's latest invitation.
#[derive(Clone, Debug)]
pub struct One {
    /// The tenant.
    pub tenant: String,
    /// The application's id in Eploy.
    pub application: ApplicationId,
    /// The mapping; needed if the application has invitations of several.
    pub mapping: Option<MappingId>,
}

impl One {
    pub(super) async fn find(&self, on: &Installation) -> Result<Invitation> {
        let tenant = on.known_tenant(&self.tenant).await?;
        let filter = of_application(&self.application, self.mapping.as_ref());
        let found = invitations::all(on, &tenant, &filter).await?;
        let mut mappings: Vec<_> = found.iter().map(|one| one.key.mapping.as_str()).collect();
        mappings.sort_unstable();
        mappings.dedup();
        if mappings.len() > 1 {
            return Err(Error::Invalid(format!(
                "application {} has invitations of several mappings; name one with --mapping: {}",
                self.application,
                mappings.join(", ")
            )));
        }
        found
            .into_iter()
            .max_by_key(|one| one.key.round)
            .ok_or_else(|| nothing(&tenant, &self.application))
    }
}

pub(super) fn nothing(tenant: &TenantId, application: &ApplicationId) -> Error {
    Error::NotFound(format!(
        "{tenant} has no invitation of application {application}. See why: stagecall explain"
    ))
}

/// Applies an operator's event to an invitation. Returns why it does not apply, if it does not.
pub(super) async fn apply(
    on: &Installation,
    of: &Invitation,
    event: &Event,
) -> Result<Option<String>> {
    let engine = on.engine();
    let definition = match on.tenants.tenant(&of.key.tenant).await? {
        Some(tenant) => engine.definition(&tenant, of).await?,
        None => None,
    };
    let mut row = of.clone();
    for _ in 0..MAX_ATTEMPTS {
        let applied = engine.apply(&row, event.clone(), definition.as_ref(), Dispatch::Enqueue);
        match applied.await? {
            Applied::Yes(_) => return Ok(None),
            Applied::Rejected(no) => return Ok(Some(no.to_string())),
            Applied::Conflict => match on.ledger.load(&row.key).await? {
                Some(newer) => row = newer,
                None => return Ok(Some("it was erased meanwhile".to_owned())),
            },
        }
    }
    Err(Error::Busy(format!(
        "{}: it keeps being changed by others; try again",
        row.key
    )))
}
