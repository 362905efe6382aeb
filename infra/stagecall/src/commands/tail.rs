//! `stagecall tail`.

use std::time::Duration;

use clap::Args;
use stagecall_core::Timestamp;
use stagecall_operations::Installation;
use stagecall_operations::events::{Event, Follower};
use stagecall_operations::history::describe;
use tokio::time::Instant;

use crate::exit;
use crate::host::interrupted;
use crate::output::local;
use crate::point_in_time::since;

/// Follow events as they happen.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  stagecall tail acme")]
pub(crate) struct Arguments {
    /// Only this tenant.
    tenant: Option<String>,
    /// Begin with events since: a time, a day, or a duration ago (2h, 3d).
    #[arg(long, value_name = "TIME", value_parser = since)]
    since: Option<Timestamp>,
    /// Seconds between two reads.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..))]
    every: u64,
    /// Stop after this number of seconds. [default: run until ctrl-c]
    #[arg(long, value_name = "SECONDS")]
    r#for: Option<u64>,
    /// Print one JSON object per line, for scripts.
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(arguments: Arguments, on: &Installation) -> anyhow::Result<u8> {
    let end = arguments
        .r#for
        .map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let mut stopped = std::pin::pin!(interrupted());
    let since = arguments.since.unwrap_or_else(|| on.clock.now());
    let mut follower = Follower::new(arguments.tenant, since);
    loop {
        for event in follower.next(on).await? {
            print(&event, arguments.json)?;
        }
        let pause = Instant::now() + Duration::from_secs(arguments.every);
        if end.is_some_and(|end| end < pause) {
            return Ok(exit::OK);
        }
        tokio::select! {
            () = &mut stopped => return Ok(exit::OK),
            () = tokio::time::sleep_until(pause) => {}
        }
    }
}

fn print(event: &Event, json: bool) -> anyhow::Result<()> {
    if json {
        println!("{}", serde_json::to_string(event)?);
    } else {
        let Event { key, entry, .. } = event;
        println!("{}  {key}  {}", local(entry.at), describe(entry));
    }
    Ok(())
}
