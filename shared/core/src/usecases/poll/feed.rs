//! Reads changes, by the feed that the dialect names.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use futures::stream::{self, StreamExt as _};
use jiff::Timestamp;

use super::decide::{Decision, decide_among};
use super::hires::is_hired;
use super::watched::Watched;
use super::{PollError, Poller, scan};
use crate::announcement::{Hire, HireKey, SkipReason, State};
use crate::error::ErrorScope;
use crate::ids::ApplicationId;
use crate::invitation::Invitation;
use crate::ports::{ApplicationPage, ApplicationRow, ChangeFeed, Eploy, StageChange, TenantState};
use crate::tenant::Tenant;

/// How many applications are read at once.
const READS_AT_ONCE: usize = 8;

/// A page of changes.
pub(super) struct Changes {
    /// The applications to evaluate.
    pub(super) page: ApplicationPage,
    /// Everything that the page shows, with its date: the cursor moves by these.
    pub(super) dates: Vec<(ApplicationId, Option<Timestamp>)>,
}

impl Poller {
    /// Reads a page of what changed after `since`.
    pub(super) async fn read_changes(
        &self,
        eploy: &dyn Eploy,
        tenant: &Tenant,
        state: &mut TenantState,
        since: Option<Timestamp>,
        number: u32,
    ) -> Result<Changes, PollError> {
        if eploy.feed().by != ChangeFeed::StatusHistory {
            let page = eploy.changed_applications(since, number).await?;
            let dates = page.rows.iter().map(|row| (row.id.clone(), row.modified));
            let dates = dates.collect();
            return Ok(Changes { page, dates });
        }
        let read = eploy.stage_changes(since, number).await?;
        let dates = read
            .changes
            .iter()
            .map(|change| (change.application.clone(), change.at))
            .collect();
        let page = ApplicationPage {
            rows: self
                .changed_rows(eploy, tenant, state, read.changes)
                .await?,
            set_aside: read.set_aside,
            more: read.more,
        };
        Ok(Changes { page, dates })
    }

    /// The applications of these changes that have to be evaluated: a row of the history does not name the candidate,
    /// and most rows are of no mapping or already in the ledger. One call for each that remains.
    async fn changed_rows(
        &self,
        eploy: &dyn Eploy,
        tenant: &Tenant,
        state: &mut TenantState,
        changes: Vec<StageChange>,
    ) -> Result<Vec<ApplicationRow>, PollError> {
        let mut newest: BTreeMap<ApplicationId, StageChange> = BTreeMap::new();
        for change in changes {
            let known = newest.get(&change.application);
            if known.is_none_or(|known| known.at <= change.at) {
                newest.insert(change.application.clone(), change);
            }
        }
        let watched = self.engine.watched(tenant, state).await?;
        let concerning: Vec<&StageChange> = newest
            .values()
            .filter(|change| concerns(tenant, &watched, change))
            .collect();
        let ids: Vec<ApplicationId> = concerning
            .iter()
            .map(|change| change.application.clone())
            .collect();
        let known = if ids.is_empty() {
            Vec::new()
        } else {
            self.engine.ledger.of_applications(&tenant.id, &ids).await?
        };
        let mut covered = Vec::new();
        for change in concerning {
            let new = matters(&watched, change, &known);
            if new || self.is_new_hire(tenant, change).await? {
                covered.push(change);
            }
        }
        let reads = covered.into_iter().map(async |change| {
            let read = eploy.application(&change.application).await;
            (change, read)
        });
        let reads: Vec<_> = stream::iter(reads.collect::<Vec<_>>())
            .buffer_unordered(READS_AT_ONCE)
            .collect()
            .await;
        let mut rows = Vec::new();
        for (change, read) in reads {
            match read {
                Ok(Some(row)) => rows.push(ApplicationRow {
                    // The application's own date may be older than the change, and this feed does not use it.
                    modified: row.modified.max(change.at),
                    ..row
                }),
                Ok(None) => {}
                Err(error) if error.scope == ErrorScope::Record => {
                    tracing::warn!(tenant = %tenant.id, application = %change.application, code = error.code, %error, "changed application unreadable, left to the stage scan");
                    let wait = self.engine.timing.scan_seconds;
                    scan::request(state, self.engine.in_seconds(wait));
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(rows)
    }

    /// Whether the change is a hire that is not known yet.
    async fn is_new_hire(&self, tenant: &Tenant, change: &StageChange) -> Result<bool, PollError> {
        let Some(position) = &change.position else {
            return Ok(tenant.hires.is_some());
        };
        if !is_hired(tenant, position) {
            return Ok(false);
        }
        let key = HireKey {
            tenant: tenant.id.clone(),
            hire: Hire::Application(change.application.clone()),
        };
        let known = self.announcements.load_announcement(&key).await?;
        Ok(known.is_none_or(|known| known.state == State::Skipped(SkipReason::MovedOn)))
    }
}

/// Whether a change is of a vacancy that a mapping or the plan for hires covers.
fn concerns(tenant: &Tenant, watched: &[Watched], change: &StageChange) -> bool {
    let Some(vacancy) = &change.vacancy else {
        return true;
    };
    tenant.hires.is_some()
        || watched
            .iter()
            .any(|one| one.mapping.vacancies.contains(vacancy))
}

/// Whether any decision would follow if the application is where the change says.
fn matters(watched: &[Watched], change: &StageChange, known: &[Invitation]) -> bool {
    let mut latest: HashMap<_, &Invitation> = HashMap::new();
    for invitation in known {
        if invitation.key.application == change.application {
            let newest = latest.entry(&invitation.key.mapping).or_insert(invitation);
            if invitation.key.round > newest.key.round {
                *newest = invitation;
            }
        }
    }
    let (Some(vacancy), Some(position)) = (&change.vacancy, &change.position) else {
        return true;
    };
    let row = ApplicationRow {
        id: change.application.clone(),
        candidate: "".into(),
        vacancy: vacancy.clone(),
        position: position.clone(),
        modified: change.at,
    };
    watched.iter().any(|one| {
        let latest = latest.get(&one.mapping.id).copied();
        let decision = decide_among(watched, one, &row, latest);
        !matches!(decision, Decision::NotMatched | Decision::Known)
    })
}

/// The ids of everything that a page shows.
pub(super) fn shown(dates: &[(ApplicationId, Option<Timestamp>)]) -> BTreeSet<&ApplicationId> {
    dates.iter().map(|(id, _)| id).collect()
}
