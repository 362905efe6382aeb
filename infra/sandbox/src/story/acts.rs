//! What people do in the story, and when.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::cast::Role;
use super::customer::{Customer, TENANT, WECP, WILLO};
use super::script::Fate;
use super::stages::{BEFORE, LIVE, entrance};
use crate::control::PlayerError;
use crate::participant::CandidateAct;
use crate::record::Platform;
use crate::wecp::WecpReviewerAct;
use crate::willo::ReviewerAct;

/// Something that a person does.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Act {
    Open,
    Start,
    Answer,
    Decline,
    Bounce,
    Expire,
    Score(u8),
    Comment,
    Stage,
    /// The answers are evaluated again.
    Rerun,
    MoveOut,
    MoveIn,
    /// The recruiter moves the candidate to the live interview.
    Meet,
    /// The live interview takes place.
    Conduct,
    Hire,
}

impl Act {
    /// Whether it concerns the invitation, and Eploy has to show it.
    fn is_reported(&self) -> bool {
        !matches!(
            self,
            Self::MoveOut | Self::MoveIn | Self::Meet | Self::Conduct | Self::Hire
        )
    }
}

/// A future act: when, by whom, what.
type Coming = Reverse<(Instant, usize, Act)>;

/// All future acts.
#[derive(Default)]
pub(super) struct Acts(BinaryHeap<Coming>);

impl Acts {
    /// Whether no act is left.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The number of acts left.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Adds the acts of a candidate who has just been invited.
    pub(super) fn plan(&mut self, index: usize, role: &Role, random: &mut fastrand::Rng) {
        let points = random.u8(3..=10);
        let all: &[Act] = match (role.fate, role.platform) {
            (Fate::Completes, _) => &[Act::Open, Act::Start, Act::Answer],
            (Fate::Scored, _) => &[Act::Start, Act::Answer, Act::Score(points)],
            (Fate::Rescored, Platform::Willo) => &[
                Act::Open,
                Act::Start,
                Act::Answer,
                Act::Score(points),
                Act::Comment,
                Act::Stage,
                Act::Score(points - 1),
            ],
            (Fate::Rescored, Platform::Wecp) => &[Act::Start, Act::Answer, Act::Rerun],
            (Fate::Starts, _) => &[Act::Open, Act::Start],
            (Fate::Silent | Fate::NoAddress | Fate::MovesOn, _) => &[],
            (Fate::Declines, _) => &[Act::Open, Act::Decline],
            (Fate::Bounces, _) => &[Act::Bounce],
            (Fate::Expires, _) => &[Act::Open, Act::Expire],
            (Fate::ComesBack, _) => &[Act::MoveOut, Act::MoveIn, Act::Start, Act::Answer],
            (Fate::Hired, _) => &[Act::Start, Act::Answer, Act::Hire],
            (Fate::Meets | Fate::Joins, _) => &[Act::Start, Act::Answer, Act::Meet],
        };
        self.then(index, all, random);
    }

    /// Adds the acts of a candidate whose live interview has just been scheduled.
    pub(super) fn plan_after_meeting(
        &mut self,
        index: usize,
        role: &Role,
        random: &mut fastrand::Rng,
    ) {
        if role.fate == Fate::Joins {
            self.then(index, &[Act::Conduct, Act::Hire], random);
        }
    }

    fn then(&mut self, index: usize, acts: &[Act], random: &mut fastrand::Rng) {
        let mut at = Instant::now();
        for act in acts {
            at += Duration::from_millis(random.u64(150..900));
            self.0.push(Reverse((at, index, act.clone())));
        }
    }

    /// Performs due acts, equal ones together. Returns whether there were any.
    pub(super) async fn act(
        &mut self,
        customer: &Customer,
        cast: &mut [Role],
    ) -> Result<bool, PlayerError> {
        let now = Instant::now();
        let mut due: Vec<(Act, Platform, Vec<usize>)> = Vec::new();
        while self.0.peek().is_some_and(|Reverse((at, _, _))| *at <= now) {
            let Some(Reverse((_, index, act))) = self.0.pop() else {
                break;
            };
            let on = cast[index].platform;
            match due.iter_mut().find(|it| it.0 == act && it.1 == on) {
                Some((_, _, who)) => who.push(index),
                None => due.push((act, on, vec![index])),
            }
        }
        due.sort();
        let any = !due.is_empty();
        for (act, platform, who) in due {
            if act.is_reported() {
                for index in &who {
                    cast[*index].last_act = Some(Timestamp::now());
                }
            }
            let roles: Vec<&Role> = who.iter().map(|index| &cast[*index]).collect();
            done(customer, act, platform, &roles).await?;
        }
        Ok(any)
    }
}

/// People of one platform do one thing.
async fn done(
    customer: &Customer,
    act: Act,
    platform: Platform,
    roles: &[&Role],
) -> Result<(), PlayerError> {
    let player = &customer.player;
    let keys: Vec<String> = roles.iter().filter_map(|role| role.key.clone()).collect();
    let applications: Vec<u64> = roles.iter().map(|role| role.application).collect();
    let moved = async |to: &str, status: Option<&str>| {
        player.move_to(TENANT, &applications, to, status).await
    };
    let reviewed = async |act: ReviewerAct| player.reviewer(WILLO, &keys, &act).await;
    let candidate = async |act: CandidateAct| customer.candidate(platform, &keys, act).await;
    match act {
        Act::Open => candidate(CandidateAct::Open).await?,
        Act::Start => candidate(CandidateAct::Start).await?,
        Act::Answer => candidate(CandidateAct::Answer).await?,
        Act::Decline => candidate(CandidateAct::Decline).await?,
        Act::Bounce => candidate(CandidateAct::Bounce).await?,
        Act::Expire => candidate(CandidateAct::Expire).await?,
        Act::Score(points) => {
            reviewed(ReviewerAct::Score {
                title: "Communication".to_owned(),
                value: f64::from(points),
                max: 10.0,
            })
            .await?;
        }
        Act::Comment => {
            let text = "Clear answers; ask about <weekend shifts> & travel.".to_owned();
            reviewed(ReviewerAct::Comment { text }).await?;
        }
        Act::Stage => {
            let name = "Accepted".to_owned();
            reviewed(ReviewerAct::Stage { name }).await?;
        }
        Act::Rerun => {
            let again = WecpReviewerAct::Rerun;
            player.wecp_reviewer(WECP, &keys, &again).await?;
        }
        Act::MoveOut => moved(BEFORE, None).await?,
        Act::MoveIn => {
            let at = entrance(platform);
            moved(at.stage, at.status).await?;
        }
        Act::Meet => moved(LIVE.stage, LIVE.status).await?,
        Act::Conduct => {
            let met: Vec<String> = roles
                .iter()
                .filter_map(|role| role.meeting.clone())
                .collect();
            let answers = Vec::new();
            let held = WecpReviewerAct::Conduct { answers };
            player.wecp_reviewer(WECP, &met, &held).await?;
        }
        Act::Hire => player.hire(TENANT, &applications).await?,
    }
    Ok(())
}
