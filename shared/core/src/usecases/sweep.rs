//! Sweeps an assessment: finds, with as few calls as possible, invitations whose changes no callback reported.

mod one_by_one;
mod watches;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use super::write_back::WriteBack;
use crate::clock::Deadline;
use crate::engine::Engine;
use crate::error::{CallError, Error, ErrorScope, Phase, StoreError, System};
use crate::ids::{AssessmentRef, Reference, TenantId};
use crate::invitation::{Failure, State};
use crate::ports::{
    ListedStatus, Platform, PlatformConnections, Saved, SweepFailing, SweepPage, SweepReading,
    SweepState, WatchedInvitation,
};
use crate::tenant::Tenant;
use crate::timing::{Timing, after, seconds};
use crate::work::{Handled, Handler, Kind, Work};

/// The outcome of a sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Swept {
    /// It was not due, the tenant is paused, or another sweep was faster.
    NotDue,
    /// It is complete; or the platform could not be asked, and it is due again later.
    Done,
    /// It timed out. Its progress is saved, and it is due again at once.
    Unfinished,
}

/// Why a sweep stopped.
enum SweepError {
    /// The deadline passed.
    Deadline,
    /// The platform could not be asked.
    Call(CallError),
    /// Something of ours failed.
    Ours(Error),
    /// Another sweep of the assessment was faster.
    Overtaken,
}

impl From<CallError> for SweepError {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

impl From<Error> for SweepError {
    fn from(error: Error) -> Self {
        Self::Ours(error)
    }
}

impl From<StoreError> for SweepError {
    fn from(error: StoreError) -> Self {
        Self::Ours(error.into())
    }
}

/// A sweep in progress.
struct Round<'a> {
    tenant: &'a TenantId,
    assessment: &'a AssessmentRef,
    /// The saved state.
    saved: SweepState,
    /// The position in the platform's list.
    reading: Option<SweepReading>,
    /// When the lease has to be renewed, because another sweep would begin then.
    hold_at: Timestamp,
    /// When it stops.
    deadline: Deadline,
    /// Failures in a row, if nothing was read since.
    failures: u32,
    /// Why the list cannot be read to its end, if so.
    failing: Option<SweepFailing>,
    /// Until when the platform asked us to wait.
    not_before: Option<Timestamp>,
}

/// The outcome of one look at the watched invitations.
struct Looked {
    /// How many have changed and were enqueued.
    changed: usize,
    /// Whether all of them were checked.
    all: bool,
    /// Unreadable lines of the platform's list; `None`: it was not read.
    set_aside: Option<u32>,
    /// When this look began: the next one has to be complete from here.
    began_at: Timestamp,
}

/// Sweeps assessments.
#[derive(Clone)]
pub struct Sweeper {
    engine: Engine,
    platforms: Arc<dyn PlatformConnections>,
    /// Updates single invitations.
    write_back: WriteBack,
}

impl Sweeper {
    /// Sweeps by the connections of this writer, which updates single invitations.
    pub fn new(write_back: WriteBack) -> Self {
        Self {
            engine: write_back.engine.clone(),
            platforms: write_back.platforms.clone(),
            write_back,
        }
    }

    /// The maximum number of pages of one platform list.
    const MAX_PAGES: u32 = 2000;

    /// After this many failures in a row to continue a list, it is read from its beginning: its next page may not exist
    /// any more. After this many incomplete sweeps in a row, some invitations are queried one by one.
    const TRIES: u32 = 3;

