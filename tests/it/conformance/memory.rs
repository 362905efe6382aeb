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
        let store = Arc::new(self.0.clone());
        Stores {
            ledger: store.clone(),
            sweeps: store.clone(),
            deliveries: store.clone(),
            due: store.clone(),
            tenants: store.clone(),
            definitions: store.clone(),
            states: store.clone(),
            allowance: store.clone(),
            records: store.clone(),
            announcements: store,
        }
    }

    async fn restart(self) -> Self {
        self
    }
}
