//! Candidates who are not there: merged into another in Eploy, or gone with their application.

use crate::error::{CallError, ErrorScope, Phase, System};
use crate::ids::{ApplicationId, CandidateId};
use crate::invitation::Failure;
use crate::ports::Eploy;

/// What Eploy says of a record that it does not have.
pub(super) const NOT_FOUND: &str = "eploy.not_found";

/// The application itself is no more.
pub(super) fn application_gone(operation: &'static str) -> CallError {
    CallError {
        system: System::Eploy,
        operation,
        phase: Phase::Refused,
        scope: ErrorScope::Record,
        code: Failure::APPLICATION_GONE,
        retry_at: None,
        problem: "Eploy has no such application any more".to_owned(),
        remedy: "Nothing, if it was deleted on purpose. Otherwise check that the Role of the API user sees it, and try it again".to_owned(),
    }
}

/// Who a candidate is now that Eploy does not find because of this error: their application says whose it is, for one call
/// more. If it cannot be asked now, that is what is wrong.
pub(super) async fn merged_into(
    eploy: &dyn Eploy,
    application: &ApplicationId,
    candidate: &CandidateId,
    error: CallError,
) -> Result<CandidateId, CallError> {
    if error.code != NOT_FOUND {
        return Err(error);
    }
    let present = candidate_of(eploy, application).await?;
    if present == *candidate {
        return Err(error);
    }
    Ok(present)
}

/// Whose an application is now.
pub(super) async fn candidate_of(
    eploy: &dyn Eploy,
    application: &ApplicationId,
) -> Result<CandidateId, CallError> {
    let row = eploy.application(application).await?;
    row.map(|row| row.candidate)
        .ok_or_else(|| application_gone("read whose the application is"))
}
