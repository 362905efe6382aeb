//! What is logged of a panic.

use std::panic::PanicHookInfo;

/// Logs where a panic was, and not its message: nobody has checked what that may hold. For `std::panic::set_hook` of
/// every program that serves.
pub fn log_panic(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string);
    tracing::error!(place, "the program panicked; report this place as a bug");
}
