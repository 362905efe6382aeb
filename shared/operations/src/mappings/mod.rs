//! Mappings of a tenant.

pub mod add;
pub mod change;
pub mod choices;
pub mod show;
pub mod test;
