//! Metrics in `CloudWatch`'s embedded metric format: lines of the log that become metrics, without a call.
//!
//! They are taken where things happen ([`stagecall_core::metrics`]); this records and writes them.

use std::sync::OnceLock;

use lambda_runtime::Error;
use metrics::{Unit, counter, describe_counter, describe_histogram};
use metrics_cloudwatch_embedded::{Builder, Collector};
use stagecall_core::metrics::{
    BUDGET_LEFT, COMPLETION_TO_REPORT, DUE, ENTRY_TO_INVITATION, EPLOY_CALLS, HIRES,
    HIRES_UNDELIVERED, INVITATIONS, MAPPINGS_BROKEN, POLL_LAG, POLLS_FAILED, RETRIES, SUSPENSIONS,
    UNKNOWN_OUTCOMES,
};

/// The namespace of all metrics; each has the dimension `Stack`.
pub const NAMESPACE: &str = "Stagecall";

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
        tracing::warn!(%error, "metrics not written");
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

#[cfg(test)]
mod tests;
