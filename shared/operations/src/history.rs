//! The history of an invitation, in words for operators.

use stagecall_core::invitation::{
    FailReason, Failure, HistoryEntry, Invitation, SkipReason, State,
};

/// What a history entry means.
pub fn describe(entry: &HistoryEntry) -> String {
    let detail = entry.detail.as_deref().unwrap_or("");
    match entry.what.as_str() {
        "detected" => "seen at the trigger stage; to be invited".to_owned(),
        "baseline" => "at the trigger stage when the mapping was turned on: not invited".to_owned(),
        "paused" => {
            "seen at the trigger stage while the mapping was paused: not invited".to_owned()
        }
        "claimed" => format!("sending began ({detail})"),
        "deferred" => format!("sending was deferred: {detail}"),
        "outcome_unknown" => format!(
            "the call was made and its outcome is unknown ({detail}): it is looked up before it is sent again"
        ),
        "lookup_deferred" => format!("the look-up was deferred: {detail}"),
        "lookup_not_found" => {
            "looked up: the platform does not have it; it may be sent again".to_owned()
        }
        "sent" => format!("the platform has it, as {detail}"),
        "adopted" => format!("found on the platform, as {detail}, and taken over"),
        "skipped" => format!("not sent: {}", skipped(detail)),
        "failed" => format!("failed: {detail}"),
        "observed" => format!("the platform says: {detail}"),
        "watch_expired" => "it expired, or the time to watch it was over".to_owned(),
        "left_stage" => "the application left the trigger stage".to_owned(),
        "reported" => format!("Eploy shows it ({detail})"),
        "report_stale" => "the report will be written again".to_owned(),
        "report_deferred" => format!("reporting was deferred: {detail}"),
        "retried" => "an operator retried it".to_owned(),
        "cancelled" => "an operator cancelled it".to_owned(),
        "purged" => "its result was removed, because its retention time was over".to_owned(),
        "scheduled" => format!("the meeting time was set: {detail}"),
        other => format!("{other} {detail}").trim_end().to_owned(),
    }
}

fn skipped(reason: &str) -> &str {
    match reason {
        "baseline" => "it was at the stage before the mapping was turned on",
        "moved_on" => "the application left the stage first",
        "duplicate" => "the platform has the candidate for this assessment already",
        "paused" => "the mapping was paused",
        "mapping_removed" => "the mapping was removed",
        "cancelled" => "an operator cancelled it",
        other => other,
    }
}

/// Why an invitation is in its state, if that needs an explanation.
pub fn why(of: &Invitation) -> Option<String> {
    let failure = |failure: &Failure| format!("{}: {}", failure.code, failure.problem);
    match &of.state {
        State::Detected | State::Sending { .. } => of.failure.as_ref().map(failure),
        State::Invited | State::Started if of.failure.is_some() => of.failure.as_ref().map(failure),
        State::Skipped(SkipReason::Duplicate(Some(other))) => {
            Some(format!("the same invitation as {}", other.name()))
        }
        State::Skipped(reason) => Some(skipped(reason.name()).to_owned()),
        State::Failed(FailReason::NoEmail) => {
            Some("the candidate has no e-mail address".to_owned())
        }
        State::Failed(FailReason::OnPlatform) => Some("the platform gave up".to_owned()),
        State::Failed(
            FailReason::Refused(of)
            | FailReason::GaveUp(of)
            | FailReason::OutcomeUnknown(of)
            | FailReason::Unanswered(of),
        ) => Some(failure(of)),
        _ if of.unreported() => Some(match of.report.problem() {
            Some(of) => format!("not shown in Eploy yet: {}", failure(of)),
            None => "not shown in Eploy yet".to_owned(),
        }),
        _ => None,
    }
}
