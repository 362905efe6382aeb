//! What is measured, where it happens, through the `metrics` facade. Without a recorder, which only the functions have,
//! nothing is.

use jiff::{SignedDuration, Timestamp};
use metrics::{Counter, counter, histogram};

use crate::events::{DomainEvent, What};
use crate::invitation::{Invitation, State};

/// Seconds from a poll's due time to its start.
pub const POLL_LAG: &str = "PollLag";
/// Polls that failed.
pub const POLLS_FAILED: &str = "PollsFailed";
/// Calls taken from an Eploy allowance, by `Tier`.
pub const EPLOY_CALLS: &str = "EployCalls";
/// The rest of a tenant's daily allowance, in percent, by `Tier`.
pub const BUDGET_LEFT: &str = "BudgetLeft";
/// Invitations that reached a state, by `State`.
pub const INVITATIONS: &str = "Invitations";
/// Seconds from the entry into the trigger stage to the invitation on the platform.
pub const ENTRY_TO_INVITATION: &str = "EntryToInvitation";
/// Seconds from the candidate's completion to the report in Eploy.
pub const COMPLETION_TO_REPORT: &str = "CompletionToReport";
/// Steps that were deferred and are retried.
pub const RETRIES: &str = "Retries";
/// Calls that may or may not have taken effect.
pub const UNKNOWN_OUTCOMES: &str = "UnknownOutcomes";
/// Tenants suspended until somebody fixes the cause.
pub const SUSPENSIONS: &str = "Suspensions";
pub const MAPPINGS_BROKEN: &str = "MappingsBroken";
/// Hires published to subscribers.
pub const HIRES: &str = "Hires";
/// Hires that a tenant's HRMS did not accept, and that are not retried automatically.
pub const HIRES_UNDELIVERED: &str = "HiresUndelivered";
/// Due work that the clock enqueued.
pub const DUE: &str = "Due";

/// Measures that a poll began so long after it was due.
pub(crate) fn poll_began(lag: SignedDuration) {
    histogram!(POLL_LAG).record(lag.as_secs_f64());
}

/// Counts a failed poll.
pub(crate) fn poll_failed() {
    counter!(POLLS_FAILED).increment(1);
}

/// Counts due work that was enqueued.
pub(crate) fn work_enqueued(count: usize) {
    counter!(DUE).increment(count as u64);
}

/// Counts calls taken from a daily allowance.
pub fn calls_taken(calls: u32, daily: u32) {
    counter!(EPLOY_CALLS, "Tier" => tier(daily)).increment(calls.into());
}

/// Measures how much is left of a daily allowance.
pub fn allowance_read(taken: u32, daily: u32) {
    if daily > 0 {
        let left = f64::from(daily.saturating_sub(taken)) / f64::from(daily);
        histogram!(BUDGET_LEFT, "Tier" => tier(daily)).record(left * 100.0);
    }
}

/// The class of a daily allowance.
fn tier(daily: u32) -> &'static str {
    match daily {
        0..=1_000 => "to 1000",
        1_001..=10_000 => "to 10000",
        10_001..=100_000 => "to 100000",
        _ => "above",
    }
}

/// Measures an invitation that was saved after the event of this name.
pub(crate) fn applied(event: &str, next: &Invitation, now: Timestamp) {
    let since = |from: Timestamp| now.duration_since(from).as_secs_f64().max(0.0);
    match event {
        "sent" | "adopted" => {
            let entered = next.entry.entered_at.unwrap_or(next.entry.seen_at);
            histogram!(ENTRY_TO_INVITATION).record(since(entered));
        }
        "reported" if next.state == State::Completed && !next.unreported() => {
            if let Some(ended) = next.ended_at
                && is_first_report_since(next, ended)
            {
                histogram!(COMPLETION_TO_REPORT).record(since(ended));
            }
        }
        "deferred" | "lookup_deferred" | "report_deferred" => counter!(RETRIES).increment(1),
        "outcome_unknown" => counter!(UNKNOWN_OUTCOMES).increment(1),
        _ => {}
    }
}

/// Whether the report just written is the first one since then; a later one shows a re-score.
fn is_first_report_since(next: &Invitation, ended: Timestamp) -> bool {
    let reports = next
        .history
        .iter()
        .filter(|one| one.what == "reported" && one.at >= ended);
    reports.count() == 1
}

pub fn published(events: &[DomainEvent]) {
    for event in events {
        let counter = match &event.what {
            What::Detected { .. } => invitations("detected"),
            What::Sent { .. } => invitations("invited"),
            What::Progressed { state, .. } => invitations(state),
            What::Skipped { .. } => invitations("skipped"),
            What::Failed { .. } => invitations("failed"),
            What::Suspended { .. } => counter!(SUSPENSIONS),
            What::MappingBroken { .. } => counter!(MAPPINGS_BROKEN),
            What::Hired(_) => counter!(HIRES),
            What::HireUndelivered { .. } => counter!(HIRES_UNDELIVERED),
            What::ResultReceived { .. }
            | What::Reported { .. }
            | What::ReportFailed { .. }
            | What::Resumed { .. } => continue,
        };
        counter.increment(1);
    }
}

fn invitations(state: &str) -> Counter {
    counter!(INVITATIONS, "State" => state.to_owned())
}
