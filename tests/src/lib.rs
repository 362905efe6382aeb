//! Support for the tests across crates: samples of the vocabulary, of nobody in particular, and a rig that runs the real
//! command against the sandbox. The tests are in `it/`.

pub mod harness;
pub mod privacy;
pub mod sample;
