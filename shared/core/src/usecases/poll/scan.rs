//! The stage scan: repeatedly reads the applications at the trigger stages. Where nothing else shows changes of stage
//! it is the feed; elsewhere it is the safety net of a feed that is not settled, at a bounded share of the allowance.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::cases::Reads;
use super::hires::is_hired;
use super::unread::log_set_aside;
use super::{PollBudget, PollError, Poller, newest, pages};
use crate::announcement::{Hire, HireKey, State};
use crate::error::{CallError, ErrorScope, StoreError};
use crate::ids::{ApplicationId, CandidateId};
use crate::invitation::Failure;
use crate::ports::{
    ApplicationPage, ApplicationRow, ChangeFeed, Eploy, Feed, Overlap, StageScan, StageSearch,
    TenantState,
};
use crate::tenant::{HirePlan, Position, Tenant, Trigger, Vacancies};
use crate::timing::{after, seconds};

/// The maximum number of pages per poll for a scan that is not the feed.
const MAX_PAGES_PER_POLL: u32 = 10;
/// The maximum number of applications remembered as being at a trigger. Exits of the others are not noticed.
const MAX_RESIDENTS: usize = 2000;
/// The maximum number of applications read per pass because they were not found any more.
const MAX_LEAVERS: usize = 20;
/// The maximum wait between two passes.
const MAX_WAIT: SignedDuration = SignedDuration::from_hours(24);
const DAY_SECONDS: f64 = 86_400.0;

/// The calls a day that a stage scan may make besides the feed: a twentieth of the tenant's own limit as a safety net,
/// a quarter where it shows the changes.
pub fn scan_calls_a_day(by: ChangeFeed, daily_calls: u32) -> u32 {
    let share = match by {
        ChangeFeed::SlowFull => daily_calls / 4,
        _ => daily_calls / 20,
    };
    share.max(1)
}

/// Adapts the scan to the feed.
pub(super) fn reconcile(state: &mut TenantState, feed: Feed, now: Timestamp, wait: SignedDuration) {
    let poll = &mut state.poll;
    let before = poll.feed.replace(feed);
    if before.is_some_and(|before| before.by != feed.by) {
        // Its position belonged to another search. What the other feed missed is looked for once.
        poll.progress = None;
        poll.overlap = Overlap::default();
        poll.scan = Some(StageScan::starting(now));
    }
    if feed.needs_scan() {
        let beside = matches!(
            feed.by,
            ChangeFeed::ModificationDate | ChangeFeed::StatusHistory
        );
        let first = if beside { after(now, wait) } else { now };
        let scan = poll.scan.get_or_insert_with(|| StageScan::starting(first));
        // A clock that was ahead must not delay it.
        scan.at = scan.at.min(after(now, MAX_WAIT));
    } else if poll
        .scan
        .as_ref()
        .is_some_and(|scan| scan.completed_at.is_some())
    {
        poll.scan = None;
    }
}

/// Schedules a scan at `at`, unless one is due sooner.
pub(super) fn request(state: &mut TenantState, at: Timestamp) {
    let scan = state
        .poll
        .scan
        .get_or_insert_with(|| StageScan::starting(at));
    scan.at = scan.at.min(at);
}

/// Confirms entries that the feed shows.
pub(super) fn confirm(state: &mut TenantState, shown: &BTreeSet<&ApplicationId>) {
    if let Some(scan) = &mut state.poll.scan {
        scan.unconfirmed.retain(|id| !shown.contains(id));
    }
}

/// The feed was read to its end: it missed the unconfirmed entries that it did not show.
pub(super) fn count_missed(tenant: &Tenant, state: &mut TenantState, now: Timestamp) {
    let Some(scan) = &mut state.poll.scan else {
        return;
    };
    for application in std::mem::take(&mut scan.unconfirmed) {
        tracing::warn!(tenant = %tenant.id, %application, "stage scan found an entry that the change feed missed");
        scan.missed = scan.missed.saturating_add(1);
        scan.missed_at = Some(now);
    }
}

/// Forgets of those who are known to be at a trigger whom a reading for some mappings shows elsewhere: for the others, they are
/// decided when the scan finds them.
pub(super) fn forget_moved(state: &mut TenantState, rows: &[ApplicationRow]) {
    let Some(scan) = &mut state.poll.scan else {
        return;
    };
    for row in rows {
        let known = scan.residents.position(&row.id);
        if known.is_some_and(|position| *position != row.position) {
            scan.residents.remove(&row.id);
            scan.waiting.remove(&row.id);
        }
    }
}

