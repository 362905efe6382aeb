//! What the store's calls cost, by the capacity that the engine charges for each, the index included.

use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::interceptors::{
    BeforeSerializationInterceptorContextMut, FinalizerInterceptorContextRef,
};
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_sdk_dynamodb::operation::batch_get_item::BatchGetItemInput;
use aws_sdk_dynamodb::operation::get_item::GetItemInput;
use aws_sdk_dynamodb::operation::put_item::{PutItemInput, PutItemOutput};
use aws_sdk_dynamodb::operation::query::QueryInput;
use aws_sdk_dynamodb::operation::transact_write_items::{
    TransactWriteItemsInput, TransactWriteItemsOutput,
};
use aws_sdk_dynamodb::operation::update_item::{UpdateItemInput, UpdateItemOutput};
use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};
use futures::StreamExt as _;
use serde_json::Value;
use stagecall_aws::Store;
use stagecall_aws::layout::PARTITION;
use stagecall_core::invitation::{Schedule, Step};
use stagecall_core::ports::{
    Due as _, Ledger as _, OperatorStore as _, Saved, Sweeps as _, TenantState, TenantStates as _,
};
use stagecall_core::work::Kind;
use stagecall_tests::sample::{assessment, at, detected, key, tenant};

use super::life::Life;
use super::server::{config, table};

/// What was charged since the meter was last read, in write and read units.
#[derive(Clone, Debug, Default)]
struct Meter(Arc<Mutex<Charge>>);

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Charge {
    written: f64,
    read: f64,
}

