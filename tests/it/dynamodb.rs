//! What the store in DynamoDB does beyond the ports, on an engine in memory that charges capacity as AWS does.

mod cost;
mod life;
mod losing;
mod many;
mod outside;
mod overtaken;
mod server;

pub use losing::losing_store;
pub use server::{config, store, table};
