//! The judgement of one candidate: what should have happened by the script, and what did.

use jiff::Timestamp;

use super::StoryError;
use super::cast::Role;
use super::customer::{Customer, POOL_MIN_PERCENT, Step};
use super::hires::HrmsLog;
use super::script::Fate;
use super::shown::{action_of, misreported, outcome_of, percent_of};
use super::stages::{LIVE, entrance};
use crate::control::{Judged, Sent};
use crate::eploy::ActionView;
use crate::participant::{ParticipantView, Standing};
use crate::record::Platform;

/// The outcome for one candidate.
#[derive(Clone, Debug)]
pub struct Line {
    /// The application.
    pub application: u64,
    /// Its candidate.
    pub candidate: u64,
    /// The vacancy's title.
    pub vacancy: &'static str,
    /// The platform of the first invitation.
    pub platform: Platform,
    /// When the application entered the trigger stage.
    pub entered: Option<Timestamp>,
    /// When the invitation was sent.
    pub invited: Option<Timestamp>,
    /// Whether the platform has all answers.
    pub completed: bool,
    /// What Eploy shows.
    pub outcome: String,
    /// Seconds from the last act to its report in Eploy.
    pub reported_after: Option<f64>,
    /// The number of scheduled live interviews.
    pub meetings: usize,
    /// The number of the candidate's entries in the talent pool.
    pub pooled: usize,
    /// The number of hires that the HRMS has.
    pub announced: usize,
    /// What is wrong, if anything.
    pub wrong: Option<String>,
    /// Invitations, live interviews, pool entries and hires in excess of what is expected.
    pub duplicates: u32,
    /// Whether any of them, or a result, is missing.
    pub lost: bool,
    /// Whether the report in Eploy is complete.
    pub reported: bool,
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
pub(super) fn judge(
    customer: &Customer,
    judged: &Judged,
    role: Option<&Role>,
    hires: &HrmsLog,
) -> Result<Line, StoryError> {
    let application = &judged.application;
    let vacancy = customer
        .vacancies
        .iter()
        .find(|vacancy| vacancy.id == application.vacancy)
        .ok_or(StoryError::UnknownVacancy(application.id))?;
    let at = entrance(vacancy.platform);
    let fate = role.map(|role| role.fate);
    let sent = |step| -> Vec<&Sent> {
        let all = judged.invitations.iter();
        all.filter(|sent| customer.step(&sent.interview) == step)
            .collect()
    };
    let participant = |step| {
        let mut all = judged.participants.iter();
        all.find(|one| customer.step(&one.interview) == step)
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
    } else if let Some(problem) = invitee.and_then(|one| misreported(judged, one, action)) {
        Some(problem)
    } else if outcome.as_deref() != expected {
        let expected = expected.unwrap_or("nothing");
        Some(format!("Eploy should show {expected}"))
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
            && percent_of(one).is_some_and(|score| score >= f64::from(POOL_MIN_PERCENT))
    });
    Count {
        what: "entry in the pool",
        is,
        least: usize::from(fit),
        // The score before the last may have been enough.
        most: usize::from(fit || fate == Some(Fate::Rescored)),
    }
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
