//! The commands that list what a tenant's systems have: `jobs`, `stages`, `assessments`, `outcomes` and `questions`.

pub(super) mod assessments;
pub(super) mod jobs;
mod options;
pub(super) mod outcomes;
pub(super) mod questions;
pub(super) mod stages;
