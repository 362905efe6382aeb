//! Withdrawing an invitation on its platform.

use std::sync::Arc;

use stagecall_core::error::Error as UseCaseError;
use stagecall_core::invitation::{Invitation, State};
use stagecall_core::ports::{Platform, PlatformConnections as _, Withdrawn};

use crate::error::Result;
use crate::installation::Installation;

/// The connection to an invitation's platform.
async fn platform(on: &Installation, of: &Invitation) -> Result<Arc<dyn Platform>> {
    let unknown = || UseCaseError::UnknownTenant(of.key.tenant.clone());
    let tenant = on.tenants.tenant(&of.key.tenant).await?;
    let tenant = tenant.ok_or_else(unknown)?;
    let account = &of.assessment.account;
    Ok(on.platforms().platform(&tenant, account).await?)
}

/// Whether the candidate has finished by now, by the platform's data. Withdrawing a finished one would remove the result.
pub(super) async fn is_finished(on: &Installation, of: &Invitation) -> Result<bool> {
    let Some(reference) = of.reference.as_ref().filter(|_| !of.pooled) else {
        return Ok(false);
    };
    let platform = platform(on, of).await?;
    let assessment = &of.assessment.assessment;
    let result = platform.result(assessment, reference).await?;
    Ok(State::of(result.status) == State::Completed)
}

/// Withdraws it on the platform. Safe to repeat.
pub(crate) async fn withdraw(on: &Installation, of: &Invitation) -> Result<Withdrawn> {
    let Some(reference) = &of.reference else {
        return Ok(Withdrawn::Done);
    };
    let platform = platform(on, of).await?;
    let assessment = &of.assessment.assessment;
    Ok(platform.withdraw(assessment, reference).await?)
}
