//! What the next poll that sees one application would do about it.

use std::sync::Arc;

use stagecall_core::ids::ApplicationId;
use stagecall_core::ports::{ApplicationRow, Purpose};
use stagecall_core::tenant::Tenant;

use super::decided::Decided;
use super::dry_run::{DryRun, Rows};
use crate::error::Result;
use crate::installation::Installation;

/// What would be done about an application.
#[derive(Debug)]
pub struct OfApplication {
    /// The application as Eploy has it now.
    pub row: ApplicationRow,
    /// The decisions, one for each mapping that matches it; one without a mapping if none does.
    pub decisions: Vec<Decided>,
}

/// What the next poll that sees an application would do about it; `None` if Eploy does not have it. Reads the application,
/// and what a poll and an invitation would read of it.
///
/// # Errors
/// Eploy cannot be read, or the store fails.
pub async fn of_application(
    on: &Installation,
    tenant: &Tenant,
    application: &ApplicationId,
) -> Result<Option<OfApplication>> {
    let connections = Arc::new(on.eploy());
    let mut dry_run = DryRun::begin(on, tenant, connections, Purpose::WriteBack, true).await?;
    let Some(row) = dry_run.application(application).await? else {
        return Ok(None);
    };
    let rows = Rows::from([(row.id.clone(), row.clone())]);
    let (_, decisions) = dry_run.decide(rows, true).await?;
    Ok(Some(OfApplication { row, decisions }))
}
