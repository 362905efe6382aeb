//! Stagecall's core: its vocabulary, the ledger's state machine, the use cases and the ports they need.
//!
//! No I/O, no HTTP, no AWS, no clock of its own. The hosts choose the adapters; the core makes every decision that must
//! be right.

pub mod announcement;
pub mod app;
pub mod clock;
pub mod credentials;
pub mod definition;
pub mod engine;
pub mod error;
pub mod events;
#[cfg(test)]
mod fake_ports;
pub mod ids;
pub mod invitation;
pub mod meeting;
pub mod metrics;
mod overlap;
mod panics;
pub mod person;
pub mod ports;
pub mod report;
pub mod result;
pub mod skew;
pub mod tenant;
pub mod timing;
mod unreadable;
pub mod usecases;
pub mod work;

pub use jiff::{SignedDuration, Timestamp};
pub use overlap::Overlap;
pub use panics::log_panic;
pub use unreadable::unreadable;
