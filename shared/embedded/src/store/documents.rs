//! Rows that are documents.

use rusqlite::Connection;
use rusqlite::types::ValueRef;

use super::fault::Fault;
use super::parse;

/// Parses the documents that `sql` selects, each with its key within the table.
pub(super) fn documents<T: serde::de::DeserializeOwned>(
    connection: &Connection,
    table: &'static str,
    sql: &str,
    parameters: impl rusqlite::Params,
) -> Result<Vec<T>, Fault> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(parameters)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let name = match row.get_ref(1)? {
            ValueRef::Integer(number) => number.to_string(),
            other => other.as_str().unwrap_or("?").to_owned(),
        };
        found.push(parse(
            format_args!("{table} {name}"),
            &row.get::<_, String>(0)?,
        )?);
    }
    Ok(found)
}
