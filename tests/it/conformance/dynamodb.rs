//! The backend in a DynamoDB table.

use std::sync::Arc;

use async_trait::async_trait;
use stagecall_aws::Store;

use super::{Backend, Stores};
use crate::dynamodb::{losing_store, store, table};

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
        Stores::of(Arc::new(self.store.clone()))
    }

    fn losing_answers(&self) -> Stores {
        Stores::of(Arc::new(losing_store(&self.table)))
    }

    async fn restart(self) -> Self {
        Self {
            store: store(&self.table),
            table: self.table,
        }
    }
}