/// Whether an application is at a trigger, of a mapping or of the plan for hires.
fn is_watched(tenant: &Tenant, row: &ApplicationRow) -> bool {
    is_hired(tenant, &row.position)
        || tenant.mappings.iter().any(|mapping| {
            mapping.vacancies.contains(&row.vacancy) && mapping.triggered_by(&row.position)
        })
}

/// All triggers, with their vacancies.
fn watched(tenant: &Tenant) -> (Vec<Trigger>, Vacancies) {
    let mut triggers: Vec<Trigger> = Vec::new();
    let mut only = BTreeSet::new();
    let mut all = false;
    for mapping in tenant
        .mappings
        .iter()
        .filter(|one| !one.triggers.is_empty())
    {
        triggers.extend(mapping.triggers.iter().cloned());
        match &mapping.vacancies {
            Vacancies::All => all = true,
            Vacancies::Only(these) => only.extend(these.iter().cloned()),
        }
    }
    let hired = tenant.hires.iter().flat_map(HirePlan::triggers);
    for trigger in hired {
        triggers.push(trigger.clone());
        all = true;
    }
    let vacancies = if all {
        Vacancies::All
    } else {
        Vacancies::Only(only)
    };
    (triggers, vacancies)
}

impl Poller {
    /// Notes what a reading for all mappings shows of those who are known to be at a trigger. Whoever was erased is not
    /// remembered, however long Eploy shows them.
    pub(super) async fn note_residents(
        &self,
        tenant: &Tenant,
        state: &mut TenantState,
        rows: &[ApplicationRow],
    ) -> Result<(), StoreError> {
        let Some(scan) = &mut state.poll.scan else {
            return Ok(());
        };
        let mut new = Vec::new();
        for row in rows {
            if !is_watched(tenant, row) {
                scan.residents.remove(&row.id);
                scan.waiting.remove(&row.id);
            } else if !scan.knows(row) {
                new.push(row);
            }
        }
        if new.is_empty() {
            return Ok(());
        }
        let erased = self.engine.ledger.erased(&tenant.id).await?;
        new.retain(|row| !erased.contains(&row.candidate));
        let waiting = self.waiting(tenant, &new).await?;
        for row in new {
            let has_room = scan.residents.len() < MAX_RESIDENTS;
            if has_room || scan.residents.position(&row.id).is_some() {
                scan.residents.put(&row.id, &row.position);
                if waiting.contains(&row.id) {
                    scan.waiting.insert(row.id.clone());
                } else {
                    scan.waiting.remove(&row.id);
                }
            }
        }
        Ok(())
    }

    /// Those of these applications of which an invitation or an announcement is still to go out.
    async fn waiting(
        &self,
        tenant: &Tenant,
        rows: &[&ApplicationRow],
    ) -> Result<BTreeSet<ApplicationId>, StoreError> {
        let ids: Vec<ApplicationId> = rows.iter().map(|row| row.id.clone()).collect();
        let invitations = self.engine.ledger.of_applications(&tenant.id, &ids).await?;
        let unsent = invitations.into_iter().filter(|one| one.state.level() == 0);
        let mut waiting: BTreeSet<ApplicationId> = unsent.map(|one| one.key.application).collect();
        for row in rows.iter().filter(|row| is_hired(tenant, &row.position)) {
            let key = HireKey {
                tenant: tenant.id.clone(),
                hire: Hire::Application(row.id.clone()),
            };
            let known = self.announcements.load_announcement(&key).await?;
            if known.is_some_and(|known| known.state == State::Detected) {
                waiting.insert(row.id.clone());
            }
        }
        Ok(waiting)
    }

