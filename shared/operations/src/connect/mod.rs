//! Connecting a tenant: its Eploy and its platform accounts, with a check of each step.

mod address;
pub mod checks;
mod steps;

pub use address::address;
pub use steps::{Account, AccountSettings, Connecting, EploySettings};
