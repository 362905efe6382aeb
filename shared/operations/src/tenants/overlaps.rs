//! Mappings that want the same applications for the same assessment.

use stagecall_core::tenant::Tenant;

use crate::error::{Error, Result};
use crate::installation::Installation;

/// An error if mappings of the tenant want the same as others and do not allow that.
///
/// # Errors
/// They do, or the store fails.
pub async fn refuse_overlaps(on: &Installation, tenant: &Tenant) -> Result<()> {
    let overlaps = tenant.overlaps(&on.records.list_tenants().await?);
    if overlaps.is_empty() {
        return Ok(());
    }
    let found: Vec<_> = overlaps.iter().map(ToString::to_string).collect();
    Err(Error::Invalid(format!(
        "{}. If that is intended, allow it: --allow-overlap with stagecall map add, or allow_overlap = true in one of the mappings",
        found.join("; ")
    )))
}
