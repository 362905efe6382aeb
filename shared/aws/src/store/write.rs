//! Conditional writes.
//!
//! The SDK repeats a request whose response was lost, and the repetition of an applied write finds its own row. So every
//! conditional write leaves its own token on the row ([`WRITER`]). If the condition fails on a row with that token, it is
//! not a conflict: the write was saved. Otherwise a writer would mistake its own write for another's, and the consequences
//! of the change (the domain event, the call, the count) would be skipped.
//!
//! If another writer changed the row between the write and its repetition, the result is a conflict although the write was
//! applied. That is the safe direction: after a conflict the caller reads the row and decides again.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{
    AttributeValue, CancellationReason, ConditionCheck, Put, ReturnValuesOnConditionCheckFailure,
    TransactWriteItem,
};
use stagecall_core::error::StoreError;
use stagecall_core::ports::{Inserted, Saved};

use super::item::{Item, number};
use super::layout::{PARTITION, RowKey, VERSION, WRITER};
use super::{STORE, Store, failed};

/// The outcome of a conditional write.
#[derive(Debug)]
pub(super) enum Written {
    /// Saved by this request, or by an earlier attempt whose response was lost.
    Saved,
    /// The condition failed on this row; `None`: there is no row.
    Conflict(Option<Item>),
}

impl Written {
    pub(super) fn is_saved(&self) -> bool {
        matches!(self, Self::Saved)
    }
}

impl From<Written> for Saved {
    fn from(written: Written) -> Self {
        if written.is_saved() {
            Self::Saved
        } else {
            Self::Conflict
        }
    }
}

impl From<Written> for Inserted {
    fn from(written: Written) -> Self {
        if written.is_saved() {
            Self::New
        } else {
            Self::Existed
        }
    }
}

/// The outcome of a write of a row that is written once.
#[derive(Debug)]
pub(super) enum PutOnce {
    /// It is there now.
    Put,
    /// It was there, like this.
    Existed(Item),
    /// A row that forbids it is there.
    Forbidden,
}

/// The reason of a transaction whose condition failed.
const CONDITION_FAILED: &str = "ConditionalCheckFailed";

/// How often a transaction is tried that meets another on the same rows.
const MAX_TRANSACTION_TRIES: u32 = 5;

/// The condition of a write.
#[derive(Debug)]
pub(super) struct Condition {
    expression: String,
    values: Item,
}

impl Condition {
    pub(super) fn new(expression: impl Into<String>) -> Self {
        Self {
            expression: expression.into(),
            values: Item::new(),
        }
    }

    /// There is no row.
    pub(super) fn absent() -> Self {
        Self::new(format!("attribute_not_exists({PARTITION})"))
    }

    /// The row has the version before this one.
    pub(super) fn version_before(next: u64) -> Self {
        Self::new(format!("{VERSION} = :before")).with(":before", number(i128::from(next) - 1))
    }

    /// Adds a value of the expression.
    pub(super) fn with(mut self, name: impl Into<String>, value: AttributeValue) -> Self {
        self.values.insert(name.into(), value);
        self
    }
}

impl Store {
    /// Puts this item, replacing any row, if the condition holds. The condition must fail on the item itself, so that a
    /// repetition is recognised.
    pub(super) async fn put(
        &self,
        operation: &'static str,
        mut item: Item,
        condition: Condition,
    ) -> Result<Written, StoreError> {
        let token = token(operation)?;
        item.insert(WRITER.to_owned(), token.clone());
        let answer = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression(condition.expression)
            .set_expression_attribute_values(
                Some(condition.values).filter(|values| !values.is_empty()),
            )
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        written(operation, &token, answer, |error| match error {
            PutItemError::ConditionalCheckFailedException(failed) => failed.item.clone(),
            _ => None,
        })
    }

