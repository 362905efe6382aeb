//! The backend in a DynamoDB table.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use miniz_oxide::inflate;
use stagecall_aws::Store;
use stagecall_aws::layout::{EXPIRES, PARTITION, SORT};
use stagecall_core::Timestamp;

use super::{Backend, Stores};
use crate::dynamodb::{config, losing_store, store, table};

pub struct DynamoDb {
    table: String,
    store: Store,
}

type Item = HashMap<String, AttributeValue>;

fn client() -> Client {
    Client::from_conf(config().build())
}

async fn items(client: &Client, table: &str) -> Vec<Item> {
    let scan = client.scan().table_name(table).consistent_read(true);
    let items = scan.into_paginator().items().send();
    items.collect::<Result<_, _>>().await.unwrap()
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

    /// The deletions that DynamoDB does by TTL.
    async fn expire(&self, now: Timestamp) {
        let client = client();
        for item in items(&client, &self.table).await {
            let expires = item.get(EXPIRES).and_then(|expires| expires.as_n().ok());
            if expires.is_some_and(|at| at.parse::<i64>().unwrap() <= now.as_second()) {
                let key = [PARTITION, SORT].map(|name| (name.to_owned(), item[name].clone()));
                let delete = client.delete_item().table_name(&self.table);
                delete.set_key(Some(key.into())).send().await.unwrap();
            }
        }
    }

    async fn rows(&self) -> Vec<String> {
        let shown = |value: &AttributeValue| match value {
            AttributeValue::B(bytes) => inflate::decompress_to_vec(bytes.as_ref())
                .map_or_else(|_| "?".to_owned(), |json| String::from_utf8(json).unwrap()),
            AttributeValue::S(text) => text.clone(),
            other => format!("{other:?}"),
        };
        let items = items(&client(), &self.table).await;
        let row = |item: Item| item.values().map(shown).collect::<Vec<_>>().join(" | ");
        items.into_iter().map(row).collect()
    }

    async fn restart(self) -> Self {
        Self {
            store: store(&self.table),
            table: self.table,
        }
    }
}
