//! Who changes something, and why.

use stagecall_core::ids::TenantId;
use stagecall_core::ports::AuditRecord;

use crate::error::Result;
use crate::installation::Installation;

/// The person who changes something. Every change saves an audit record with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The person's name, as the audit record shows it.
    pub who: String,
    /// The reason, in the person's words.
    pub why: Option<String>,
}

impl Actor {
    /// Saves the audit record of a change to a tenant, or to the whole installation.
    ///
    /// # Errors
    /// The store fails.
    pub async fn record(
        &self,
        on: &Installation,
        what: &str,
        tenant: Option<&TenantId>,
        target: impl Into<String>,
    ) -> Result<()> {
        let record = AuditRecord {
            at: on.clock.now(),
            who: self.who.clone(),
            what: what.to_owned(),
            tenant: tenant.cloned(),
            target: target.into(),
            why: self.why.clone(),
        };
        Ok(on.records.audit(&record).await?)
    }
}
