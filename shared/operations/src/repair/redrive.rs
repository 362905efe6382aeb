//! Sending dead letters back to their queues.

use std::fmt::Write as _;

use async_trait::async_trait;

use crate::actor::Actor;
use crate::change::{Change, Prepared};
use crate::error::Result;
use crate::installation::Installation;

/// Sends dead letters back to their queues.
#[derive(Debug)]
pub struct Redrive {
    queues: Vec<DeadLetters>,
    most: usize,
}

/// The dead letters of a queue.
#[derive(Debug)]
struct DeadLetters {
    queue: String,
    count: usize,
    sample: Vec<String>,
}

/// The dead letters that were sent back to a queue.
#[derive(Debug)]
pub struct Redriven {
    /// The queue.
    pub queue: String,
    /// Their number.
    pub count: usize,
}

/// Prepares sending dead letters back, at most `most` of each queue.
///
/// # Errors
/// A queue cannot be read.
pub async fn prepare(on: &Installation, most: usize) -> Result<Prepared<Redrive>> {
    if on.dead_letters.is_empty() {
        return Ok(Prepared::Nothing(format!(
            "{} has no queues: due work is retried automatically, and there are no dead letters",
            on.name
        )));
    }
    let mut queues = Vec::new();
    for queue in &on.dead_letters {
        let count = queue.count().await?;
        if count > 0 {
            queues.push(DeadLetters {
                queue: queue.name().to_owned(),
                count,
                sample: queue.sample().await?,
            });
        }
    }
    if queues.is_empty() {
        let words = "there are no dead letters".to_owned();
        return Ok(Prepared::Nothing(words));
    }
    Ok(Prepared::Change(Redrive { queues, most }))
}

#[async_trait]
impl Change for Redrive {
    type Done = Vec<Redriven>;

    fn in_words(&self) -> String {
        let mut words = String::new();
        for DeadLetters {
            queue,
            count,
            sample,
        } in &self.queues
        {
            let _ = writeln!(words, "{queue}: {count} dead letters, such as");
            for line in sample {
                let _ = writeln!(words, "  {line}");
            }
        }
        words.push_str("They will be retried. Work that was completed meanwhile is not repeated.");
        words
    }

    async fn apply(self, on: &Installation, actor: &Actor) -> Result<Vec<Redriven>> {
        let mut done = Vec::new();
        for queue in &on.dead_letters {
            if !self.queues.iter().any(|one| one.queue == queue.name()) {
                continue;
            }
            let count = queue.redrive(self.most).await?;
            let queue = queue.name().to_owned();
            let target = format!("{count} of {queue}");
            actor.record(on, "redrive", None, target).await?;
            done.push(Redriven { queue, count });
        }
        Ok(done)
    }
}
