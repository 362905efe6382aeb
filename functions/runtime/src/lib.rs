//! What the functions have in common: the environment they read, the adapters they are built from, how a batch of
//! records is handled, and what is measured on the way.

pub mod batch;
mod environment;
mod logging;
pub mod measure;
mod parts;
mod window;

pub use environment::{Environment, Unusable};
pub use parts::Parts;
pub use window::Window;
