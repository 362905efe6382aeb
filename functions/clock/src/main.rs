//! The clock: woken every minute, finds what is due and hands it out.

use std::sync::Arc;
use std::time::Duration;

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use stagecall_core::usecases::{Scheduler, Shares};
use stagecall_runtime::{Adapters, InvocationDeadline, metrics};
use tokio::time::timeout_at;

/// The most of one tenant and kind that is in a queue at a time. What is left over is due the next time.
const SHARE: usize = 600;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let adapters = Adapters::of_process("clock")?;
    let shares = Shares {
        share: SHARE,
        lease: adapters.timing.enqueue_lease(),
    };
    let store = Arc::new(adapters.store().inner().clone());
    let ticker = Scheduler::new(store, adapters.queue(), adapters.clock.clone(), shares);
    let ticker = &ticker;
    run(service_fn(
        move |event: LambdaEvent<serde::de::IgnoredAny>| async move {
            let window = InvocationDeadline::of(&event.context, Duration::ZERO);
            let due = match timeout_at(window.end, ticker.tick()).await {
                Ok(due) => due.map_err(Error::from),
                Err(_) => Err("the time was over before everything due was handed out".into()),
            };
            match &due {
                Ok(count) => {
                    tracing::info!(count, "what is due was handed out");
                    metrics::handed_out(*count);
                }
                Err(error) => {
                    tracing::error!(%error, "what is due waits for the next minute");
                }
            }
            metrics::flush();
            due.map(drop)
        },
    ))
    .await
}
