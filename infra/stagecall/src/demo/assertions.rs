//! The verdict: the expected outcome of the script, compared with the state of the simulators.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::Serialize;
use stagecall_sandbox::control::{ActionView, Judged, ParticipantView, Platform, Sent, Standing};

use super::fixture::{POOL_MIN_PERCENT, SCORE_QUESTION, Stage, Step, TENANT};
use super::hrms_log::Told;
use super::script::Fate;
use super::show::Show;
use super::story::Role;
use super::tenant::{LIVE, entrance};

/// The outcome for one candidate.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) application: u64,
    pub(crate) candidate: u64,
    /// The vacancy's title.
    pub(crate) vacancy: &'static str,
    /// The platform of the first invitation.
    pub(crate) platform: Platform,
    /// When the application entered the trigger stage.
    pub(crate) entered: Option<Timestamp>,
    /// When the invitation was sent.
    pub(crate) invited: Option<Timestamp>,
    /// Whether the platform has all answers.
    pub(crate) completed: bool,
    /// What Eploy shows.
    pub(crate) outcome: String,
    /// Seconds from the last act to its report in Eploy.
    pub(crate) reported_after: Option<f64>,
    /// The number of scheduled live interviews.
    pub(crate) meetings: usize,
    /// The number of the candidate's entries in the talent pool.
    pub(crate) pooled: usize,
    /// The number of hires that the HRMS has.
    pub(crate) announced: usize,
    /// What is wrong, if anything.
    pub(crate) wrong: Option<String>,
    pub(crate) duplicates: u32,
    pub(crate) lost: bool,
    pub(crate) reported: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Verdict {
    pub(crate) lines: Vec<Line>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Sums {
    /// Candidates in the script, including those at the stage before.
    pub(crate) candidates: usize,
    /// Candidates with an invitation to a video interview or a test.
    pub(crate) invited: usize,
    /// Candidates whose report in Eploy is complete.
    pub(crate) reported: usize,
    /// Invitations, live interviews, pool entries and hires in excess of what is expected.
    pub(crate) duplicates: u32,
    /// Missing ones, and missing results.
    pub(crate) lost: usize,
    /// Scheduled live interviews.
    pub(crate) interviews_scheduled: usize,
    /// Entries in the talent pool.
    pub(crate) pooled: usize,
    /// Hires that the HRMS has.
    pub(crate) hires_announced: usize,
    /// By the platform of the first invitation.
    pub(crate) platforms: BTreeMap<Platform, PlatformSums>,
    /// Candidates by what Eploy shows.
    pub(crate) outcomes: BTreeMap<String, usize>,
}

/// The sums for a platform.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct PlatformSums {
    /// Candidates with an invitation to a video interview or a test.
    pub(crate) invited: usize,
    /// Candidates whose answers are complete on the platform.
    pub(crate) completed: usize,
    /// Candidates whose report in Eploy is complete.
    pub(crate) reported: usize,
}

impl Verdict {
    /// Whether everything is as expected.
    pub(crate) fn good(&self) -> bool {
        self.lines.iter().all(|line| line.wrong.is_none())
    }

