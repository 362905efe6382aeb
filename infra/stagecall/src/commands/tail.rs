//! `stagecall tail`.

use std::collections::HashMap;
use std::time::Duration;

use clap::Args;
use stagecall_core::Timestamp;
use stagecall_core::ids::InvitationKey;
use stagecall_core::ports::InvitationFilter;
use stagecall_core::timing::{after, seconds};
use tokio::time::Instant;

use crate::exit;
use crate::host::interrupted;
use crate::output::local;
use crate::point_in_time::since;
use stagecall_operations::Installation;
use stagecall_operations::history::describe;
use stagecall_operations::invitations::all as invitations;

/// The overlap of two reads in a row, in seconds.
const OVERLAP_SECONDS: f64 = 60.0;

#[derive(Debug, Args)]
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

pub(crate) async fn run(arguments: &Arguments, on: &Installation) -> anyhow::Result<u8> {
    let end = arguments
        .r#for
        .map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let mut stopped = std::pin::pin!(interrupted());
    let begin = arguments.since.unwrap_or_else(|| on.clock.now());
    let mut from = begin;
    let mut shown = HashMap::new();
    loop {
        // A process that writes at the same time may be a little behind, so each read overlaps the one before.
        let overlap = after(from, seconds(-OVERLAP_SECONDS)).max(begin);
        from = look(arguments, on, overlap, begin, &mut shown)
            .await?
            .max(from);
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

/// Prints the events after `begin`, and returns the time of the latest. `shown`: for each invitation, the time up to which
/// its history was printed, and the number of entries at that very time.
async fn look(
    arguments: &Arguments,
    on: &Installation,
    from: Timestamp,
    begin: Timestamp,
    shown: &mut HashMap<InvitationKey, (Timestamp, usize)>,
) -> anyhow::Result<Timestamp> {
    let filter = InvitationFilter {
        since: Some(from),
        ..InvitationFilter::default()
    };
    let mut lines = Vec::new();
    for tenant in on.named_or_all(arguments.tenant.as_deref()).await? {
        for one in invitations(on, &tenant, &filter).await? {
            let (until, count) = shown.get(&one.key).copied().unwrap_or((begin, 0));
            let mut same = 0;
            for entry in &one.history {
                same += usize::from(entry.at == until);
                if entry.at > until || (entry.at == until && same > count) {
                    lines.push((entry.at, one.key.clone(), entry.clone()));
                }
            }
            let last = one.touched_at();
            let of_last = one.history.iter().filter(|entry| entry.at == last).count();
            shown.insert(one.key, (last, of_last));
        }
    }
    lines.sort_by_key(|(at, _, _)| *at);
    for (at, key, entry) in &lines {
        if arguments.json {
            println!(
                "{}",
                serde_json::json!({"at": at, "tenant": key.tenant, "invitation": key.name(), "what": entry.what, "detail": entry.detail})
            );
        } else {
            println!("{}  {key}  {}", local(*at), describe(entry));
        }
    }
    Ok(lines.last().map_or(from, |(at, _, _)| *at))
}
