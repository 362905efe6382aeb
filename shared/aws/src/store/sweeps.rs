//! The sweeps.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use stagecall_core::Timestamp;
use stagecall_core::error::StoreError;
use stagecall_core::ids::{AssessmentRef, TenantId};
use stagecall_core::ports::{Saved, SweepState, Sweeps};

use super::item::{Item, broken, number, plain, read_number, read_plain, text};
use super::layout::{
    INDEX_PARTITION, INDEX_SORT, Place, SWEEP_ARMED, SWEEP_DUE, SWEEP_EMPTY, SWEEP_FAILURES,
    SWEEP_LAST, SWEEP_READING, moment,
};
use super::ledger::saved;
use super::{STORE, Store, made};

/// How often arming is tried anew because the sweep's time was changed under it.
const TRIES: usize = 8;

#[async_trait]
impl Sweeps for Store {
    async fn arm(
        &self,
        tenant: &TenantId,
        assessment: &AssessmentRef,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let operation = "arm a sweep";
        let place = Place::sweep(tenant, assessment);
        for _ in 0..TRIES {
            let count = self
                .client
                .update_item()
                .table_name(&self.table)
                .set_key(Some(place.key()))
                .condition_expression(format!("{SWEEP_DUE} <= :at"))
                .update_expression(format!("ADD {SWEEP_ARMED} :one"))
                .expression_attribute_values(":at", number(at.as_nanosecond()))
                .expression_attribute_values(":one", number(1));
            if made(operation, count.send().await)? {
                return Ok(());
            }
            let bring_forward = self
                .client
                .update_item()
                .table_name(&self.table)
                .set_key(Some(place.key()))
                .condition_expression(format!("attribute_not_exists({SWEEP_DUE}) OR {SWEEP_DUE} > :at"))
                .update_expression(format!(
                    "SET {SWEEP_DUE} = :at, {INDEX_PARTITION} = :partition, {INDEX_SORT} = :sort ADD {SWEEP_ARMED} :one"
                ))
                .expression_attribute_values(":at", number(at.as_nanosecond()))
                .expression_attribute_values(":one", number(1))
                .expression_attribute_values(":partition", text(place.due_partition()))
                .expression_attribute_values(":sort", text(moment(at)));
            if made(operation, bring_forward.send().await)? {
                return Ok(());
            }
        }
        Err(StoreError::new(
            STORE,
            operation,
            "others keep changing the sweep; it is tried again",
        ))
    }

    async fn load_sweep(
        &self,
        tenant: &TenantId,
        assessment: &AssessmentRef,
    ) -> Result<SweepState, StoreError> {
        let item = self
            .get("load a sweep", &Place::sweep(tenant, assessment))
            .await?;
        item.map_or_else(|| Ok(SweepState::default()), |item| state(&item))
    }

    async fn save_sweep(
        &self,
        tenant: &TenantId,
        assessment: &AssessmentRef,
        expected: &SweepState,
        next: &SweepState,
    ) -> Result<Saved, StoreError> {
        let place = Place::sweep(tenant, assessment);
        let mut values = Item::new();
        let mut conditions = Vec::new();
        let armed = (
            SWEEP_ARMED,
            (expected.armed > 0).then(|| number(expected.armed)),
        );
        for (count, (name, value)) in attributes(expected)?.into_iter().chain([armed]).enumerate() {
            conditions.push(match value {
                Some(value) => {
                    values.insert(format!(":before{count}"), value);
                    format!("{name} = :before{count}")
                }
                None => format!("attribute_not_exists({name})"),
            });
        }
        let of_index = [
            (
                INDEX_PARTITION,
                next.due_at.map(|_| text(place.due_partition())),
            ),
            (INDEX_SORT, next.due_at.map(|at| text(moment(at)))),
        ];
        let (mut set, mut remove) = (Vec::new(), Vec::new());
        for (count, (name, value)) in attributes(next)?.into_iter().chain(of_index).enumerate() {
            match value {
                Some(value) => {
                    values.insert(format!(":next{count}"), value);
                    set.push(format!("{name} = :next{count}"));
                }
                None => remove.push(name),
            }
        }
        let update: Vec<String> = [("SET", set.join(", ")), ("REMOVE", remove.join(", "))]
            .into_iter()
            .filter(|(_, what)| !what.is_empty())
            .map(|(verb, what)| format!("{verb} {what}"))
            .collect();
        let answer = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(place.key()))
            .condition_expression(conditions.join(" AND "))
            .update_expression(update.join(" "))
            .set_expression_attribute_values(Some(values))
            .send()
            .await;
        made("save a sweep", answer).map(saved)
    }
}

/// What a save changes of a sweep's row, as the row has it: what is nothing or zero, it has not.
fn attributes(of: &SweepState) -> Result<[(&'static str, Option<AttributeValue>); 5], StoreError> {
    let time = |at: Option<Timestamp>| at.map(|at| number(at.as_nanosecond()));
    Ok([
        (SWEEP_DUE, time(of.due_at)),
        (SWEEP_LAST, time(of.last_at)),
        (
            SWEEP_FAILURES,
            (of.failures > 0).then(|| number(of.failures)),
        ),
        (SWEEP_EMPTY, of.empty_at.map(number)),
        (SWEEP_READING, of.reading.as_ref().map(plain).transpose()?),
    ])
}

/// What a sweep's row says.
fn state(item: &Item) -> Result<SweepState, StoreError> {
    let time = |name| match read_number(item, name)? {
        Some(at) => Timestamp::from_nanosecond(at)
            .map(Some)
            .map_err(|_| broken(item, &format!("{name} is no time"))),
        None => Ok(None),
    };
    Ok(SweepState {
        due_at: time(SWEEP_DUE)?,
        last_at: time(SWEEP_LAST)?,
        failures: read_number(item, SWEEP_FAILURES)?.unwrap_or(0),
        armed: read_number(item, SWEEP_ARMED)?.unwrap_or(0),
        empty_at: read_number(item, SWEEP_EMPTY)?,
        reading: read_plain(item, SWEEP_READING)?,
    })
}
