//! A store's file with one row of every kind, which a second connection damages.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use rusqlite::Connection;
use stagecall_embedded::Store;
use tempfile::TempDir;

/// One row of every kind, and whatever else `due` needs. The documents come later.
const ROWS: &str = "
    PRAGMA synchronous = OFF;
    INSERT INTO tenant (id, paused, document) VALUES ('acme', 0, '');
    INSERT INTO tenant_state (tenant, version, due_at, document) VALUES ('acme', 1, 9000000000000000, '');
    INSERT INTO invitation (tenant, application, mapping, round, version, state, due_at, step, document)
        VALUES ('acme', '70215', 'video', 1, 1, 'detected', 0, 'invite', '');
    INSERT INTO sweep (tenant, account, assessment, due_at, document) VALUES ('acme', 'willo', 'i1', 0, '');
    INSERT INTO delivery (tenant, id, standing, at, due_at, document) VALUES ('acme', 'd1', 'unmatched', 0, 0, '');
    INSERT INTO announcement (tenant, kind, id, version, told, seen_at, due_at, document)
        VALUES ('acme', 'placement', '31', 1, 1, 0, 0, '');
    INSERT INTO audit (at, tenant, document) VALUES (0, 'acme', '');
    INSERT INTO tombstone (tenant, candidate, at, document) VALUES ('acme', '9001', 0, '');
";

/// The store, and the way past it.
pub struct File {
    /// As hosts and commands read it.
    pub store: Store,
    /// As nobody should write it.
    pub damage: Connection,
    _folder: TempDir,
}

/// The file. It is made once: making one takes longer than everything that is asked of it.
pub fn file() -> Result<MutexGuard<'static, File>, String> {
    static FILE: OnceLock<Result<Mutex<File>, String>> = OnceLock::new();
    match FILE.get_or_init(|| make().map(Mutex::new)) {
        Ok(file) => Ok(file.lock().unwrap_or_else(PoisonError::into_inner)),
        Err(problem) => Err(problem.clone()),
    }
}

fn make() -> Result<File, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let path = folder.path().join("stagecall.db");
    let store = Store::open(&path).map_err(|error| error.to_string())?;
    let damage = Connection::open(&path).map_err(|error| error.to_string())?;
    let made = damage.execute_batch(ROWS);
    made.map_err(|error| error.to_string())?;
    Ok(File {
        store,
        damage,
        _folder: folder,
    })
}
