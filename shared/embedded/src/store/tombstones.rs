//! The tombstones of erased candidates.

use rusqlite::{Connection, OptionalExtension as _, params};
use stagecall_core::ids::{CandidateId, TenantId};

use super::fault::Fault;

/// Whether a candidate was erased.
pub(super) fn is_erased(
    connection: &Connection,
    tenant: &TenantId,
    candidate: &CandidateId,
) -> Result<bool, Fault> {
    Ok(connection
        .prepare_cached("SELECT 1 FROM tombstone WHERE tenant = ?1 AND candidate = ?2")?
        .query_row(params![tenant.as_str(), candidate.as_str()], |_| Ok(()))
        .optional()?
        .is_some())
}
