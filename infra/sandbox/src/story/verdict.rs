//! The verdict: the expected outcome of the script, compared with the state of the simulators.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use serde::Serialize;

use super::cast::Role;
use super::customer::{Customer, TENANT};
use super::hires::HrmsLog;
use super::judge::{Line, judge};
use super::{StoryError, Watcher};
use crate::record::Platform;

/// The outcome of the story.
#[derive(Debug, Default)]
pub struct Verdict {
    /// The outcome for each candidate.
    pub lines: Vec<Line>,
}

/// The sums over all candidates.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Sums {
    /// Candidates in the script, including those at the stage before.
    pub candidates: usize,
    /// Candidates with an invitation to a video interview or a test.
    pub invited: usize,
    /// Candidates whose report in Eploy is complete.
    pub reported: usize,
    /// Invitations, live interviews, pool entries and hires in excess of what is expected.
    pub duplicates: u32,
    /// Missing ones, and missing results.
    pub lost: usize,
    /// Scheduled live interviews.
    pub interviews_scheduled: usize,
    /// Entries in the talent pool.
    pub pooled: usize,
    /// Hires that the HRMS has.
    pub hires_announced: usize,
    /// By the platform of the first invitation.
    pub platforms: BTreeMap<Platform, PlatformSums>,
    /// Candidates by what Eploy shows.
    pub outcomes: BTreeMap<String, usize>,
}

/// The sums for a platform.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PlatformSums {
    /// Candidates with an invitation to a video interview or a test.
    pub invited: usize,
    /// Candidates whose answers are complete on the platform.
    pub completed: usize,
    /// Candidates whose report in Eploy is complete.
    pub reported: usize,
}

impl Verdict {
    /// Whether everything is as expected.
    pub fn good(&self) -> bool {
        self.lines.iter().all(|line| line.wrong.is_none())
    }

    /// What adds up over all candidates.
    pub fn sums(&self) -> Sums {
        let mut sums = Sums {
            candidates: self.lines.len(),
            ..Sums::default()
        };
        for line in &self.lines {
            let platform = sums.platforms.entry(line.platform).or_default();
            platform.invited += usize::from(line.invited.is_some());
            platform.completed += usize::from(line.completed);
            platform.reported += usize::from(line.reported);
            sums.invited += usize::from(line.invited.is_some());
            sums.reported += usize::from(line.reported);
            sums.interviews_scheduled += line.meetings;
            sums.pooled += line.pooled;
            sums.hires_announced += line.announced;
            sums.duplicates += line.duplicates;
            sums.lost += usize::from(line.lost);
            *sums.outcomes.entry(line.outcome.clone()).or_default() += 1;
        }
        sums
    }
}

/// Waits until Eploy and the HRMS are up to date, or nothing has changed for `patience`, and returns the verdict.
pub async fn settle(
    customer: &Customer,
    cast: &[Role],
    patience: Duration,
    watcher: &impl Watcher,
) -> Result<Verdict, StoryError> {
    let roles: HashMap<u64, &Role> = cast.iter().map(|role| (role.application, role)).collect();
    let mut changed = Instant::now();
    let mut writes = 0;
    let mut hires = HrmsLog::default();
    loop {
        let news = hires.read_on(customer).await?;
        let judged = customer.player.judgement(TENANT).await?;
        if !hires.only_of(&judged) {
            return Err(StoryError::UnknownHire);
        }
        let lines: Result<_, StoryError> = judged
            .iter()
            .map(|one| {
                judge(
                    customer,
                    one,
                    roles.get(&one.application.id).copied(),
                    &hires,
                )
            })
            .collect();
        let verdict = Verdict { lines: lines? };
        watcher.reported(verdict.sums().reported);
        let now = customer.player.writes(writes).await?.next;
        if now > writes || news {
            writes = now;
            changed = Instant::now();
        }
        if verdict.good() || changed.elapsed() > patience {
            return Ok(verdict);
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}
