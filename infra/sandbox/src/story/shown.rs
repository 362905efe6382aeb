//! What Eploy has to show of a participant, and what it shows.

use super::stages::SCORE_QUESTION;
use crate::control::{ActionView, Judged};
use crate::participant::{ParticipantView, Standing};

/// The outcome that Eploy has to show of a participant.
pub(super) fn outcome_of(participant: &ParticipantView) -> &'static str {
    match participant.standing {
        Standing::Invited | Standing::Opened => "Invited",
        Standing::Started => "Started",
        Standing::Completed => "Completed",
        Standing::Declined => "Declined",
        Standing::Bounced => "Undeliverable",
        Standing::Expired => "Expired",
    }
}

/// The score, in percent with one decimal, that Eploy has to show of a participant.
pub(super) fn percent_of(participant: &ParticipantView) -> Option<f64> {
    let (value, max) = participant
        .scores
        .iter()
        .fold((0.0, 0.0), |(value, max), (_, points, possible)| {
            (value + points, max + possible)
        });
    (max > 0.0).then(|| (value / max * 1000.0).round() / 10.0)
}

/// The percentage that Eploy shows of an application.
pub fn percent_shown(judged: &Judged) -> Option<f64> {
    let mut answers = judged.application.answers.iter();
    let answer = &answers.find(|one| one.question == SCORE_QUESTION)?.answer;
    answer.as_f64().or_else(|| answer.as_str()?.parse().ok())
}

/// What Eploy shows wrongly of a participant, with this action and in the question for the score.
pub fn misreported(
    judged: &Judged,
    participant: &ParticipantView,
    action: Option<&ActionView>,
) -> Option<String> {
    let expected = outcome_of(participant);
    if action.and_then(|action| action.outcome.as_deref()) != Some(expected) {
        return Some(format!("Eploy should show {expected}"));
    }
    let score = percent_of(participant)?;
    (percent_shown(judged) != Some(score)).then(|| format!("the score should be {score} %"))
}

/// The last action of this type.
pub(super) fn action_of(judged: &Judged, action_type: u64) -> Option<&ActionView> {
    let mut all = judged.application.actions.iter();
    all.rfind(|action| action.type_id == action_type)
}
