//! Polls a tenant: reads Eploy's changed applications into the ledger. The cursor moves only after the ledger has them.

mod baseline;
mod cases;
mod decide;
mod edit;
mod feed;
mod hires;
mod mappings;
mod overlap;
mod pages;
mod scan;
mod watched;

use std::sync::Arc;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

pub use baseline::turned_on;
pub use cases::{Decided, Evaluation, Reads};
pub use decide::{Decision, decide, decide_by_history};
pub use mappings::{adopt, broken, is_changed, prove, switch, with_proven};
pub use scan::scan_calls_a_day;
pub use watched::Watched;

use self::feed::Changes;
use self::overlap::{Feed, Passed};
use crate::clock::Deadline;
use crate::engine::Engine;
use crate::error::{CallError, Error, ErrorScope, Phase, StoreError};
use crate::events::What;
use crate::ids::TenantId;
use crate::invitation::Failure;
use crate::metrics;
use crate::ports::{
    Announcements, ApplicationPage, ChangeFeed, Eploy, EployConnections, MappingStatus,
    PollProgress, PollState, Purpose, Saved, Suspension, TenantState, TenantStates,
    UnparsableRecord, UnreadRecord,
};
use crate::tenant::{Mapping, Tenant};
use crate::timing::{after, seconds};
use crate::work::{Handled, Handler, Kind, Work};

/// Polls tenants.
#[derive(Clone)]
pub struct Poller {
    /// The engine.
    pub engine: Engine,
    /// The poll state.
    pub states: Arc<dyn TenantStates>,
    /// The announcements of hires.
    pub announcements: Arc<dyn Announcements>,
    /// The connections to Eploy.
    pub eploy: Arc<dyn EployConnections>,
}

/// The outcome of a poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Polled {
    /// It was not due, the tenant is paused, or another poll was faster.
    NotDue,
    /// Everything was read: the number of new entries.
    Done(usize),
    /// It timed out. What was read is saved, and the poll is due again at once.
    Unfinished,
    /// It failed and is due again later.
    Failed,
}

/// Why a poll stopped.
enum PollError {
    /// The deadline passed.
    Deadline,
    /// A call failed.
    Call(CallError),
    /// A store of ours failed.
    Store(StoreError),
    /// Another poll of the tenant was faster.
    Overtaken,
}

impl From<CallError> for PollError {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

impl From<StoreError> for PollError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// The time and pages that a poll may use.
struct PollBudget {
    /// When it stops.
    deadline: Deadline,
    /// When the lease has to be renewed, because another poll would begin then.
    hold_at: Timestamp,
    /// Pages of changes read so far.
    pages: u32,
}

impl Poller {
    /// Polls a tenant if it is due, until `deadline`. If something of ours fails, it is due again after growing delays:
    /// an unreadable row is not requested without a pause.
    pub async fn poll(&self, id: &TenantId, deadline: Deadline) -> Result<Polled, Error> {
        // The state first: with a configuration older than the state, a new mapping would count as removed.
        let stored = self.states.load_state(id).await?;
        let tenant = match self.engine.tenant(id).await {
            Ok(tenant) => tenant,
            Err(error) => {
                if let Some(state) = stored {
                    self.defer(id, state).await;
                }
                return Err(error);
            }
        };
        let now = self.engine.now();
        let mut state = stored.unwrap_or_else(|| TenantState::new(now));
        if state.set_back(now) {
            tracing::warn!(tenant = %id, "tenant state written by a clock that was ahead, times moved back");
            // Saved first: unsaved times would move along with the clock.
            if self.save(id, &mut state).await? == Saved::Conflict {
                return Ok(Polled::NotDue);
            }
        }
        if tenant.paused || state.due_at > now {
            return Ok(Polled::NotDue);
        }
        metrics::poll_began(now.duration_since(state.due_at));
        let adopted = mappings::adopt(&tenant, &mut state, now);
        self.keep_definitions(id, adopted).await?;
        hires::reconcile(&tenant, &mut state, now);
        let mut found = 0;
        let mut budget = PollBudget {
            deadline,
            hold_at: self
                .engine
                .in_seconds(self.engine.timing.lease_seconds / 2.0),
            pages: 0,
        };
        let outcome = match self.eploy.eploy(&tenant, Purpose::Poll).await {
            Ok(eploy) => {
                let read = self
                    .read(&*eploy, &tenant, &mut state, &mut budget, &mut found)
                    .await;
                state.poll.pages_average = average(state.poll.pages_average, budget.pages);
                match (read, eploy.allowance_left().await) {
                    (Ok(()), Ok(left)) => {
                        let wish = f64::from(tenant.eploy.poll_seconds);
                        let day_left = left
                            .resets_at
                            .duration_since(self.engine.now())
                            .as_secs_f64();
                        let polls_left = f64::from(left.calls) * 100.0
                            / f64::from(state.poll.pages_average.max(100));
                        Ok(interval(wish, day_left, polls_left))
                    }
                    (Ok(()), Err(error)) => Err(PollError::Call(error)),
                    (Err(stop), _) => Err(stop),
                }
            }
            Err(error) => Err(PollError::Call(error)),
        };
        let polled = match outcome {
            Ok(interval) => {
                self.succeeded(id, &mut state, found, interval).await;
                Polled::Done(found)
            }
            Err(PollError::Deadline) => {
                state.due_at = self.engine.now();
                Polled::Unfinished
            }
            Err(PollError::Call(error)) => {
                self.failed(id, &mut state, &error).await;
                metrics::poll_failed();
                Polled::Failed
            }
            // Nothing is lost: the cursor did not move.
            Err(PollError::Store(error)) => {
                self.defer(id, state).await;
                return Err(error.into());
            }
            Err(PollError::Overtaken) => {
                tracing::info!(tenant = %id, "poll overtaken by another");
                return Ok(Polled::NotDue);
            }
        };
        if self.save(id, &mut state).await? == Saved::Conflict {
            tracing::info!(tenant = %id, "poll overtaken by another");
            return Ok(Polled::NotDue);
        }
        Ok(polled)
    }