    pub(crate) fn sums(&self) -> Sums {
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

/// Waits until Eploy and the HRMS are up to date, or nothing has changed for the host's patience, and returns the verdict.
pub(crate) async fn settle(stage: &Stage, cast: &[Role], show: &Show) -> anyhow::Result<Verdict> {
    let roles: HashMap<u64, &Role> = cast.iter().map(|role| (role.application, role)).collect();
    let mut changed = Instant::now();
    let mut writes = 0;
    let mut hires = Told::default();
    loop {
        let news = hires.read_on(stage).await?;
        let judged = stage.player.judgement(TENANT).await?;
        anyhow::ensure!(
            hires.only_of(&judged),
            "the HRMS got a webhook for a hire of an application that does not exist"
        );
        let lines: anyhow::Result<_> = judged
            .iter()
            .map(|one| judge(stage, one, roles.get(&one.application.id).copied(), &hires))
            .collect();
        let verdict = Verdict { lines: lines? };
        show.shown(verdict.sums().reported);
        let now = stage.player.writes(writes).await?.next;
        if now > writes || news {
            writes = now;
            changed = Instant::now();
        }
        if verdict.good() || changed.elapsed() > stage.host.patience() {
            return Ok(verdict);
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

/// How often something happened, and how often it should have.
struct Count {
    what: &'static str,
    is: usize,
    least: usize,
    most: usize,
}

impl Count {
    fn exactly(what: &'static str, is: usize, wanted: bool) -> Self {
        Self {
            what,
            is,
            least: usize::from(wanted),
            most: usize::from(wanted),
        }
    }
}

/// Checks one application.
fn judge(
    stage: &Stage,
    judged: &Judged,
    role: Option<&Role>,
    hires: &Told,
) -> anyhow::Result<Line> {
    let application = &judged.application;
    let vacancy = stage
        .vacancies
        .iter()
        .find(|vacancy| vacancy.id == application.vacancy)
        .ok_or_else(|| anyhow::anyhow!("application {} has no vacancy", application.id))?;
    let at = entrance(vacancy.platform);
    let fate = role.map(|role| role.fate);
    let sent = |step| -> Vec<&Sent> {
        let all = judged.invitations.iter();
        all.filter(|sent| stage.step(&sent.interview) == step)
            .collect()
    };
    let participant = |step| {
        let mut all = judged.participants.iter();
        all.find(|one| stage.step(&one.interview) == step)
    };
    let (first, meetings, places) = (sent(Step::First), sent(Step::Meeting), sent(Step::Pool));
    let (invitee, met) = (participant(Step::First), participant(Step::Meeting));
    let announced = hires.of(application.id);
    let counts = [
        invitations(fate, first.len()),
        Count::exactly(
            "live interview",
            meetings.len(),
            fate.is_some_and(Fate::meets),
        ),
        pool(fate, invitee, places.len()),
        Count::exactly("hire", announced, fate.is_some_and(Fate::is_hired)),
    ];
    let over: usize = counts.iter().map(|it| it.is.saturating_sub(it.most)).sum();
    let duplicates = u32::try_from(over).unwrap_or(u32::MAX);
    let missing = counts.iter().any(|it| it.is < it.least);
    let action = action_of(judged, at.action);
    let outcome = action.and_then(|action| action.outcome.clone());
    let expected = match (fate, invitee) {
        (_, Some(invitee)) => Some(outcome_of(invitee)),
        (Some(Fate::NoAddress), None) => Some("Not Invited"),
        _ => None,
    };
    let miscounted = counts
        .iter()
        .find(|it| !(it.least..=it.most).contains(&it.is))
        .map(|it| format!("{}: {} instead of {}", it.what, it.is, it.least));
    let due = usize::from(expected.is_some()) + usize::from(met.is_some());
    let wrong = if miscounted.is_some() {
        miscounted
    } else if application.actions.len() > due {
        Some(format!("{} actions in Eploy", application.actions.len()))
    } else if outcome.as_deref() != expected {
        let expected = expected.unwrap_or("nothing");
        Some(format!("Eploy should show {expected}"))
    } else if let Some(score) = invitee.and_then(percent)
        && !shows(judged, score)
    {
        Some(format!("the score should be {score} %"))
    } else {
        met.and_then(|met| missing_from_meeting(met, action_of(judged, LIVE.action)))
    };
    Ok(Line {
        application: application.id,
        candidate: application.candidate,
        vacancy: vacancy.title,
        platform: vacancy.platform,
        entered: judged
            .entries
            .iter()
            .find(|entry| entry.stage == at.stage)
            .map(|entry| entry.at),
        invited: first.first().map(|sent| sent.at),
        completed: invitee.is_some_and(|one| one.standing == Standing::Completed),
        reported_after: role
            .and_then(|role| role.last_act)
            .zip(action)
            .map(|(acted, action)| action.modified.duration_since(acted).as_secs_f64().max(0.0)),
        meetings: meetings.len(),
        pooled: places.len(),
        announced,
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
    })
}

/// The expected number of invitations to the first step.
fn invitations(fate: Option<Fate>, is: usize) -> Count {
    let (least, most) = match fate {
        // At the stage before, or without an address.
        None | Some(Fate::NoAddress) => (0, 0),
        Some(Fate::MovesOn) => (0, 1),
        Some(_) => (1, 1),
    };
    Count {
        what: "invitation",
        is,
        least,
        most,
    }
}

/// The expected number of pool entries, by the current result of the test.
fn pool(fate: Option<Fate>, invitee: Option<&ParticipantView>, is: usize) -> Count {
    let fit = invitee.is_some_and(|one| {
        one.platform == Platform::Wecp
            && one.standing == Standing::Completed
            && percent(one).is_some_and(|score| score >= f64::from(POOL_MIN_PERCENT))
    });
    Count {
        what: "entry in the pool",
        is,
        least: usize::from(fit),
        // The score before the last may have been enough.
        most: usize::from(fit || fate == Some(Fate::Rescored)),
    }
}

fn action_of(judged: &Judged, action_type: u64) -> Option<&ActionView> {
    let mut all = judged.application.actions.iter();
    all.rfind(|action| action.type_id == action_type)
}

/// What is missing from a live interview's action.
fn missing_from_meeting(met: &ParticipantView, action: Option<&ActionView>) -> Option<String> {
    let expected = outcome_of(met);
    let Some(action) = action.filter(|action| action.outcome.as_deref() == Some(expected)) else {
        return Some(format!("the live interview should be shown as {expected}"));
    };
    if met.standing == Standing::Completed {
        // It shows the report instead.
        return None;
    }
    let when = met.meeting.as_ref().map(|meeting| {
        let at = meeting.at.to_zoned(jiff::tz::get!("Europe/London"));
        at.strftime("%-d %b %Y, %H:%M").to_string()
    });
    let comments = action.comments_html.as_deref().unwrap_or_default();
    if when.is_none_or(|when| !comments.contains(&when)) {
        Some("the live interview's time is missing".to_owned())
    } else if action.link.is_none() || action.link != met.link {
        Some("the link to join the live interview is missing".to_owned())
    } else {
        None
    }
}

/// The outcome that Eploy should show of a participant.
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

/// The score, in percent, as shown to a recruiter.
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
