//! What the functions have in common: the environment they read, the adapters they are built from, how a batch of
//! records is handled, and what is measured on the way.

mod adapters;
pub mod batch;
mod environment;
mod invocation;
mod logging;
pub mod metrics;

pub use adapters::Adapters;
pub use environment::{Environment, Unusable};
pub use invocation::InvocationDeadline;
