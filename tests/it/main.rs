//! Stagecall's tests across crates, in one binary: one link, fast.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "here, a panic is an answer"
)]
#![allow(clippy::too_many_lines, reason = "a scenario is one story")]
#![allow(
    clippy::case_sensitive_file_extension_comparisons,
    reason = "the files are ours"
)]

mod circles;
mod conformance;
mod connect;
mod dependencies;
mod documents;
mod dynamodb;
mod platforms;
mod references;
mod scenarios;
mod sqlite;
