//! `stagecall cancel`.

use clap::Args;
use stagecall_core::ports::Withdrawn;
use stagecall_operations::repair::cancel::prepare;
use stagecall_operations::{Error, Installation};

use super::selection::One;
use crate::confirm::Audit;
use crate::exit;

/// Cancel an invitation: it is not sent, or is withdrawn on the platform and counts as cancelled.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  stagecall cancel acme 70215 --reason 'vacancy closed'")]
pub(crate) struct Arguments {
    #[command(flatten)]
    one: One,
    #[command(flatten)]
    audit: Audit,
    /// Leave the platform's data unchanged.
    #[arg(long)]
    here_only: bool,
}

pub(crate) async fn run(arguments: Arguments, on: &Installation) -> anyhow::Result<u8> {
    let cancellation = prepare(on, &arguments.one.into(), arguments.here_only).await?;
    let done = arguments.audit.carry_out_any(cancellation, on).await;
    let Some(done) = done.map_err(with_hint)? else {
        return Ok(exit::OK);
    };
    let key = &done.row.key;
    let account = &done.row.assessment.account;
    match &done.withdrawn {
        Some(Withdrawn::Done) => println!("{key}: withdrawn on {account}"),
        Some(Withdrawn::Impossible { why }) => println!("{key}: {account} still has it. {why}"),
        None => {}
    }
    match &done.rejected {
        Some(why) => println!("{key}: {why}"),
        None => println!("{key} is cancelled"),
    }
    Ok(exit::OK)
}

/// Where the platform cannot be called, nothing is changed anywhere.
fn with_hint(error: anyhow::Error) -> anyhow::Error {
    match error.downcast_ref::<Error>() {
        Some(Error::Call(_) | Error::NotFound(_)) => {
            error.context("nothing was changed; to cancel without the platform: --here-only")
        }
        _ => error,
    }
}
