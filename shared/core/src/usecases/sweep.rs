//! Sweeping an assessment: finding out, with as few calls as can be, which invitations have news that no callback told.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::desk::{Changed, Desk, Next};
use super::write_back::{News, WriteBack};
use crate::error::{CallError, Error};
use crate::ids::{AssessmentRef, TenantId};
use crate::invitation::{Event, State};
use crate::ports::{PlatformConnections, Saved, Sighting, SweepState, Waiting};
use crate::timing::{Timing, after, seconds};
use crate::work::Work;

/// What a look at the waiting ones came to.
struct Looked {
    /// How many have news that were handed out.
    news: usize,
    /// Whether each of them could be looked at.
    all: bool,
}

/// Sweeps assessments.
#[derive(Clone)]
pub struct Sweeper {
    /// The rows.
    pub desk: Desk,
    /// The ways into the platforms.
    pub platforms: Arc<dyn PlatformConnections>,
    /// Brings single invitations up to date.
    pub write_back: WriteBack,
}

impl Sweeper {
    /// The most pages of one platform list that a sweep reads.
    const PAGES: usize = 2000;

    /// Sweeps one assessment if it is due.
    pub async fn sweep(&self, tenant: &TenantId, assessment: &AssessmentRef) -> Result<(), Error> {
        let sweeps = &self.desk.sweeps;
        let before = sweeps.load_sweep(tenant, assessment).await?;
        let now = self.desk.now();
        if before.due_at.is_none_or(|at| at > now) {
            return Ok(());
        }
        let config = self.desk.tenant(tenant).await?;
        if config.paused {
            return Ok(());
        }
        let waiting = self.desk.ledger.waiting(tenant, assessment).await?;
        let mut next = SweepState {
            due_at: interval(&waiting, now, &self.desk.timing).map(|span| after(now, span)),
            last_at: Some(now),
            failures: 0,
            armed: before.armed,
            empty_at: waiting.is_empty().then_some(before.armed),
        };
        if waiting.is_empty() && before.empty_at != Some(before.armed) {
            let timing = &self.desk.timing;
            let soon = timing.sweep_seconds.max(timing.lease_seconds);
            next.due_at = Some(self.desk.in_seconds(soon));
        }
        if !waiting.is_empty() {
            let swept = match self.platforms.platform(&config, &assessment.account).await {
                Ok(platform) => {
                    self.look(&*platform, assessment, &waiting, before.last_at)
                        .await?
                }
                Err(error) => Err(error),
            };
            match swept {
                Ok(looked) => {
                    tracing::info!(%tenant, %assessment, waiting = waiting.len(), news = looked.news, "swept");
                    self.end_watches(&waiting, now).await?;
                    if looked.news > 0 || !looked.all {
                        // News are handed out as hints, and a hint can be lost: the next look tells whether they arrived.
                        let soon = self.desk.in_seconds(self.desk.timing.sweep_seconds);
                        next.due_at = next.due_at.map(|at| at.min(soon));
                        next.last_at = before.last_at;
                    }
                }
                Err(error) => {
                    next.last_at = before.last_at;
                    next.failures = before.failures.saturating_add(1);
                    let delay = self
                        .desk
                        .timing
                        .backoff(next.failures, &assessment.to_string());
                    let at = after(now, delay);
                    next.due_at = Some(error.not_before().map_or(at, |until| until.max(at)));
                    tracing::warn!(%tenant, %assessment, code = error.code, %error, "could not be swept");
                }
            }
        }
        let saved = sweeps
            .save_sweep(tenant, assessment, &before, &next)
            .await?;
        if saved == Saved::Conflict {
            // Armed meanwhile. What armed it can wait for the usual interval, the list was read just now; and if the
            // platform asked to be left alone, for as long as that.
            let armed = sweeps.load_sweep(tenant, assessment).await?;
            let soon = self.desk.in_seconds(self.desk.timing.sweep_seconds);
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
            sweeps.save_sweep(tenant, assessment, &armed, &next).await?;
        }
        Ok(())
    }

    /// Looks at the waiting ones, by one list or one by one, whichever is cheaper.
    async fn look(
        &self,
        platform: &dyn crate::ports::Platform,
        assessment: &AssessmentRef,
        waiting: &[Waiting],
        since: Option<Timestamp>,
    ) -> Result<Result<Looked, CallError>, Error> {
        let mut looked = Looked { news: 0, all: true };
        if waiting.len() < platform.capabilities().list_from {
            for one in waiting {
                // One that cannot be read does not hide the others.
                looked.all &=
                    self.write_back.bring_news(&one.key, None, None).await? == News::Recorded;
            }
            return Ok(Ok(looked));
        }
        let by_reference: HashMap<_, _> = waiting.iter().map(|one| (&one.reference, one)).collect();
        let mut next = None;
        for _ in 0..Self::PAGES {
            let page = match platform
                .list(&assessment.assessment, since, next.as_deref())
                .await
            {
                Ok(page) => page,
                Err(error) => return Ok(Err(error)),
            };
            let news: Vec<Work> = page
                .sightings
                .into_iter()
                .filter_map(|sighting| {
                    let one = by_reference.get(&sighting.reference)?;
                    has_news(one, &sighting).then(|| Work::WriteBack {
                        key: one.key.clone(),
                        news: true,
                        marker: Some(sighting.marker),
                    })
                })
                .collect();
            looked.news += news.len();
            if !news.is_empty() {
                self.desk.hand_out(news).await;
            }
            next = page.next;
            if next.is_none() {
                break;
            }
        }
        Ok(Ok(looked))
    }

    /// Ends the watch of those whose time is over. An open one is asked for a last time before it counts as expired.
    async fn end_watches(&self, waiting: &[Waiting], now: Timestamp) -> Result<(), Error> {
        for one in waiting {
            if one.until.is_none_or(|until| until > now) {
                continue;
            }
            if is_open(one)
                && self.write_back.bring_news(&one.key, None, None).await? == News::Later
            {
                continue;
            }
            if let Some(row) = self.desk.ledger.load(&one.key).await? {
                match self
                    .desk
                    .change(&row, Event::WatchOver, None, Next::HandOut)
                    .await?
                {
                    Changed::To(_) | Changed::Conflict | Changed::No(_) => {}
                }
            }
        }
        Ok(())
    }
}

/// Whether it has not ended.
fn is_open(one: &Waiting) -> bool {
    one.level <= State::Started.level()
}

/// Whether a line of the platform's list says something that the ledger does not know.
fn has_news(one: &Waiting, sighting: &Sighting) -> bool {
    match &one.marker {
        Some(marker) => *marker != sighting.marker,
        // Never marked. Of an open one, its status tells; an ended one is looked at once, to have a mark that a
        // re-score will change.
        None => {
            !is_open(one)
                || sighting.status.is_none_or(|status| {
                    State::of(status).level() > one.level || status == crate::result::Status::Opened
                })
        }
    }
}

/// How long until the next sweep: soon after an invitation, slower later, daily while only re-scores can come, not at
/// all when nothing is waiting.
fn interval(waiting: &[Waiting], now: Timestamp, timing: &Timing) -> Option<SignedDuration> {
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

#[cfg(test)]
mod tests;
