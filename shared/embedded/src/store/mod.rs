//! The store: one `SQLite` file with all durable state.
//!
//! **An acknowledged write is durable.** All writes go through one thread. It takes all waiting writes, runs each in
//! its own savepoint inside one transaction, commits once and only then answers (see [`writer`]). So many small writes
//! share one `fsync`, and a failed write does not affect the others. Measured with the example `group_commit` on two
//! cores and a disk with an uncommonly quick `fsync` (0.05 ms), debug build: 16,000 inserts at once took a 12th of the
//! time of 16,000 that each waited for a commit of their own (the median of three runs, from an 11th to a 16th);
//! counted with 8,000, they needed at most a 50th of the `fsync`s. On a slower disk the first ratio approaches the
//! second.
//!
//! **Reads** have their own connections and see every acknowledged write (WAL).
//!
//! **One host per file.** A host locks the file, under whatever name, while it runs. An operator's command opens the
//! same file without the lock and may read and write meanwhile. The file belongs on a local disk: WAL does not work
//! over a network.

mod allowance;
mod announcements;
mod definitions;
mod deliveries;
mod documents;
mod due;
mod erase;
mod fault;
mod health;
mod ledger;
mod lock;
mod readers;
mod records;
mod schema;
mod sweeps;
mod tenants;
mod tokens;
mod tombstones;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::Connection;
use stagecall_core::Timestamp;
use stagecall_core::error::StoreError;

use fault::Fault;
use lock::Lock;
use readers::Readers;
use writer::Writer;

/// The store. Clones share it; the last one dropped waits for running writes and closes the file.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    // In drop order: the lock last.
    writer: Writer,
    readers: Readers,
    lock: Option<Lock>,
    path: PathBuf,
}

impl Store {
    /// Opens the file for a host: creates it if there is none, migrates its schema, and locks out every other host.
    ///
    /// # Errors
    /// Another host uses the file; it cannot be read or written; it is damaged, another program's, or of a newer
    /// version.
    pub fn open_exclusive(path: &Path) -> Result<Self, StoreError> {
        let open = || {
            let lock = Lock::take(path)?;
            let connection = connect(path)?;
            schema::migrate(&connection)?;
            Self::start(path, connection, Some(lock))
        };
        open().map_err(|fault| at_opening(path, &fault))
    }

    /// Opens the file for a command, with or without a running host. A new file or one of an older version is migrated,
    /// which requires that no host is running.
    ///
    /// # Errors
    /// As for [`Store::open_exclusive`], except that a running host is allowed.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let open = || {
            let connection = connect(path)?;
            if !schema::is_current(&connection)? {
                let _lock = Lock::take(path)?;
                schema::migrate(&connection)?;
            }
            Self::start(path, connection, None)
        };
        open().map_err(|fault| at_opening(path, &fault))
    }

    fn start(path: &Path, connection: Connection, lock: Option<Lock>) -> Result<Self, Fault> {
        Ok(Self {
            inner: Arc::new(Inner {
                writer: Writer::start(connection)?,
                readers: Readers::new(path),
                lock,
                path: path.to_owned(),
            }),
        })
    }

    /// Runs `work` as a write; returns once it is durable.
    async fn write<T, F>(&self, operation: &'static str, work: F) -> Result<T, StoreError>
    where
        F: FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
        T: Send + 'static,
    {
        self.inner
            .writer
            .run(work)
            .await
            .map_err(|problem| StoreError::new(STORE, operation, problem))
    }

    /// Runs `work` on committed data.
    async fn read<T, F>(&self, operation: &'static str, work: F) -> Result<T, StoreError>
    where
        F: FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
        T: Send + 'static,
    {
        self.inner
            .readers
            .run(work)
            .await
            .map_err(|fault| fault.during(STORE, operation))
    }
}

const STORE: &str = "ledger";

fn at_opening(path: &Path, fault: &Fault) -> StoreError {
    StoreError::new(
        STORE,
        "open the database",
        format!("{}: {fault}", path.display()),
    )
}

/// A connection with the common settings.
fn connect(path: &Path) -> Result<Connection, Fault> {
    let connection = Connection::open(path)?;
    // An operator's command may lock the file for a moment.
    connection.busy_timeout(std::time::Duration::from_secs(10))?;
    // First of all: a foreign file must not be changed in any way.
    schema::version(&connection)?;
    configure(&connection)?;
    Ok(connection)
}

fn configure(connection: &Connection) -> Result<(), Fault> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", "OFF")?;
    // Removed data is overwritten: nothing of an erased candidate is left in unused pages.
    connection.pragma_update(None, "secure_delete", "ON")?;
    // Manipulated schemas may not run functions.
    connection.pragma_update(None, "trusted_schema", "OFF")?;
    // After a burst the WAL's file shrinks again.
    connection.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

/// A time for a column, in microseconds since 1970: rounded up, so that nothing is due early.
fn column(at: Timestamp) -> i64 {
    // The range of a timestamp is a tenth of what fits.
    i64::try_from((at.as_nanosecond() + 999).div_euclid(1000)).unwrap_or(i64::MAX)
}

/// The current time, for comparison with columns: rounded down.
fn instant(now: Timestamp) -> i64 {
    i64::try_from(now.as_nanosecond().div_euclid(1000)).unwrap_or(i64::MAX)
}

fn document<T: serde::Serialize>(of: &T) -> Result<String, StoreError> {
    serde_json::to_string(of).map_err(|error| StoreError::new(STORE, "write a document", error))
}

/// Parses a row's document. `row` names the row, for the operator who has to fix it.
fn parse<T: serde::de::DeserializeOwned>(
    row: std::fmt::Arguments<'_>,
    text: &str,
) -> Result<T, Fault> {
    serde_json::from_str(text).map_err(|error| Fault::Unreadable {
        row: row.to_string(),
        error,
    })
}

#[cfg(test)]
mod tests;