    /// Goes on with the stage scan, if one is due.
    pub(super) async fn scan(
        &self,
        eploy: &dyn Eploy,
        tenant: &Tenant,
        state: &mut TenantState,
        budget: &mut PollBudget,
        found: &mut usize,
    ) -> Result<(), PollError> {
        let is_feed = eploy.feed().by == ChangeFeed::StageRoute;
        let now = self.engine.now();
        let due = |scan: &StageScan| is_feed || scan.at <= now;
        if !state.poll.scan.as_ref().is_some_and(due) {
            return Ok(());
        }
        let (triggers, vacancies) = watched(tenant);
        if triggers.is_empty() {
            return Ok(());
        }
        let searches = eploy.stage_searches(&triggers, &vacancies);
        let mut pass = Pass {
            searches,
            most: if is_feed {
                u32::MAX
            } else {
                MAX_PAGES_PER_POLL
            },
            calls: 0,
            newest: None,
            erased: self.engine.ledger.erased(&tenant.id).await?,
        };
        let read = self
            .scan_pages(eploy, tenant, state, budget, found, &mut pass)
            .await;
        let Some(scan) = &mut state.poll.scan else {
            return read.map(|_| ());
        };
        let by = eploy.feed().by;
        let share = f64::from(scan_calls_a_day(by, tenant.eploy.daily_calls));
        let spread = f64::from(pass.calls.max(1)) * DAY_SECONDS / share;
        let pause = self.engine.timing.scan_seconds;
        let now = self.engine.now();
        match read {
            Ok(complete) => {
                scan.failure = None;
                let wait = if complete && by != ChangeFeed::SlowFull {
                    spread.max(pause)
                } else {
                    spread
                };
                scan.at = after(now, seconds(wait).min(MAX_WAIT));
                if complete {
                    scan.completed_at = Some(now);
                    tracing::debug!(tenant = %tenant.id, residents = scan.residents.len(), "stage scan completed");
                }
                if complete && is_feed {
                    state.poll.cursor = state.poll.cursor.max(pass.newest);
                }
                Ok(())
            }
            // As a safety net it may fail: the feed continues.
            Err(PollError::Call(error)) if !is_feed => {
                self.scan_failed(tenant, scan, &error, spread.max(pause));
                Ok(())
            }
            Err(stop) => Err(stop),
        }
    }

    fn scan_failed(&self, tenant: &Tenant, scan: &mut StageScan, error: &CallError, wait: f64) {
        let now = self.engine.now();
        tracing::warn!(tenant = %tenant.id, code = error.code, %error, "stage scan failed");
        scan.failure = Some(Failure::from_call(error, scan.failure.as_ref(), now));
        let at = after(now, seconds(wait));
        let at = error.retry_at.map_or(at, |not_before| at.max(not_before));
        scan.at = at.min(after(now, MAX_WAIT));
    }

    /// Reads as many pages as it may. Returns whether the pass is complete.
    async fn scan_pages(
        &self,
        eploy: &dyn Eploy,
        tenant: &Tenant,
        state: &mut TenantState,
        budget: &mut PollBudget,
        found: &mut usize,
        pass: &mut Pass,
    ) -> Result<bool, PollError> {
        loop {
            let Some(scan) = &mut state.poll.scan else {
                return Ok(true);
            };
            let Some(search) = pass.searches.get(scan.search as usize) else {
                return Ok(true);
            };
            pass.calls += 1;
            if pass.most == u32::MAX {
                // As the feed, it counts as pages of the poll.
                budget.pages += 1;
            }
            let page = eploy
                .applications_at(&search.triggers, &search.vacancies, scan.page)
                .await?;
            let more = page.more;
            self.not_overtaken(&tenant.id, state.version).await?;
            *found += self.scan_page(eploy, tenant, state, page, pass).await?;
            let Some(scan) = &mut state.poll.scan else {
                return Ok(true);
            };
            if more {
                scan.page += 1;
            } else if (scan.search as usize) + 1 < pass.searches.len() {
                (scan.search, scan.page) = (scan.search + 1, 1);
            } else {
                (scan.search, scan.page) = (0, 1);
                *found += self.leavers(eploy, tenant, state, pass).await?;
                return Ok(true);
            }
            if pass.calls >= pass.most {
                return Ok(false);
            }
            self.checkpoint(budget, &tenant.id, state).await?;
        }
    }

    /// Takes in what is new on a page: who was not at that trigger before, or is at none any more. Returns how many entries.
    async fn scan_page(
        &self,
        eploy: &dyn Eploy,
        tenant: &Tenant,
        state: &mut TenantState,
        page: ApplicationPage,
        pass: &mut Pass,
    ) -> Result<usize, PollError> {
        log_set_aside(tenant, "application", &page.set_aside);
        let dates = page.rows.iter().map(|row| (row.id.as_str(), row.modified));
        pass.newest = pass
            .newest
            .max(newest(tenant, "application", self.engine.now(), dates));
        let mut page = pages::newer(state, &page).into_owned();
        page.rows
            .retain(|row| !pass.erased.contains(&row.candidate));
        let cursor = state.poll.cursor;
        let Some(scan) = &state.poll.scan else {
            return Ok(0);
        };
        let (mut there, mut taken) = (Vec::new(), Vec::new());
        for row in page.rows {
            if is_watched(tenant, &row) {
                there.push((row.id.clone(), row.position.clone()));
                if !scan.knows(&row) || row.modified > cursor {
                    taken.push(row);
                }
            } else if scan.residents.position(&row.id).is_some() {
                taken.push(left(row));
            }
        }
        let new = self.take_scanned(eploy, tenant, state, taken).await?;
        if let Some(scan) = &mut state.poll.scan {
            for (id, position) in there {
                if scan.residents.position(&id).is_some() {
                    scan.present.put(&id, &position);
                }
            }
        }
        Ok(new)
    }

