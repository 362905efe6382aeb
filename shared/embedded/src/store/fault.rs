//! Errors of the file, with what to do.

use std::fmt;

use rusqlite::ErrorCode;
use stagecall_core::error::StoreError;
use stagecall_core::unreadable;

/// The text for a corrupt file.
pub(super) const DAMAGED: &str = "the file is damaged. Stop the host, keep the file and its -wal, and restore a backup or recover it with sqlite3's .recover";

/// A failure of the file.
#[derive(Debug)]
pub(super) enum Fault {
    /// An error of `SQLite`.
    Sqlite(rusqlite::Error),
    /// A row that this version cannot read.
    Unreadable {
        row: String,
        error: serde_json::Error,
    },
    Other(String),
}

impl Fault {
    /// The error for the caller.
    pub(super) fn during(self, store: &'static str, operation: &'static str) -> StoreError {
        let error = StoreError::new(store, operation, &self);
        match self {
            Self::Unreadable { .. } => error.permanent(),
            Self::Sqlite(_) | Self::Other(_) => error,
        }
    }

    fn advice(error: &rusqlite::Error) -> Option<&'static str> {
        Some(match error.sqlite_error_code()? {
            ErrorCode::DiskFull => {
                "the disk is full. Make room; acknowledged writes are safe and work resumes automatically"
            }
            ErrorCode::DatabaseCorrupt => DAMAGED,
            ErrorCode::NotADatabase => {
                "this is not a database. Check the path, or restore a backup"
            }
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => {
                "another process has been writing to the file for too long. Find and stop it"
            }
            ErrorCode::CannotOpen => {
                "the file cannot be opened. Check that its directory exists and may be written to"
            }
            ErrorCode::ReadOnly | ErrorCode::PermissionDenied => {
                "the file or its directory may not be written to. Check their permissions and the disk"
            }
            ErrorCode::SystemIoFailure => "reading or writing the disk failed. Check the disk",
            _ => return None,
        })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(error) => match Self::advice(error) {
                Some(advice) => write!(to, "{advice} ({error})"),
                None => error.fmt(to),
            },
            Self::Unreadable { row, error } => {
                write!(to, "the row of {row} cannot be read: {}", unreadable(error))
            }
            Self::Other(problem) => to.write_str(problem),
        }
    }
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}
