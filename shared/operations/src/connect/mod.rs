//! Connecting a tenant: the checks of its connections.

pub mod checks;
