//! Every text for recruiters, each for one situation: while something is retried, and once it was given up. What only
//! an administrator can do is not said here; it is in the tables of problems, and shown by the command and the log.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Missing, Moment};
use crate::invitation::{FailReason, Failure, Invitation, Part, SkipReason, State};
use crate::tenant::{Answerable, Mapping};

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

/// The status, in a word or two.
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

/// Who can solve a problem.
enum Solved {
    /// A recruiter: the problem, and what to do.
    Recruiter(&'static str, &'static str),
    /// Nobody needs to: the problem while it lasts, and afterwards.
    Nobody(&'static str, &'static str),
    /// An administrator: where the problem is.
    Administrator(&'static str),
}

/// What a recruiter is told of a kind of problem, in a line; `None` of a kind that no invitation has.
pub fn told_of(code: &str) -> Option<String> {
    Some(match known(code)? {
        Solved::Recruiter(why, what) => format!("{}. {what}", capital(why)),
        Solved::Nobody(why, _) => format!("{}. There is nothing to do", capital(why)),
        Solved::Administrator(why) => format!("{}. Tell your Eploy administrator", capital(why)),
    })
}

/// What a recruiter is told of a kind of problem; of one that is not known, as much as is certain.
fn solved(code: &str) -> Solved {
    known(code).unwrap_or(Solved::Administrator(
        "the connection between Eploy and {platform} has a problem",
    ))
}

/// What a recruiter is told of a kind of problem. `{platform}` stands for the platform's name.
fn known(code: &str) -> Option<Solved> {
    use Solved::{Administrator, Nobody, Recruiter};
    Some(match code {
        "candidate.email" => Recruiter(
            "the candidate's e-mail address is not one that can be written to",
            "Correct the candidate's e-mail address in Eploy",
        ),
        "eploy.not_found" => Recruiter(
            "Eploy does not find the candidate's record",
            "Check that the candidate still exists in Eploy",
        ),
        "platform.refused_fields" => Recruiter(
            "{platform} does not accept some of the candidate's details",
            "Check the candidate's e-mail address, telephone number and name in Eploy",
        ),
        "platform.refused" => Recruiter(
            "{platform} does not accept the invitation",
            "Check the candidate's e-mail address, telephone number and name in Eploy, and if they are right tell your Eploy administrator",
        ),
        "platform.list_too_long" | "platform.list_without_names" => Nobody(
            "{platform} does not say whether it has the candidate already",
            "{platform} did not say whether it has the candidate already",
        ),
        "meeting.no_date" => Recruiter(
            "the application has no date for the interview",
            "Enter the interview's date on the application",
        ),
        "meeting.past" => Recruiter(
            "the interview's date is in the past",
            "Enter a date that is still to come",
        ),
        "meeting.no_day" => Recruiter(
            "the interview cannot be held at the date that was entered",
            "Enter another date on the application",
        ),
        "meeting.no_interviewer" => Recruiter(
            "the vacancy names no interviewer",
            "Enter the interviewer's e-mail address on the vacancy",
        ),
        "eploy.unreachable"
        | "eploy.no_answer"
        | "eploy.server_error"
        | "eploy.answer_unreadable"
        | "eploy.web_page"
        | "eploy.throttled" => Nobody("Eploy does not answer", "Eploy did not answer"),
        "eploy.allowance_ours" | "eploy.allowance_eploy" => Nobody(
            "Eploy takes no more calls today",
            "Eploy took no more calls",
        ),
        "eploy.allowance_store" | "eploy.secret_store" | "platform.secret_unread" => Nobody(
            "the connection between Eploy and {platform} does not work",
            "the connection between Eploy and {platform} did not work",
        ),
        "platform.unreachable"
        | "platform.no_answer"
        | "platform.unreadable"
        | "platform.unavailable" => {
            Nobody("{platform} does not answer", "{platform} did not answer")
        }
        "platform.throttled" => Nobody(
            "{platform} takes no more invitations at the moment",
            "{platform} took no more invitations",
        ),
        "platform.assessment_refused" | "platform.not_found" => Administrator(
            "{platform} does not accept the assessment that candidates of this stage are invited to",
        ),
        "mapping.paused" => Administrator("inviting from this stage is paused"),
        "mapping.unknown" => {
            Administrator("what is to be shown of this invitation is not configured any more")
        }
        "invitation.interrupted" => {
            Administrator("sending the invitation was begun again and again and never ended")
        }
        "invitation.no_reference" => Nobody(
            "the invitation is being looked up in {platform}",
            "the invitation was not found in {platform}",
        ),
        code if code.starts_with("eploy.") => {
            Administrator("the connection to Eploy has a problem")
        }
        code if code.starts_with("platform.") => {
            Administrator("the connection to {platform} has a problem")
        }
        _ => return None,
    })
}

/// The advice where no stage triggers the invitation.
const ASK: &str = "ask your Eploy administrator to have it tried again";

/// How a recruiter requests a retry.
fn again(mapping: &Mapping) -> &'static str {
    if mapping.triggers.is_empty() {
        // No stage triggers this mapping.
        ASK
    } else {
        "move the application out of the invitation stage and back in"
    }
}

