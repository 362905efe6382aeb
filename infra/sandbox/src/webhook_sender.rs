//! Delivers callbacks of all platforms, to loopback addresses only, with faults and retries.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use url::{Host, Url};

use crate::client::{Client, ClientError};
use crate::faults::Fault;
use crate::outbox::Delivery;
use crate::record::CallbackRecord;
use crate::state::Shared;

/// The timeout of a receiver. Unknown; this is the sandbox's choice.
const RECEIVER_TIMEOUT: Duration = Duration::from_secs(10);
const MAX_CONCURRENT: usize = 32;

/// Delivers callbacks from the outbox until stopped.
pub(crate) async fn send_webhooks(
    shared: Shared,
    mut outbox: mpsc::UnboundedReceiver<Delivery>,
    mut stop: watch::Receiver<bool>,
) {
    let client = Client::new(RECEIVER_TIMEOUT);
    let at_once = Arc::new(Semaphore::new(MAX_CONCURRENT));
    let mut deliveries = JoinSet::new();
    loop {
        tokio::select! {
            delivery = outbox.recv() => match delivery {
                Some(delivery) => {
                    deliveries.spawn(deliver(shared.clone(), client.clone(), at_once.clone(), delivery));
                }
                None => break,
            },
            Some(_) = deliveries.join_next() => {}
            _ = stop.changed() => break,
        }
    }
    deliveries.shutdown().await;
}

async fn deliver(shared: Shared, client: Client, at_once: Arc<Semaphore>, delivery: Delivery) {
    match delivery.fault {
        Some(Fault::CallbackLost) => shared
            .lock()
            .context
            .records
            .callbacks
            .push(CallbackRecord {
                problem: Some("lost on purpose".to_owned()),
                ..record(&delivery, 1)
            }),
        Some(Fault::CallbackTwice) => {
            attempts(&shared, &client, &at_once, &delivery).await;
            attempts(&shared, &client, &at_once, &delivery).await;
        }
        Some(Fault::CallbackLate { ms }) => {
            tokio::time::sleep(Duration::from_millis(ms)).await;
            attempts(&shared, &client, &at_once, &delivery).await;
        }
        _ => attempts(&shared, &client, &at_once, &delivery).await,
    }
    shared.lock().context.outbox.pending -= 1;
}

/// Retries until a 2xx response or the last attempt.
async fn attempts(shared: &Shared, client: &Client, at_once: &Semaphore, delivery: &Delivery) {
    for attempt in 1..=delivery.retries.saturating_add(1) {
        if attempt > 1 {
            tokio::time::sleep(delivery.retry).await;
        }
        let answer = {
            // The semaphore is never closed.
            let _turn = at_once.acquire().await;
            post(client, delivery).await
        };
        let (status, problem) = match answer {
            Ok(status) => (Some(status), None),
            Err(problem) => (None, Some(problem.to_string())),
        };
        shared
            .lock()
            .context
            .records
            .callbacks
            .push(CallbackRecord {
                status,
                problem,
                ..record(delivery, attempt)
            });
        if status.is_some_and(|status| (200..300).contains(&status)) {
            return;
        }
    }
}

/// Why there was no response to a callback.
#[derive(Debug, thiserror::Error)]
enum Undelivered {
    #[error("the sandbox calls back to http addresses on the loopback only")]
    Elsewhere,
    #[error("{0}")]
    Client(#[from] ClientError),
}

async fn post(client: &Client, delivery: &Delivery) -> Result<u16, Undelivered> {
    if !is_loopback(&delivery.url) {
        return Err(Undelivered::Elsewhere);
    }
    Ok(client
        .post_json(&delivery.url, delivery.body.clone())
        .await?
        .status)
}

fn is_loopback(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else {
        return false;
    };
    url.scheme() == "http"
        && match url.host() {
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            Some(Host::Domain(name)) => name == "localhost",
            None => false,
        }
}

fn record(delivery: &Delivery, attempt: u32) -> CallbackRecord {
    CallbackRecord {
        at: Timestamp::now(),
        platform: delivery.platform,
        account: delivery.account.clone(),
        webhook: delivery.webhook.clone(),
        event: delivery.event.into(),
        participant: delivery.participant.clone(),
        attempt,
        status: None,
        problem: None,
        fault: delivery.fault.as_ref().map(|fault| fault.name().into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_loopback_is_called() {
        for url in [
            "http://127.0.0.1:9/x?event=y",
            "http://localhost/x",
            "http://[::1]:80/",
        ] {
            assert!(is_loopback(url), "{url}");
        }
        for url in [
            "https://127.0.0.1/",
            "http://10.0.0.1/",
            "http://hooks.example.com/",
            "http://localhost.example.com/",
            "nonsense",
        ] {
            assert!(!is_loopback(url), "{url}");
        }
    }
}
