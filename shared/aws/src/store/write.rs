//! Conditional writes.
//!
//! The SDK repeats a request whose answer it did not get, and the repetition of a write that took effect meets its own
//! row. So every conditional write leaves a token of its own on the row ([`WRITER`]), and a condition that does not hold
//! on a row with that token is no conflict: the write is on record. Without that, whoever saved would take itself for
//! somebody else, and what follows from a change (the domain event, the call, the count) would be left out.
//!
//! Where somebody else has changed the row between the write and its repetition, the answer is a conflict although the
//! write took effect. That is the side to err on: whoever is told of a conflict reads the row and decides anew.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use stagecall_core::error::StoreError;
use stagecall_core::ports::{Inserted, Saved};

use super::item::{Item, number};
use super::layout::{PARTITION, RowKey, VERSION, WRITER};
use super::{STORE, Store, failed};

/// What a conditional write came to.
#[derive(Debug)]
pub(super) enum Written {
    /// It is on record: by this request, or by an earlier try of it whose answer was lost.
    Saved,
    /// The condition does not hold on this row; `None`: there is no row.
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

/// On which rows a write is made.
#[derive(Debug)]
pub(super) struct Condition {
    expression: String,
    values: Item,
}

impl Condition {
    /// Where this holds.
    pub(super) fn new(expression: impl Into<String>) -> Self {
        Self {
            expression: expression.into(),
            values: Item::new(),
        }
    }

    /// Where there is no row.
    pub(super) fn absent() -> Self {
        Self::new(format!("attribute_not_exists({PARTITION})"))
    }

    /// Where the row is of the version before this one.
    pub(super) fn version_before(next: u64) -> Self {
        Self::new(format!("{VERSION} = :before")).with(":before", number(i128::from(next) - 1))
    }

    /// The same, with a value that the expression names.
    pub(super) fn with(mut self, name: impl Into<String>, value: AttributeValue) -> Self {
        self.values.insert(name.into(), value);
        self
    }
}

impl Store {
    /// Puts this item in the place of whatever is there, if the condition holds. The condition must not hold on the item
    /// itself: that is how a repetition knows itself.
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

    /// Changes a row by an update expression, whose values are among the condition's, if the condition holds; once, also
    /// where it would hold again.
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

/// What the answer to a conditional write says. `row` is the row that an error carries, if it does.
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
        tracing::debug!(operation, "a write whose answer was lost is on record");
        return Ok(Written::Saved);
    }
    Ok(Written::Conflict(row))
}

/// What tells this write from every other: 128 random bits.
fn token(operation: &'static str) -> Result<AttributeValue, StoreError> {
    let mut bits = [0; 16];
    getrandom::fill(&mut bits).map_err(|error| StoreError::new(STORE, operation, error))?;
    Ok(AttributeValue::B(Blob::new(bits)))
}
