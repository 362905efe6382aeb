//! The lock that keeps a second host away. A file of its own and not a lock of the database, because an operator's
//! command may use the database while a host serves.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use super::fault::Fault;

/// Held until dropped, or until the process ends in whatever way: the operating system lets it go.
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of the database at `path`.
    pub(super) fn take(path: &Path) -> Result<Self, Fault> {
        let mut name = path.as_os_str().to_owned();
        name.push(".lock");
        let name = PathBuf::from(name);
        let failed = |error: std::io::Error| {
            Fault::Other(format!(
                "the lock file {} cannot be used: {error}",
                name.display()
            ))
        };
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&name)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(Fault::Other(
                "another Stagecall host is running on this file. Stop it first, or give this one a file of its own"
                    .to_owned(),
            )),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }
}
