//! What operators do about invitations, callbacks and results that are not as they should be.

pub mod cancel;
pub mod redrive;
pub mod reinvite;
pub mod replay;
pub mod resync;
pub mod retry;
mod selection;
pub mod unmatched;
mod withdrawal;

pub use selection::One;
pub(crate) use withdrawal::withdraw;
