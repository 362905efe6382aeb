//! `stagecall retry`.

use clap::Args;
use stagecall_core::ids::{ApplicationId, MappingId};
use stagecall_operations::Installation;
use stagecall_operations::repair::retry::{Question, prepare};

use crate::confirm::Audit;
use crate::exit;

/// Retry at once: an application's invitations, or all of a tenant that failed or wait.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  stagecall retry acme 70215\n  stagecall retry acme --failed --yes --reason 'the key was renewed'"
)]
pub(crate) struct Arguments {
    /// The tenant.
    tenant: String,
    /// The application's id in Eploy.
    #[arg(required_unless_present = "failed")]
    application: Option<ApplicationId>,
    /// All of the tenant's invitations that failed, and all reports that are deferred.
    #[arg(long, conflicts_with = "application")]
    failed: bool,
    /// Of this mapping only.
    #[arg(long, value_name = "NAME")]
    mapping: Option<MappingId>,
    #[command(flatten)]
    audit: Audit,
}

pub(crate) async fn run(arguments: Arguments, on: &Installation) -> anyhow::Result<u8> {
    let question = Question {
        tenant: arguments.tenant,
        application: arguments.application,
        mapping: arguments.mapping,
    };
    let retry = prepare(on, &question).await?;
    if let Some(done) = arguments.audit.carry_out_any(retry, on).await? {
        for (key, why) in done.rejected {
            println!("{key}: {why}");
        }
        println!("{} will be retried at once", done.count);
    }
    Ok(exit::OK)
}
