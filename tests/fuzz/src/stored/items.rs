//! The items of the table: what stands beside the document, or in its place.

use serde_json::Value;
use stagecall_aws::Store;
use stagecall_core::Timestamp;
use stagecall_core::error::StoreError;
use stagecall_core::ports::{
    Allowance as _, DeliveryStatus, Due as _, DueItem, Ledger as _, OperatorStore as _,
    Sweeps as _, TenantStates as _,
};
use stagecall_core::work::Kind;

use super::{TENANT, assessment};
use crate::aws::Aws;
use crate::outside::silent;
use crate::run::{Target, block};

/// Items.
pub const TARGET: Target = Target {
    name: "stored-items",
    samples: &[
        r#"{"pk": {"S": "acme#sweep#willo#i1"}, "sk": {"S": "sweep"}, "due_at": {"N": "1795341600000000000"}, "last_at": {"N": "1795341540000000000"}, "failures": {"N": "2"}, "armed": {"N": "7"}, "empty_at": {"N": "6"}, "reading": {"S": "{\"next\": \"opaque-token\", \"pages\": 2, \"began_at\": \"2026-11-22T09:59:00Z\", \"since\": null, \"news\": 1}"}, "due_pk": {"S": "due#3"}, "due_sk": {"S": "8006606f3f1f8000"}}"#,
        r#"{"pk": {"S": "acme#delivery"}, "sk": {"S": "d1"}, "standing": {"S": "handled"}, "expires": {"N": "1797933600"}, "doc": {"S": "{\"id\": \"d1\", \"tenant\": \"acme\", \"account\": \"willo\", \"at\": \"2026-11-22T10:00:00Z\", \"event\": null, \"references\": [], \"tries\": 0}"}}"#,
        r#"{"pk": {"S": "acme"}, "sk": {"S": "state"}, "v": {"N": "3"}, "doc": {"S": "{\"version\": 3, \"due_at\": \"2026-11-22T10:00:00Z\"}"}, "due_pk": {"S": "due#1"}, "due_sk": {"S": "8006606f3f1f8000"}}"#,
        r#"{"pk": {"S": "acme"}, "sk": {"S": "calls#2026-11-22"}, "calls": {"N": "412"}, "expires": {"N": "1796000000"}}"#,
        r#"{"pk": {"S": "acme#app#7"}, "sk": {"S": "70215#video#1"}, "v": {"N": "1"}, "watched": {"S": "[\"0123456789abcdef0123456789abcdef\", 2, \"completed\", \"2026-11-22T10:00:00Z\", null]"}, "due_pk": {"S": "acme#watched#willo#i1"}, "due_sk": {"S": "8006606f3f1f8000"}}"#,
        r#"{"pk": {"S": "acme#hires"}, "sk": {"S": "placement#31"}, "doc": {"S": "Ada Example"}, "standing": {"S": "baseline"}, "due_pk": {"S": "due#1"}, "due_sk": {"S": "8006606f3f1f8000"}}"#,
        r#"{"pk": {"S": "acme"}, "sk": {"S": "config"}, "paused": {"BOOL": false}, "doc": {"B": "AAAA"}}"#,
    ],
    check: items,
};

/// A row in good order, which is due.
const HEALTHY: &str = r#"{"pk": {"S": "acme#sweep#willo#i1"}, "sk": {"S": "sweep"}, "due_pk": {"S": "due#0"}, "due_sk": {"S": "8000000000000001"}}"#;

/// A watched invitation in good order.
const WATCHED: &str = r#"{"pk": {"S": "acme#app#8"}, "sk": {"S": "70216#video#1"}, "v": {"N": "1"}, "watched": {"S": "[\"fedcba9876543210fedcba9876543210\", 2, \"completed\", \"2026-11-22T10:00:00Z\", null]"}, "due_pk": {"S": "acme#watched#willo#i1"}, "due_sk": {"S": "8006606f3f1f8000"}}"#;

