//! How Stagecall runs in the demo.

use std::time::Duration;

use async_trait::async_trait;
use stagecall_core::ports::TenantStates;

/// A running Stagecall with the demo's tenant.
#[async_trait]
pub(crate) trait Hosting: Send + Sync {
    /// The tenant's state.
    fn states(&self) -> &dyn TenantStates;

    /// Names and addresses to look at.
    fn addresses(&self) -> Vec<(&'static str, String)>;

    /// How long nothing may change before the verdict.
    fn patience(&self) -> Duration;

    /// The number of dead letters; `None` if there are no queues.
    async fn dead_letters(&self) -> anyhow::Result<Option<usize>>;

    /// Stops it.
    async fn end(self: Box<Self>) -> anyhow::Result<()>;
}
