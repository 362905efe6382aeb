//! Support for the tests across crates: sample data about made-up people, and a harness that runs the real command
//! against the sandbox. The tests are in `it/`.

pub mod harness;
pub mod privacy;
pub mod sample;
