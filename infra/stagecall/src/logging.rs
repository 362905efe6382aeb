//! Logs go to standard error, so that standard output holds only the command's result.

use std::io::IsTerminal as _;

use stagecall_logs::JsonLines;
use tracing::{Level, Metadata};
use tracing_subscriber::filter::{FilterExt as _, Targets, filter_fn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, fmt};

/// Starts logging at `level` and above, unless the variable `STAGECALL_LOG` sets another level, or levels by module
/// (`STAGECALL_LOG=info,stagecall_core=debug`).
pub(crate) fn start(level: Level, json: bool) {
    let default = Targets::new().with_default(level);
    let filter = match std::env::var("STAGECALL_LOG").as_deref().map(str::parse) {
        Ok(Ok(requested)) => requested,
        Ok(Err(error)) => {
            eprintln!("stagecall: STAGECALL_LOG is invalid ({error}); logging at {level}");
            default
        }
        Err(_) => default,
    };
    let logs = if json {
        let lines = JsonLines::to(std::io::stderr);
        lines.with_filter(filter).boxed()
    } else {
        // Events name their tenant and invitation themselves where a person needs that; a span would repeat them.
        let events = filter.and(filter_fn(is_event));
        fmt::layer()
            .with_writer(std::io::stderr)
            .with_ansi(std::io::stderr().is_terminal())
            .compact()
            .with_filter(events)
            .boxed()
    };
    tracing_subscriber::registry().with(logs).init();
    std::panic::set_hook(Box::new(stagecall_core::log_panic));
}

fn is_event(metadata: &Metadata<'_>) -> bool {
    metadata.is_event()
}
