//! The clock's work: find what is due, hand it out.

mod selector;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::SignedDuration;

use crate::clock::Clock;
use crate::error::StoreError;
use crate::ports::{Due, DueSince, Queue};
use crate::timing::after;
use crate::work::{Kind, Work};

use selector::Selector;
pub use selector::Shares;

/// Polls first, before anything else is even looked for: they are one per tenant, and everything begins with them.
const STAGES: [&[Kind]; 2] = [
    &[Kind::Poll],
    &[
        Kind::Delivery,
        Kind::WriteBack,
        Kind::Invite,
        Kind::Sweep,
        Kind::Announce,
    ],
];

/// How many pieces of work go to the queue at a time: what it took has its lease, whatever becomes of the rest.
const BATCH: usize = 1000;

/// No clock is expected to be further ahead.
const MAX_AHEAD: SignedDuration = SignedDuration::from_hours(24 * 366 * 20);

/// Hands out what is due.
#[derive(Clone)]
pub struct Ticker {
    due: Arc<dyn Due>,
    queue: Arc<dyn Queue>,
    clock: Arc<dyn Clock>,
    selector: Arc<Mutex<Selector>>,
}

impl Ticker {
    /// A ticker that has handed out nothing so far.
    pub fn new(
        due: Arc<dyn Due>,
        queue: Arc<dyn Queue>,
        clock: Arc<dyn Clock>,
        shares: Shares,
    ) -> Self {
        Self {
            due,
            queue,
            clock,
            selector: Arc::new(Mutex::new(Selector::new(shares))),
        }
    }

    /// Hands out what is due, fairly: see [`Shares`]. Returns how many pieces of work.
    ///
    /// # Errors
    /// What is due cannot be found, or the queue does not take it. What it took before is handed out.
    pub async fn tick(&self) -> Result<usize, StoreError> {
        let mut count = 0;
        for kinds in STAGES {
            for batch in self.pick(kinds, SignedDuration::ZERO).await?.chunks(BATCH) {
                self.push(batch).await?;
                self.selector().lease(batch, self.clock.now());
                count += batch.len();
            }
        }
        Ok(count)
    }

    /// Hands out also what is not due yet, a share of each tenant and kind at most, for a host that starts or whose clock
    /// went back: whoever takes it up sees whether it was written by a clock that was ahead, and leaves it alone if not. It
    /// gets no lease, so what is left alone is handed out when it is due. Returns how many.
    ///
    /// # Errors
    /// As for [`Self::tick`].
    pub async fn look_ahead(&self) -> Result<usize, StoreError> {
        let mut count = 0;
        for kinds in STAGES {
            let picked = self.pick(kinds, MAX_AHEAD).await?;
            if !picked.is_empty() {
                self.push(&picked).await?;
            }
            count += picked.len();
        }
        Ok(count)
    }

    /// What of these kinds is to be handed out of that which is due, or is going to be within so long.
    async fn pick(
        &self,
        kinds: &[Kind],
        ahead: SignedDuration,
    ) -> Result<Vec<DueSince>, StoreError> {
        let now = self.clock.now();
        let read = self.selector().shares().read();
        let due = self.due.due(after(now, ahead), kinds, read).await?;
        Ok(self.selector().select(now, due, &*self.queue))
    }

    async fn push(&self, picked: &[DueSince]) -> Result<(), StoreError> {
        let work = picked.iter().map(|one| one.item.clone().into());
        self.queue.push(work.collect::<Vec<Work>>()).await
    }

    fn selector(&self) -> MutexGuard<'_, Selector> {
        // A panic under the lock loses a lease at most.
        self.selector.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