    /// Saves the state as the version after the one that it was read or saved as. Unless it is certainly saved, its
    /// version stays: with the next one it could overwrite what another poll saved as this one meanwhile.
    async fn save(&self, id: &TenantId, state: &mut TenantState) -> Result<Saved, StoreError> {
        state.saved_at = Some(self.engine.now());
        state.version += 1;
        let saved = self.states.save_state(id, state).await;
        if !matches!(saved, Ok(Saved::Saved)) {
            state.version -= 1;
        }
        saved
    }

    /// Defers the next poll after something of ours failed.
    async fn defer(&self, id: &TenantId, mut state: TenantState) {
        state.poll.failures = state.poll.failures.saturating_add(1);
        let pause = self.engine.timing.backoff(state.poll.failures, id.as_str());
        state.due_at = state.due_at.max(after(self.engine.now(), pause));
        // Fails if the store does not work at all, and then the poll stays due; if another poll was faster; or if a
        // save that seemed to fail had worked, and then the poll is due when the lease that it took expires.
        let _ = self.save(id, &mut state).await;
    }

    /// Reads everything that a poll reads, in order.
    async fn read(
        &self,
        eploy: &dyn Eploy,
        tenant: &Tenant,
        state: &mut TenantState,
        budget: &mut PollBudget,
        found: &mut usize,
    ) -> Result<(), PollError> {
        self.check_mappings(eploy, tenant, state).await?;
        let pause = seconds(self.engine.timing.scan_seconds);
        scan::reconcile(state, eploy.feed(), self.engine.now(), pause);
        // Before the baseline is read, so that what changes meanwhile lies after it; and early enough for an Eploy
        // whose clock or time zone differs from ours. Applications at the stage by then are in the baseline.
        if state.poll.cursor.is_none() {
            state.poll.cursor = self.engine.now().checked_sub(MAX_CLOCK_DIFFERENCE).ok();
        }
        *found += self.look_again(eploy, tenant, state).await?;
        self.hires_baseline(eploy, tenant, state, budget).await?;
        // Other mappings do not wait for the baseline of a new one. A changed mapping first has everything read that
        // changed before, with its earlier definition.
        let mut read = false;
        if mappings::any_on(state) {
            self.read_feed(eploy, tenant, state, budget, found).await?;
            self.switch(tenant, state).await?;
            read = true;
        }
        if mappings::any_turned_on(state) {
            self.baseline(eploy, tenant, state, budget, found).await?;
            read = false;
        }
        if !read {
            self.read_feed(eploy, tenant, state, budget, found).await?;
        }
        if eploy.feed().by != ChangeFeed::StageRoute {
            self.scan(eploy, tenant, state, budget, found).await?;
        }
        self.changed_placements(eploy, tenant, state, budget, found)
            .await
    }

    /// Reads what the feed shows.
    async fn read_feed(
        &self,
        eploy: &dyn Eploy,
        tenant: &Tenant,
        state: &mut TenantState,
        budget: &mut PollBudget,
        found: &mut usize,
    ) -> Result<(), PollError> {
        match eploy.feed().by {
            ChangeFeed::StageRoute => self.scan(eploy, tenant, state, budget, found).await,
            _ => self.changes(eploy, tenant, state, budget, found).await,
        }
    }