/// What an attribute says is what comes of the row, or the row is an error that names it. What cannot be read holds up
/// nothing else.
fn items(input: &[u8], choice: u64) -> Result<(), String> {
    let item: Value = serde_json::from_slice(input).unwrap_or_default();
    let row = String::from_utf8_lossy(input).into_owned();
    // Of what is asked for, a row in good order, last: a reader that stops at the first misses it.
    let beside = match choice % 6 {
        3 => String::new(),
        5 => format!(", {WATCHED}"),
        _ => format!(", {HEALTHY}"),
    };
    let aws = Aws::new(move |operation, before| {
        let answer = match operation {
            "GetItem" => format!(r#"{{"Item": {row}}}"#),
            // The tenant's row stands last: there is one of a key, and the input may have the same.
            "BatchGetItem" => format!(
                r#"{{"Responses": {{"stagecall": [{row}, {{"pk": {{"S": "acme"}}, "sk": {{"S": "config"}}, "paused": {{"BOOL": false}}}}]}}}}"#
            ),
            _ if before == 0 => format!(r#"{{"Items": [{row}{beside}]}}"#),
            _ => r#"{"Items": []}"#.to_owned(),
        };
        (200, answer.into_bytes())
    });
    let store = Store::new(aws_sdk_dynamodb::Client::new(&aws.config()), "stagecall");
    block(async {
        match choice % 6 {
            0 => sweep(&store, &item).await,
            1 => state(&store, &item).await,
            2 => calls(&store, &item).await,
            3 => standing(&store, &item).await,
            4 => due(&store).await,
            _ => watched(&store).await,
        }
    })?
}

/// The one value of an attribute, where there is no doubt which it is.
fn value<'a>(item: &'a Value, name: &str) -> Option<(&'a str, &'a str)> {
    let attribute = item.get(name)?.as_object()?;
    let mut all = attribute.iter();
    match (all.next(), all.next()) {
        (Some((kind, value)), None) if matches!(kind.as_str(), "N" | "S") => {
            Some((kind, value.as_str()?))
        }
        _ => None,
    }
}

/// Whether an error is a fair one: about the row, or about an answer that the client of AWS does not understand.
fn fair(item: &Value, error: &StoreError) -> Result<(), String> {
    let name = match (value(item, "pk"), value(item, "sk")) {
        (Some(("S", pk)), Some(("S", sk))) => format!("{pk} {sk}"),
        _ => String::new(),
    };
    if error.to_string().contains("not understood") {
        return silent(&error.to_string());
    }
    // The name is told, whatever somebody wrote there.
    silent(&error.to_string().replace(&name, ""))?;
    if error.lasting && error.to_string().contains(&name) {
        Ok(())
    } else {
        Err(format!("\"{name}\" is not named, or said to pass: {error}"))
    }
}

async fn sweep(store: &Store, item: &Value) -> Result<(), String> {
    let state = match store.load_sweep(&TENANT.into(), &assessment()).await {
        Ok(state) => state,
        Err(error) => return fair(item, &error),
    };
    let time = |at: Option<Timestamp>| at.map(Timestamp::as_nanosecond);
    let counts = [
        ("due_at", time(state.due_at)),
        ("last_at", time(state.last_at)),
        ("failures", Some(i128::from(state.failures))),
        ("armed", Some(i128::from(state.armed))),
        ("empty_at", state.empty_at.map(i128::from)),
    ];
    for (name, read) in counts {
        let Some((kind, said)) = value(item, name) else {
            continue;
        };
        if kind != "N" || said.parse().ok() != read {
            return Err(format!("{name} is {kind} {said} and is read as {read:?}"));
        }
    }
    match (value(item, "reading"), state.reading) {
        (Some((_, said)), read) if serde_json::from_str(said).ok() != read || read.is_none() => {
            Err(format!("{said} is read as {read:?}"))
        }
        _ => Ok(()),
    }
}

/// Only a row without version and document is that of a tenant who was never polled.
async fn state(store: &Store, item: &Value) -> Result<(), String> {
    match store.load_state(&TENANT.into()).await {
        Ok(Some(_)) => Ok(()),
        Ok(None) => match ["v", "doc"]
            .into_iter()
            .find(|name| value(item, name).is_some())
        {
            Some(name) => Err(format!("a row with {name} is taken for one never polled")),
            None => Ok(()),
        },
        Err(error) => fair(item, &error),
    }
}

async fn calls(store: &Store, item: &Value) -> Result<(), String> {
    match store.taken(&TENANT.into(), "2026-11-22").await {
        Ok(read) => match value(item, "calls") {
            Some(("N", said)) if said.parse() == Ok(read) => Ok(()),
            Some((kind, said)) => Err(format!("{kind} {said} calls are read as {read}")),
            None => Ok(()),
        },
        Err(error) => fair(item, &error),
    }
}

async fn standing(store: &Store, item: &Value) -> Result<(), String> {
    match store.deliveries(&TENANT.into(), None).await {
        Ok(read) => {
            let names = [
                ("pending", DeliveryStatus::Pending),
                ("handled", DeliveryStatus::Handled),
                ("parked", DeliveryStatus::Unmatched),
            ];
            let said = value(item, "standing").map_or("", |(_, said)| said);
            let known = names.iter().find(|(name, _)| *name == said);
            match read.first() {
                Some((_, read)) if known.is_none_or(|(_, known)| known != read) => {
                    Err(format!("\"{said}\" is read as {read:?}"))
                }
                _ => Ok(()),
            }
        }
        Err(error) => fair(item, &error),
    }
}

async fn due(store: &Store) -> Result<(), String> {
    match store.due(Timestamp::MAX, &Kind::ALL, 100).await {
        Ok(due) => {
            let healthy = DueItem::Sweep(TENANT.into(), assessment());
            if due.iter().any(|one| one.item == healthy) {
                Ok(())
            } else {
                Err(format!("what is in good order is not due: {due:?}"))
            }
        }
        Err(error) if error.to_string().contains("not understood") => Ok(()),
        Err(error) => Err(format!("one row holds up all: {error}")),
    }
}

/// What is watched and cannot be read is left out, and the others are not.
async fn watched(store: &Store) -> Result<(), String> {
    match store.waiting(&TENANT.into(), &assessment()).await {
        Ok(waiting) => {
            let mut all = waiting.iter();
            if all.any(|one| one.key.application.as_str() == "70216") {
                Ok(())
            } else {
                Err("who is in good order is left out".to_owned())
            }
        }
        Err(error) if error.to_string().contains("not understood") => Ok(()),
        Err(error) => Err(format!("one row holds up all: {error}")),
    }
}
