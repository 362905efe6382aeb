//! Errors of operations.

use stagecall_core::error::{CallError, Error as UseCaseError, StoreError};

/// Why an operation could not be done. Each text says what failed and what to do instead.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The question is invalid; nothing was changed.
    #[error("{0}")]
    Invalid(String),
    /// What the question names does not exist.
    #[error("{0}")]
    NotFound(String),
    /// Others are at work on the same record; a repetition may succeed.
    #[error("{0}")]
    Busy(String),
    /// The state of the record does not allow it.
    #[error("{0}")]
    Conflict(String),
    /// A tenant's system rejected a call, or it failed.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The outcome of an operation.
pub type Result<T> = std::result::Result<T, Error>;

impl From<UseCaseError> for Error {
    fn from(error: UseCaseError) -> Self {
        match error {
            UseCaseError::Call(error) => Self::Call(error),
            UseCaseError::Store(error) => Self::Store(error),
            UseCaseError::UnknownTenant(_) => Self::NotFound(error.to_string()),
        }
    }
}
