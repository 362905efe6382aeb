//! Support for the tests across crates: samples of the vocabulary, of nobody in particular. The tests are in `it/`.

pub mod sample;
