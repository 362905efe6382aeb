//! A change in two steps: what it will do, shown to the person who confirms it, and doing it.

use async_trait::async_trait;

use crate::actor::Actor;
use crate::error::Result;
use crate::installation::Installation;

/// A change that is prepared, and not done yet.
#[async_trait]
pub trait Change: Send {
    /// What was done.
    type Done;

    /// What will happen, in words.
    fn in_words(&self) -> String;

    /// Does it, and saves the audit record.
    ///
    /// # Errors
    /// A call or the store failed, or what is saved has changed since and no longer allows it.
    async fn apply(self, on: &Installation, actor: &Actor) -> Result<Self::Done>;
}

/// What preparing a change found.
#[derive(Debug)]
pub enum Prepared<C> {
    /// The change.
    Change(C),
    /// Nothing has to be changed, for this reason.
    Nothing(String),
}
