//! The platforms that candidates are invited to: one module each behind one pure trait ([`Adapter`]), and the one
//! driver that runs any of them. `README.md` tells how to add a platform, `REFERENCE.md` what is
//! known of each.

mod adapter;
mod callback;
mod client;
mod connections;
mod credentials;
mod delivery;
mod error;
mod json;
mod kind;
mod problem;
mod settings;
mod spec;
#[cfg(test)]
mod testing;
mod validate;
mod wecp;
mod willo;

pub use adapter::{Account, Adapter, CallbackPlan, CallbackWrite, Callbacks, Listed, Page, Step};
pub use connections::Connections;
pub use error::{Effect, PlatformError, Wait};
pub use kind::{KINDS, capability_table, kind, names};
pub use problem::{PROBLEMS, Problem};
pub use settings::{Secret, Setting, Wants};
pub use spec::PlatformSpec;
pub use validate::{validate, validate_mapping};
