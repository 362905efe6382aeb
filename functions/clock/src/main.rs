//! The clock: woken every minute, finds what is due and hands it out.

use std::sync::Arc;
use std::time::Duration;

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use stagecall_core::usecases::{Shares, Ticker};
use stagecall_runtime::{Parts, Window, measure};
use tokio::time::timeout_at;

/// The most of one tenant and kind that is in a queue at a time. What is left over is due the next time.
const SHARE: usize = 600;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let parts = Parts::of_process("clock")?;
    let shares = Shares {
        share: SHARE,
        lease: parts.timing.hand_out_lease(),
    };
    let store = Arc::new(parts.store().inner().clone());
    let ticker = Ticker::new(store, parts.queue(), parts.clock.clone(), shares);
    let ticker = &ticker;
    run(service_fn(
        move |event: LambdaEvent<serde::de::IgnoredAny>| async move {
            let window = Window::of(&event.context, Duration::ZERO);
            let due = match timeout_at(window.end, ticker.tick()).await {
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