    /// Sweeps one assessment if it is due, until `deadline`.
    pub async fn sweep(
        &self,
        tenant: &TenantId,
        assessment: &AssessmentRef,
        deadline: Deadline,
    ) -> Result<Swept, Error> {
        let before = self.engine.sweeps.load_sweep(tenant, assessment).await?;
        let now = self.engine.now();
        if !before.is_due(now) {
            return Ok(Swept::NotDue);
        }
        let config = self.engine.tenant(tenant).await?;
        if config.paused {
            return Ok(Swept::NotDue);
        }
        let waiting = self.engine.ledger.waiting(tenant, assessment).await?;
        let mut next = SweepState {
            due_at: interval(&waiting, now, &self.engine.timing).map(|span| after(now, span)),
            last_at: Some(now),
            failures: 0,
            armed: before.armed,
            empty_at: waiting.is_empty().then_some(before.armed),
            reading: None,
            failing: None,
            set_aside: before.set_aside,
        };
        let mut round = Round {
            tenant,
            assessment,
            reading: before.reading.clone(),
            saved: before.clone(),
            hold_at: self
                .engine
                .in_seconds(self.engine.timing.lease_seconds / 2.0),
            deadline,
            failures: before.failures,
            failing: before.failing.clone(),
            not_before: None,
        };
        if waiting.is_empty() {
            if before.empty_at != Some(before.armed) {
                let timing = &self.engine.timing;
                let soon = timing.sweep_seconds.max(timing.lease_seconds);
                next.due_at = Some(self.engine.in_seconds(soon));
            }
        } else {
            match self.look_and_end(&mut round, &config, &waiting).await {
                Ok(looked) if round.failing.is_some() => self.failed(&round, &mut next, &looked),
                Ok(looked) => {
                    next.set_aside = looked.set_aside.unwrap_or(next.set_aside);
                    tracing::info!(%tenant, %assessment, waiting = waiting.len(), changed = looked.changed, "sweep completed");
                    if looked.all {
                        next.last_at = Some(looked.began_at);
                    } else {
                        next.last_at = before.last_at;
                    }
                    if looked.changed > 0 || !looked.all {
                        // Changes are enqueued as hints, and a hint can be lost: the next sweep checks whether they
                        // arrived.
                        let soon = self.engine.in_seconds(self.engine.timing.sweep_seconds);
                        next.due_at = next.due_at.map(|at| at.min(soon));
                    }
                }
                Err(SweepError::Deadline) => {
                    let now = self.engine.now();
                    return Ok(match self.keep(&mut round, now).await {
                        Err(SweepError::Ours(error)) => return Err(error),
                        Err(_) => Swept::NotDue,
                        Ok(()) => Swept::Unfinished,
                    });
                }
                Err(SweepError::Overtaken) => return Ok(Swept::NotDue),
                Err(SweepError::Call(error)) => return Err(error.into()),
                Err(SweepError::Ours(error)) => return Err(error),
            }
        }
        self.save(&round, before.armed, next).await?;
        Ok(Swept::Done)
    }

    /// Checks the watched invitations and ends expired watches. Where reading the list keeps failing, some invitations
    /// are queried one by one, and their watches end all the same.
    async fn look_and_end(
        &self,
        round: &mut Round<'_>,
        config: &Tenant,
        waiting: &[WatchedInvitation],
    ) -> Result<Looked, SweepError> {
        let began_at = self.engine.now();
        let account = &round.assessment.account;
        let looked = match self.platforms.platform(config, account).await {
            Ok(platform) => self.look(round, &*platform, waiting).await,
            Err(error) => Err(error.into()),
        };
        let mut looked = match looked {
            Err(SweepError::Call(error)) => {
                self.list_failed(round, &error);
                if round.failed_sweeps() >= Self::TRIES {
                    self.ask_some(round, waiting).await?;
                }
                Looked {
                    changed: 0,
                    all: false,
                    set_aside: None,
                    began_at,
                }
            }
            looked => looked?,
        };
        looked.all &= self.end_watches(round, waiting).await?;
        Ok(looked)
    }

    /// Records that the platform's list could not be read to its end.
    fn list_failed(&self, round: &mut Round<'_>, error: &CallError) {
        let (tenant, assessment) = (round.tenant, round.assessment);
        let before = round.failing.as_ref().map(|failing| &failing.failure);
        let failure = Failure::from_call(error, before, self.engine.now());
        round.failures = round.failures.saturating_add(1);
        if error.phase == Phase::Refused || round.failures >= Self::TRIES {
            round.reading = None;
        }
        round.not_before = error.retry_at;
        tracing::warn!(%tenant, %assessment, code = error.code, failures = round.failures, sweeps = failure.attempts, %error, "sweep failed");
        round.fails(failure, self.engine.now());
    }

    /// After a sweep that was incomplete because the platform could not be asked: sets the time of the next one, and
    /// decides whether a person has to know.
    fn failed(&self, round: &Round<'_>, next: &mut SweepState, looked: &Looked) {
        let (tenant, assessment) = (round.tenant, round.assessment);
        let (timing, now) = (&self.engine.timing, self.engine.now());
        let sweeps = round.failed_sweeps();
        // A reading that advances, page by page, continues soon; one that does not is restarted, less often.
        let failures = if sweeps < Self::TRIES {
            round.failures
        } else {
            sweeps
        };
        let again_at = after(
            now,
            timing.backoff(failures.max(1), &assessment.to_string()),
        );
        let usual = next.due_at.filter(|_| sweeps >= Self::TRIES);
        let again_at = usual.map_or(again_at, |usual| usual.min(again_at));
        next.due_at = Some(
            round
                .not_before
                .map_or(again_at, |until| until.max(again_at)),
        );
        next.last_at = round.saved.last_at;
        next.failures = round.failures;
        next.reading.clone_from(&round.reading);
        next.failing.clone_from(&round.failing);
        if let Some(failing) = &round.failing
            && failing.failure.is_overdue(now, timing)
        {
            let Failure {
                code,
                problem,
                remedy,
                first_failed_at: since,
                attempts: times,
            } = &failing.failure;
            tracing::error!(%tenant, %assessment, code, problem, remedy, %since, sweeps = times, changed = looked.changed, "sweeps keep failing, results may be late or missing");
        }
    }

