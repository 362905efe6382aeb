//! The columns of the file's rows that are searched by.

use rusqlite::types::Value as Column;
use serde_json::Value;
use stagecall_core::Timestamp;
use stagecall_core::ports::{Due as _, DueItem, OperatorStore as _};
use stagecall_core::work::Kind;

use super::{TENANT, assessment};
use crate::outside::silent;
use crate::run::{Target, block};

/// Columns, by table.
pub const TARGET: Target = Target {
    name: "stored-columns",
    samples: &[
        r#"{"invitation": {"step": "invite", "due_at": 0, "round": 1, "application": "70215"}}"#,
        r#"{"announcement": {"kind": "placement", "id": "31", "due_at": 0, "tenant": "acme"}}"#,
        r#"{"delivery": {"standing": "pending", "due_at": 0, "id": "d1"}}"#,
        r#"{"tenant": {"paused": 0}, "tenant_state": {"due_at": 0, "version": 1}}"#,
    ],
    check: columns,
};

/// The columns that may be written to.
const COLUMNS: [(&str, &[&str]); 5] = [
    ("invitation", &["step", "due_at", "round", "application"]),
    ("announcement", &["kind", "id", "due_at", "tenant"]),
    ("delivery", &["standing", "due_at", "id"]),
    ("tenant", &["paused"]),
    ("tenant_state", &["due_at", "version"]),
];

/// What is in good order is found due, whatever is written into the rows beside it; and a time that makes no sense is
/// an error and no time.
fn columns(input: &[u8], _: u64) -> Result<(), String> {
    let Ok(value) = serde_json::from_slice::<Value>(input) else {
        return Ok(());
    };
    let file = super::file::file()?;
    // Put back in the end: the file serves the other inputs, too.
    let before = rows(&file.damage)?;
    let mut written = true;
    for (table, names) in COLUMNS {
        for name in names {
            let Some(column) = value.get(table).and_then(|row| row.get(name)) else {
                continue;
            };
            let update = format!("UPDATE {table} SET {name} = ?1");
            // What the schema itself refuses cannot come to be.
            let _ = file.damage.execute(&update, [of(column)]);
            written &= !(table == "tenant" && *name == "paused");
        }
    }
    let (due, oldest) = block(async {
        let due = file.store.due(Timestamp::MAX, &Kind::ALL, 100).await;
        (due, file.store.oldest_due(Timestamp::MAX).await)
    })?;
    restore(&file.damage, &before)?;
    let healthy = DueItem::Sweep(TENANT.into(), assessment());
    match due {
        // Paused or not is the tenant's to say, and nothing is due for one that is paused.
        Ok(due) if written && due.iter().all(|one| one.item != healthy) => {
            return Err(format!("what is in good order is not due: {due:?}"));
        }
        Ok(_) => {}
        Err(error) => return Err(format!("one row holds up all: {error}")),
    }
    oldest.map(drop).or_else(|error| silent(&error.to_string()))
}

/// A JSON value as a column.
fn of(value: &Value) -> Column {
    match value {
        Value::Null => Column::Null,
        Value::Bool(flag) => Column::Integer(i64::from(*flag)),
        Value::Number(number) => number.as_i64().map_or_else(
            || Column::Real(number.as_f64().unwrap_or_default()),
            Column::Integer,
        ),
        Value::String(text) => Column::Text(text.clone()),
        other => Column::Text(other.to_string()),
    }
}

/// What the columns have, by table.
type Rows = Vec<Vec<Column>>;

fn rows(connection: &rusqlite::Connection) -> Result<Rows, String> {
    let mut all = Vec::new();
    for (table, names) in COLUMNS {
        let sql = format!("SELECT {} FROM {table}", names.join(", "));
        let row = connection.query_row(&sql, [], |row| {
            (0..names.len()).map(|place| row.get(place)).collect()
        });
        all.push(row.map_err(|error| format!("{table}: {error}"))?);
    }
    Ok(all)
}

fn restore(connection: &rusqlite::Connection, before: &Rows) -> Result<(), String> {
    for ((table, names), row) in COLUMNS.iter().zip(before) {
        let set: Vec<String> = names.iter().map(|name| format!("{name} = ?")).collect();
        let sql = format!("UPDATE {table} SET {}", set.join(", "));
        let restored = connection.execute(&sql, rusqlite::params_from_iter(row));
        restored.map_err(|error| format!("{table}: {error}"))?;
    }
    Ok(())
}
