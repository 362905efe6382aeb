//! Polling a tenant: Eploy's changed applications into the ledger; the cursor moves only after the ledger has them.

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

use jiff::{SignedDuration, Timestamp};

pub use baseline::turned_on;
pub use cases::{Decided, Evaluation, Reads};
pub use decide::{Decision, decide, decide_by_history};
pub use mappings::{adopt, broken, is_changed, prove, switch, with_proven};
pub use scan::scan_calls_a_day;
pub use watched::Watched;

use self::feed::Changes;
use self::overlap::{Feed, Passed};
use super::engine::Engine;
use crate::clock::Deadline;
use crate::error::{CallError, Error, ErrorScope, Phase, StoreError};
use crate::events::{DomainEvent, What};
use crate::ids::TenantId;
use crate::invitation::Failure;
use crate::ports::{
    Announcements, ApplicationPage, ChangeFeed, Eploy, EployConnections, MappingStatus,
    PollProgress, PollState, Purpose, Saved, Suspension, TenantState, TenantStates,
    UnparsableRecord, UnreadRecord,
};
use crate::tenant::{Mapping, Tenant};
use crate::timing::{after, seconds};

/// Polls tenants.
#[derive(Clone)]
pub struct Poller {
    /// The rows.
    pub engine: Engine,
    /// How polling stands.
    pub states: Arc<dyn TenantStates>,
    /// The announcements of hires.
    pub announcements: Arc<dyn Announcements>,
    /// The ways into Eploy.
    pub eploy: Arc<dyn EployConnections>,
}

/// What a poll came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Polled {
    /// It was not due, or the tenant is paused, or another poll was quicker.
    NotDue,
    /// Everything was read. How many new entries there were.
    Done(usize),
    /// Time ran out; what was read is on record, and it is due again at once.
    Unfinished,
    /// It failed, and is due again later.
    Failed,
}

/// Why reading stopped.
enum Stop {
    /// Time ran out.
    Deadline,
    /// A call failed.
    Call(CallError),
    /// A store of ours failed.
    Store(StoreError),
    /// Another poll of the tenant was quicker.
    Overtaken,
}

