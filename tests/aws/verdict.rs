//! Compares what should have happened with the stand-ins' records.

use stagecall_sandbox::control::{Judged, ParticipantView, Standing};
use stagecall_tests::harness::percent;

use crate::member::Member;

/// The sums over all members of the cast.
#[derive(Debug, Default)]
pub struct Sums {
    /// Applications with an invitation.
    pub invited: usize,
    /// Applications of which Eploy shows what the platform knows.
    pub reported: usize,
    /// Invitations beyond the first, and of those who are not to be invited.
    pub duplicates: usize,
    /// Invitations or results that are missing.
    pub lost: usize,
    /// What is wrong, by tenant and application.
    pub wrong: Vec<String>,
}

/// Judges everything that can be said of these members.
pub async fn judge(members: &[&Member]) -> Sums {
    let mut sums = Sums::default();
    for member in members {
        for judged in member.customer.all().await {
            let wanted = usize::from(member.invitees.contains(&judged.application.id));
            let count = judged.invitations.len();
            sums.invited += usize::from(count > 0);
            sums.duplicates += count.saturating_sub(wanted);
            let problem = if count == wanted {
                let problem = reported(&judged);
                sums.lost += usize::from(problem.is_some());
                sums.reported += usize::from(wanted > 0 && problem.is_none());
                problem
            } else {
                sums.lost += usize::from(count < wanted);
                Some(format!("{count} invitations"))
            };
            if let Some(problem) = problem {
                let name = &member.customer.name;
                sums.wrong
                    .push(format!("{name} {}: {problem}", judged.application.id));
            }
        }
    }
    sums
}

/// What Eploy does not show of what the platform knows.
fn reported(judged: &Judged) -> Option<String> {
    let actions = &judged.application.actions;
    let Some(participant) = judged.participants.first() else {
        return (!actions.is_empty()).then(|| "an action without an invitation".to_owned());
    };
    let expected = outcome(participant);
    let [action] = actions.as_slice() else {
        return Some(format!("{} actions", actions.len()));
    };
    if action.outcome.as_deref() != Some(expected) {
        return Some(format!("{:?} in place of {expected}", action.outcome));
    }
    let score = score(participant)?;
    let shown = percent(judged);
    (shown.is_none_or(|shown| (shown - score).abs() > 0.06))
        .then(|| format!("{shown:?} % in place of {score} %"))
}

/// What Eploy should show of a participant.
fn outcome(participant: &ParticipantView) -> &'static str {
    match participant.standing {
        Standing::Invited | Standing::Opened => "Invited",
        Standing::Started => "Started",
        Standing::Completed => "Completed",
        Standing::Declined => "Declined",
        Standing::Bounced => "Undeliverable",
        Standing::Expired => "Expired",
    }
}

/// The score in percent.
fn score(participant: &ParticipantView) -> Option<f64> {
    let (points, possible) = participant
        .scores
        .iter()
        .fold((0.0, 0.0), |sum, (_, points, possible)| {
            (sum.0 + points, sum.1 + possible)
        });
    (possible > 0.0).then(|| points / possible * 100.0)
}
