//! The sweeps.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use stagecall_core::Timestamp;
use stagecall_core::error::StoreError;
use stagecall_core::ids::{AssessmentRef, TenantId};
use stagecall_core::ports::{Saved, SweepState, Sweeps};

use super::item::{Item, broken, number, plain, read_number, read_plain, text};
use super::layout::{
    INDEX_PARTITION, INDEX_SORT, RowKey, SWEEP_ARMED, SWEEP_DUE, SWEEP_EMPTY, SWEEP_FAILING,
    SWEEP_FAILURES, SWEEP_LAST, SWEEP_READING, SWEEP_SET_ASIDE, moment,
};
use super::write::{Condition, Update};
use super::{STORE, Store};

/// The maximum number of attempts to schedule a sweep under concurrent changes.
const MAX_ATTEMPTS: usize = 8;

#[async_trait]
impl Sweeps for Store {
    async fn schedule_sweep(
        &self,
        tenant: &TenantId,
        assessment: &AssessmentRef,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let operation = "schedule a sweep";
        let place = RowKey::sweep(tenant, assessment);
        let add = vec![format!("{SWEEP_ARMED} :one")];
        let count = Update {
            add: add.clone(),
            ..Update::default()
        };
        let bring_forward = Update {
            set: vec![
                format!("{SWEEP_DUE} = :at"),
                format!("{INDEX_PARTITION} = :partition"),
                format!("{INDEX_SORT} = :sort"),
            ],
            add,
            ..Update::default()
        };
        let condition = |expression: String| {
            Condition::new(expression)
                .with(":at", number(at.as_nanosecond()))
                .with(":one", number(1))
        };
        let due_by_then = || condition(format!("{SWEEP_DUE} <= :at"));
        let due_later = || {
            condition(format!(
                "attribute_not_exists({SWEEP_DUE}) OR {SWEEP_DUE} > :at"
            ))
            .with(":partition", text(place.due_partition()))
            .with(":sort", text(moment(at)))
        };
        for _ in 0..MAX_ATTEMPTS {
            let armed = self.update(operation, &place, &count, due_by_then());
            if armed.await?.is_saved() {
                return Ok(());
            }
            let armed = self.update(operation, &place, &bring_forward, due_later());
            if armed.await?.is_saved() {
                return Ok(());
            }
        }
        Err(StoreError::new(
            STORE,
            operation,
            "the sweep keeps changing concurrently; it is retried",
        ))
    }

    async fn load_sweep(
        &self,
        tenant: &TenantId,
        assessment: &AssessmentRef,
    ) -> Result<SweepState, StoreError> {
        let item = self
            .get("load a sweep", &RowKey::sweep(tenant, assessment))
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
        let place = RowKey::sweep(tenant, assessment);
        let mut values = Vec::new();
        let mut conditions = Vec::new();
        let armed = (
            SWEEP_ARMED,
            (expected.armed > 0).then(|| number(expected.armed)),
        );
        for (count, (name, value)) in attributes(expected)?.into_iter().chain([armed]).enumerate() {
            conditions.push(match value {
                Some(value) => {
                    values.push((format!(":before{count}"), value));
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
        let mut update = Update::default();
        for (count, (name, value)) in attributes(next)?.into_iter().chain(of_index).enumerate() {
            match value {
                Some(value) => {
                    values.push((format!(":next{count}"), value));
                    update.set.push(format!("{name} = :next{count}"));
                }
                None => update.remove.push(name.to_owned()),
            }
        }
        let condition = values.into_iter().fold(
            Condition::new(conditions.join(" AND ")),
            |condition, (name, value)| condition.with(name, value),
        );
        let written = self
            .update("save a sweep", &place, &update, condition)
            .await?;
        Ok(written.into())
    }
}

/// The attributes of a sweep's row that a save changes; empty and zero ones are absent.
fn attributes(of: &SweepState) -> Result<[(&'static str, Option<AttributeValue>); 7], StoreError> {
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
        (SWEEP_FAILING, of.failing.as_ref().map(plain).transpose()?),
        (
            SWEEP_SET_ASIDE,
            (of.set_aside > 0).then(|| number(of.set_aside)),
        ),
    ])
}

/// Parses a sweep's row.
fn state(item: &Item) -> Result<SweepState, StoreError> {
    let time = |name| match read_number(item, name)? {
        Some(at) => Timestamp::from_nanosecond(at)
            .map(Some)
            .map_err(|_| broken(item, &format!("{name} is not a time"))),
        None => Ok(None),
    };
    Ok(SweepState {
        due_at: time(SWEEP_DUE)?,
        last_at: time(SWEEP_LAST)?,
        failures: read_number(item, SWEEP_FAILURES)?.unwrap_or(0),
        armed: read_number(item, SWEEP_ARMED)?.unwrap_or(0),
        empty_at: read_number(item, SWEEP_EMPTY)?,
        reading: read_plain(item, SWEEP_READING)?,
        failing: read_plain(item, SWEEP_FAILING)?,
        set_aside: read_number(item, SWEEP_SET_ASIDE)?.unwrap_or(0),
    })
}