impl From<CallError> for Stop {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// The time that a poll has.
struct PollBudget {
    /// From when it stops.
    deadline: Deadline,
    /// From when others have to be kept away, because by then they would begin, too.
    hold_at: Timestamp,
    /// How many pages of changes were read.
    pages: u32,
}

impl Poller {
    /// Polls a tenant if it is due, until `deadline`. If something of ours fails, it is due again later and later: a row
    /// that cannot be read is not asked for without a pause.
    pub async fn poll(&self, id: &TenantId, deadline: Deadline) -> Result<Polled, Error> {
        // The state first: by a configuration that is older than the state, a mapping that is new would count as removed.
        let stored = self.states.load_state(id).await?;
        let tenant = match self.engine.tenant(id).await {
            Ok(tenant) => tenant,
            Err(error) => {
                if let Some(state) = stored {
                    self.put_off(id, state).await;
                }
                return Err(error);
            }
        };
        let now = self.engine.now();
        let mut state = stored.unwrap_or_else(|| TenantState::new(now));
        if state.set_back(now) {
            tracing::warn!(tenant = %id, "the tenant's times were written by a clock that was ahead; they are moved back");
            // On record, or they would move along with now.
            if self.save(id, &mut state).await? == Saved::Conflict {
                return Ok(Polled::NotDue);
            }
        }
        if tenant.paused || state.due_at > now {
            return Ok(Polled::NotDue);
        }
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
                    (Ok(()), Err(error)) => Err(Stop::Call(error)),
                    (Err(stop), _) => Err(stop),
                }
            }
            Err(error) => Err(Stop::Call(error)),
        };
        let polled = match outcome {
            Ok(interval) => {
                self.succeeded(id, &mut state, found, interval).await;
                Polled::Done(found)
            }
            Err(Stop::Deadline) => {
                state.due_at = self.engine.now();
                Polled::Unfinished
            }
            Err(Stop::Call(error)) => {
                self.failed(id, &mut state, &error).await;
                Polled::Failed
            }
            // Nothing is lost: the cursor is where it was.
            Err(Stop::Store(error)) => {
                self.put_off(id, state).await;
                return Err(error.into());
            }
            Err(Stop::Overtaken) => {
                tracing::info!(tenant = %id, "another poll of this tenant was quicker");
                return Ok(Polled::NotDue);
            }
        };
        if self.save(id, &mut state).await? == Saved::Conflict {
            tracing::info!(tenant = %id, "another poll of this tenant was quicker");
            return Ok(Polled::NotDue);
        }
        Ok(polled)
    }

    /// Saves the state as the version after the one that it was read or saved as. Unless that is certain to be on record,
    /// its version stays: with the next one, it could overwrite what another poll saved as this one meanwhile.
    async fn save(&self, id: &TenantId, state: &mut TenantState) -> Result<Saved, StoreError> {
        state.saved_at = Some(self.engine.now());
        state.version += 1;
        let saved = self.states.save_state(id, state).await;
        if !matches!(saved, Ok(Saved::Saved)) {
            state.version -= 1;
        }
        saved
    }

    /// After something of ours failed.
    async fn put_off(&self, id: &TenantId, mut state: TenantState) {
        state.poll.failures = state.poll.failures.saturating_add(1);
        let pause = self.engine.timing.backoff(state.poll.failures, id.as_str());
        state.due_at = state.due_at.max(after(self.engine.now(), pause));
        // In vain if the store does not work at all, and then it stays due; if another poll was quicker; or if a save that
        // seemed to fail had worked, and then it is due when the lease is over that it took.
        let _ = self.save(id, &mut state).await;
    }

    /// Everything that a poll reads, in order.
    async fn read(
        &self,
        eploy: &dyn Eploy,
        tenant: &Tenant,
        state: &mut TenantState,
        budget: &mut PollBudget,
        found: &mut usize,
    ) -> Result<(), Stop> {
        self.check_mappings(eploy, tenant, state).await?;
        let pause = seconds(self.engine.timing.scan_seconds);
        scan::reconcile(state, eploy.feed(), self.engine.now(), pause);
        // Before the baseline is read, so that what changes while it is read lies after it; and early enough for a clock
        // or a time zone of Eploy's that differs from ours. Whoever was at the stage by then is in the baseline.
        if state.poll.cursor.is_none() {
            state.poll.cursor = self.engine.now().checked_sub(APART).ok();
        }
        *found += self.look_again(eploy, tenant, state).await?;
        self.hires_baseline(eploy, tenant, state, budget).await?;
        // Other mappings do not wait until those that are turned on have read who is there; and one that was changed first
        // has everything read that changed before, by what it said then.
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
    ) -> Result<(), Stop> {
        match eploy.feed().by {
            ChangeFeed::StageRoute => self.scan(eploy, tenant, state, budget, found).await,
            _ => self.changes(eploy, tenant, state, budget, found).await,
        }
    }

    /// Goes over to the mappings as they are configured now.
    async fn switch(&self, tenant: &Tenant, state: &mut TenantState) -> Result<(), Stop> {
        if mappings::is_changed(tenant, state) {
            let watched = self.engine.watched(tenant, state).await?;
            let changed = mappings::switch(tenant, state, &watched, self.engine.now());
            self.keep_definitions(&tenant.id, changed).await?;
        }
        Ok(())
    }

    /// Keeps these mappings as they are now: invitations are made under them from here on.
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

    /// Between two pages: whether there is time for another. A poll that takes long keeps others away meanwhile, and does
    /// not lose how far it came.
    async fn checkpoint(
        &self,
        budget: &mut PollBudget,
        tenant: &TenantId,
        state: &mut TenantState,
    ) -> Result<(), Stop> {
        let now = self.engine.now();
        if budget.deadline.passed(now) {
            return Err(Stop::Deadline);
        }
        if now >= budget.hold_at {
            let lease = self.engine.timing.lease_seconds;
            state.due_at = self.engine.in_seconds(lease);
            if self.save(tenant, state).await? == Saved::Conflict {
                return Err(Stop::Overtaken);
            }
            budget.hold_at = self.engine.in_seconds(lease / 2.0);
        }
        Ok(())
    }

    /// From time to time: whether the mappings' stages still exist.
    async fn check_mappings(
        &self,
        eploy: &dyn Eploy,
        tenant: &Tenant,
        state: &mut TenantState,
    ) -> Result<(), Stop> {
        let now = self.engine.now();
        if state.check_at.is_some_and(|at| at > now) {
            return Ok(());
        }
        let timing = &self.engine.timing;
        let directory = match eploy.directory().await {
            Ok(directory) => directory,
            // The lists only tell of a mistake: that they cannot be read keeps nobody from being invited.
            Err(error) if error.scope == ErrorScope::Record => {
                tracing::warn!(tenant = %tenant.id, code = error.code, %error, "the mappings' stages could not be checked");
                state.check_at = Some(self.engine.in_seconds(timing.suspend_seconds));
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        if let Some(plan) = &tenant.hires
            && let Some(reason) = mappings::broken_trigger(plan.triggers(), &directory)
        {
            tracing::error!(tenant = %tenant.id, %reason, "the plan for hires is broken and announces nobody");
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
                tracing::warn!(tenant = %tenant.id, mapping = %mapping.id, %reason, "a mapping may be broken; it is checked again soon");
                remembered.doubted = true;
                check_in = check_in.min(timing.retry_seconds);
                continue;
            }
            remembered.doubted = false;
            match reason {
                Some(reason) => {
                    if broken_at.is_none() {
                        tracing::error!(tenant = %tenant.id, mapping = %mapping.id, %reason, "a mapping is broken and invites nobody");
                        let what = What::MappingBroken {
                            tenant: tenant.id.clone(),
                            mapping: mapping.id.clone(),
                            reason: reason.clone(),
                        };
                        self.engine
                            .events
                            .publish(vec![DomainEvent { at: now, what }])
                            .await;
                    }
                    remembered.status = MappingStatus::Broken {
                        reason,
                        at: Some(broken_at.unwrap_or(now)),
                        on: was_on,
                    };
                    check_in = check_in.min(timing.suspend_seconds);
                }
                // Whoever came meanwhile is invited.
                None if broken_at.is_some() => {
                    remembered.status = mappings::mended(mapping, was_on);
                }
                None => {}
            }
        }
        state.check_at = Some(self.engine.in_seconds(check_in));
        Ok(())
    }

    /// Reads what changed, page by page, and moves the cursor.
    async fn changes(
        &self,
        eploy: &dyn Eploy,
        tenant: &Tenant,
        state: &mut TenantState,
        budget: &mut PollBudget,
        found: &mut usize,
    ) -> Result<(), Stop> {
        let now = self.engine.now();
        if mappings::any_turned_on(state) || mappings::is_changed(tenant, state) {
            // Nobody may be left for later who would then be taken for one who was there before.
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
            set_aside += tell_set_aside(tenant, "application", &page.set_aside);
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
        // A light reading leaves out what the next one shows.
        if !progress.light {
            scan::count_missed(tenant, state, self.engine.now());
        }
        // Who changes while a mapping is being turned on is read once more when that is over.
        if !mappings::any_turned_on(state) {
            let before = state.poll.overlap.read_at.or(state.poll.last_ok);
            let passed = passed(tenant, before, &progress, now);
            feed(&mut state.poll).complete(&progress, passed);
            state.poll.overlap.read_at = Some(self.engine.now());
        }
        Ok(())
    }

    /// After a poll that read everything.
    async fn succeeded(&self, id: &TenantId, state: &mut TenantState, found: usize, interval: f64) {
        let now = self.engine.now();
        state.poll.last_ok = Some(now);
        state.poll.failures = 0;
        state.poll.failure = None;
        state.due_at = after(now, seconds(interval));
        if state.suspended.take().is_some() {
            tracing::info!(tenant = %id, "the tenant works again");
            let what = What::Resumed { tenant: id.clone() };
            self.engine
                .events
                .publish(vec![DomainEvent { at: now, what }])
                .await;
        }
        if found > 0 {
            tracing::info!(tenant = %id, found, "polled");
        } else {
            tracing::debug!(tenant = %id, "polled, nothing new");
        }
    }

    /// After a poll that could not be finished.
    async fn failed(&self, id: &TenantId, state: &mut TenantState, error: &CallError) {
        let now = self.engine.now();
        state.poll.failures = state.poll.failures.saturating_add(1);
        let mut delay = self.engine.timing.backoff(state.poll.failures, id.as_str());
        if error.phase == Phase::Throttled {
            // A pace that was too fast is over soon: tried often enough to notice, and no later than what is broken.
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
                tracing::error!(tenant = %id, code = error.code, %error, "the tenant is suspended");
                let what = What::Suspended {
                    tenant: id.clone(),
                    code: error.code.to_owned(),
                };
                self.engine
                    .events
                    .publish(vec![DomainEvent { at: now, what }])
                    .await;
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
            tracing::warn!(tenant = %id, code = error.code, failures = state.poll.failures, %error, "the poll failed");
        }
    }
}

/// What is remembered of reading the changes of applications.
fn feed(poll: &mut PollState) -> Feed<'_> {
    Feed {
        cursor: &mut poll.cursor,
        reached: &mut poll.reached,
        overlap: &mut poll.overlap,
    }
}

