//! `stagecall reinvite`.

use clap::Args;
use stagecall_operations::Installation;
use stagecall_operations::repair::reinvite::{Reinvited, prepare};

use super::selection::One;
use crate::confirm::Audit;
use crate::exit;

/// Invite an application again, in a new round.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  stagecall reinvite acme 70215 --mapping support-video --reason 'the recording was silent'"
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    one: One,
    #[command(flatten)]
    audit: Audit,
}

pub(crate) async fn run(arguments: Arguments, on: &Installation) -> anyhow::Result<u8> {
    let round = prepare(on, &arguments.one.into()).await?;
    match arguments.audit.carry_out(round, on).await? {
        Some(Reinvited::Due(key)) => println!("{key} will be sent at once"),
        Some(Reinvited::Existed(key)) => println!("{key} exists already"),
        None => {}
    }
    Ok(exit::OK)
}
