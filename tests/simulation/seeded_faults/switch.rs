//! Which seeded fault is on, as the environment says. Put into a scratch copy of the core by `tests/simulate --planted`;
//! the core itself knows nothing of it.

use std::sync::LazyLock;

static ON: LazyLock<String> =
    LazyLock::new(|| std::env::var("STAGECALL_SEEDED_FAULT").unwrap_or_default());

/// Whether the fault of this name is on.
pub fn is(name: &str) -> bool {
    *ON == name
}
