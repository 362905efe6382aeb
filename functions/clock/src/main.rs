//! The clock: woken every minute, finds what is due and hands it out.

use std::sync::Arc;
use std::time::Duration;

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use stagecall_core::usecases::Ticker;
use stagecall_runtime::{Parts, Window, measure};
use tokio::time::timeout_at;

/// The most that is handed out in a minute. What is left over is due the next time, the longest due first.
const MOST: usize = 10_000;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let parts = Parts::of_process("clock")?;
    let ticker = Ticker {
        due: Arc::new(parts.store().inner().clone()),
        queue: parts.queue(),
        clock: parts.clock.clone(),
    };
    let ticker = &ticker;
    run(service_fn(
        move |event: LambdaEvent<serde::de::IgnoredAny>| async move {
            let window = Window::of(&event.context, Duration::ZERO);
            let due = match timeout_at(window.end, ticker.tick(MOST)).await {
                Ok(due) => due.map_err(Error::from),
                Err(_) => Err("the time was over before everything due was handed out".into()),
            };
            match &due {
                Ok(count) => {
                    tracing::info!(count, "what is due was handed out");
                    measure::handed_out(*count);
                }
                Err(error) => {
                    tracing::error!(%error, "what is due waits for the next minute");
                }
            }
            measure::flush();
            due.map(drop)
        },
    ))
    .await
}
