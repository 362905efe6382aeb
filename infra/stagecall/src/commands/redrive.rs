//! `stagecall redrive`.

use clap::Args;
use stagecall_operations::Installation;
use stagecall_operations::repair::redrive::prepare;

use crate::confirm::Audit;
use crate::exit;

/// Send dead letters back to their queues, after showing their number and some of them.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  stagecall redrive --store aws:stagecall-prod --reason 'the platform is back'"
)]
pub(crate) struct Arguments {
    /// The maximum number of each queue.
    #[arg(long, default_value_t = 1000)]
    most: usize,
    #[command(flatten)]
    audit: Audit,
}

pub(crate) async fn run(arguments: Arguments, on: &Installation) -> anyhow::Result<u8> {
    let redrive = prepare(on, arguments.most).await?;
    let done = arguments.audit.carry_out_any(redrive, on).await?;
    for one in done.unwrap_or_default() {
        println!("{}: {} sent back", one.queue, one.count);
    }
    Ok(exit::OK)
}
