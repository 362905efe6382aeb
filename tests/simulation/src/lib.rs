//! Deterministic simulation: the real core and the real clients in a world with injected faults, a virtual clock, and a
//! scheduler that decides from one seed what happens next. One seed always gives the same history.

mod account;
mod batch;
mod caught;
mod event_queue;
mod history;
mod oracle;
mod plan;
mod process;
mod scheduler;
pub mod store;
mod wire;
mod world;

pub use batch::{Sum, many};
pub use history::{Ended, run};
