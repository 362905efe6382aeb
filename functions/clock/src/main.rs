//! The clock: invoked every minute, finds due work and enqueues it.

use std::time::Duration;

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use stagecall_core::usecases::{Scheduler, Shares};
use stagecall_runtime::{Adapters, InvocationDeadline, metrics};
use tokio::time::timeout_at;

/// The maximum of one tenant's work of one kind in a queue. The rest is enqueued in the next minute.
const MAX_QUEUED_PER_TENANT: usize = 600;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let adapters = Adapters::of_process("clock")?;
    let shares = Shares {
        share: MAX_QUEUED_PER_TENANT,
        lease: adapters.timing.enqueue_lease(),
    };
    let store = adapters.store();
    let ticker = Scheduler::new(store, adapters.queue(), adapters.clock.clone(), shares);
    let ticker = &ticker;
    run(service_fn(
        move |event: LambdaEvent<serde::de::IgnoredAny>| async move {
            let window = InvocationDeadline::of(&event.context, Duration::ZERO);
            let due = match timeout_at(window.end, ticker.tick()).await {
                Ok(due) => due.map_err(Error::from),
                Err(_) => {
                    Err("the invocation's time ended before all due work was enqueued".into())
                }
            };
            match &due {
                Ok(count) => tracing::info!(count, "due work enqueued"),
                Err(error) => tracing::error!(%error, "due work not enqueued"),
            }
            metrics::flush();
            due.map(drop)
        },
    ))
    .await
}
