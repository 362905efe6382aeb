//! What is measured, in the embedded metric format: lines of the log that become metrics, without a call.
//!
//! The use cases know nothing of it. What they do shows at their ports: which invitations they save, which events they
//! publish, how polling stands, how many calls they take from an allowance.

mod events;
mod store;

use std::sync::OnceLock;

use lambda_runtime::Error;
use metrics::{Unit, counter, describe_counter, describe_histogram};
use metrics_cloudwatch_embedded::{Builder, Collector};

pub use events::MeasuredEvents;
pub use store::MeasuredStore;

/// The namespace of all metrics; each has the dimension `Stack`.
pub const NAMESPACE: &str = "Stagecall";

/// Seconds that a poll began after it was due.
const POLL_LAG: &str = "PollLag";
/// Polls that could not be finished.
const POLLS_FAILED: &str = "PollsFailed";
/// Calls to Eploy that were taken from an allowance, by `Tier`.
const EPLOY_CALLS: &str = "EployCalls";
/// What is left of a tenant's daily allowance, in percent, by `Tier`.
const BUDGET_LEFT: &str = "BudgetLeft";
/// Invitations that came to a state, by `State`.
const INVITATIONS: &str = "Invitations";
/// Seconds from the entry into the trigger stage to the platform's having the invitation.
const ENTRY_TO_INVITATION: &str = "EntryToInvitation";
/// Seconds from the candidate's finishing to Eploy's showing it.
const COMPLETION_TO_REPORT: &str = "CompletionToReport";
/// Steps that were put off and are tried again.
const RETRIES: &str = "Retries";
/// Calls that may or may not have taken effect.
const UNKNOWN_OUTCOMES: &str = "UnknownOutcomes";
/// Tenants for which nothing works until somebody acts.
const SUSPENSIONS: &str = "Suspensions";
/// Mappings that cannot work any more.
const MAPPINGS_BROKEN: &str = "MappingsBroken";
/// Hires that subscribers were told of.
const HIRES: &str = "Hires";
/// Hires that a tenant's HRMS was told of in vain, and is not told again by itself.
const HIRES_UNDELIVERED: &str = "HiresUndelivered";
/// What the clock found due and handed out.
const DUE: &str = "Due";
/// Records of queues, by `Function` and `Outcome`.
const RECORDS: &str = "Records";
/// Records of queues that were handed back, whatever the reason. A function that hands records back has not failed in
/// Lambda's eyes, so an alarm watches this.
pub const RECORDS_FAILED: &str = "RecordsFailed";

/// The outcome of a record that is done with.
pub(crate) const HANDLED: &str = "handled";

static COLLECTOR: OnceLock<(&'static Collector, &'static str)> = OnceLock::new();

/// Starts collecting.
pub(crate) fn start(stack: &str, function: &'static str) -> Result<(), Error> {
    let collector = Builder::new()
        .cloudwatch_namespace(NAMESPACE)
        .with_dimension("Stack", stack.to_owned())
        .init()?;
    for (name, unit) in [
        (POLL_LAG, Unit::Seconds),
        (BUDGET_LEFT, Unit::Percent),
        (ENTRY_TO_INVITATION, Unit::Seconds),
        (COMPLETION_TO_REPORT, Unit::Seconds),
    ] {
        describe_histogram!(name, unit, "");
    }
    for name in [
        POLLS_FAILED,
        EPLOY_CALLS,
        INVITATIONS,
        RETRIES,
        UNKNOWN_OUTCOMES,
        SUSPENSIONS,
        MAPPINGS_BROKEN,
        HIRES,
        HIRES_UNDELIVERED,
        DUE,
        RECORDS,
        RECORDS_FAILED,
    ] {
        describe_counter!(name, Unit::Count, "");
    }
    COLLECTOR
        .set((collector, function))
        .map_err(|_| Error::from("metrics are collected already"))
}

/// Writes what was collected since the last time. To be called at the end of every invocation.
pub fn flush() {
    flush_to(std::io::stdout().lock());
}

fn flush_to(writer: impl std::io::Write) {
    if let Some((collector, _)) = COLLECTOR.get()
        && let Err(error) = collector.flush(writer)
    {
        tracing::warn!(%error, "the metrics could not be written");
    }
}

/// Counts what became of a record.
pub(crate) fn record(outcome: &'static str) {
    let function = COLLECTOR.get().map_or("", |(_, function)| *function);
    counter!(RECORDS, "Function" => function, "Outcome" => outcome).increment(1);
    if outcome != HANDLED {
        counter!(RECORDS_FAILED).increment(1);
    }
}

/// Counts a poll that could not be finished.
pub fn poll_failed() {
    counter!(POLLS_FAILED).increment(1);
}

/// Counts what the clock handed out.
pub fn handed_out(count: usize) {
    counter!(DUE).increment(count as u64);
}

#[cfg(test)]
mod tests;
