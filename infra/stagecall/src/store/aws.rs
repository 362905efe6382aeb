//! An installation on AWS.

use std::sync::Arc;

use async_trait::async_trait;
use stagecall_aws::{DeadLetters, Stack};
use stagecall_core::error::StoreError;
use stagecall_operations::{DeadQueue, Hosting, Installation};

use super::{Common, StoreUrl};

/// Connects to the stack.
pub(super) async fn open(name: &str, common: Common) -> anyhow::Result<Installation> {
    let stack = Stack::find(name, common.clock.clone()).await?;
    let secrets = Arc::new(stack.secrets);
    let dead = stack
        .dead_letters
        .into_iter()
        .map(|(name, letters)| Box::new(Dead { name, letters }) as Box<dyn DeadQueue>)
        .collect();
    Ok(Installation::new(
        &Arc::new(stack.store),
        common.surroundings(
            &StoreUrl::Aws(name.to_owned()),
            Hosting::Serverless,
            secrets.clone(),
            secrets,
            Arc::new(stack.queue),
            dead,
        ),
    ))
}

struct Dead {
    name: &'static str,
    letters: DeadLetters,
}

#[async_trait]
impl DeadQueue for Dead {
    fn name(&self) -> &str {
        self.name
    }

    async fn count(&self) -> Result<usize, StoreError> {
        self.letters.count().await
    }

    async fn sample(&self) -> Result<Vec<String>, StoreError> {
        let letters = self.letters.sample().await?;
        Ok(letters
            .into_iter()
            .map(|letter| {
                let sent = letter.sent_at.map(|at| at.to_string()).unwrap_or_default();
                let work = match &letter.work {
                    Some(work) => serde_json::to_string(work).unwrap_or_default(),
                    None => "cannot be read".to_owned(),
                };
                format!("{sent} {} {work}", letter.id)
            })
            .collect())
    }

    async fn redrive(&self, most: usize) -> Result<usize, StoreError> {
        self.letters.redrive(most).await
    }
}
