//! Stagecall on one machine: the core's ports without any external service.
//!
//! * [`Store`]: all durable state, in one `SQLite` file;
//! * [`WorkQueue`] and [`Workers`]: the work of this process, fair between tenants;
//! * [`FileSecrets`]: credentials from files and the environment, callback tokens from a key file;
//! * [`Vault`]: the credentials and callback tokens that commands store beside the file.
//!
//! All decisions about invitations are made by the core.

mod queue;
mod secrets;
mod store;

pub use queue::{Limits, WorkQueue, Workers};
pub use secrets::{CallbackSettings, FileSecrets, SigningSources, Source, TenantSources, Vault};
pub use store::Store;
