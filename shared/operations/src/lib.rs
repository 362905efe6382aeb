//! What operators and the console do to an installation: typed questions and answers. Nothing here prints, asks or knows
//! a terminal; what changes something saves an audit record.
//!
//! A decision that people are shown is the one that acts: plan, explanation and test of a mapping ask the use cases of
//! `stagecall_core`, and the checks of a connection are made by its client.

mod actor;
pub mod allowance;
pub mod broken;
pub mod callbacks;
mod change;
pub mod connect;
pub mod credentials;
pub mod doctor;
pub mod erase;
mod error;
pub mod events;
pub mod explain;
pub mod finding;
pub mod hires;
pub mod history;
mod installation;
pub mod invitations;
pub mod lists;
pub mod mappings;
pub mod plan;
pub mod probe;
pub mod repair;
pub mod retention;
pub mod status;
pub mod tenants;
#[cfg(test)]
mod testing;
pub mod time;
pub mod validate;

pub use actor::Actor;
pub use change::{Change, Prepared};
pub use error::{Error, Result};
pub use installation::{DeadQueue, Hosting, Installation, Surroundings};