    /// Switches to the mappings as configured now.
    async fn switch(&self, tenant: &Tenant, state: &mut TenantState) -> Result<(), PollError> {
        if mappings::is_changed(tenant, state) {
            let watched = self.engine.watched(tenant, state).await?;
            let mut switched = state.clone();
            let changed = mappings::switch(tenant, &mut switched, &watched, self.engine.now());
            self.keep_definitions(&tenant.id, changed).await?;
            // Not before: a poll that fails saves the state, too, and rows would have a definition that is not saved.
            *state = switched;
        }
        Ok(())
    }

    /// Saves these mappings' definitions: invitations are made under them from here on.
    async fn keep_definitions(
        &self,
        tenant: &TenantId,
        mappings: Vec<&Mapping>,
    ) -> Result<(), StoreError> {
        for mapping in mappings {
            let definitions = &self.engine.definitions;
            definitions.save_definition(tenant, mapping).await?;
        }
        Ok(())
    }

    /// Between two pages: whether there is time for another. A long poll renews its lease meanwhile and saves its
    /// progress.
    async fn checkpoint(
        &self,
        budget: &mut PollBudget,
        tenant: &TenantId,
        state: &mut TenantState,
    ) -> Result<(), PollError> {
        let now = self.engine.now();
        if budget.deadline.passed(now) {
            return Err(PollError::Deadline);
        }
        if now >= budget.hold_at {
            let lease = self.engine.timing.lease_seconds;
            state.due_at = self.engine.in_seconds(lease);
            if self.save(tenant, state).await? == Saved::Conflict {
                return Err(PollError::Overtaken);
            }
            budget.hold_at = self.engine.in_seconds(lease / 2.0);
        }
        Ok(())
    }

