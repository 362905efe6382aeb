//! Who does Stagecall's part in the story.

use std::time::Duration;

use async_trait::async_trait;
use stagecall_core::ports::TenantStates;

/// A running Stagecall that knows the story's tenant.
#[async_trait]
pub(crate) trait Hosting: Send + Sync {
    /// How polling stands.
    fn states(&self) -> &dyn TenantStates;

    /// Where it can be looked at: what, and its address.
    fn addresses(&self) -> Vec<(&'static str, String)>;

    /// How long nothing may change before the story is judged as it stands.
    fn patience(&self) -> Duration;

    /// How much work failed so often that nobody tries it any more; `None` where there is no such thing.
    async fn dead_letters(&self) -> anyhow::Result<Option<usize>>;

    /// Ends it.
    async fn end(self: Box<Self>) -> anyhow::Result<()>;
}
