//! The operators' work on each store.

mod fixture;
mod reading;
mod removal;
mod repair;

pub use reading::*;
pub use removal::*;
pub use repair::*;
