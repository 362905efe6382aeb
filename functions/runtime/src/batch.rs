//! A batch of records from a queue: each is parsed and handled by itself, so that one that is malformed, fails, panics or
//! takes too long is handed back alone.

mod retry_visibility;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use lambda_runtime::LambdaEvent;
use retry_visibility::{Receipts, Returns};
use serde_json::error::Category;
use stagecall_core::clock::Deadline;
use stagecall_core::error::Error;
use stagecall_core::work::Work;
use tokio::task::{Id, JoinSet};
use tokio::time::{Instant, timeout_at};
use tracing::field::Empty;
use tracing::{Instrument as _, Span};

use crate::invocation::InvocationDeadline;
use crate::metrics;

/// How a function takes its batches.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// How many records are handled at the same time.
    pub side_by_side: usize,
    /// How long one record may take: none is begun with less time left.
    pub needs: Duration,
}

/// Why a record is handed back.
#[derive(Debug, thiserror::Error)]
pub enum RecordFailure {
    /// It is not a piece of work.
    #[error("the message is {0}")]
    Malformed(&'static str),
    /// It belongs into another queue.
    #[error("this function does not do work of this kind")]
    Misplaced,
    /// It failed; what it was about is still due.
    #[error(transparent)]
    Failed(#[from] Error),
}

impl RecordFailure {
    /// Its name among the metrics.
    fn name(&self) -> &'static str {
        match self {
            Self::Malformed(_) | Self::Misplaced => "malformed",
            Self::Failed(_) => "failed",
        }
    }
}

/// How long after the end of the handlers' time the queue may still be told when records come again. What is left then is
/// for the answer.
const TELLING: Duration = Duration::from_secs(1);

/// Handles batches for as long as the process lives, each within its invocation's time. The answer names the records that
/// are to be handed out again; at the last try their queue puts them among its dead letters.
pub async fn run<H, F>(pace: Pace, handler: H) -> Result<(), lambda_runtime::Error>
where
    H: Fn(Work, Deadline) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Result<(), RecordFailure>> + Send + 'static,
{
    let handler = &handler;
    let returns = &Returns::default();
    let invoked = |event: LambdaEvent<SqsEvent>| async move {
        let window = InvocationDeadline::of(&event.context, pace.needs);
        let receipts = Receipts::of(&event.payload);
        let span = tracing::info_span!("invocation", request = event.context.request_id);
        let answering = async {
            let answer = within(window, pace.side_by_side, event.payload, handler.clone()).await;
            returns.tell(receipts, &answer, window.end + TELLING).await;
            answer
        };
        let answer = answering.instrument(span).await;
        metrics::flush();
        Ok::<_, lambda_runtime::Error>(answer)
    };
    lambda_runtime::run(lambda_runtime::service_fn(invoked)).await
}

/// Handles a batch within `window`, so many records at a time.
pub async fn within<H, F>(
    window: InvocationDeadline,
    side_by_side: usize,
    batch: SqsEvent,
    handler: H,
) -> SqsBatchResponse
where
    H: Fn(Work, Deadline) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Result<(), RecordFailure>> + Send + 'static,
{
    let mut running = Running::default();
    let mut failures = Vec::new();
    let mut rest = batch.records.into_iter();
    loop {
        while running.tasks.len() < side_by_side
            && Instant::now() < window.begin_until
            && let Some(record) = rest.next()
        {
            running.begin(record, window, handler.clone());
        }
        match running.next().await {
            Some((record, true)) => tracing::debug!(record = %record, "record handled"),
            Some((record, false)) => failures.push(record),
            None => break,
        }
    }
    for record in rest {
        let record = id(record);
        tracing::warn!(record = %record, "no time was left for a record; it comes again");
        metrics::record("no_time");
        failures.push(record);
    }
    let failures = failures.into_iter().map(|record| {
        let mut failure = BatchItemFailure::default();
        failure.item_identifier = record.to_string();
        failure
    });
    let mut answer = SqsBatchResponse::default();
    answer.batch_item_failures = failures.collect();
    answer
}

/// The records under way.
#[derive(Default)]
struct Running {
    tasks: JoinSet<bool>,
    records: HashMap<Id, (Arc<str>, Span)>,
}

impl Running {
    fn begin<H, F>(&mut self, record: SqsMessage, window: InvocationDeadline, handler: H)
    where
        H: Fn(Work, Deadline) -> F + Send + Sync + 'static,
        F: Future<Output = Result<(), RecordFailure>> + Send + 'static,
    {
        let body = record.body.clone().unwrap_or_default();
        let tries = record.attributes.get("ApproximateReceiveCount").cloned();
        let id = id(record);
        let span = tracing::info_span!("record", record = %id, tries, tenant = Empty, work = Empty);
        let of_record = span.clone();
        let task = async move {
            // Parsing and the handler's own beginning are inside the task, so that a panic there is this record's, too.
            let doing = async {
                let work = parse(&body)?;
                of_record.record("tenant", work.tenant().as_str());
                of_record.record("work", tracing::field::display(&work));
                handler(work, window.deadline).await
            };
            let outcome = match timeout_at(window.end, doing).await {
                Ok(Ok(())) => metrics::HANDLED,
                Ok(Err(error)) => {
                    tracing::error!(%error, "a record is handed back");
                    error.name()
                }
                Err(_) => {
                    tracing::error!(
                        "a record was stopped because the time is over; what it was about is still due"
                    );
                    "stopped"
                }
            };
            metrics::record(outcome);
            outcome == metrics::HANDLED
        };
        let task = self.tasks.spawn(task.instrument(span.clone()));
        self.records.insert(task.id(), (id, span));
    }

    /// The next one to end, and whether it is done with; `None` if nothing is under way.
    async fn next(&mut self) -> Option<(Arc<str>, bool)> {
        let (id, handled, panicked) = match self.tasks.join_next_with_id().await? {
            Ok((id, handled)) => (id, handled, false),
            Err(error) => (error.id(), false, true),
        };
        let known = self.records.remove(&id);
        let (record, span) = known.unwrap_or_else(|| (Arc::default(), Span::none()));
        if panicked {
            span.in_scope(|| {
                tracing::error!("the handler of a record panicked; what it was about is still due");
            });
            metrics::record("panicked");
        }
        Some((record, handled))
    }
}

fn id(record: SqsMessage) -> Arc<str> {
    record.message_id.unwrap_or_default().into()
}

/// The work that a message is. What it says instead is not logged: nobody knows what that is.
///
/// # Errors
/// It is not a piece of work.
pub fn parse(body: &str) -> Result<Work, RecordFailure> {
    serde_json::from_str(body).map_err(|error| {
        RecordFailure::Malformed(match error.classify() {
            Category::Data => "JSON, but not a piece of work",
            Category::Eof if body.trim().is_empty() => "empty",
            _ => "not JSON",
        })
    })
}

/// What a use case that failed means for its record: work for a tenant that is gone is done with.
pub fn outcome(result: Result<(), Error>) -> Result<(), RecordFailure> {
    match result {
        Err(error @ Error::UnknownTenant(_)) => {
            tracing::warn!(%error, "work was dropped");
            Ok(())
        }
        other => Ok(other?),
    }
}

#[cfg(test)]
mod tests;
