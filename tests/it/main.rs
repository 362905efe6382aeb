//! Stagecall's tests across crates, in one binary: one link, fast.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "here, a panic is an answer"
)]

mod conformance;
mod connect;
mod dependencies;
mod dynamodb;
mod platforms;
mod scenarios;
mod sqlite;