    /// Ends the pass. An application that was at a trigger before and was not found has left, or has moved between
    /// pages: its own record decides. Returns the number of entries.
    async fn leavers(
        &self,
        eploy: &dyn Eploy,
        tenant: &Tenant,
        state: &mut TenantState,
        pass: &mut Pass,
    ) -> Result<usize, PollError> {
        let Some(scan) = &mut state.poll.scan else {
            return Ok(0);
        };
        let residents = scan.residents.iter();
        let missing: Vec<(ApplicationId, Position)> = residents
            .filter(|(id, _)| scan.present.position(id).is_none())
            .map(|(id, position)| (id.clone(), position.clone()))
            .collect();
        let (mut stay, mut taken) = (Vec::new(), Vec::new());
        for (at, (id, position)) in missing.into_iter().enumerate() {
            if at >= MAX_LEAVERS {
                stay.push((id, position));
                continue;
            }
            pass.calls += 1;
            match eploy.application(&id).await {
                Ok(Some(row)) if pass.erased.contains(&row.candidate) => {}
                Ok(Some(row)) if is_watched(tenant, &row) => {
                    stay.push((id, row.position.clone()));
                    if row.position != position {
                        taken.push(row);
                    }
                }
                Ok(Some(row)) => taken.push(left(row)),
                Ok(None) => {}
                Err(error) if error.scope == ErrorScope::Record => stay.push((id, position)),
                Err(error) => return Err(error.into()),
            }
        }
        let new = self.take_scanned(eploy, tenant, state, taken).await?;
        if let Some(scan) = &mut state.poll.scan {
            scan.residents = std::mem::take(&mut scan.present);
            for (id, position) in stay {
                scan.residents.put(&id, &position);
            }
            let residents = &scan.residents;
            (scan.waiting).retain(|id| residents.position(id).is_some());
        }
        Ok(new)
    }

    /// Decides about these as about any others, and remembers which entries the feed has yet to show.
    async fn take_scanned(
        &self,
        eploy: &dyn Eploy,
        tenant: &Tenant,
        state: &mut TenantState,
        rows: Vec<ApplicationRow>,
    ) -> Result<usize, PollError> {
        if rows.is_empty() {
            return Ok(0);
        }
        let page = ApplicationPage {
            rows,
            set_aside: Vec::new(),
            more: false,
        };
        let before = self.engine.now();
        let new = self
            .ingest_page(eploy, tenant, state, &page, Reads::Changes)
            .await?;
        let hired = self.hired_applications(tenant, state, &page).await?;
        let is_feed = eploy.feed().by == ChangeFeed::StageRoute;
        if new > 0 && !is_feed {
            let ids: Vec<ApplicationId> = page.rows.iter().map(|row| row.id.clone()).collect();
            let rows = self.engine.ledger.of_applications(&tenant.id, &ids).await?;
            if let Some(scan) = &mut state.poll.scan {
                let entered = rows.into_iter().filter(|row| row.entry.seen_at >= before);
                scan.unconfirmed
                    .extend(entered.map(|row| row.key.application));
            }
        }
        self.note_residents(tenant, state, &page.rows).await?;
        Ok(new + hired)
    }
}

/// The progress of a pass.
struct Pass {
    searches: Vec<StageSearch>,
    /// The maximum number of pages.
    most: u32,
    /// Calls so far.
    calls: u32,
    /// The newest change seen.
    newest: Option<Timestamp>,
    /// Who was erased: they count as being nowhere.
    erased: BTreeSet<CandidateId>,
}

/// An application that has just left. Its date does not show that, where changes of stage do not move it.
fn left(row: ApplicationRow) -> ApplicationRow {
    ApplicationRow {
        modified: None,
        ..row
    }
}
