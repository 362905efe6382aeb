//! The clock: woken every minute, finds what is due and hands it out.

use std::sync::Arc;

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use stagecall_core::usecases::Ticker;
use stagecall_runtime::{Parts, measure};

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
        move |_: LambdaEvent<serde::de::IgnoredAny>| async move {
            let due = ticker.tick(MOST).await;
            if let Ok(count) = due {
                tracing::info!(count, "what is due was handed out");
                measure::handed_out(count);
            }
            measure::flush();
            due.map(drop).map_err(Error::from)
        },
    ))
    .await
}
