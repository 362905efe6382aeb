//! The queue of this process, and the workers that empty it.
//!
//! Queued work is only a hint: the store knows what is due. So the queue may drop work it has no room for, and loses
//! everything when the process ends.

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

#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The maximum number of waiting pieces of work.
    pub capacity: usize,
    /// The maximum that run at a time; the same number of polls in addition.
    pub max_total: usize,
    /// The maximum of one tenant that run at a time, in addition to its poll.
    pub max_per_tenant: usize,
}

/// The queue. Clones share it.
///
/// Waiting work is not queued twice; the fields of both pieces are merged. Running work is queued once more and starts
/// after the running one has ended. Tenants take turns, and so do a tenant's kinds of work; polls have their own
/// workers.
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

    /// The number of waiting pieces of work.
    pub fn depth(&self) -> usize {
        self.lanes().depth()
    }

    fn lanes(&self) -> MutexGuard<'_, Lanes> {
        // No code under the lock can panic in the middle of a relevant change.
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
            tracing::debug!(dropped, "work dropped by a full queue, it stays due");
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
