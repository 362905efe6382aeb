//! The clock's work: find what is due and enqueue it.

mod selector;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::SignedDuration;

use crate::clock::Clock;
use crate::error::StoreError;
use crate::metrics;
use crate::ports::{Due, DueSince, Queue};
use crate::timing::after;
use crate::work::{Kind, Work};

use selector::Selector;
pub use selector::Shares;

/// Polls come first, before anything else is looked up: there is one per tenant, and everything begins with them.
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

/// How many items go to the queue at a time: a batch that was taken has its lease even if a later one fails.
const BATCH: usize = 1000;

/// How many items of each tenant and kind are enqueued ahead of time.
const MAX_EARLY_ITEMS: usize = 100_000;

/// The furthest that a clock is expected to be ahead.
const MAX_AHEAD: SignedDuration = SignedDuration::from_hours(24 * 366 * 20);

/// Enqueues what is due.
#[derive(Clone)]
pub struct Scheduler {
    due: Arc<dyn Due>,
    queue: Arc<dyn Queue>,
    clock: Arc<dyn Clock>,
    selector: Arc<Mutex<Selector>>,
    /// Items that are not due yet and are still to be enqueued.
    ahead: Arc<Mutex<VecDeque<Work>>>,
}

impl Scheduler {
    /// A scheduler that has enqueued nothing so far.
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

    /// Enqueues what is due, fairly: see [`Shares`]. Returns how many items.
    ///
    /// # Errors
    /// The due items cannot be found, or the queue refuses them. Earlier batches stay enqueued.
    pub async fn tick(&self) -> Result<usize, StoreError> {
        let mut count = 0;
        for kinds in STAGES {
            for batch in self.pick(kinds).await?.chunks(BATCH) {
                self.push(batch).await?;
                self.selector().lease(batch, self.clock.now());
                count += batch.len();
            }
        }
        count += self.push_ahead().await?;
        metrics::work_enqueued(count);
        Ok(count)
    }

    /// Also enqueues what is not due yet, with this tick and the following ones as the queue has room, for a host that
    /// starts or whose clock was set back. The worker checks whether a clock that was ahead wrote the row, and leaves
    /// it alone if not. These items get no lease, so what is left alone is enqueued when it is due. Deliveries are not
    /// among them: each attempt to process one counts as a try, and the sweeps find their results anyway.
    ///
    /// # Errors
    /// The items cannot be found.
    pub async fn look_ahead(&self) -> Result<(), StoreError> {
        let now = self.clock.now();
        let kinds = Kind::ALL.into_iter().filter(|kind| *kind != Kind::Delivery);
        let kinds: Vec<Kind> = kinds.collect();
        let end = after(now, MAX_AHEAD);
        let found = self.due.due(end, &kinds, MAX_EARLY_ITEMS).await?;
        let not_due = found.into_iter().filter(|one| one.since > now);
        *self.ahead() = not_due.map(|one| one.item.into()).collect();
        Ok(())
    }

    /// Enqueues items ahead of time, as many as the queue has room for. Returns how many.
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

    /// Selects which of the due items of these kinds to enqueue.
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
