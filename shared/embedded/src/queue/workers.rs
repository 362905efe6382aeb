//! The workers: tasks of this process, as many as the limits allow.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use stagecall_core::work::Work;
use tokio::task::{Id, JoinError, JoinSet};

use super::WorkQueue;

/// The workers that empty a [`WorkQueue`].
pub struct Workers {
    queue: WorkQueue,
    running: HashMap<Id, Work>,
}

impl Workers {
    pub(super) fn new(queue: WorkQueue) -> Self {
        Self {
            queue,
            running: HashMap::new(),
        }
    }

    /// Passes each piece of work to `handler` until `shutdown` resolves. Then it starts nothing new and waits at most
    /// `grace` for running work. Aborted and waiting work is still due in the store.
    ///
    /// A panic of a handler ends only that piece of work.
    pub async fn run<H, F>(
        mut self,
        handler: H,
        shutdown: impl Future<Output = ()>,
        grace: Duration,
    ) where
        H: Fn(Work) -> F + Send + Sync + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let handler = Arc::new(handler);
        let queue = self.queue.clone();
        let mut tasks = JoinSet::new();
        let mut shutdown = pin!(shutdown);
        loop {
            // In its own statement: the lock is released after it.
            loop {
                let next = queue.lanes().take();
                let Some(work) = next else { break };
                let handler = Arc::clone(&handler);
                let begun = work.clone();
                // The handler is called inside the task, so a panic before its future exists is caught, too.
                let task = tasks.spawn(async move { handler(begun).await });
                self.running.insert(task.id(), work);
            }
            tokio::select! {
                biased;
                () = &mut shutdown => break,
                Some(ended) = tasks.join_next_with_id() => self.ended(ended),
                () = queue.shared.changed.notified() => {}
            }
        }
        let drained = tokio::time::timeout(grace, async {
            while let Some(ended) = tasks.join_next_with_id().await {
                self.ended(ended);
            }
        });
        if drained.await.is_err() {
            tracing::warn!(
                works = tasks.len(),
                grace_seconds = grace.as_secs_f64(),
                "work aborted at shutdown, due again at the next start"
            );
            tasks.shutdown().await;
        }
    }

    fn ended(&mut self, ended: Result<(Id, ()), JoinError>) {
        let id = match &ended {
            Ok((id, ())) => *id,
            Err(error) => error.id(),
        };
        let Some(work) = self.running.remove(&id) else {
            return;
        };
        if ended.is_err_and(|error| error.is_panic()) {
            // Without the panic's message: it may hold personal data.
            tracing::error!(
                tenant = %work.tenant(),
                work = work.kind().name(),
                "work's handler panicked, it stays due"
            );
        }
        self.queue.lanes().finish(&work);
    }
}

#[cfg(test)]
mod tests;
