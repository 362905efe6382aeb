//! `stagecall redrive`.

use std::fmt::Write as _;

use clap::Args;

use crate::confirm::Audit;
use crate::exit;
use stagecall_operations::Installation;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The maximum number of each queue.
    #[arg(long, default_value_t = 1000)]
    most: usize,
    #[command(flatten)]
    audit: Audit,
}

/// Sends dead letters back to their queues, after showing their number and some of them.
pub(crate) async fn run(arguments: &Arguments, on: &Installation) -> anyhow::Result<u8> {
    if on.dead_letters.is_empty() {
        println!(
            "{} has no queues: due work is retried automatically, and there are no dead letters",
            on.name
        );
        return Ok(exit::OK);
    }
    let mut what = String::new();
    let mut full = Vec::new();
    for queue in &on.dead_letters {
        let count = queue.count().await?;
        if count == 0 {
            continue;
        }
        writeln!(what, "{}: {count} dead letters, such as", queue.name())?;
        for line in queue.sample().await? {
            writeln!(what, "  {line}")?;
        }
        full.push(queue);
    }
    if full.is_empty() {
        println!("there are no dead letters");
        return Ok(exit::OK);
    }
    what.push_str("They will be retried. Work that was completed meanwhile is not repeated.");
    if !arguments.audit.confirm(&what)? {
        return Ok(exit::OK);
    }
    for queue in full {
        let count = queue.redrive(arguments.most).await?;
        let target = format!("{count} of {}", queue.name());
        arguments
            .audit
            .actor()
            .record(on, "redrive", None, target)
            .await?;
        println!("{}: {count} sent back", queue.name());
    }
    Ok(exit::OK)
}
