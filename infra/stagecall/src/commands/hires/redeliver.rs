//! `stagecall hires redeliver`.

use clap::Args;
use stagecall_core::announcement::Hire;
use stagecall_operations::Installation;
use stagecall_operations::hires::{Redelivered, redelivery};

use crate::confirm::Audit;
use crate::exit;

/// Send the webhook of a hire again, whatever its state; the webhook's id stays the same.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  stagecall hires redeliver acme 70215 --reason 'their system was down'\n  stagecall hires redeliver acme --placement 31"
)]
pub(crate) struct Arguments {
    /// The tenant.
    tenant: String,
    /// The id in Eploy of the application that was hired.
    #[arg(required_unless_present = "placement")]
    application: Option<String>,
    /// The id in Eploy of the placement, where hires are placements.
    #[arg(long, value_name = "ID", conflicts_with = "application")]
    placement: Option<String>,
    #[command(flatten)]
    audit: Audit,
}

pub(crate) async fn run(arguments: Arguments, on: &Installation) -> anyhow::Result<u8> {
    let hire = match (&arguments.application, &arguments.placement) {
        (Some(id), _) => Hire::Application(id.as_str().into()),
        (None, Some(id)) => Hire::Placement(id.as_str().into()),
        (None, None) => return Err(exit::usage("name an application or --placement")),
    };
    let change = redelivery(on, &arguments.tenant, hire.clone()).await?;
    match arguments.audit.carry_out(change, on).await? {
        Some(Redelivered::Due) => println!("{hire} will be sent at once"),
        Some(Redelivered::UnderWay) => println!("{hire} is already being sent"),
        None => {}
    }
    Ok(exit::OK)
}
