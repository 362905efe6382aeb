//! What happened to an invitation, in words for operators.

use stagecall_core::invitation::{
    FailReason, Failure, HistoryEntry, Invitation, SkipReason, State,
};

/// What a happening means.
pub(crate) fn told(happening: &HistoryEntry) -> String {
    let detail = happening.detail.as_deref().unwrap_or("");
    match happening.what.as_str() {
        "detected" => "seen at the trigger stage; to be invited".to_owned(),
        "baseline" => "seen at the trigger stage when the mapping was turned on: not invited, because it was there before".to_owned(),
        "paused" => "seen at the trigger stage while the mapping was paused: not invited".to_owned(),
        "claimed" => format!("sending began ({detail})"),
        "deferred" => format!("sending was put off: {detail}"),
        "outcome_unknown" => format!("the call was made and its outcome is not known ({detail}): to be looked up before it is sent again"),
        "lookup_deferred" => format!("the look-up was put off: {detail}"),
        "lookup_not_found" => "looked up: the platform does not have it; it may be sent again".to_owned(),
        "sent" => format!("the platform has it, as {detail}"),
        "adopted" => format!("found on the platform, as {detail}, and taken over"),
        "skipped" => format!("not sent: {}", skipped(detail)),
        "failed" => format!("failed: {detail}"),
        "observed" => format!("the platform says: {detail}"),
        "watch_expired" => "the time to take it, or to watch it, was over".to_owned(),
        "left_stage" => "the application was seen away from the trigger stage".to_owned(),
        "reported" => format!("Eploy shows it ({detail})"),
        "report_stale" => "the report is written once more".to_owned(),
        "report_deferred" => format!("reporting was put off: {detail}"),
        "retried" => "an operator had it tried again".to_owned(),
        "cancelled" => "an operator took it back".to_owned(),
        "purged" => "what came of it was removed, because its time of keeping was over".to_owned(),
        "scheduled" => format!("when to meet was settled: {detail}"),
        other => format!("{other} {detail}").trim_end().to_owned(),
    }
}

fn skipped(reason: &str) -> &str {
    match reason {
        "baseline" => "it was at the stage before the mapping was turned on",
        "moved_on" => "the application left the stage before",
        "duplicate" => "the platform has the candidate for this assessment already",
        "paused" => "the mapping was paused",
        "mapping_removed" => "the mapping was removed",
        "cancelled" => "an operator took it back",
        other => other,
    }
}

/// Why an invitation stands where it stands, where that needs saying.
pub(crate) fn why(of: &Invitation) -> Option<String> {
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
