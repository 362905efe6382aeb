//! Compares what should have happened with the stand-ins' records.

use stagecall_sandbox::control::Judged;
use stagecall_sandbox::story::misreported;

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
    match (
        judged.participants.first(),
        judged.application.actions.as_slice(),
    ) {
        (None, []) => None,
        (None, _) => Some("an action without an invitation".to_owned()),
        (Some(participant), [action]) => misreported(judged, participant, Some(action)),
        (Some(_), actions) => Some(format!("{} actions", actions.len())),
    }
}
