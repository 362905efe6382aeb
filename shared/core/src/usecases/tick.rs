//! The clock's work: find what is due, hand it out.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::clock::Clock;
use crate::error::StoreError;
use crate::ports::{Due, DueItem, Queue};
use crate::timing::after;
use crate::work::Work;

/// No clock is expected to be further ahead.
const MAX_AHEAD: SignedDuration = SignedDuration::from_hours(24 * 366 * 20);

/// Hands out what is due.
#[derive(Clone)]
pub struct Ticker {
    /// Finds it.
    pub due: Arc<dyn Due>,
    /// Takes it.
    pub queue: Arc<dyn Queue>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl Ticker {
    /// Hands out up to `limit` items. Returns how many.
    pub async fn tick(&self, limit: usize) -> Result<usize, StoreError> {
        self.hand_out(self.clock.now(), limit).await
    }

    /// Hands out also what is not due yet, `limit` at most, for a host that starts or whose clock went back: whoever takes it
    /// up sees whether it was written by a clock that was ahead, and leaves it alone if not. Returns how many.
    pub async fn look_ahead(&self, limit: usize) -> Result<usize, StoreError> {
        let until = after(self.clock.now(), MAX_AHEAD);
        self.hand_out(until, limit).await
    }

    async fn hand_out(&self, until: Timestamp, limit: usize) -> Result<usize, StoreError> {
        let due = self.due.due(until, limit).await?;
        let work: Vec<Work> = due.into_iter().map(Work::from).collect();
        let count = work.len();
        if count > 0 {
            self.queue.push(work).await?;
        }
        Ok(count)
    }
}

impl From<DueItem> for Work {
    fn from(item: DueItem) -> Self {
        match item {
            DueItem::Poll(tenant) => Self::Poll { tenant },
            DueItem::Invitation(key, step) => Self::step(key, step),
            DueItem::Sweep(tenant, assessment) => Self::Sweep { tenant, assessment },
            DueItem::Delivery(tenant, id) => Self::Delivery { tenant, id },
            DueItem::Announcement(key) => Self::Announce { key },
        }
    }
}

#[cfg(test)]
mod tests;
