//! Exit codes, and errors that have one.

use stagecall_core::error::CallError;
use stagecall_operations::Error;

pub(crate) const OK: u8 = 0;
pub(crate) const FAILED: u8 = 1;
/// The command line or the configuration is invalid; nothing was started.
pub(crate) const USAGE: u8 = 2;
/// Another system rejected a call: credentials, permission, address.
pub(crate) const REFUSED: u8 = 3;
/// The named record does not exist.
pub(crate) const NOT_FOUND: u8 = 4;

/// An error with an exit code other than [`FAILED`].
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct ExitError {
    code: u8,
    message: String,
}

/// An error that exits with [`USAGE`].
pub(crate) fn usage(message: impl Into<String>) -> anyhow::Error {
    let message = message.into();
    ExitError {
        code: USAGE,
        message,
    }
    .into()
}

/// An error that exits with [`NOT_FOUND`].
pub(crate) fn not_found(message: impl Into<String>) -> anyhow::Error {
    let message = message.into();
    ExitError {
        code: NOT_FOUND,
        message,
    }
    .into()
}

/// The exit code of an error.
pub(crate) fn code(of: &anyhow::Error) -> u8 {
    if let Some(exit_error) = of.downcast_ref::<ExitError>() {
        return exit_error.code;
    }
    match of.downcast_ref::<Error>() {
        Some(Error::Invalid(_)) => USAGE,
        Some(Error::NotFound(_)) => NOT_FOUND,
        Some(Error::Call(_)) => REFUSED,
        Some(Error::Busy(_) | Error::Conflict(_) | Error::Store(_)) => FAILED,
        None if of.downcast_ref::<CallError>().is_some() => REFUSED,
        None => FAILED,
    }
}
