//! The common parts of the functions: environment, adapters, batches, and metrics.

mod adapters;
pub mod batch;
mod environment;
mod invocation;
mod logging;
pub mod metrics;

pub use adapters::Adapters;
pub use environment::{Environment, Unusable};
pub use invocation::InvocationDeadline;