/// What time passed before a reading began. Of a pause that is longer than two polls, no more is believed: our clock may have
/// been set.
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

/// How far Eploy's dates and our clock are apart at most, where both are right: an hour of British summer, and a little.
const APART: SignedDuration = SignedDuration::from_mins(65);

/// The newest of the changes of these records, by id. What is dated further ahead counts as changed now: with its own date the
/// cursor would pass everything that changes until then. If it is our clock that is behind, more is read each time.
fn newest<'a>(
    tenant: &Tenant,
    kind: &str,
    now: Timestamp,
    dates: impl Iterator<Item = (&'a str, Option<Timestamp>)>,
) -> Option<Timestamp> {
    let most = after(now, APART);
    dates
        .filter_map(|(id, at)| {
            let at = at?;
            if at > most {
                tracing::warn!(tenant = %tenant.id, kind, id, "a record is dated in the future; it counts as changed now");
                return Some(now);
            }
            Some(at)
        })
        .max()
}

/// Seconds until the next poll: as wished, unless the polls that are left of the day's allowance have to be spread thinner.
fn interval(wish: f64, day_left: f64, polls_left: f64) -> f64 {
    let spread = day_left.max(0.0) / polls_left.max(1.0);
    wish.max(spread)
}

/// The average of the pages that polls read, in hundredths, after one more. One large reading does not put the next poll off
/// for long, many do.
fn average(before: u32, pages: u32) -> u32 {
    let before = if before == 0 { 100 } else { before };
    let next = (u64::from(before) * 7 + u64::from(pages.max(1)) * 100) / 8;
    u32::try_from(next).unwrap_or(u32::MAX)
}

