//! The queue of this process, and the workers that empty it.
//!
//! What waits here is only a hint: the store knows what is due. So the queue may drop what it has no room for, and
//! forget everything when the process ends.

mod lanes;
mod workers;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use stagecall_core::error::StoreError;
use stagecall_core::ports::Queue;
use stagecall_core::work::Work;
use tokio::sync::Notify;

use lanes::Lanes;

pub use workers::Workers;

/// How much of it there may be.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The most pieces of work that wait.
    pub capacity: usize,
    /// The most that run at a time; polls, as many beside.
    pub max_total: usize,
    /// The most of one tenant that run at a time, beside its poll.
    pub max_per_tenant: usize,
}

/// The queue. Clones share it.
///
/// Work that waits already is not queued twice; what two pieces of it say is put together. Work that is being done is
/// queued once more and begun after the running one has ended. Tenants take turns, and so do a tenant's kinds of work;
/// polls have workers of their own.
#[derive(Clone)]
pub struct WorkQueue {
    shared: Arc<Shared>,
}

struct Shared {
    lanes: Mutex<Lanes>,
    changed: Notify,
}

impl WorkQueue {
    /// An empty queue, and the workers for it.
    pub fn new(limits: Limits) -> (Self, Workers) {
        let queue = Self {
            shared: Arc::new(Shared {
                lanes: Mutex::new(Lanes::new(limits)),
                changed: Notify::new(),
            }),
        };
        (queue.clone(), Workers::new(queue))
    }

    /// How many pieces of work wait.
    pub fn depth(&self) -> usize {
        self.lanes().depth()
    }

    fn lanes(&self) -> MutexGuard<'_, Lanes> {
        // Nothing under the lock can panic half-way through a change that matters.
        self.shared
            .lanes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Queue for WorkQueue {
    async fn push(&self, work: Vec<Work>) -> Result<(), StoreError> {
        let dropped = {
            let mut lanes = self.lanes();
            work.into_iter()
                .filter_map(|work| lanes.push(work).err())
                .count()
        };
        if dropped > 0 {
            tracing::debug!(
                dropped,
                "the queue is full; what was dropped is found again when it is due"
            );
        }
        self.shared.changed.notify_one();
        Ok(())
    }

    fn is_durable(&self) -> bool {
        false
    }

    fn has(&self, work: &Work) -> Option<bool> {
        Some(self.lanes().has(work))
    }

    fn room(&self) -> usize {
        self.lanes().room()
    }
}
