//! Whether the file is still the one the host opened, and is writable.

use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::Path;

use rusqlite::{Connection, OpenFlags};
use stagecall_core::Timestamp;
use stagecall_core::error::StoreError;

use super::fault::{DAMAGED, Fault};
use super::lock::Lock;
use super::{STORE, Store, column, schema};

/// The first bytes of every SQLite file.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// The offset of the application id in the header.
const APPLICATION_ID_AT: u64 = 68;

impl Store {
    /// Durably records a successful check at `now`, and checks that the file is still the one that was opened and a
    /// Stagecall database: not removed, replaced or overwritten.
    ///
    /// # Errors
    /// It is not, or it is not writable.
    pub async fn check(&self, now: Timestamp) -> Result<(), StoreError> {
        let operation = "check the database";
        if let Some(lock) = &self.inner.lock {
            is_ours(lock, &self.inner.path)
                .map_err(|fault| StoreError::new(STORE, operation, fault))?;
        }
        self.write(operation, move |connection| {
            let statement = "INSERT INTO heartbeat (id, at) VALUES (1, ?1)
                 ON CONFLICT (id) DO UPDATE SET at = ?1";
            connection
                .prepare_cached(statement)?
                .execute([column(now)])?;
            Ok(())
        })
        .await
    }

    /// Reads the whole file and checks the consistency of its pages: 300,000 invitations (430 MB) take 0.3 seconds if
    /// the system has the file in memory. Changes inside a value are not detected.
    ///
    /// # Errors
    /// They are inconsistent, or the file cannot be read.
    pub(super) async fn verify_pages(&self) -> Result<(), StoreError> {
        let path = self.inner.path.clone();
        let verifying = tokio::task::spawn_blocking(move || {
            // Its own connection, because others cache pages; opened without creating a file.
            let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let connection = Connection::open_with_flags(path, flags)?;
            let first = "PRAGMA quick_check(1)";
            let found: String = connection.query_row(first, [], |row| row.get(0))?;
            if found == "ok" {
                return Ok(());
            }
            Err(Fault::Other(format!("{DAMAGED} ({found})")))
        });
        let verified = verifying
            .await
            .unwrap_or_else(|_| Err(Fault::Other("the check was aborted".to_owned())));
        verified.map_err(|fault| fault.during(STORE, "verify the database"))
    }

    /// Resolves when the writing thread has ended, so that no more writes are possible.
    pub async fn writer_ended(&self) {
        self.inner.writer.ended().await;
    }
}

fn is_ours(lock: &Lock, path: &Path) -> Result<(), Fault> {
    let unreadable =
        |error: std::io::Error| Fault::Other(format!("{} cannot be read: {error}", path.display()));
    let (file, named) = (
        lock.database(),
        std::fs::metadata(path).map_err(unreadable)?,
    );
    let opened = file.metadata().map_err(unreadable)?;
    if (opened.dev(), opened.ino()) != (named.dev(), named.ino()) {
        return Err(Fault::Other(format!(
            "{} is another file than the one that was opened. Stop the host, put the right file there, and start it again",
            path.display()
        )));
    }
    let (mut magic, mut mark) = ([0; MAGIC.len()], [0; 4]);
    let read = file
        .read_exact_at(&mut magic, 0)
        .and_then(|()| file.read_exact_at(&mut mark, APPLICATION_ID_AT));
    // The application id of a new file is only in its journal for a while.
    let marks = [0, schema::APPLICATION_ID];
    let intact = read.is_ok() && magic == *MAGIC && marks.contains(&i32::from_be_bytes(mark));
    if intact {
        Ok(())
    } else {
        Err(Fault::Other(format!(
            "{} was overwritten. Stop the host and restore a backup",
            path.display()
        )))
    }
}
