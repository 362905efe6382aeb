//! A batch of records from a queue: each is parsed and handled separately, so that one that is malformed, fails, panics or
//! takes too long is returned as failed alone.

mod retry_visibility;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use lambda_runtime::LambdaEvent;
use retry_visibility::{Receipts, Returns};
use serde_json::error::Category;
use stagecall_core::SignedDuration;
use stagecall_core::app::App;
use stagecall_core::clock::Deadline;
use stagecall_core::engine::Engine;
use stagecall_core::error::Error;
use stagecall_core::work::{Handled, Work};
use tokio::task::{Id, JoinSet};
use tokio::time::{Instant, timeout_at};
use tracing::{Instrument as _, Span};

use crate::invocation::InvocationDeadline;
use crate::metrics;

/// The limits of a function's batches.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// The number of records handled at the same time.
    pub side_by_side: usize,
    /// The time that one record may take: none is started with less time left.
    pub needs: Duration,
    /// How long a record may go on after no other is started: less than `needs` by the time for its last call and for
    /// saving its result.
    pub extension: SignedDuration,
}

/// Why a record is returned as failed.
#[derive(Debug, thiserror::Error)]
pub enum RecordFailure {
    /// It is not a work item.
    #[error("the message is {0}")]
    Malformed(&'static str),
    /// It belongs in another queue.
    #[error("this function does not handle work of this kind")]
    Misplaced,
    /// It failed; its work is still due.
    #[error(transparent)]
    Failed(#[from] Error),
}

impl RecordFailure {
    /// Its name in the metrics.
    fn name(&self) -> &'static str {
        match self {
            Self::Malformed(_) | Self::Misplaced => "malformed",
            Self::Failed(_) => "failed",
        }
    }
}

/// How long after the handlers' deadline the queue may still be told when records should return. The time left after that
/// is for the response.
const SET_RETRY_TIMEOUT: Duration = Duration::from_secs(1);

/// Handles batches for the life of the process, each within its invocation's time. The response names the records that
/// failed; after the last attempt their queue moves them to its dead letters.
pub async fn run(pace: Pace, app: App, engine: Engine) -> Result<(), lambda_runtime::Error> {
    let handler = &move |work, deadline: Deadline| {
        let (app, engine) = (app.clone(), engine.clone());
        async move { handle(&app, &engine, work, deadline.later(pace.extension)).await }
    };
    let retry_visibility = &Returns::default();
    let invoked = |event: LambdaEvent<SqsEvent>| async move {
        let window = InvocationDeadline::of(&event.context, pace.needs);
        let receipts = Receipts::of(&event.payload);
        let span = tracing::error_span!("invocation", request = event.context.request_id);
        let answering = async {
            let answer = within(window, pace.side_by_side, event.payload, handler.clone()).await;
            retry_visibility
                .set_retry_times(receipts, &answer, window.end + SET_RETRY_TIMEOUT)
                .await;
            answer
        };
        let answer = answering.instrument(span).await;
        metrics::flush();
        Ok::<_, lambda_runtime::Error>(answer)
    };
    lambda_runtime::run(lambda_runtime::service_fn(invoked)).await
}

/// Handles a batch within `window`, up to `side_by_side` records at a time.
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
            Some((_, true)) => {}
            Some((record, false)) => failures.push(record),
            None => break,
        }
    }
    for record in rest {
        let record = id(record);
        tracing::warn!(record = %record, "record not started, no time left");
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

/// The records being handled.
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
        let span = tracing::error_span!("record", record = %id, tries).in_scope(Work::span);
        let of_record = span.clone();
        let task = async move {
            // Parsing and the start of the handler are inside the task, so that a panic there counts for this record, too.
            let handling = async {
                let work = parse(&body)?;
                work.record_in(&of_record);
                handler(work, window.deadline).await
            };
            let outcome = match timeout_at(window.end, handling).await {
                Ok(Ok(())) => {
                    tracing::debug!("record handled");
                    metrics::HANDLED
                }
                Ok(Err(error)) => {
                    tracing::error!(%error, "record failed");
                    error.name()
                }
                Err(_) => {
                    tracing::error!("record stopped, no time left");
                    "stopped"
                }
            };
            metrics::record(outcome);
            outcome == metrics::HANDLED
        };
        let task = self.tasks.spawn(task.instrument(span.clone()));
        self.records.insert(task.id(), (id, span));
    }

    /// The next record to finish, and whether it was handled; `None` if none is running.
    async fn next(&mut self) -> Option<(Arc<str>, bool)> {
        let (id, handled, panicked) = match self.tasks.join_next_with_id().await? {
            Ok((id, handled)) => (id, handled, false),
            Err(error) => (error.id(), false, true),
        };
        let known = self.records.remove(&id);
        let (record, span) = known.unwrap_or_else(|| (Arc::default(), Span::none()));
        if panicked {
            span.in_scope(|| {
                tracing::error!("record's handler panicked");
            });
            metrics::record("panicked");
        }
        Some((record, handled))
    }
}

fn id(record: SqsMessage) -> Arc<str> {
    record.message_id.unwrap_or_default().into()
}

/// The work in a message. The text of a malformed message is not logged, because it may hold anything.
///
/// # Errors
/// The message is not a work item.
pub fn parse(body: &str) -> Result<Work, RecordFailure> {
    serde_json::from_str(body).map_err(|error| {
        RecordFailure::Malformed(match error.classify() {
            Category::Data => "JSON, but not a work item",
            Category::Eof if body.trim().is_empty() => "empty",
            _ => "not JSON",
        })
    })
}

/// Handles an item of work. Unfinished work is enqueued again.
async fn handle(
    app: &App,
    engine: &Engine,
    work: Work,
    deadline: Deadline,
) -> Result<(), RecordFailure> {
    match outcome(app.handle(work.clone(), deadline).await)? {
        Handled::Done => Ok(()),
        Handled::Unfinished => {
            tracing::info!(tenant = %work.tenant(), %work, "work continues in another invocation");
            engine.enqueue(vec![work]).await;
            Ok(())
        }
        Handled::Misplaced => Err(RecordFailure::Misplaced),
    }
}

/// The outcome of work for its record: work for a tenant that was removed counts as handled.
fn outcome(result: Result<Handled, Error>) -> Result<Handled, RecordFailure> {
    match result {
        Err(error @ Error::UnknownTenant(_)) => {
            tracing::warn!(%error, "work dropped");
            Ok(Handled::Done)
        }
        other => Ok(other?),
    }
}

#[cfg(test)]
mod tests;
