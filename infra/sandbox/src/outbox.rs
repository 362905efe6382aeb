//! Callbacks on their way from a platform's account to the sender.

use std::time::Duration;

use tokio::sync::mpsc;

use crate::faults::Fault;
use crate::record::Platform;

/// A callback to deliver.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    pub(crate) platform: Platform,
    pub(crate) account: String,
    pub(crate) webhook: String,
    pub(crate) url: String,
    pub(crate) event: &'static str,
    pub(crate) participant: String,
    pub(crate) body: Vec<u8>,
    pub(crate) fault: Option<Fault>,
    pub(crate) retries: u32,
    pub(crate) retry: Duration,
}

/// Callbacks to deliver.
pub(crate) struct Outbox {
    sender: mpsc::UnboundedSender<Delivery>,
    /// The number that are neither delivered nor given up.
    pub(crate) pending: usize,
}

impl Outbox {
    /// An empty one, and the end that deliveries come out of.
    pub(crate) fn new() -> (Self, mpsc::UnboundedReceiver<Delivery>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self { sender, pending: 0 }, receiver)
    }

    pub(crate) fn put(&mut self, delivery: Delivery) {
        if self.sender.send(delivery).is_ok() {
            self.pending += 1;
        }
    }
}
