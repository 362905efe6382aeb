//! `stagecall unmatched link`.

use clap::Args;
use stagecall_core::ids::{ApplicationId, MappingId};
use stagecall_operations::Installation;
use stagecall_operations::repair::unmatched::{LinkQuestion, link};

use crate::confirm::Audit;
use crate::exit;

/// Link a callback to an application's invitation.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  stagecall unmatched link acme 3fa9… --application 70215 --reference p7Yk2"
)]
pub(crate) struct Arguments {
    /// The tenant.
    tenant: String,
    /// The delivery's id, or a unique prefix of it.
    delivery: String,
    /// The application's id in Eploy.
    #[arg(long, value_name = "ID")]
    application: ApplicationId,
    /// The mapping; required if the application has invitations of several.
    #[arg(long, value_name = "NAME")]
    mapping: Option<MappingId>,
    /// The invitation's reference; required if the delivery has several.
    #[arg(long, value_name = "REFERENCE")]
    reference: Option<String>,
    #[command(flatten)]
    audit: Audit,
}

pub(crate) async fn run(arguments: Arguments, on: &Installation) -> anyhow::Result<u8> {
    let question = LinkQuestion {
        tenant: arguments.tenant,
        delivery: arguments.delivery,
        application: arguments.application,
        mapping: arguments.mapping,
        reference: arguments.reference,
    };
    let change = link(on, &question).await?;
    if let Some(done) = arguments.audit.carry_out(change, on).await? {
        println!("{} is linked to {}", done.delivery, done.row.key);
    }
    Ok(exit::OK)
}
