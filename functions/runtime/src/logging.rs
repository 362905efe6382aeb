//! Logs: JSON, one line per event, on standard output, where Lambda collects them.

use stagecall_logs::JsonLines;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Starts logging at the level that the template set for the function (`AWS_LAMBDA_LOG_LEVEL`). Other crates log from
/// warnings on: below that, some of them log what they send and receive.
pub(crate) fn start() {
    let level = std::env::var("AWS_LAMBDA_LOG_LEVEL")
        .ok()
        .and_then(|level| level.parse().ok())
        .unwrap_or(LevelFilter::INFO);
    let filter = Targets::new()
        .with_default(level.min(LevelFilter::WARN))
        .with_target("stagecall", level);
    // A second call, in a test, does nothing.
    let _ = tracing_subscriber::registry()
        .with(filter)
        .with(JsonLines::to(std::io::stdout))
        .try_init();
    std::panic::set_hook(Box::new(stagecall_core::log_panic));
}
