//! The clock's work: find what is due, hand it out.

mod selector;

use std::collections::VecDeque;
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

/// So many of each tenant and kind are looked at ahead of their time.
const MAX_LOOKED_AT: usize = 100_000;

/// No clock is expected to be further ahead.
const MAX_AHEAD: SignedDuration = SignedDuration::from_hours(24 * 366 * 20);

/// Hands out what is due.
#[derive(Clone)]
pub struct Scheduler {
    due: Arc<dyn Due>,
    queue: Arc<dyn Queue>,
    clock: Arc<dyn Clock>,
    selector: Arc<Mutex<Selector>>,
    /// What is not due yet and is still to be looked at.
    ahead: Arc<Mutex<VecDeque<Work>>>,
}

impl Scheduler {
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
            ahead: Arc::default(),
        }
    }

    /// Hands out what is due, fairly: see [`Shares`]. Returns how many pieces of work.
    ///
    /// # Errors
    /// What is due cannot be found, or the queue does not take it. What it took before is handed out.
    pub async fn tick(&self) -> Result<usize, StoreError> {
        let mut count = 0;
        for kinds in STAGES {
            for batch in self.pick(kinds).await?.chunks(BATCH) {
                self.push(batch).await?;
                self.selector().lease(batch, self.clock.now());
                count += batch.len();
            }
        }
        Ok(count + self.push_ahead().await?)
    }

    /// Has also what is not due yet handed out, with this tick and the following ones as the queue has room, for a host that
    /// starts or whose clock went back: whoever takes it up sees whether it was written by a clock that was ahead, and
    /// leaves it alone if not. It gets no lease, so what is left alone is handed out when it is due. Deliveries are not among
    /// it: each time that one is looked into is one of its tries, and the sweeps find what it tells of.
    ///
    /// # Errors
    /// What is due cannot be found.
    pub async fn look_ahead(&self) -> Result<(), StoreError> {
        let now = self.clock.now();
        let kinds = Kind::ALL.into_iter().filter(|kind| *kind != Kind::Delivery);
        let kinds: Vec<Kind> = kinds.collect();
        let end = after(now, MAX_AHEAD);
        let found = self.due.due(end, &kinds, MAX_LOOKED_AT).await?;
        let not_due = found.into_iter().filter(|one| one.since > now);
        *self.ahead() = not_due.map(|one| one.item.into()).collect();
        Ok(())
    }

    /// Hands out what is still to be looked at, as much as the queue has room for. Returns how many.
    async fn push_ahead(&self) -> Result<usize, StoreError> {
        let room = self.queue.room().min(BATCH);
        let work: Vec<Work> = {
            let mut ahead = self.ahead();
            let room = room.min(ahead.len());
            ahead.drain(..room).collect()
        };
        let count = work.len();
        if count > 0 {
            self.queue.push(work).await?;
        }
        Ok(count)
    }

    /// What of these kinds is to be handed out of that which is due.
    async fn pick(&self, kinds: &[Kind]) -> Result<Vec<DueSince>, StoreError> {
        let now = self.clock.now();
        let read = self.selector().shares().read();
        let due = self.due.due(now, kinds, read).await?;
        Ok(self.selector().select(now, due, &*self.queue))
    }

    async fn push(&self, picked: &[DueSince]) -> Result<(), StoreError> {
        let work = picked.iter().map(|one| one.item.clone().into());
        self.queue.push(work.collect::<Vec<Work>>()).await
    }

    fn ahead(&self) -> MutexGuard<'_, VecDeque<Work>> {
        self.ahead.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn selector(&self) -> MutexGuard<'_, Selector> {
        // A panic under the lock loses a lease at most.
        self.selector.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
