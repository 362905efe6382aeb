//! The backend in one `SQLite` file.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use stagecall_embedded::Store;
use stagecall_tests::sample::at;

use super::{Backend, Stores};

pub struct Sqlite {
    directory: tempfile::TempDir,
    store: Store,
}

impl Sqlite {
    fn at(directory: tempfile::TempDir) -> Self {
        let path: PathBuf = directory.path().join("stagecall.db");
        let store = Store::open_exclusive(&path, at(0.0)).unwrap();
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

    async fn restart(self) -> Self {
        drop(self.store);
        Self::at(self.directory)
    }
}
