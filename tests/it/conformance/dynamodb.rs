//! The backend in a DynamoDB table.

use std::sync::Arc;

use async_trait::async_trait;
use stagecall_aws::Store;

use super::{Backend, Stores};
use crate::dynamodb::{store, table};

pub struct DynamoDb {
    table: String,
    store: Store,
}

#[async_trait]
impl Backend for DynamoDb {
    async fn new() -> Self {
        let table = table().await;
        let store = store(&table);
        Self { table, store }
    }

    fn stores(&self) -> Stores {
        let store = Arc::new(self.store.clone());
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
        Self {
            store: store(&self.table),
            table: self.table,
        }
    }
}
