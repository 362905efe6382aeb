//! Replacing a tenant's configuration, after everything that can be checked beforehand.

use async_trait::async_trait;
use stagecall_core::tenant::Tenant;

use super::cost::cost;
use super::overlaps::refuse_overlaps;
use super::removed_account::removed_account_problem;
use super::text::difference;
use crate::actor::Actor;
use crate::change::Change;
use crate::error::{Error, Result};
use crate::installation::Installation;
use crate::validate;

/// A checked configuration of a tenant, which is not saved yet.
#[derive(Debug)]
pub struct TenantChange {
    tenant: Tenant,
    /// The changes, line by line.
    difference: String,
    /// The calls that the next poll makes because of it.
    cost: Option<String>,
    /// The command and its target, for the audit record.
    record: (&'static str, String),
}

impl TenantChange {
    /// Checks a configuration against the one before. `None`: they are the same.
    ///
    /// # Errors
    /// The configuration is invalid, overlaps with others, or takes an account away from open invitations; or Eploy or the
    /// store fails.
    pub async fn prepare(
        on: &Installation,
        before: Option<&Tenant>,
        tenant: Tenant,
        what: &'static str,
        target: String,
    ) -> Result<Option<Self>> {
        let problems = validate::problems(&tenant, on.sandbox);
        if !problems.is_empty() {
            return Err(Error::Invalid(format!(
                "tenant {} is invalid:\n  * {}",
                tenant.id,
                problems.join("\n  * ")
            )));
        }
        let Some(difference) = difference(before, &tenant)? else {
            return Ok(None);
        };
        refuse_overlaps(on, &tenant).await?;
        if let Some(before) = before
            && let Some(problem) = removed_account_problem(&*on.records, before, &tenant).await?
        {
            return Err(Error::Invalid(problem));
        }
        Ok(Some(Self {
            cost: cost(on, &tenant).await?,
            tenant,
            difference,
            record: (what, target),
        }))
    }
}

#[async_trait]
impl Change for TenantChange {
    type Done = Tenant;

    fn in_words(&self) -> String {
        let parts = [Some(self.difference.as_str()), self.cost.as_deref()];
        let parts: Vec<&str> = parts.into_iter().flatten().collect();
        parts.join("\n")
    }

    async fn apply(self, on: &Installation, actor: &Actor) -> Result<Tenant> {
        on.records.put_tenant(&self.tenant).await?;
        let (what, target) = self.record;
        actor
            .record(on, what, Some(&self.tenant.id), target)
            .await?;
        Ok(self.tenant)
    }
}