impl Meter {
    fn read(&self) -> Charge {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Intercept for Meter {
    fn name(&self) -> &'static str {
        "meter"
    }

    fn modify_before_serialization(
        &self,
        context: &mut BeforeSerializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let input = context.input_mut();
        let field = if let Some(put) = input.downcast_mut::<PutItemInput>() {
            &mut put.return_consumed_capacity
        } else if let Some(update) = input.downcast_mut::<UpdateItemInput>() {
            &mut update.return_consumed_capacity
        } else if let Some(get) = input.downcast_mut::<GetItemInput>() {
            &mut get.return_consumed_capacity
        } else if let Some(query) = input.downcast_mut::<QueryInput>() {
            &mut query.return_consumed_capacity
        } else if let Some(transaction) = input.downcast_mut::<TransactWriteItemsInput>() {
            &mut transaction.return_consumed_capacity
        } else if let Some(batch) = input.downcast_mut::<BatchGetItemInput>() {
            &mut batch.return_consumed_capacity
        } else {
            return Err("an operation that the meter does not know".into());
        };
        *field = Some(ReturnConsumedCapacity::Indexes);
        Ok(())
    }

    fn read_after_execution(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let body: Value =
            serde_json::from_slice(context.response().unwrap().body().bytes().unwrap())?;
        // Only writes have conditions that may not hold.
        let writes = context.output_or_error().unwrap().map_or(true, |output| {
            output.downcast_ref::<PutItemOutput>().is_some()
                || output.downcast_ref::<UpdateItemOutput>().is_some()
                || output.downcast_ref::<TransactWriteItemsOutput>().is_some()
        });
        let units: f64 = match &body["ConsumedCapacity"] {
            Value::Array(tables) => tables
                .iter()
                .filter_map(|of| of["CapacityUnits"].as_f64())
                .sum(),
            // A write whose condition did not hold costs as much as if it had: one unit, as all of ours are small.
            Value::Null => 1.0,
            one => one["CapacityUnits"].as_f64().unwrap(),
        };
        let mut charged = self.0.lock().unwrap();
        if writes {
            charged.written += units;
        } else {
            charged.read += units;
        }
        Ok(())
    }
}

async fn metered() -> (Store, Meter, String) {
    let meter = Meter::default();
    let client = Client::from_conf(config().interceptor(meter.clone()).build());
    let table = table().await;
    (Store::new(client, &table), meter, table)
}

/// The size of an invitation's largest row in bytes, names and values.
async fn largest_row(table: &str) -> usize {
    let client = Client::from_conf(config().build());
    let rows = client
        .scan()
        .table_name(table)
        .send()
        .await
        .unwrap()
        .items
        .unwrap();
    let size = |value: &AttributeValue| match value {
        AttributeValue::S(text) | AttributeValue::N(text) => text.len(),
        AttributeValue::B(bytes) => bytes.as_ref().len(),
        _ => 1,
    };
    let rows = rows
        .iter()
        .filter(|row| row[PARTITION].as_s().unwrap().contains("#app#"));
    rows.map(|row| {
        row.iter()
            .map(|(name, value)| name.len() + size(value))
            .sum()
    })
    .max()
    .unwrap()
}

/// From the entry's detection to the reported result, by the real use cases, with one callback.
#[tokio::test]
async fn one_invitations_whole_life() {
    let (store, meter, name) = metered().await;
    // Others wait for the same assessment.
    store
        .schedule_sweep(&Life::key().tenant, &assessment(), at(0.0))
        .await
        .unwrap();
    let life = Life::begin(store).await;
    life.poll().await;
    meter.read();
    // The cost of a poll that finds nothing.
    life.poll().await;
    let idle = meter.read();
    life.enter();
    life.poll().await;
    let polled = meter.read();
    let mut total = Charge {
        written: polled.written - idle.written,
        read: polled.read - idle.read,
    };
    println!("{:<44} {:>6} {:>6}", "step", "write", "read");
    println!("{:<44} {:>6} {:>6}", "detected", total.written, total.read);
    for called_back in [false, true] {
        if called_back {
            life.call_back().await;
            let charge = meter.read();
            println!(
                "{:<44} {:>6} {:>6}",
                "callback", charge.written, charge.read
            );
            total.written += charge.written;
            total.read += charge.read;
        }
        while let Some(work) = life.work().await {
            let charge = meter.read();
            let step = serde_json::to_value(&work).unwrap()["work"].to_string();
            println!("{step:<44} {:>6} {:>6}", charge.written, charge.read);
            total.written += charge.written;
            total.read += charge.read;
        }
    }
    println!("{:<44} {:>6} {:>6}", "in all", total.written, total.read);
    let largest = largest_row(&name).await;
    println!("{:<44} {largest:>6} bytes", "largest row in the end");
    assert!(
        largest <= 1024,
        "a write of it costs two units: {largest} bytes"
    );
    assert_eq!(life.stands().await, ("completed", 2));
    // The poll's own comes on top.
    let messages = life.messages() + 1;
    println!("{:<44} {messages:>6}", "messages in all");
    assert!(total.written <= MOST_WRITTEN && total.read <= MOST_READ);
    assert!(messages <= MOST_MESSAGES);
}

/// The maximum cost of an invitation's life cycle in write units. The crate's README lists them.
const MOST_WRITTEN: f64 = 15.0;

/// The maximum cost of a life cycle in read units.
const MOST_READ: f64 = 11.0;

/// The maximum number of queue messages of a life cycle.
const MOST_MESSAGES: usize = 3;

/// Many rows that are due. The server that plays DynamoDB would take long for more.
const MANY: usize = 2_000;

/// Finding what is due reads nothing that is not: as much among many rows that are not as among none. The exception are
/// the first five minutes of an entry, in which a row that was claimed or deferred keeps its place in the index.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_due_is_not_read() {
    let (store, meter, _) = metered().await;
    store.put_tenant(&tenant("acme")).await.unwrap();
    let state = TenantState {
        version: 1,
        ..TenantState::new(at(1.0e9))
    };
    assert_eq!(
        store.save_state(&"acme".into(), &state).await.unwrap(),
        Saved::Saved
    );
    let insert = async |from: usize, count: usize, seen: f64, wakes: f64| {
        let rows = futures::stream::iter(from..from + count).map(|application| {
            let store = store.clone();
            let mut row = detected(key("acme", application));
            row.entry.seen_at = at(seen);
            row.schedule = Schedule::At {
                at: at(wakes),
                step: Step::Invite,
            };
            tokio::spawn(async move { store.insert(&row).await.unwrap() })
        });
        let inserted = rows.buffer_unordered(32).map(Result::unwrap);
        assert_eq!(inserted.count().await, count);
    };
    let read = async || {
        meter.read();
        assert_eq!(
            store.due(at(1.0), &Kind::ALL, MANY).await.unwrap().len(),
            MANY
        );
        meter.read()
    };
    insert(0, MANY, 0.0, 0.0).await;
    let among_none = read().await;
    // Seen later, and deferred for longer than the first steps take.
    insert(MANY, 200, 60.0, 60.0).await;
    insert(MANY + 200, 200, 0.0, 3600.0).await;
    assert_eq!(read().await, among_none);
    // In their first minutes: each is read, and is not due.
    insert(MANY + 400, 20, -60.0, 60.0).await;
    let more = read().await;
    assert!(
        more.read > among_none.read && more.read < among_none.read + 30.0,
        "{more:?} after {among_none:?}"
    );
}
