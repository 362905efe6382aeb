//! An installation on AWS.

use std::sync::Arc;

use stagecall_aws::Stack;
use stagecall_core::clock::Clock;

use super::Opened;

/// Finds the stack.
pub(super) async fn open(name: &str, clock: Arc<dyn Clock>) -> anyhow::Result<Opened> {
    let stack = Stack::find(name, clock).await?;
    let secrets = Arc::new(stack.secrets);
    Ok(Opened::of(
        &Arc::new(stack.store),
        secrets.clone(),
        secrets,
        Arc::new(stack.queue),
    ))
}
