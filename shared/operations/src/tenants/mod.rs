//! Tenants: showing and changing their configuration.

pub mod apply;
pub mod change;
mod cost;
pub mod names;
mod overlaps;
pub mod pause;
pub mod remove;
mod removed_account;
pub mod rotate;
pub mod serve;
pub mod set;
pub mod show;
pub mod text;

pub use cost::cost;
pub use overlaps::refuse_overlaps;
