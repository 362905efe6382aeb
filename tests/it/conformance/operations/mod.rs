//! The operators' work on each store.

mod configuration;
mod fixture;
mod reading;
mod removal;
mod repair;

pub use configuration::*;
pub use reading::*;
pub use removal::*;
pub use repair::*;