    /// Periodically checks whether the mappings' stages still exist.
    async fn check_mappings(
        &self,
        eploy: &dyn Eploy,
        tenant: &Tenant,
        state: &mut TenantState,
    ) -> Result<(), PollError> {
        let now = self.engine.now();
        if state.check_at.is_some_and(|at| at > now) {
            return Ok(());
        }
        let timing = &self.engine.timing;
        let directory = match eploy.directory().await {
            Ok(directory) => directory,
            // The lists only show mistakes: invitations continue without them.
            Err(error) if error.scope == ErrorScope::Record => {
                tracing::warn!(tenant = %tenant.id, code = error.code, %error, "mappings' stages not checked");
                state.check_at = Some(self.engine.in_seconds(timing.suspend_seconds));
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        if let Some(plan) = &tenant.hires
            && let Some(reason) = mappings::broken_trigger(plan.triggers(), &directory)
        {
            tracing::error!(tenant = %tenant.id, %reason, "plan for hires is broken, no hires are announced");
        }
        let mut check_in = timing.recheck_seconds;
        let directory = mappings::with_proven(directory, state, now);
        for Watched { mapping, .. } in &self.engine.watched(tenant, state).await? {
            let Some(remembered) = state.mappings.get_mut(&mapping.id) else {
                continue;
            };
            let was_on = remembered.status.is_on();
            let broken_at = match remembered.status {
                MappingStatus::Broken { at, .. } => Some(at.unwrap_or(now)),
                _ => None,
            };
            let reason = mappings::broken(mapping, &directory);
            let works = remembered.status == MappingStatus::Active;
            if let Some(reason) = &reason
                && works
                && !remembered.doubted
            {
                tracing::warn!(tenant = %tenant.id, mapping = %mapping.id, %reason, "mapping may be broken, second check scheduled");
                remembered.doubted = true;
                check_in = check_in.min(timing.retry_seconds);
                continue;
            }
            remembered.doubted = false;
            match reason {
                Some(reason) => {
                    if broken_at.is_none() {
                        tracing::error!(tenant = %tenant.id, mapping = %mapping.id, %reason, "mapping is broken, no invitations");
                        let what = What::MappingBroken {
                            tenant: tenant.id.clone(),
                            mapping: mapping.id.clone(),
                            reason: reason.clone(),
                        };
                        self.engine.publish(what).await;
                    }
                    remembered.status = MappingStatus::Broken {
                        reason,
                        at: Some(broken_at.unwrap_or(now)),
                        on: was_on,
                    };
                    check_in = check_in.min(timing.suspend_seconds);
                }
                // Candidates that entered meanwhile are invited.
                None if broken_at.is_some() => {
                    remembered.status = mappings::repaired(mapping, was_on);
                }
                None => {}
            }
        }
        state.check_at = Some(self.engine.in_seconds(check_in));
        Ok(())
    }

    /// Reads the changes, page by page, and moves the cursor.
    async fn changes(
        &self,
        eploy: &dyn Eploy,
        tenant: &Tenant,
        state: &mut TenantState,
        budget: &mut PollBudget,
        found: &mut usize,
    ) -> Result<(), PollError> {
        let now = self.engine.now();
        if mappings::any_turned_on(state) || mappings::is_changed(tenant, state) {
            // None may be left for later and then count as part of the baseline.
            state.poll.overlap.light_left = 0;
            state.poll.progress.take_if(|reading| reading.light);
        }
        let mut progress = (state.poll.progress.clone())
            .unwrap_or_else(|| feed(&mut state.poll).begin(now, |since| eploy.overlap(since)));
        let mut set_aside = 0;
        loop {
            let Changes { page, dates } = self
                .read_changes(eploy, tenant, state, progress.since, progress.page)
                .await?;
            budget.pages += 1;
            set_aside += log_set_aside(tenant, "application", &page.set_aside);
            remember_unread(&mut state.poll.unread, &page, self.engine.now());
            let newer = pages::newer(state, &page);
            *found += self
                .ingest_page(eploy, tenant, state, &newer, Reads::Changes)
                .await?;
            *found += self.hired_applications(tenant, state, &page).await?;
            self.note_residents(tenant, state, &page.rows).await?;
            scan::confirm(state, &feed::shown(&dates));
            let dates = dates.iter().map(|(id, at)| (id.as_str(), *at));
            let newest = newest(tenant, "application", self.engine.now(), dates);
            progress.newest = progress.newest.max(newest);
            if !page.more {
                break;
            }
            progress.page += 1;
            state.poll.progress = Some(progress.clone());
            self.checkpoint(budget, &tenant.id, state).await?;
        }
        state.poll.progress = None;
        state.poll.set_aside = set_aside;
        // A light reading skips what the next one shows.
        if !progress.light {
            scan::count_missed(tenant, state, self.engine.now());
        }
        // Changes during a mapping's baseline are read once more after it.
        if !mappings::any_turned_on(state) {
            let before = state.poll.overlap.read_at.or(state.poll.last_ok);
            let passed = passed(tenant, before, &progress, now);
            feed(&mut state.poll).complete(&progress, passed);
            state.poll.overlap.read_at = Some(self.engine.now());
        }
        Ok(())
    }

    /// Records a poll that read everything.
    async fn succeeded(&self, id: &TenantId, state: &mut TenantState, found: usize, interval: f64) {
        let now = self.engine.now();
        state.poll.last_ok = Some(now);
        state.poll.failures = 0;
        state.poll.failure = None;
        state.due_at = after(now, seconds(interval));
        if state.suspended.take().is_some() {
            tracing::info!(tenant = %id, "tenant resumed");
            let what = What::Resumed { tenant: id.clone() };
            self.engine.publish(what).await;
        }
        if found > 0 {
            tracing::info!(tenant = %id, found, "poll completed");
        } else {
            tracing::debug!(tenant = %id, "poll completed, nothing new");
        }
    }

    /// Records a poll that failed.
    async fn failed(&self, id: &TenantId, state: &mut TenantState, error: &CallError) {
        let now = self.engine.now();
        state.poll.failures = state.poll.failures.saturating_add(1);
        let mut delay = self.engine.timing.backoff(state.poll.failures, id.as_str());
        if error.phase == Phase::Throttled {
            // A rate limit ends soon: retried often enough to notice, and no later than a broken connection.
            delay = delay.min(seconds(self.engine.timing.suspend_seconds));
        }
        state.due_at = after(now, delay);
        if error.scope == ErrorScope::Connection {
            let pause = after(now, seconds(self.engine.timing.suspend_seconds));
            state.due_at = error.retry_at.map_or(pause, |at| at.max(state.due_at));
            state.poll.failure = None;
            let before = state.suspended.take();
            if before
                .as_ref()
                .is_none_or(|before| before.failure.code != error.code)
            {
                tracing::error!(tenant = %id, code = error.code, %error, "tenant suspended");
                let what = What::Suspended {
                    tenant: id.clone(),
                    code: error.code.to_owned(),
                };
                self.engine.publish(what).await;
            }
            state.suspended = Some(Suspension {
                failure: Failure::from_call(
                    error,
                    before.as_ref().map(|before| &before.failure),
                    now,
                ),
                until: state.due_at,
            });
        } else {
            state.due_at = error
                .retry_at
                .map_or(state.due_at, |at| at.max(state.due_at));
            state.poll.failure = Some(Failure::from_call(error, state.poll.failure.as_ref(), now));
            tracing::warn!(tenant = %id, code = error.code, failures = state.poll.failures, %error, "poll failed");
        }
    }
}

/// The state of reading the changes of applications.
fn feed(poll: &mut PollState) -> Feed<'_> {
    Feed {
        cursor: &mut poll.cursor,
        reached: &mut poll.reached,
        overlap: &mut poll.overlap,
    }
}

/// The time that passed before a reading began, capped at two poll intervals: our clock may have been set.
fn passed(
    tenant: &Tenant,
    last_ok: Option<Timestamp>,
    read: &PollProgress,
    now: Timestamp,
) -> Passed {
    Passed {
        last_ok,
        began_at: read.began_at.unwrap_or(now),
        most: SignedDuration::from_secs(i64::from(tenant.eploy.poll_seconds) * 2),
    }
}

/// The maximum difference between Eploy's dates and our clock where both are right: an hour of British summer time, and
/// a margin.
const MAX_CLOCK_DIFFERENCE: SignedDuration = SignedDuration::from_mins(65);

/// The newest change of these records, by id. A date too far ahead counts as now: otherwise the cursor would pass
/// everything that changes until then. If our own clock is behind, more is read each time.
fn newest<'a>(
    tenant: &Tenant,
    kind: &str,
    now: Timestamp,
    dates: impl Iterator<Item = (&'a str, Option<Timestamp>)>,
) -> Option<Timestamp> {
    let most = after(now, MAX_CLOCK_DIFFERENCE);
    dates
        .filter_map(|(id, at)| {
            let at = at?;
            if at > most {
                tracing::warn!(tenant = %tenant.id, kind, id, "record dated in the future, counted as changed now");
                return Some(now);
            }
            Some(at)
        })
        .max()
}

/// Seconds until the next poll: as configured, unless the remaining allowance of the day has to be spread thinner.
fn interval(wish: f64, day_left: f64, polls_left: f64) -> f64 {
    let spread = day_left.max(0.0) / polls_left.max(1.0);
    wish.max(spread)
}

/// The running average of the pages per poll, in hundredths. One large reading defers the next poll only briefly; many
/// defer it longer.
fn average(before: u32, pages: u32) -> u32 {
    let before = if before == 0 { 100 } else { before };
    let next = (u64::from(before) * 7 + u64::from(pages.max(1)) * 100) / 8;
    u32::try_from(next).unwrap_or(u32::MAX)
}

/// Logs the records that could not be read. Returns how many.
fn log_set_aside(tenant: &Tenant, kind: &str, records: &[UnparsableRecord]) -> u32 {
    for record in records {
        let id = record.id.as_deref().unwrap_or("unknown");
        tracing::warn!(tenant = %tenant.id, kind, id, reason = record.reason, "unreadable record skipped");
    }
    u32::try_from(records.len()).unwrap_or(u32::MAX)
}

/// How long an unreadable record is remembered: its change is long past the overlap by then.
const MAX_UNREAD_AGE: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The maximum number of unreadable records remembered: with more, the cause is not the records.
const MAX_UNREAD: usize = 20;

/// Remembers the unreadable records of a page, and forgets those that are readable by now.
fn remember_unread(unread: &mut Vec<UnreadRecord>, page: &ApplicationPage, now: Timestamp) {
    unread.retain(|known| {
        let same = |id: &str| known.id.as_deref() == Some(id);
        now.duration_since(known.at) < MAX_UNREAD_AGE
            && !page.rows.iter().any(|row| same(row.id.as_str()))
            && !page.set_aside.iter().any(|one| one.id == known.id)
    });
    unread.extend(page.set_aside.iter().map(|one| UnreadRecord {
        id: one.id.clone(),
        reason: one.reason.clone(),
        at: now,
    }));
    let surplus = unread.len().saturating_sub(MAX_UNREAD);
    unread.drain(..surplus);
}

#[async_trait]
impl Handler for Poller {
    fn kind(&self) -> Kind {
        Kind::Poll
    }

    async fn handle(&self, work: Work, deadline: Deadline) -> Result<Handled, Error> {
        let Work::Poll { tenant } = work else {
            return Ok(Handled::Misplaced);
        };
        Ok(match self.poll(&tenant, deadline).await? {
            Polled::Unfinished => Handled::Unfinished,
            Polled::Done(_) | Polled::Failed | Polled::NotDue => Handled::Done,
        })
    }
}

#[cfg(test)]
mod tests;