    /// Puts this item if it does not exist, and no row at `other` does: in one transaction, for four write units.
    pub(super) async fn put_once_unless(
        &self,
        operation: &'static str,
        item: Item,
        other: &RowKey,
    ) -> Result<PutOnce, StoreError> {
        let wrong = |error| StoreError::new(STORE, operation, error);
        let absent = format!("attribute_not_exists({PARTITION})");
        let check = ConditionCheck::builder()
            .table_name(&self.table)
            .set_key(Some(other.key()))
            .condition_expression(&absent)
            .build()
            .map_err(wrong)?;
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression(&absent)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()
            .map_err(wrong)?;
        let mut tries = 0;
        loop {
            tries += 1;
            // A repetition by the SDK has the same token, and is answered as the first.
            let answer = self
                .client
                .transact_write_items()
                .transact_items(
                    TransactWriteItem::builder()
                        .condition_check(check.clone())
                        .build(),
                )
                .transact_items(TransactWriteItem::builder().put(put.clone()).build())
                .send()
                .await;
            let Err(error) = answer else {
                return Ok(PutOnce::Put);
            };
            let Some(TransactWriteItemsError::TransactionCanceledException(canceled)) =
                error.as_service_error()
            else {
                return Err(failed(operation, &error));
            };
            let [of_check, of_put] = canceled.cancellation_reasons() else {
                return Err(failed(operation, &error));
            };
            let code = |of: &CancellationReason, code: &str| of.code() == Some(code);
            if code(of_check, CONDITION_FAILED) {
                return Ok(PutOnce::Forbidden);
            }
            if code(of_put, CONDITION_FAILED)
                && let Some(before) = of_put.item()
            {
                return Ok(PutOnce::Existed(before.clone()));
            }
            let conflict = [of_check, of_put]
                .iter()
                .any(|of| code(of, "TransactionConflict"));
            if !conflict || tries >= MAX_TRANSACTION_TRIES {
                return Err(failed(operation, &error));
            }
        }
    }

    /// Applies an update expression, with its values among the condition's, if the condition holds; exactly once, even if
    /// the condition would hold again.
    pub(super) async fn update(
        &self,
        operation: &'static str,
        place: &RowKey,
        update: &Update,
        condition: Condition,
    ) -> Result<Written, StoreError> {
        let token = token(operation)?;
        let set: Vec<String> = update
            .set
            .iter()
            .cloned()
            .chain([format!("{WRITER} = :writer")])
            .collect();
        let clauses = [
            ("SET", &set),
            ("ADD", &update.add),
            ("REMOVE", &update.remove),
        ];
        let update: Vec<String> = clauses
            .into_iter()
            .filter(|(_, what)| !what.is_empty())
            .map(|(verb, what)| format!("{verb} {}", what.join(", ")))
            .collect();
        let not_yet = format!("(attribute_not_exists({WRITER}) OR {WRITER} <> :writer)");
        let answer = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(place.key()))
            .condition_expression(format!("({}) AND {not_yet}", condition.expression))
            .update_expression(update.join(" "))
            .set_expression_attribute_values(Some(condition.values))
            .expression_attribute_values(":writer", token.clone())
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        written(operation, &token, answer, |error| match error {
            UpdateItemError::ConditionalCheckFailedException(failed) => failed.item.clone(),
            _ => None,
        })
    }
}

/// The clauses of an update expression.
#[derive(Debug, Default)]
pub(super) struct Update {
    pub(super) set: Vec<String>,
    pub(super) add: Vec<String>,
    pub(super) remove: Vec<String>,
}

/// Maps the response to a conditional write. `row` extracts the row of an error, if it has one.
fn written<T, E, R>(
    operation: &'static str,
    token: &AttributeValue,
    answer: Result<T, SdkError<E, R>>,
    row: impl FnOnce(&E) -> Option<Item>,
) -> Result<Written, StoreError>
where
    E: ProvideErrorMetadata,
{
    let Err(error) = answer else {
        return Ok(Written::Saved);
    };
    if error.code() != Some("ConditionalCheckFailedException") {
        return Err(failed(operation, &error));
    }
    let row = error.as_service_error().and_then(row);
    if row.as_ref().and_then(|row| row.get(WRITER)) == Some(token) {
        tracing::debug!(operation, "write saved, its response was lost");
        return Ok(Written::Saved);
    }
    Ok(Written::Conflict(row))
}

/// The unique token of a write: 128 random bits.
fn token(operation: &'static str) -> Result<AttributeValue, StoreError> {
    let mut bits = [0; 16];
    getrandom::fill(&mut bits).map_err(|error| StoreError::new(STORE, operation, error))?;
    Ok(AttributeValue::B(Blob::new(bits)))
}
