//! Metrics in `CloudWatch`'s embedded metric format: lines of the log that become metrics, without a call.
//!
//! The use cases do not know of it. Metrics are taken at their ports: saved invitations, published events, poll states, and
//! calls taken from an allowance.

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

/// Seconds from a poll's due time to its start.
const POLL_LAG: &str = "PollLag";
/// Polls that failed.
const POLLS_FAILED: &str = "PollsFailed";
/// Calls taken from an Eploy allowance, by `Tier`.
const EPLOY_CALLS: &str = "EployCalls";
/// The rest of a tenant's daily allowance, in percent, by `Tier`.
const BUDGET_LEFT: &str = "BudgetLeft";
/// Invitations that reached a state, by `State`.
const INVITATIONS: &str = "Invitations";
/// Seconds from the entry into the trigger stage to the invitation on the platform.
const ENTRY_TO_INVITATION: &str = "EntryToInvitation";
/// Seconds from the candidate's completion to the report in Eploy.
const COMPLETION_TO_REPORT: &str = "CompletionToReport";
/// Steps that were deferred and are retried.
const RETRIES: &str = "Retries";
/// Calls that may or may not have taken effect.
const UNKNOWN_OUTCOMES: &str = "UnknownOutcomes";
/// Tenants suspended until somebody fixes the cause.
const SUSPENSIONS: &str = "Suspensions";
/// Mappings that became broken.
const MAPPINGS_BROKEN: &str = "MappingsBroken";
/// Hires published to subscribers.
const HIRES: &str = "Hires";
/// Hires that a tenant's HRMS did not accept, and that are not retried automatically.
const HIRES_UNDELIVERED: &str = "HiresUndelivered";
/// Due work that the clock enqueued.
const DUE: &str = "Due";
/// Records of queues, by `Function` and `Outcome`.
const RECORDS: &str = "Records";
/// Records that failed, for any reason. A function that returns failed records has not failed as Lambda counts it, so an
/// alarm watches this.
pub const RECORDS_FAILED: &str = "RecordsFailed";

/// The outcome of a handled record.
pub(crate) const HANDLED: &str = "handled";

static COLLECTOR: OnceLock<(&'static Collector, &'static str)> = OnceLock::new();

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
        .map_err(|_| Error::from("metrics are already collected"))
}

/// Writes the metrics collected since the last flush. To be called at the end of every invocation.
pub fn flush() {
    flush_to(std::io::stdout().lock());
}

fn flush_to(writer: impl std::io::Write) {
    if let Some((collector, _)) = COLLECTOR.get()
        && let Err(error) = collector.flush(writer)
    {
        tracing::warn!(%error, "writing metrics failed");
    }
}

/// Counts a record's outcome.
pub(crate) fn record(outcome: &'static str) {
    let function = COLLECTOR.get().map_or("", |(_, function)| *function);
    counter!(RECORDS, "Function" => function, "Outcome" => outcome).increment(1);
    if outcome != HANDLED {
        counter!(RECORDS_FAILED).increment(1);
    }
}

/// Counts a failed poll.
pub fn poll_failed() {
    counter!(POLLS_FAILED).increment(1);
}

/// Counts the work that the clock enqueued.
pub fn work_enqueued(count: usize) {
    counter!(DUE).increment(count as u64);
}

#[cfg(test)]
mod tests;
