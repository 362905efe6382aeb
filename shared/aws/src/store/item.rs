//! Writing and parsing items of the table.

use std::collections::HashMap;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;
use serde::de::DeserializeOwned;
use stagecall_core::error::StoreError;
use stagecall_core::unreadable;

use super::STORE;
use super::layout::{DOCUMENT, INDEX_PARTITION, INDEX_SORT, PARTITION, RowKey, SORT};

/// An item, or a part of one.
pub(super) type Item = HashMap<String, AttributeValue>;

/// The maximum size of an unpacked document in bytes: five times what an item can hold.
const MAX_DOCUMENT_BYTES: usize = 1 << 21;

/// The compression level, of 10: higher ones take longer and save nothing.
const COMPRESSION_LEVEL: u8 = 8;

impl RowKey {
    /// The attributes of the table's key.
    pub(super) fn key(&self) -> Item {
        HashMap::from([
            (PARTITION.to_owned(), text(&self.pk)),
            (SORT.to_owned(), text(&self.sk)),
        ])
    }

    /// The place of an item.
    pub(super) fn of(item: &Item) -> Option<Self> {
        Some(Self {
            pk: item.get(PARTITION)?.as_s().ok()?.clone(),
            sk: item.get(SORT)?.as_s().ok()?.clone(),
        })
    }
}

pub(super) fn text(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

pub(super) fn number(number: impl Into<i128>) -> AttributeValue {
    AttributeValue::N(number.into().to_string())
}

/// Puts an item into the index.
pub(super) fn index(item: &mut Item, partition: String, sort: String) {
    item.insert(INDEX_PARTITION.to_owned(), text(partition));
    item.insert(INDEX_SORT.to_owned(), text(sort));
}

/// This value as a document in plain JSON, readable in AWS's console.
pub(super) fn plain<T: Serialize>(of: &T) -> Result<AttributeValue, StoreError> {
    serde_json::to_string(of)
        .map(AttributeValue::S)
        .map_err(unwritable)
}

/// This value as a compressed document: used for invitations, so that a whole history stays below the one kilobyte that a
/// write unit covers.
pub(super) fn packed<T: Serialize>(of: &T) -> Result<AttributeValue, StoreError> {
    let json = serde_json::to_vec(of).map_err(unwritable)?;
    Ok(AttributeValue::B(Blob::new(
        miniz_oxide::deflate::compress_to_vec(&json, COMPRESSION_LEVEL),
    )))
}

/// Parses an item's document.
pub(super) fn document<T: DeserializeOwned>(item: &Item) -> Result<T, StoreError> {
    let read = match item.get(DOCUMENT) {
        Some(AttributeValue::S(json)) => serde_json::from_str(json),
        Some(AttributeValue::B(bytes)) => {
            let json = miniz_oxide::inflate::decompress_to_vec_with_limit(
                bytes.as_ref(),
                MAX_DOCUMENT_BYTES,
            )
            .map_err(|error| broken(item, &error.to_string()))?;
            serde_json::from_slice(&json)
        }
        _ => return Err(broken(item, "it has no document")),
    };
    read.map_err(|error| broken(item, &unreadable(&error)))
}

/// A number of an item; `None` if it has no such attribute. Another type is an error: treated as missing, it would restart
/// running work.
pub(super) fn read_number<T: std::str::FromStr>(
    item: &Item,
    name: &str,
) -> Result<Option<T>, StoreError> {
    let Some(there) = item.get(name) else {
        return Ok(None);
    };
    let number = there.as_n().ok().and_then(|number| number.parse().ok());
    number
        .map(Some)
        .ok_or_else(|| broken(item, &format!("{name} is not such a number")))
}

/// Parses an attribute that is a document in plain JSON; `None` if the item has no such attribute.
pub(super) fn read_plain<T: DeserializeOwned>(
    item: &Item,
    name: &str,
) -> Result<Option<T>, StoreError> {
    let Some(there) = item.get(name) else {
        return Ok(None);
    };
    let json = there
        .as_s()
        .map_err(|_| broken(item, &format!("{name} is not a text")))?;
    serde_json::from_str(json)
        .map(Some)
        .map_err(|error| broken(item, &format!("{name}: {}", unreadable(&error))))
}

/// The error of an unreadable row, which is permanent. It names the key, never the content.
pub(super) fn broken(item: &Item, why: &str) -> StoreError {
    let place = RowKey::of(item).map(|place| format!("{} {}", place.pk, place.sk));
    let place = place.as_deref().unwrap_or("without its key");
    StoreError::new(
        STORE,
        "read a row",
        format!("the row {place} cannot be read: {why}"),
    )
    .permanent()
}

fn unwritable(error: serde_json::Error) -> StoreError {
    StoreError::new(STORE, "write a document", error)
}
