//! Retrying at once what failed or waits.

use std::fmt::Write as _;

use async_trait::async_trait;
use stagecall_core::ids::{ApplicationId, InvitationKey, MappingId, TenantId};
use stagecall_core::invitation::{Event, Invitation};
use stagecall_core::ports::InvitationFilter;

use super::selection::{apply, nothing};
use crate::actor::Actor;
use crate::change::{Change, Prepared};
use crate::error::Result;
use crate::history::why;
use crate::installation::Installation;
use crate::invitations::{self, of_application};

/// The number of invitations that are named before a retry.
const MAX_NAMED: usize = 10;

/// The invitations to retry.
#[derive(Clone, Debug)]
pub struct Question {
    /// The tenant.
    pub tenant: String,
    /// Of this application; `None`: all that failed, and all reports that are deferred.
    pub application: Option<ApplicationId>,
    /// Of this mapping only.
    pub mapping: Option<MappingId>,
}

/// Retries invitations.
#[derive(Debug)]
pub struct Retry {
    tenant: TenantId,
    found: Vec<Invitation>,
}

/// What a retry did.
#[derive(Debug)]
pub struct Retried {
    /// The number of invitations that are due at once.
    pub count: usize,
    /// Those that changed since, and why they are not retried.
    pub rejected: Vec<(InvitationKey, String)>,
}

/// Prepares a retry.
///
/// # Errors
/// There is no such tenant, the application has no invitation, or the store fails.
pub async fn prepare(on: &Installation, question: &Question) -> Result<Prepared<Retry>> {
    let tenant = on.known_tenant(&question.tenant).await?;
    let mapping = question.mapping.as_ref();
    let filter = match &question.application {
        Some(application) => of_application(application, mapping),
        None => InvitationFilter {
            mapping: mapping.cloned(),
            ..InvitationFilter::default()
        },
    };
    let mut found = invitations::all(on, &tenant, &filter).await?;
    if let (Some(application), true) = (&question.application, found.is_empty()) {
        return Err(nothing(&tenant, application));
    }
    let now = on.clock.now();
    found.retain(|one| {
        let failed = one.state.name() == "failed" || one.report.problem().is_some();
        (question.application.is_some() || failed)
            && one.apply(Event::Retry, now, &on.timing, None).is_ok()
    });
    Ok(if found.is_empty() {
        Prepared::Nothing("nothing to retry".to_owned())
    } else {
        Prepared::Change(Retry { tenant, found })
    })
}

#[async_trait]
impl Change for Retry {
    type Done = Retried;

    fn in_words(&self) -> String {
        let mut words = format!("{} will be retried now:", self.found.len());
        for one in self.found.iter().take(MAX_NAMED) {
            let why = why(one).unwrap_or_default();
            let _ = write!(words, "\n  {}  {}  {why}", one.key.name(), one.state.name());
        }
        if self.found.len() > MAX_NAMED {
            words.push_str("\n  …");
        }
        words
    }

    async fn apply(self, on: &Installation, actor: &Actor) -> Result<Retried> {
        let mut done = Retried {
            count: 0,
            rejected: Vec::new(),
        };
        for one in &self.found {
            match apply(on, one, &Event::Retry).await? {
                None => {
                    let (tenant, name) = (Some(&self.tenant), one.key.name());
                    actor.record(on, "retry", tenant, name).await?;
                    done.count += 1;
                }
                Some(no) => done.rejected.push((one.key.clone(), no)),
            }
        }
        Ok(done)
    }
}