    /// Saves the outcome of a sweep that began when the count of schedulings was `armed`.
    async fn save(&self, round: &Round<'_>, armed: u64, next: SweepState) -> Result<(), Error> {
        let (tenant, assessment) = (round.tenant, round.assessment);
        let sweeps = &self.engine.sweeps;
        let mut state = round.saved.clone();
        if state.armed == armed {
            let saved = sweeps.save_sweep(tenant, assessment, &state, &next).await?;
            if saved == Saved::Saved {
                return Ok(());
            }
            state = sweeps.load_sweep(tenant, assessment).await?;
        }
        // Scheduled meanwhile. That can wait for the usual interval, because the list was read just now; or for as long
        // as the platform asked.
        let soon = self.engine.in_seconds(self.engine.timing.sweep_seconds);
        let due_at = match next.due_at {
            Some(at) if next.failures > 0 => at,
            Some(at) => at.min(soon),
            None => soon,
        };
        let next = SweepState {
            due_at: Some(due_at),
            empty_at: None,
            ..next
        };
        sweeps.save_sweep(tenant, assessment, &state, &next).await?;
        Ok(())
    }

    /// Between two steps of a sweep: whether there is time for another. A long sweep renews its lease meanwhile and
    /// saves its progress.
    async fn checkpoint(&self, round: &mut Round<'_>) -> Result<(), SweepError> {
        let now = self.engine.now();
        if round.deadline.passed(now) {
            return Err(SweepError::Deadline);
        }
        if now >= round.hold_at {
            let lease = self.engine.timing.lease_seconds;
            self.keep(round, self.engine.in_seconds(lease)).await?;
            round.hold_at = self.engine.in_seconds(lease / 2.0);
        }
        Ok(())
    }

    /// Saves the progress and when it is due to continue.
    async fn keep(&self, round: &mut Round<'_>, due_at: Timestamp) -> Result<(), SweepError> {
        let sweeps = &self.engine.sweeps;
        loop {
            let next = SweepState {
                due_at: Some(due_at),
                reading: round.reading.clone(),
                failures: round.failures,
                failing: round.failing.clone(),
                ..round.saved.clone()
            };
            let saved = sweeps
                .save_sweep(round.tenant, round.assessment, &round.saved, &next)
                .await?;
            if saved == Saved::Saved {
                round.saved = next;
                return Ok(());
            }
            let stored = sweeps.load_sweep(round.tenant, round.assessment).await?;
            // Being scheduled changes nothing but this.
            let armed = SweepState {
                due_at: stored.due_at,
                armed: stored.armed,
                ..round.saved.clone()
            };
            if stored.armed == round.saved.armed || stored != armed {
                tracing::info!(tenant = %round.tenant, assessment = %round.assessment, "sweep overtaken by another");
                return Err(SweepError::Overtaken);
            }
            round.saved = stored;
        }
    }

    /// Checks the watched invitations, by the list or one by one, whichever is cheaper.
    async fn look(
        &self,
        round: &mut Round<'_>,
        platform: &dyn Platform,
        waiting: &[WatchedInvitation],
    ) -> Result<Looked, SweepError> {
        let began_at = self.engine.now();
        if waiting.len() < platform.capabilities().list_from {
            let asked = self.ask_some(round, waiting).await?;
            match asked.failed {
                Some(failure) => {
                    let before = round.failing.as_ref().map(|failing| &failing.failure);
                    let failure = Failure {
                        first_failed_at: before
                            .map_or_else(|| self.engine.now(), |before| before.first_failed_at),
                        attempts: round.failed_sweeps().saturating_add(1),
                        ..failure
                    };
                    round.failures = round.failures.saturating_add(1);
                    round.fails(failure, self.engine.now());
                }
                None => round.recovers(),
            }
            return Ok(Looked {
                changed: 0,
                all: asked.all,
                set_aside: None,
                began_at,
            });
        }
        let by_reference: HashMap<_, _> = waiting.iter().map(|one| (&one.reference, one)).collect();
        let mut reading = round.reading.take().unwrap_or(SweepReading {
            next: None,
            pages: 0,
            began_at,
            news: 0,
            set_aside: 0,
        });
        let mut before: HashSet<Reference> = HashSet::new();
        loop {
            if reading.next.is_some() {
                round.reading = Some(reading.clone());
                self.checkpoint(round).await?;
            }
            let SweepPage {
                lines,
                next,
                set_aside,
            } = platform
                .list(&round.assessment.assessment, reading.next.as_deref())
                .await?;
            let listed: HashSet<Reference> =
                lines.iter().map(|one| one.reference.clone()).collect();
            // A new page token but no new lines: the platform ignores the page number.
            let repeats = !listed.is_empty() && listed.is_subset(&before);
            before = listed;
            reading.set_aside = reading.set_aside.saturating_add(set_aside);
            let changed: Vec<Work> = lines
                .into_iter()
                .filter_map(|sighting| {
                    let one = by_reference.get(&sighting.reference)?;
                    has_changed(one, &sighting).then(|| Work::WriteBack {
                        key: one.key.clone(),
                        news: true,
                        change_token: Some(sighting.change_token),
                    })
                })
                .collect();
            reading.news += changed.len();
            if !changed.is_empty() {
                self.engine.enqueue(changed).await;
            }
            reading.pages += 1;
            round.failures = 0;
            if next.is_none() {
                round.reading = None;
                round.recovers();
                if reading.set_aside > 0 {
                    tracing::warn!(tenant = %round.tenant, assessment = %round.assessment, lines = reading.set_aside, "lines of the platform's list unreadable, skipped");
                }
                return Ok(Looked {
                    changed: reading.news,
                    all: true,
                    set_aside: Some(reading.set_aside),
                    began_at: reading.began_at,
                });
            }
            if repeats || reading.pages >= Self::MAX_PAGES {
                round.reading = None;
                return Err(SweepError::Call(endless(reading.pages)));
            }
            reading.next = next;
        }
    }
}

