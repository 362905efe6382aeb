//! The verdict: what should have happened, compared with what the stand-ins say did.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::Serialize;
use stagecall_sandbox::control::{Judged, ParticipantView, Standing};

use super::fate::Fate;
use super::scene::{SCORE_QUESTION, Stage, TENANT, TRIGGER};
use super::show::Show;
use super::story::Role;

/// One candidate's line.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) application: u64,
    pub(crate) candidate: u64,
    pub(crate) vacancy: u64,
    /// When the application entered the trigger stage.
    pub(crate) entered: Option<Timestamp>,
    /// When the invitation went out.
    pub(crate) invited: Option<Timestamp>,
    /// What Eploy shows.
    pub(crate) outcome: String,
    /// Seconds from what happened last to Eploy showing it.
    pub(crate) reported_after: Option<f64>,
    /// What is wrong, if anything is.
    pub(crate) wrong: Option<String>,
    pub(crate) duplicates: u32,
    pub(crate) lost: bool,
    pub(crate) reported: bool,
}

/// The whole.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    pub(crate) lines: Vec<Line>,
}

/// The sums.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Sums {
    /// Candidates in the story, with those who were at the stage before.
    pub(crate) candidates: usize,
    /// Candidates with an invitation.
    pub(crate) invited: usize,
    /// Candidates about whom Eploy shows what is known.
    pub(crate) reported: usize,
    /// Invitations beyond the first.
    pub(crate) duplicates: u32,
    /// Invitations or results that are missing.
    pub(crate) lost: usize,
    /// Candidates by what Eploy shows.
    pub(crate) outcomes: BTreeMap<String, usize>,
}

impl Verdict {
    /// Whether everything is as it should be.
    pub(crate) fn good(&self) -> bool {
        self.lines.iter().all(|line| line.wrong.is_none())
    }

    /// The sums.
    pub(crate) fn sums(&self) -> Sums {
        let mut sums = Sums {
            candidates: self.lines.len(),
            ..Sums::default()
        };
        for line in &self.lines {
            sums.invited += usize::from(line.invited.is_some());
            sums.reported += usize::from(line.reported);
            sums.duplicates += line.duplicates;
            sums.lost += usize::from(line.lost);
            *sums.outcomes.entry(line.outcome.clone()).or_default() += 1;
        }
        sums
    }
}

/// Waits until everything is as it should be, or nothing changes any more, and judges.
pub(crate) async fn settle(stage: &Stage, cast: &[Role], show: &Show) -> anyhow::Result<Verdict> {
    let roles: HashMap<u64, &Role> = cast.iter().map(|role| (role.application, role)).collect();
    let mut changed = Instant::now();
    let mut writes = 0;
    loop {
        let judged = stage.player.judgement(TENANT).await?;
        let verdict = Verdict {
            lines: judged.iter().map(|one| judge(one, &roles)).collect(),
        };
        show.shown(verdict.sums().reported);
        let now = stage.player.writes(writes).await?.next;
        if now > writes {
            writes = now;
            changed = Instant::now();
        }
        if verdict.good() || changed.elapsed() > stage.host.patience() {
            return Ok(verdict);
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

/// Judges one application.
fn judge(judged: &Judged, roles: &HashMap<u64, &Role>) -> Line {
    let application = &judged.application;
    let role = roles.get(&application.id);
    let fate = role.map(|role| role.fate);
    let last_act = role.and_then(|role| role.last_act);
    let fresh = judged.invitations.len();
    let invited = judged.invitations.first().map(|sent| sent.at);
    let (least, most) = match fate {
        // There before it was turned on, or without an address.
        None | Some(Fate::NoAddress) => (0, 0),
        Some(Fate::MovesOn) => (0, 1),
        Some(_) => (1, 1),
    };
    let action = application.actions.last();
    let outcome = action.and_then(|action| action.outcome.clone());
    let participant = judged.participants.first();
    let expected = match (fate, participant) {
        (_, Some(participant)) => Some(outcome_of(participant)),
        (Some(Fate::NoAddress), None) => Some("Not Invited"),
        _ => None,
    };
    let mut wrong = None;
    let duplicates = u32::try_from(fresh.saturating_sub(most)).unwrap_or(u32::MAX);
    let missing = fresh < least;
    if duplicates > 0 {
        wrong = Some(format!("{fresh} invitations"));
    } else if missing {
        wrong = Some("no invitation".to_owned());
    } else if application.actions.len() > 1 {
        wrong = Some(format!("{} actions in Eploy", application.actions.len()));
    } else if outcome.as_deref() != expected {
        wrong = Some(format!(
            "Eploy should show {}",
            expected.unwrap_or("nothing")
        ));
    } else if let Some(score) = participant.and_then(percent)
        && !shows(judged, score)
    {
        wrong = Some(format!("the score should be {score} %"));
    }
    Line {
        application: application.id,
        candidate: application.candidate,
        vacancy: application.vacancy,
        entered: judged
            .entries
            .iter()
            .find(|entry| entry.stage == TRIGGER.0)
            .map(|entry| entry.at),
        invited,
        reported_after: last_act
            .zip(action)
            .map(|(acted, action)| action.modified.duration_since(acted).as_secs_f64().max(0.0)),
        reported: wrong.is_none() && expected.is_some(),
        lost: missing || (duplicates == 0 && wrong.is_some()),
        outcome: match (&outcome, fate) {
            (Some(outcome), _) => outcome.clone(),
            (None, None) => "there before".to_owned(),
            (None, Some(Fate::MovesOn)) => "moved on".to_owned(),
            (None, Some(_)) => "–".to_owned(),
        },
        wrong,
        duplicates,
    }
}

/// What Eploy should show of a participant.
fn outcome_of(participant: &ParticipantView) -> &'static str {
    match participant.standing {
        Standing::Invited | Standing::Opened => "Invited",
        Standing::Started => "Started",
        Standing::Completed => "Completed",
        Standing::Declined => "Declined",
        Standing::Bounced => "Undeliverable",
        Standing::Expired => "Expired",
    }
}

/// The score, in percent, as a recruiter reads it.
fn percent(participant: &ParticipantView) -> Option<f64> {
    let (value, max) = participant
        .scores
        .iter()
        .fold((0.0, 0.0), |(value, max), (_, points, possible)| {
            (value + points, max + possible)
        });
    (max > 0.0).then(|| (value / max * 1000.0).round() / 10.0)
}

/// Whether Eploy shows this score where the mapping puts it.
fn shows(judged: &Judged, score: f64) -> bool {
    judged.application.answers.iter().any(|answer| {
        answer.question == SCORE_QUESTION
            && match &answer.answer {
                serde_json::Value::Number(number) => number.as_f64() == Some(score),
                serde_json::Value::String(text) => text.parse() == Ok(score),
                _ => false,
            }
    })
}
