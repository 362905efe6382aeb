//! The lock against a second host. Not one of SQLite's, because an operator's command may use the database while a host
//! runs.
//!
//! It is on the database file itself, so it works under any name of the file: a symbolic link, a hard link, a mount. It
//! is a `flock` lock, which is independent of SQLite's locks (`fcntl`).
//!
//! Earlier versions locked only `<file>.lock`. That is locked, too, so that hosts of such a version and of this one do
//! not share a file.

use std::fs::{File, TryLockError};
use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};

use super::fault::Fault;

/// Held until dropped, or until the process ends in any way: the operating system releases it.
pub(super) struct Lock {
    database: Handle,
    _beside: File,
}

/// A handle on the database. It is never closed: when a process closes *any* handle on a file, the operating system
/// releases all `fcntl` locks of the process on it, including those of SQLite's connections.
type Handle = ManuallyDrop<File>;

impl Lock {
    /// Locks the database at `path`, and creates an empty file if there is none.
    pub(super) fn take(path: &Path) -> Result<Self, Fault> {
        let database = ManuallyDrop::new(open(path)?);
        lock(&database, path)?;
        let mut name = path.as_os_str().to_owned();
        name.push(".lock");
        let name = PathBuf::from(name);
        let beside = open(&name).and_then(|file| lock(&file, &name).map(|()| file));
        if beside.is_err() {
            release(&database);
        }
        Ok(Self {
            database,
            _beside: beside?,
        })
    }
}

impl Lock {
    pub(super) fn database(&self) -> &File {
        &self.database
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        release(&self.database);
    }
}

fn release(database: &Handle) {
    if let Err(error) = database.unlock() {
        tracing::error!(%error, "database lock not released, held until the process ends");
    }
}

fn open(path: &Path) -> Result<File, Fault> {
    let mut options = File::options();
    options.create(true).truncate(false).read(true).write(true);
    options.open(path).map_err(|error| unusable(path, &error))
}

fn lock(file: &File, path: &Path) -> Result<(), Fault> {
    file.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => Fault::Other(
            "another Stagecall host is running on this file, perhaps by another name of it. Stop it first, or give this one a file of its own"
                .to_owned(),
        ),
        TryLockError::Error(error) => unusable(path, &error),
    })
}

fn unusable(path: &Path, error: &std::io::Error) -> Fault {
    Fault::Other(format!("{} cannot be locked: {error}", path.display()))
}
