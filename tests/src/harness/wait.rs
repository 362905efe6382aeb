//! Waiting for something to come about, and no longer.

use std::time::Duration;

use tokio::time::Instant;

/// How long something may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(40);

/// How often it is looked at.
const INTERVAL: Duration = Duration::from_millis(40);

/// What `look` finds, as soon as it finds something; `None` if that takes too long.
pub async fn soon<T>(look: impl AsyncFnMut() -> Option<T>) -> Option<T> {
    within(PATIENCE, look).await
}

/// What `look` finds, as soon as it finds something; `None` if that takes longer than `patience`.
pub async fn within<T>(patience: Duration, mut look: impl AsyncFnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + patience;
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

/// What `look` finds, as soon as it finds something. Fails with `what` if that takes too long.
pub async fn until<T>(what: &str, look: impl AsyncFnMut() -> Option<T>) -> T {
    soon(look)
        .await
        .unwrap_or_else(|| panic!("waited in vain until {what}"))
}