/// Capitalises the first letter.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}

/// The first line.
pub fn headline(row: &Invitation, moment: Moment, platform: &str) -> String {
    match moment {
        Moment::Delayed => format!("Not invited to {platform} yet."),
        Moment::Failed => match &row.state {
            State::Failed(FailReason::NoEmail) => {
                format!("Not invited to {platform}: the candidate has no e-mail address in Eploy.")
            }
            State::Failed(FailReason::Refused(failure) | FailReason::GaveUp(failure)) => {
                not_invited(failure, platform)
            }
            State::Failed(FailReason::OutcomeUnknown(_)) => {
                format!("It is not known whether the invitation to {platform} went out.")
            }
            State::Failed(FailReason::OnPlatform) => {
                format!("{platform} could not send the invitation.")
            }
            State::Failed(FailReason::Unanswered(failure)) => format!(
                "The result in {platform} could not be read since {}.",
                uk_time(failure.first_failed_at)
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
            State::Skipped(
                SkipReason::MappingChanged | SkipReason::MappingRemoved | SkipReason::Paused,
            ) => format!(
                "Not invited to {platform}: invitations for this vacancy and stage were turned off before it went out."
            ),
            State::Skipped(SkipReason::Cancelled) => {
                format!(
                    "Not invited to {platform}: the invitation was taken back before it went out."
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

/// The headline for an invitation that was given up.
fn not_invited(failure: &Failure, platform: &str) -> String {
    let why = match solved(&failure.code) {
        Solved::Nobody(_, why) => format!("{why} for a long time, and trying has ended"),
        Solved::Recruiter(why, _) | Solved::Administrator(why) => why.to_owned(),
    };
    format!("Not invited to {platform}: {why}.").replace("{platform}", platform)
}

/// The advice, where there is any, with what is missing in the report.
pub fn advice(
    row: &Invitation,
    mapping: &Mapping,
    moment: Moment,
    platform: &str,
    missing: &Missing<'_>,
) -> Option<String> {
    let mut all = Vec::from_iter(what_to_do(row, mapping, moment, platform));
    all.extend(unread(row, moment, platform));
    all.extend(
        missing
            .words
            .map(|for_good| without_words(platform, for_good)),
    );
    let parts = missing.parts.iter();
    all.extend(parts.filter_map(|(part, for_good)| without_part(*part, *for_good)));
    (!all.is_empty()).then(|| all.join(" "))
}

fn what_to_do(
    row: &Invitation,
    mapping: &Mapping,
    moment: Moment,
    platform: &str,
) -> Option<String> {
    let again = again(mapping);
    match moment {
        Moment::Delayed => row
            .failure
            .as_ref()
            .map(|failure| while_trying(failure, platform)),
        Moment::Failed => match &row.state {
            State::Failed(FailReason::NoEmail) => Some(format!(
                "Add an e-mail address to the candidate, then {again}."
            )),
            State::Failed(FailReason::Refused(failure) | FailReason::GaveUp(failure)) => {
                Some(once_given_up(failure, again, platform))
            }
            State::Failed(FailReason::OutcomeUnknown(_)) => Some(format!(
                "Look in {platform} whether the candidate is there. If not, {again}."
            )),
            State::Failed(FailReason::Unanswered(_)) => Some(format!(
                "Look the candidate up in {platform}. Should the result be read after all, it is shown here."
            )),
            State::Failed(FailReason::OnPlatform) => Some(format!(
                "Check the candidate's e-mail address in Eploy, then {again}."
            )),
            State::Skipped(SkipReason::Duplicate(Some(other))) => Some(
                match (other.application == row.key.application, row.pooled) {
                    (true, true) => "They were added for this application before.".to_owned(),
                    (false, true) => {
                        format!("They were added for application {}.", other.application)
                    }
                    (true, false) => {
                        "The result of the earlier invitation is shown on this application."
                            .to_owned()
                    }
                    (false, false) => {
                        format!("The result is shown on application {}.", other.application)
                    }
                },
            ),
            State::Skipped(SkipReason::Duplicate(None)) if row.pooled => None,
            State::Skipped(SkipReason::Duplicate(None)) => Some(format!(
                "Look the candidate up in {platform}: the result of that invitation is not shown here."
            )),
            State::Skipped(SkipReason::MovedOn) => {
                Some("To invite the candidate, move the application back to that stage.".to_owned())
            }
            State::Skipped(
                SkipReason::MappingChanged | SkipReason::MappingRemoved | SkipReason::Paused,
            ) => Some(
                "If the candidate should be invited, ask your Eploy administrator to turn them on again."
                    .to_owned(),
            ),
            _ => None,
        },
        Moment::Bounced => Some(format!(
            "Correct the candidate's e-mail address in Eploy, then {again}: the candidate is invited again."
        )),
        _ => None,
    }
}

/// The advice while it is retried.
fn while_trying(failure: &Failure, platform: &str) -> String {
    match solved(&failure.code) {
        Solved::Recruiter(why, what) => {
            format!(
                "{}. {what}; the invitation then goes out by itself.",
                capital(why)
            )
        }
        Solved::Nobody(why, _) => format!(
            "{}. There is nothing to do: the invitation goes out as soon as that works again.",
            capital(why)
        ),
        Solved::Administrator(why) => format!(
            "{}. Tell your Eploy administrator; the invitation goes out once that is solved.",
            capital(why)
        ),
    }
    .replace("{platform}", platform)
}

/// The advice once it was given up.
fn once_given_up(failure: &Failure, again: &str, platform: &str) -> String {
    match solved(&failure.code) {
        Solved::Recruiter(_, what) => format!("{what}. Then {again}."),
        Solved::Nobody(..) if again == ASK => format!("{}.", capital(again)),
        Solved::Nobody(..) => {
            format!("To try once more, {again}. If that fails too, tell your Eploy administrator.")
        }
        Solved::Administrator(_) => {
            format!("Tell your Eploy administrator. Once that is solved, {again}.")
        }
    }
    .replace("{platform}", platform)
}

/// Says that the result cannot be fetched, where that is new or makes an expiry uncertain.
fn unread(row: &Invitation, moment: Moment, platform: &str) -> Option<String> {
    let since = uk_time(row.failure.as_ref()?.first_failed_at);
    if moment == Moment::Expired {
        return Some(format!(
            "{platform} could not be asked for a last time, since {since}: look the candidate up in {platform}. What they did there is shown here as soon as it can be read."
        ));
    }
    row.is_unread().then(|| {
        format!(
            "What the candidate has done in {platform} could not be read since {since}: look the candidate up in {platform}. It is shown here as soon as it can be read."
        )
    })
}

/// Says that the platform's text is missing.
fn without_words(platform: &str, for_good: bool) -> String {
    if for_good {
        format!(
            "{platform} could not be asked for more, and it is not asked again: look the candidate up in {platform}."
        )
    } else {
        format!(
            "{platform} cannot be asked for more at the moment. It is added here as soon as it can."
        )
    }
}

/// Says that a part of the report could not be written.
fn without_part(part: Part, for_good: bool) -> Option<String> {
    let what = match part {
        Part::Words | Part::Action => return None,
        Part::Note(_) => "the note on the application",
        Part::Answer(what) => match what {
            Answerable::Score => "the answer about the score",
            Answerable::Percent => "the answer about the percentage",
            Answerable::Status => "the answer about the status",
            Answerable::Link => "the answer with the link",
            Answerable::CompletedAt => "the answer about the date of completion",
        },
        Part::Export => "the mark that the application was exported",
        Part::Move(_) => "the move to the next stage",
    };
    Some(match (for_good, part) {
        (false, _) => format!("Eploy has not accepted {what} yet; it is tried again."),
        (true, Part::Move(_)) => format!(
            "Eploy did not accept {what}: move the application by hand, and tell your Eploy administrator."
        ),
        (true, Part::Answer(_)) => format!(
            "Eploy did not accept {what}: fill it in by hand, and tell your Eploy administrator."
        ),
        (true, _) => format!("Eploy did not accept {what}: tell your Eploy administrator."),
    })
}

#[cfg(test)]
mod tests;
