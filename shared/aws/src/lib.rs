//! Stagecall on AWS: the core's ports on DynamoDB, SQS, Secrets Manager and EventBridge.
//!
//! The README describes the table's layout, the cost of an invitation, and the format of a tenant's secret.

mod batch;
mod connect;
mod dead_letters;
mod events;
mod fault;
mod https;
mod queue;
mod secrets;
mod stack;
mod store;
#[cfg(test)]
mod testing;
mod visibility;

pub use connect::{Access, connect, connect_with};
pub use dead_letters::{DeadLetter, DeadLetters};
pub use events::BusEvents;
pub use https::https_client;
pub use queue::{QueueUrls, SqsQueue};
pub use secrets::ManagedSecrets;
pub use stack::Stack;
pub use store::{Store, layout};
pub use visibility::{HeldMessage, HeldMessages};
