//! What the store in DynamoDB does beyond the ports, on an engine in memory that charges capacity as AWS does.

mod cost;
mod life;
mod many;
mod outside;
mod server;

pub use server::{store, table};
