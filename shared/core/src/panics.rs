//! Logging of panics.

use std::panic::PanicHookInfo;

/// Logs where a panic happened but not its message, which may hold anything. For `std::panic::set_hook` of every
/// long-running program.
pub fn log_panic(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string);
    tracing::error!(place, "task panicked; please report this as a bug");
}
