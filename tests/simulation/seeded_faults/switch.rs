//! The seeded fault that is on, from the environment. `tests/simulate --planted` copies this into a scratch copy of the
//! core. The core itself does not have it.

use std::sync::LazyLock;

static ON: LazyLock<String> =
    LazyLock::new(|| std::env::var("STAGECALL_SEEDED_FAULT").unwrap_or_default());

/// Whether the fault of this name is on.
pub fn is(name: &str) -> bool {
    *ON == name
}
