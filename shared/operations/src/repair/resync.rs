//! Fetching results from the platform and changes from Eploy again.

use std::collections::BTreeSet;

use async_trait::async_trait;
use stagecall_core::Timestamp;
use stagecall_core::engine::{Applied, Dispatch};
use stagecall_core::ids::{ApplicationId, InvitationKey};
use stagecall_core::invitation::{Event, Failure, Invitation};
use stagecall_core::ports::{Saved, TenantState};
use stagecall_core::tenant::Tenant;
use stagecall_core::usecases::{SyncOutcome, WriteBack};
use stagecall_core::work::Work;

use crate::actor::Actor;
use crate::change::{Change, Prepared};
use crate::error::{Error, Result};
use crate::installation::Installation;
use crate::invitations::{self, of_application};

/// Fetches an application's results from the platform and writes them to Eploy, at once.
#[derive(Debug)]
pub struct ApplicationResync {
    tenant: Tenant,
    found: Vec<Invitation>,
}

/// An invitation after its result was fetched.
#[derive(Debug)]
pub struct Synced {
    /// The invitation.
    pub key: InvitationKey,
    /// Its state; `None` if the platform cannot be called now.
    pub state: Option<&'static str>,
    /// Whether Eploy shows what is known.
    pub shown: bool,
    /// Why Eploy does not show it, if that is known.
    pub failure: Option<Failure>,
}

/// Prepares fetching an application's results.
///
/// # Errors
/// There is no such tenant, no platform has an invitation of the application, or the store fails.
pub async fn of_one(
    on: &Installation,
    tenant: &str,
    application: &ApplicationId,
) -> Result<ApplicationResync> {
    let tenant = on.tenant(tenant).await?;
    let filter = of_application(application, None);
    let mut found = invitations::all(on, &tenant.id, &filter).await?;
    found.retain(|one| one.reference.is_some());
    if found.is_empty() {
        return Err(Error::NotFound(format!(
            "no platform has an invitation of application {application}. See why: stagecall explain"
        )));
    }
    Ok(ApplicationResync { tenant, found })
}

#[async_trait]
impl Change for ApplicationResync {
    type Done = Vec<Synced>;

    fn in_words(&self) -> String {
        let names: Vec<_> = self.found.iter().map(|one| one.key.name()).collect();
        format!(
            "The result of {} will be fetched from the platform, and the report in Eploy written again.",
            names.join(", ")
        )
    }

    async fn apply(self, on: &Installation, actor: &Actor) -> Result<Vec<Synced>> {
        let write_back = on.ports().write_back();
        let mut done = Vec::new();
        for Invitation { key, .. } in &self.found {
            let tenant = Some(&self.tenant.id);
            actor.record(on, "resync", tenant, key.name()).await?;
            done.extend(sync(&write_back, key, on).await?);
        }
        Ok(done)
    }
}

/// Syncs one invitation; `None` if it was erased meanwhile.
async fn sync(
    write_back: &WriteBack,
    key: &InvitationKey,
    on: &Installation,
) -> Result<Option<Synced>> {
    let synced = write_back.sync_result(key, None, None).await?;
    if let Some(row) = on.ledger.load(key).await? {
        let engine = &write_back.engine;
        let stale = engine.apply(&row, Event::ReportStale, None, Dispatch::Inline);
        if let Applied::Yes(_) = stale.await? {
            write_back.write_back(key).await?;
        }
    }
    let row = on.ledger.load(key).await?;
    Ok(row.map(|row| Synced {
        key: row.key.clone(),
        state: match synced {
            SyncOutcome::Recorded => Some(row.state.name()),
            SyncOutcome::Later | SyncOutcome::Unavailable { .. } => None,
        },
        shown: !row.unreported(),
        failure: row.report.problem().cloned(),
    }))
}

/// Makes a tenant's poll and sweeps due at once.
#[derive(Debug)]
pub struct TenantResync {
    tenant: Tenant,
    state: TenantState,
    since: Option<Timestamp>,
    /// Where the poll begins to read, in words.
    from: String,
}

/// Prepares a poll and sweeps of a tenant; with `since` the poll reads again what changed since then.
///
/// # Errors
/// There is no such tenant, or the store fails.
pub async fn of_all(
    on: &Installation,
    tenant: &str,
    since: Option<Timestamp>,
) -> Result<Prepared<TenantResync>> {
    let tenant = on.tenant(tenant).await?;
    let Some(state) = on.states.load_state(&tenant.id).await? else {
        let words = format!("{} was never polled, and is due anyway", tenant.id);
        return Ok(Prepared::Nothing(words));
    };
    let from = since.or(state.poll.cursor);
    let from = from.map_or("the beginning".to_owned(), |at| on.local(at));
    Ok(Prepared::Change(TenantResync {
        tenant,
        state,
        since,
        from,
    }))
}

#[async_trait]
impl Change for TenantResync {
    type Done = ();

    fn in_words(&self) -> String {
        format!(
            "{} will be polled at once, for changes since {}, and all its assessments will be swept.",
            self.tenant.id, self.from
        )
    }

    async fn apply(self, on: &Installation, actor: &Actor) -> Result<()> {
        let (id, mut state) = (&self.tenant.id, self.state);
        let now = on.clock.now();
        state.due_at = now;
        if let Some(since) = self.since {
            state.poll.cursor = state.poll.cursor.map(|cursor| cursor.min(since));
            state.poll.reached = None;
            state.poll.progress = None;
        }
        state.version += 1;
        if on.states.save_state(id, &state).await? == Saved::Conflict {
            return Err(Error::Busy(format!(
                "{id} is being polled right now; try again"
            )));
        }
        let mappings = self.tenant.mappings.iter();
        let assessments: BTreeSet<_> = mappings.map(|one| one.assessment.clone()).collect();
        let mut work = vec![Work::Poll { tenant: id.clone() }];
        for assessment in assessments {
            on.sweeps.schedule_sweep(id, &assessment, now).await?;
            work.push(Work::Sweep {
                tenant: id.clone(),
                assessment,
            });
        }
        on.queue.push(work).await?;
        actor.record(on, "resync", Some(id), id.as_str()).await
    }
}
