//! The words of a report: what a recruiter reads who knows nothing of Stagecall.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::Moment;
use crate::invitation::{FailReason, Invitation, SkipReason, State, Trouble};
use crate::tenant::Tenant;

/// The platform's name as people write it.
pub fn platform(tenant: &Tenant, row: &Invitation) -> String {
    let kind = tenant
        .platforms
        .get(&row.assessment.account)
        .map_or("the platform", |connection| connection.kind.as_str());
    match kind {
        "willo" => "Willo".to_owned(),
        "wecp" => "WeCP".to_owned(),
        other => other.to_owned(),
    }
}

/// A time as UK readers write it, in UK time; Eploy is a UK product and its users' clocks are there.
pub fn uk_time(at: Timestamp) -> String {
    const ZONE: TimeZone = jiff::tz::get!("Europe/London");
    at.to_zoned(ZONE).strftime("%-d %b %Y, %H:%M").to_string()
}

/// A number without needless decimals.
pub fn number(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0")
        .map_or(text.clone(), ToOwned::to_owned)
}

/// Where it stands, in a word or two.
pub fn status(moment: Moment) -> &'static str {
    match moment {
        Moment::Delayed => "Invitation delayed",
        Moment::Failed => "Not invited",
        Moment::Invited => "Invited",
        Moment::Opened => "Opened",
        Moment::Started => "Started",
        Moment::Completed => "Completed",
        Moment::Expired => "Expired",
        Moment::Declined => "Declined",
        Moment::Bounced => "Invitation bounced",
        Moment::Cancelled => "Cancelled",
    }
}

/// The first line.
pub fn headline(row: &Invitation, moment: Moment, platform: &str) -> String {
    match moment {
        Moment::Delayed => {
            format!("Not yet invited to {platform}: there is a problem, and trying goes on.")
        }
        Moment::Failed => match &row.state {
            State::Failed(FailReason::NoEmail) => {
                format!("Not invited to {platform}: the candidate has no e-mail address in Eploy.")
            }
            State::Failed(FailReason::Refused(trouble) | FailReason::GaveUp(trouble)) => {
                format!("Not invited to {platform}: {}.", trouble.problem)
            }
            State::Failed(FailReason::OutcomeUnknown(_)) => {
                format!("It is not known whether the invitation to {platform} went out.")
            }
            State::Failed(FailReason::OnPlatform) => format!("{platform} gave the invitation up."),
            State::Failed(FailReason::Unanswered(trouble)) => format!(
                "The result in {platform} could not be read since {}.",
                uk_time(trouble.since)
            ),
            State::Skipped(SkipReason::Duplicate(_)) if row.pooled => {
                format!("The candidate is in the {platform} talent pool already.")
            }
            State::Skipped(SkipReason::Duplicate(_)) => {
                format!(
                    "Not invited again: {platform} already has this candidate for this assessment."
                )
            }
            State::Skipped(SkipReason::MovedOn) => {
                format!(
                    "Not invited to {platform}: the application left the stage before the invitation went out."
                )
            }
            _ => format!("Not invited to {platform}."),
        },
        Moment::Invited if row.pooled => format!("Added to the talent pool in {platform}."),
        Moment::Invited if row.appointment.is_some() => {
            format!("Live interview arranged in {platform}.")
        }
        Moment::Invited => format!("Invited to {platform}."),
        Moment::Opened => format!("The candidate opened the {platform} invitation."),
        Moment::Started => format!("The candidate started in {platform}."),
        Moment::Completed => format!("Completed in {platform}."),
        Moment::Expired => format!("The {platform} invitation expired without a response."),
        Moment::Declined => format!("The candidate declined the {platform} invitation."),
        Moment::Bounced => format!("The {platform} invitation could not be delivered."),
        Moment::Cancelled => format!("The invitation was cancelled in {platform}."),
    }
}

/// What to do about it, where there is something to do. `missing`: why the platform's words are.
pub fn advice(
    row: &Invitation,
    moment: Moment,
    platform: &str,
    missing: Option<&Trouble>,
) -> Option<String> {
    let missing = missing.map(|trouble| {
        format!(
            "What else {platform} has of it could not be read yet: {}. {}.",
            trouble.problem,
            trouble.remedy.trim_end_matches('.')
        )
    });
    let all = [
        what_to_do(row, moment, platform),
        unread(row, moment, platform),
        missing,
    ];
    let all: Vec<_> = all.into_iter().flatten().collect();
    (!all.is_empty()).then(|| all.join(" "))
}

/// That the platform cannot be asked for the result, where that is news or makes an expiry uncertain.
fn unread(row: &Invitation, moment: Moment, platform: &str) -> Option<String> {
    let trouble = row.trouble.as_ref()?;
    let since = uk_time(trouble.since);
    if moment == Moment::Expired {
        return Some(format!(
            "{platform} could not be asked for a last time, since {since}: look the candidate up in {platform}. What they did there is shown here as soon as it can be read."
        ));
    }
    row.is_unread().then(|| {
        format!(
            "What the candidate has done in {platform} could not be read since {since}: look the candidate up in {platform}. It is shown here as soon as it can be read; the administrator of Stagecall sees the reason."
        )
    })
}

fn what_to_do(row: &Invitation, moment: Moment, platform: &str) -> Option<String> {
    const AGAIN: &str = "then move the application out of this stage and back in";
    match moment {
        Moment::Delayed => row.trouble.as_ref().map(|trouble| {
            format!(
                "{}. {}.",
                trouble.problem,
                trouble.remedy.trim_end_matches('.')
            )
        }),
        Moment::Failed => match &row.state {
            State::Failed(FailReason::NoEmail) => {
                Some(format!("Add an e-mail address to the candidate, {AGAIN}."))
            }
            State::Failed(FailReason::Refused(trouble) | FailReason::GaveUp(trouble)) => Some(
                format!("{}, {AGAIN}.", trouble.remedy.trim_end_matches('.')),
            ),
            State::Failed(FailReason::Unanswered(_)) => Some(format!(
                "Look the candidate up in {platform}. Should the result be read after all, it is shown here."
            )),
            State::Failed(FailReason::OutcomeUnknown(_)) => Some(format!(
                "Look in {platform} whether the candidate is there. If not, move the application out of this stage and back in."
            )),
            State::Skipped(SkipReason::Duplicate(Some(other))) if row.pooled => Some(format!(
                "They were added for application {}.",
                other.application
            )),
            State::Skipped(SkipReason::Duplicate(Some(other))) => Some(format!(
                "The result will be shown on application {}.",
                other.application
            )),
            State::Skipped(SkipReason::Duplicate(None)) => {
                Some(format!("Look the candidate up in {platform}."))
            }
            _ => None,
        },
        Moment::Bounced => Some(format!(
            "Correct the candidate's e-mail address, {AGAIN} if the mapping invites again, or invite by hand in {platform}."
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