impl Round<'_> {
    /// How many sweeps in a row were incomplete.
    fn failed_sweeps(&self) -> u32 {
        self.failing
            .as_ref()
            .map_or(0, |failing| failing.failure.attempts)
    }

    fn fails(&mut self, failure: Failure, now: Timestamp) {
        let before = self.failing.take();
        let (open_after, ended_after) = before.map_or((None, None), |before| {
            (before.open_after, before.ended_after)
        });
        self.failing = Some(SweepFailing {
            failure,
            at: Some(now),
            open_after,
            ended_after,
        });
    }

    fn recovers(&mut self) {
        self.failing = None;
        self.failures = 0;
    }
}

/// The error for an endless list.
fn endless(pages: u32) -> CallError {
    CallError {
        system: System::Platform,
        operation: "list invitations",
        phase: Phase::Unknown,
        scope: ErrorScope::Record,
        code: "platform.endless_list",
        problem: format!("its list does not end within {pages} pages"),
        remedy:
            "Archive old candidates of the assessment on the platform, or start a new assessment"
                .to_owned(),
        retry_at: None,
    }
}

fn unreadable(one: &WatchedInvitation, error: &StoreError) {
    tracing::error!(tenant = %one.key.tenant, invitation = %one.key.name(), %error, "watched invitation unreadable");
}

/// Whether it has not ended.
fn is_open(one: &WatchedInvitation) -> bool {
    one.level <= State::Started.level()
}

/// Whether a line of the platform's list has something that the ledger does not.
fn has_changed(one: &WatchedInvitation, sighting: &ListedStatus) -> bool {
    match &one.change_token {
        Some(change_token) => *change_token != sighting.change_token,
        // Without a change token. The status of an open one decides; an ended one is fetched once, to have a token that
        // a re-score will change.
        None => {
            !is_open(one)
                || sighting.status.is_none_or(|status| {
                    State::of(status).level() > one.level || status == crate::result::Status::Opened
                })
        }
    }
}

/// How long until the next sweep: soon after an invitation, slower later, daily while only re-scores can come, never
/// when nothing is watched.
fn interval(
    waiting: &[WatchedInvitation],
    now: Timestamp,
    timing: &Timing,
) -> Option<SignedDuration> {
    if waiting.is_empty() {
        return None;
    }
    let slowest = seconds(timing.sweep_max_seconds);
    let youngest = waiting
        .iter()
        .filter(|one| is_open(one))
        .filter_map(|one| one.invited_at)
        .max();
    Some(match youngest {
        Some(at) => {
            (now.duration_since(at) / 8).clamp(seconds(timing.sweep_seconds).min(slowest), slowest)
        }
        None => slowest * 4,
    })
}

#[async_trait]
impl Handler for Sweeper {
    fn kind(&self) -> Kind {
        Kind::Sweep
    }

    async fn handle(&self, work: Work, deadline: Deadline) -> Result<Handled, Error> {
        let Work::Sweep { tenant, assessment } = work else {
            return Ok(Handled::Misplaced);
        };
        Ok(match self.sweep(&tenant, &assessment, deadline).await? {
            Swept::Unfinished => Handled::Unfinished,
            Swept::Done | Swept::NotDue => Handled::Done,
        })
    }
}

#[cfg(test)]
mod tests;
