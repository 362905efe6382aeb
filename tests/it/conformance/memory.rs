//! The backend in memory, which the simulation runs on.

use std::sync::Arc;

use async_trait::async_trait;
use stagecall_simulation::store::Memory;

use super::{Backend, Stores};

pub struct InMemory(Memory);

#[async_trait]
impl Backend for InMemory {
    async fn new() -> Self {
        Self(Memory::default())
    }

    fn stores(&self) -> Stores {
        Stores::of(Arc::new(self.0.clone()))
    }

    async fn rows(&self) -> Vec<String> {
        self.0.dump()
    }

    async fn restart(self) -> Self {
        self
    }
}
