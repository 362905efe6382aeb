//! The one thread that writes, committing in groups.
//!
//! While one group is committed, the next one collects in the channel. There is no timer: a single write is committed
//! at once. The channel is bounded: callers wait while it is full, which is the back-pressure.

use std::thread::JoinHandle;

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

use super::fault::Fault;

/// The maximum number of writes in one commit.
const MAX_GROUP_WRITES: usize = 512;

/// The maximum number of waiting writes.
const MAX_QUEUED_WRITES: usize = 1024;

pub(super) struct Writer {
    // Both are `Some` until dropped.
    jobs: Option<mpsc::Sender<Box<dyn Job>>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(connection: Connection) -> Result<Self, Fault> {
        let (jobs, waiting) = mpsc::channel(MAX_QUEUED_WRITES);
        let thread = std::thread::Builder::new()
            .name("stagecall-writer".to_owned())
            .spawn(move || serve(connection, waiting))
            .map_err(|error| {
                Fault::Other(format!("the writing thread cannot be started: {error}"))
            })?;
        Ok(Self {
            jobs: Some(jobs),
            thread: Some(thread),
        })
    }

    /// Runs `work` in its own savepoint; returns after the commit that includes it. The error is a text, because one
    /// failed commit is the error of many writes.
    pub(super) async fn run<T, F>(&self, work: F) -> Result<T, String>
    where
        F: FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
        T: Send + 'static,
    {
        let gone = || "the writing thread has ended. Restart the host".to_owned();
        let (reply, answer) = oneshot::channel();
        let job = Box::new(Call {
            work: Some(work),
            outcome: None,
            reply,
        });
        let jobs = self.jobs.as_ref().ok_or_else(gone)?;
        jobs.send(job).await.map_err(|_| gone())?;
        answer.await.unwrap_or_else(|_| Err(gone()))
    }
}

impl Writer {
    /// Resolves when the thread has ended.
    pub(super) async fn ended(&self) {
        if let Some(jobs) = &self.jobs {
            jobs.closed().await;
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("store's writer panicked");
        }
    }
}

/// One write and the channel of its answer.
trait Job: Send {
    /// Runs it. `Err` if it was rolled back.
    fn run(&mut self, transaction: &mut Transaction<'_>) -> Result<(), String>;

    /// Answers the caller after the group's commit.
    fn answer(self: Box<Self>, group: Result<(), String>);
}

struct Call<T, F> {
    work: Option<F>,
    outcome: Option<Result<T, String>>,
    reply: oneshot::Sender<Result<T, String>>,
}

impl<T, F> Job for Call<T, F>
where
    F: FnOnce(&Connection) -> Result<T, Fault> + Send,
    T: Send,
{
    fn run(&mut self, transaction: &mut Transaction<'_>) -> Result<(), String> {
        let Some(work) = self.work.take() else {
            return Ok(());
        };
        let outcome = in_savepoint(transaction, work).map_err(|fault| fault.to_string());
        let done = outcome.as_ref().map(|_| ()).map_err(Clone::clone);
        self.outcome = Some(outcome);
        done
    }

    fn answer(self: Box<Self>, group: Result<(), String>) {
        let answer = match (group, self.outcome) {
            // Its own error is more specific than the group's.
            (_, Some(Err(problem))) | (Err(problem), _) => Err(problem),
            (Ok(()), Some(Ok(value))) => Ok(value),
            (Ok(()), None) => Err("the write was not started".to_owned()),
        };
        // The caller may be gone.
        let _ = self.reply.send(answer);
    }
}

fn in_savepoint<T>(
    transaction: &mut Transaction<'_>,
    work: impl FnOnce(&Connection) -> Result<T, Fault>,
) -> Result<T, Fault> {
    // Dropped without a commit, it rolls back `work`.
    let savepoint = transaction.savepoint()?;
    let value = work(&savepoint)?;
    savepoint.commit()?;
    Ok(value)
}

fn serve(mut connection: Connection, mut waiting: mpsc::Receiver<Box<dyn Job>>) {
    while let Some(first) = waiting.blocking_recv() {
        let mut group = vec![first];
        while group.len() < MAX_GROUP_WRITES
            && let Ok(next) = waiting.try_recv()
        {
            group.push(next);
        }
        let outcome = commit(&mut connection, &mut group);
        if let Err(problem) = &outcome {
            tracing::error!(writes = group.len(), problem, "writes failed");
        }
        for job in group {
            job.answer(outcome.clone());
        }
    }
}

fn commit(connection: &mut Connection, group: &mut [Box<dyn Job>]) -> Result<(), String> {
    let words = |error: rusqlite::Error| Fault::from(error).to_string();
    let mut transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(words)?;
    for job in group {
        // Errors such as a full disk may end the whole transaction, including earlier writes.
        if let Err(problem) = job.run(&mut transaction)
            && transaction.is_autocommit()
        {
            return Err(problem);
        }
    }
    transaction.commit().map_err(words)
}

#[cfg(test)]
mod tests;