/// Tells the operator which records could not be read. Returns how many.
fn tell_set_aside(tenant: &Tenant, kind: &str, records: &[UnparsableRecord]) -> u32 {
    for record in records {
        let id = record.id.as_deref().unwrap_or("unknown");
        tracing::warn!(tenant = %tenant.id, kind, id, reason = record.reason, "a record was set aside");
    }
    u32::try_from(records.len()).unwrap_or(u32::MAX)
}

/// For how long it is remembered that a record could not be read: its change is long past the overlap by then.
const UNREAD_AGE: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The most records that are remembered because they could not be read: where there are more, it is not about records.
const MOST_UNREAD: usize = 20;

/// Remembers what of a page could not be read, and forgets what can be by now.
fn remember_unread(unread: &mut Vec<UnreadRecord>, page: &ApplicationPage, now: Timestamp) {
    unread.retain(|known| {
        let same = |id: &str| known.id.as_deref() == Some(id);
        now.duration_since(known.at) < UNREAD_AGE
            && !page.rows.iter().any(|row| same(row.id.as_str()))
            && !page.set_aside.iter().any(|one| one.id == known.id)
    });
    unread.extend(page.set_aside.iter().map(|one| UnreadRecord {
        id: one.id.clone(),
        reason: one.reason.clone(),
        at: now,
    }));
    let surplus = unread.len().saturating_sub(MOST_UNREAD);
    unread.drain(..surplus);
}

#[cfg(test)]
mod tests;
