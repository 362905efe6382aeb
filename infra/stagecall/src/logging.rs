//! Logs: to standard error, so that standard output stays the command's own.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

/// Starts logging at `level` and above, unless the variable `STAGECALL_LOG` says otherwise
/// (`STAGECALL_LOG=debug`, `STAGECALL_LOG=stagecall_core=debug`).
pub(crate) fn start(level: &str, json: bool) {
    let filter = EnvFilter::try_from_env("STAGECALL_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    // A second start, in a test, changes nothing.
    let _ = if json {
        logs.json().flatten_event(true).try_init()
    } else {
        logs.compact().try_init()
    };
}
