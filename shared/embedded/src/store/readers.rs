//! Connections for reading, off the async threads.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::connect;
use super::fault::Fault;

/// More connections would only wait for the same disk.
const MAX_READERS: usize = 4;

pub(super) struct Readers {
    path: PathBuf,
    idle: Arc<Mutex<Vec<Connection>>>,
    turns: Arc<Semaphore>,
}

impl Readers {
    pub(super) fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            idle: Arc::default(),
            turns: Arc::new(Semaphore::new(MAX_READERS)),
        }
    }

    /// Runs `work` on one of the connections.
    pub(super) async fn run<T, F>(&self, work: F) -> Result<T, Fault>
    where
        F: FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
        T: Send + 'static,
    {
        let stopped = |_| Fault::Other("the read was aborted".to_owned());
        let turn = Arc::clone(&self.turns)
            .acquire_owned()
            .await
            .map_err(|_| Fault::Other("the store is closed".to_owned()))?;
        let idle = Arc::clone(&self.idle);
        let path = self.path.clone();
        tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let spare = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let connection = match spare {
                Some(connection) => connection,
                None => reading(&path)?,
            };
            let outcome = work(&connection);
            // After a failure a new connection is safer.
            if outcome.is_ok() {
                idle.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(connection);
            }
            outcome
        })
        .await
        .map_err(stopped)?
    }
}

fn reading(path: &Path) -> Result<Connection, Fault> {
    let connection = connect(path)?;
    connection.pragma_update(None, "query_only", "ON")?;
    Ok(connection)
}
