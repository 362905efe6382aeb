//! The backend in one `SQLite` file.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use rusqlite::types::ValueRef;
use stagecall_embedded::Store;

use super::{Backend, Stores};

pub struct Sqlite {
    directory: tempfile::TempDir,
    store: Store,
}

impl Sqlite {
    fn at(directory: tempfile::TempDir) -> Self {
        let path: PathBuf = directory.path().join("stagecall.db");
        let store = Store::open_exclusive(&path).unwrap();
        Self { directory, store }
    }
}

#[async_trait]
impl Backend for Sqlite {
    async fn new() -> Self {
        Self::at(tempfile::tempdir().unwrap())
    }

    fn stores(&self) -> Stores {
        Stores::of(Arc::new(self.store.clone()))
    }

    async fn rows(&self) -> Vec<String> {
        let file = rusqlite::Connection::open(self.directory.path().join("stagecall.db")).unwrap();
        let mut tables = file
            .prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")
            .unwrap();
        let tables = tables.query_map([], |row| row.get::<_, String>(0)).unwrap();
        let mut rows = Vec::new();
        for table in tables {
            let sql = format!("SELECT * FROM \"{}\"", table.unwrap());
            let mut statement = file.prepare(&sql).unwrap();
            let columns = statement.column_count();
            let mut found = statement.query([]).unwrap();
            while let Some(row) = found.next().unwrap() {
                let values = (0..columns).map(|column| match row.get_ref(column).unwrap() {
                    ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
                    other => format!("{other:?}"),
                });
                rows.push(format!("{sql}: {}", values.collect::<Vec<_>>().join(" | ")));
            }
        }
        rows
    }

    async fn restart(self) -> Self {
        drop(self.store);
        Self::at(self.directory)
    }
}
