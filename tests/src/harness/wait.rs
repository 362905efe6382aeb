//! Waits for a condition, with a timeout.

use std::time::Duration;

use tokio::time::Instant;

/// The default timeout, long enough for a busy machine.
const WAIT_TIMEOUT: Duration = Duration::from_secs(40);

/// The time between two checks.
const INTERVAL: Duration = Duration::from_millis(40);

/// What `look` finds, as soon as it finds something. `None` after [`WAIT_TIMEOUT`].
pub async fn soon<T>(look: impl AsyncFnMut() -> Option<T>) -> Option<T> {
    within(WAIT_TIMEOUT, look).await
}

/// What `look` finds, as soon as it finds something. `None` after `timeout`.
pub async fn within<T>(timeout: Duration, mut look: impl AsyncFnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + timeout;
    loop {
        if let Some(found) = look().await {
            return Some(found);
        }
        if Instant::now() > end {
            return None;
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

/// What `look` finds, as soon as it finds something. Panics with `what` after [`WAIT_TIMEOUT`].
pub async fn until<T>(what: &str, look: impl AsyncFnMut() -> Option<T>) -> T {
    soon(look)
        .await
        .unwrap_or_else(|| panic!("timed out waiting until {what}"))
}
