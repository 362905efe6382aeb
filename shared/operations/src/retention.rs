//! How long results are kept, and removing those whose time is over.

use async_trait::async_trait;
use stagecall_core::invitation::Invitation;
use stagecall_core::tenant::Tenant;
use stagecall_core::usecases::Retention;

use crate::actor::Actor;
use crate::change::{Change, Prepared};
use crate::error::{Error, Result};
use crate::installation::Installation;

/// How long results are kept after the last event of their invitation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// This number of days.
    Days(u32),
    /// For ever.
    Forever,
}

/// A tenant's retention time, to be set or applied.
#[derive(Clone, Debug)]
pub struct Question {
    /// The tenant.
    pub tenant: String,
    /// The new time; `None`: it stays.
    pub keep: Option<Keep>,
    /// Whether expired results are removed at once.
    pub purge: bool,
}

/// Sets a tenant's retention time, removes what has expired, or both.
#[derive(Debug)]
pub struct RetentionChange {
    tenant: Tenant,
    sets: bool,
    purge: bool,
    /// The invitations whose time is over.
    over: Vec<Invitation>,
}

/// What a change of retention did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Done {
    /// Whether the time was set.
    pub set: bool,
    /// The number of invitations whose results were removed, if they were to be.
    pub purged: Option<usize>,
}

/// Prepares setting or applying a retention time. Without either, the answer is what applies now.
///
/// # Errors
/// There is no such tenant, results are to be removed though they are kept for ever, or the store fails.
pub async fn prepare(on: &Installation, question: &Question) -> Result<Prepared<RetentionChange>> {
    let mut tenant = on.tenant(&question.tenant).await?;
    let before = tenant.retention_days;
    tenant.retention_days = match question.keep {
        Some(Keep::Days(days)) => Some(days),
        Some(Keep::Forever) => None,
        None => before,
    };
    let over = match tenant.retention_days {
        Some(days) => retention(on).over(&tenant.id, days).await?,
        None => Vec::new(),
    };
    let change = RetentionChange {
        sets: tenant.retention_days != before,
        purge: question.purge,
        tenant,
        over,
    };
    if question.purge && change.tenant.retention_days.is_none() {
        return Err(Error::Invalid(format!(
            "{} Set a number of days with --days",
            change.in_words()
        )));
    }
    Ok(if change.sets || change.purge {
        Prepared::Change(change)
    } else {
        Prepared::Nothing(change.in_words())
    })
}

fn retention(on: &Installation) -> Retention {
    Retention {
        engine: on.engine(),
        records: on.records.clone(),
    }
}

#[async_trait]
impl Change for RetentionChange {
    type Done = Done;

    fn in_words(&self) -> String {
        let id = &self.tenant.id;
        let Some(days) = self.tenant.retention_days else {
            return format!("{id}: results are kept for ever.");
        };
        let count = self.over.len();
        format!(
            "{id}: results are kept for {days} days after the last event of an invitation. {count} invitations have expired: their results, links and histories will be removed. The invitations themselves are kept, so that nobody is invited twice."
        )
    }

    async fn apply(self, on: &Installation, actor: &Actor) -> Result<Done> {
        if self.sets {
            on.records.put_tenant(&self.tenant).await?;
        }
        let purged = if self.purge {
            Some(retention(on).forget(&self.over).await?)
        } else {
            None
        };
        let target = match self.tenant.retention_days {
            Some(days) => format!("{days} days"),
            None => "for ever".to_owned(),
        };
        let tenant = Some(&self.tenant.id);
        actor.record(on, "retention", tenant, target).await?;
        Ok(Done {
            set: self.sets,
            purged,
        })
    }
}
