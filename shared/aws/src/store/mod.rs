//! The store: one DynamoDB table.
//!
//! Every change is one conditional write (see [`write`]). Reads of single rows are consistent, so a worker that gets work
//! right after a write sees it. The index is eventually consistent, so its results are proposals and the row decides.

mod allowance;
mod announcements;
mod definitions;
mod deliveries;
mod due;
mod erase;
mod item;
pub mod layout;
mod ledger;
mod records;
mod sweeps;
mod tenants;
mod tokens;
mod write;

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::KeysAndAttributes;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use stagecall_core::error::StoreError;

use crate::fault::problem;
use item::Item;
use layout::RowKey;

/// The store's name in errors.
pub(crate) const STORE: &str = "ledger";

/// The maximum number of rows that DynamoDB reads in one call.
const MAX_ROWS_PER_READ: usize = 100;

/// The maximum number of concurrent calls of one operation.
const MAX_CONCURRENT_CALLS: usize = 8;

/// The store. Clones share its connections.
#[derive(Clone, Debug)]
pub struct Store {
    client: Client,
    table: String,
}

impl Store {
    /// The store in this table, which is as [`layout`] says.
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self {
            client,
            table: table.into(),
        }
    }

    /// The row at this place, read consistently.
    async fn get(
        &self,
        operation: &'static str,
        place: &RowKey,
    ) -> Result<Option<Item>, StoreError> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(place.key()))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| failed(operation, &error))?;
        Ok(answer.item)
    }

    /// Puts this item in the place of whatever is there.
    async fn replace(&self, operation: &'static str, item: Item) -> Result<(), StoreError> {
        let put = self.client.put_item().table_name(&self.table);
        put.set_item(Some(item))
            .send()
            .await
            .map_err(|error| failed(operation, &error))?;
        Ok(())
    }

    /// The rows at these places, those that there are, in any order; as of a moment ago. Only `attributes` of them
    /// where some are named.
    async fn get_all(
        &self,
        operation: &'static str,
        places: &[RowKey],
        attributes: Option<&str>,
    ) -> Result<HashMap<RowKey, Item>, StoreError> {
        let batches: Vec<Vec<RowKey>> = places
            .chunks(MAX_ROWS_PER_READ)
            .map(<[RowKey]>::to_vec)
            .collect();
        let found: Vec<Vec<Item>> = stream::iter(batches)
            .map(|places| self.get_batch(operation, places, attributes))
            .buffer_unordered(MAX_CONCURRENT_CALLS)
            .try_collect()
            .await?;
        let items = found.into_iter().flatten();
        Ok(items
            .filter_map(|item| Some((RowKey::of(&item)?, item)))
            .collect())
    }

    async fn get_batch(
        &self,
        operation: &'static str,
        places: Vec<RowKey>,
        attributes: Option<&str>,
    ) -> Result<Vec<Item>, StoreError> {
        let keys = places.iter().map(RowKey::key).collect();
        let request = KeysAndAttributes::builder()
            .set_keys(Some(keys))
            .set_projection_expression(attributes.map(ToOwned::to_owned))
            .build()
            .map_err(|error| StoreError::new(STORE, operation, error))?;
        let mut rest = HashMap::from([(self.table.clone(), request)]);
        let mut found = Vec::with_capacity(places.len());
        // Part of a batch may be left out, because it is too large for one response or because of throttling.
        for pause in [0, 0, 50, 100, 200, 400, 800, 1600] {
            tokio::time::sleep(Duration::from_millis(pause)).await;
            let answer = self
                .client
                .batch_get_item()
                .set_request_items(Some(rest))
                .send()
                .await
                .map_err(|error| failed(operation, &error))?;
            found.extend(
                answer
                    .responses
                    .into_iter()
                    .flatten()
                    .flat_map(|(_, items)| items),
            );
            rest = answer.unprocessed_keys.unwrap_or_default();
            if rest.is_empty() {
                return Ok(found);
            }
        }
        Err(StoreError::new(
            STORE,
            operation,
            "AWS throttles the calls; they are retried",
        ))
    }
}

fn failed<E: ProvideErrorMetadata, R>(
    operation: &'static str,
    error: &SdkError<E, R>,
) -> StoreError {
    StoreError::new(STORE, operation, problem(error))
}

#[cfg(test)]
mod tests;
