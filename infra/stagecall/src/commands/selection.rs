//! Naming one invitation.

use clap::Args;
use stagecall_core::ids::{ApplicationId, MappingId};
use stagecall_operations::repair;

/// One application's latest invitation.
#[derive(Debug, Args)]
pub(crate) struct One {
    /// The tenant.
    tenant: String,
    /// The application's id in Eploy.
    application: ApplicationId,
    /// The mapping; required if the application has invitations of several.
    #[arg(long, value_name = "NAME")]
    mapping: Option<MappingId>,
}

impl From<One> for repair::One {
    fn from(one: One) -> Self {
        Self {
            tenant: one.tenant,
            application: one.application,
            mapping: one.mapping,
        }
    }
}
