//! The tables, and the migrations of older files.
//!
//! Columns are for searching; the rest of a row is its JSON document. Times in columns are microseconds since
//! 1970.

use rusqlite::{Connection, TransactionBehavior};

use super::fault::Fault;

/// The application id of the file ("Stgc").
pub(super) const APPLICATION_ID: i32 = 0x5374_6763;

/// Each one brings the file from the version that is its index to the next.
pub(super) const MIGRATIONS: [&str; 10] = [
    "
    CREATE TABLE tenant (
        id       TEXT NOT NULL PRIMARY KEY,
        paused   INTEGER NOT NULL,
        document TEXT NOT NULL
    ) STRICT;

    CREATE TABLE tenant_state (
        tenant   TEXT NOT NULL PRIMARY KEY,
        version  INTEGER NOT NULL,
        due_at   INTEGER NOT NULL,
        document TEXT NOT NULL
    ) STRICT;

    CREATE TABLE allowance (
        tenant TEXT NOT NULL,
        day    TEXT NOT NULL,
        calls  INTEGER NOT NULL,
        PRIMARY KEY (tenant, day)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE invitation (
        tenant             TEXT NOT NULL,
        application        TEXT NOT NULL,
        mapping            TEXT NOT NULL,
        round              INTEGER NOT NULL,
        version            INTEGER NOT NULL,
        state              TEXT NOT NULL,
        due_at             INTEGER,
        step               TEXT,
        watched_account    TEXT,
        watched_assessment TEXT,
        document           TEXT NOT NULL,
        PRIMARY KEY (tenant, application, mapping, round)
    ) STRICT;
    CREATE INDEX invitation_due ON invitation (due_at, step, tenant, application, mapping, round)
        WHERE due_at IS NOT NULL;
    CREATE INDEX invitation_watched ON invitation (tenant, watched_account, watched_assessment)
        WHERE watched_account IS NOT NULL;
    CREATE INDEX invitation_state ON invitation (tenant, state);

    CREATE TABLE binding (
        tenant      TEXT NOT NULL,
        account     TEXT NOT NULL,
        reference   TEXT NOT NULL,
        application TEXT NOT NULL,
        mapping     TEXT NOT NULL,
        round       INTEGER NOT NULL,
        PRIMARY KEY (tenant, account, reference)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE sweep (
        tenant     TEXT NOT NULL,
        account    TEXT NOT NULL,
        assessment TEXT NOT NULL,
        due_at     INTEGER,
        document   TEXT NOT NULL,
        PRIMARY KEY (tenant, account, assessment)
    ) STRICT;
    CREATE INDEX sweep_due ON sweep (due_at) WHERE due_at IS NOT NULL;

    CREATE TABLE delivery (
        tenant   TEXT NOT NULL,
        id       TEXT NOT NULL,
        standing TEXT NOT NULL CHECK (standing IN ('pending', 'handled', 'unmatched')),
        at       INTEGER NOT NULL,
        due_at   INTEGER,
        document TEXT NOT NULL,
        PRIMARY KEY (tenant, id)
    ) STRICT;
    CREATE INDEX delivery_due ON delivery (due_at) WHERE due_at IS NOT NULL;
    CREATE INDEX delivery_unmatched ON delivery (tenant, at) WHERE standing = 'unmatched';
    CREATE INDEX delivery_handled ON delivery (at) WHERE standing = 'handled';
",
    // Audit records and tombstones.
    "
    CREATE TABLE audit (
        at       INTEGER NOT NULL,
        tenant   TEXT,
        document TEXT NOT NULL
    ) STRICT;
    CREATE INDEX audit_tenant ON audit (tenant, at);

    CREATE TABLE tombstone (
        tenant    TEXT NOT NULL,
        candidate TEXT NOT NULL,
        at        INTEGER NOT NULL,
        document  TEXT NOT NULL,
        PRIMARY KEY (tenant, candidate)
    ) STRICT, WITHOUT ROWID;
",
    // The announcements of hires. `told`: whether there is anything to tell, which of the baseline there is not.
    "
    CREATE TABLE announcement (
        tenant   TEXT NOT NULL,
        kind     TEXT NOT NULL,
        id       TEXT NOT NULL,
        version  INTEGER NOT NULL,
        told     INTEGER NOT NULL,
        seen_at  INTEGER NOT NULL,
        due_at   INTEGER,
        document TEXT NOT NULL,
        PRIMARY KEY (tenant, kind, id)
    ) STRICT;
    CREATE INDEX announcement_due ON announcement (due_at) WHERE due_at IS NOT NULL;
    CREATE INDEX announcement_seen ON announcement (tenant, seen_at) WHERE told;
",
    // Assessments created on a platform.
    "
    CREATE TABLE prepared (
        tenant     TEXT NOT NULL,
        account    TEXT NOT NULL,
        name       TEXT NOT NULL,
        assessment TEXT NOT NULL,
        PRIMARY KEY (tenant, account, name)
    ) STRICT, WITHOUT ROWID;
",
    // The mappings' definitions, by version.
    "
    CREATE TABLE definition (
        tenant   TEXT NOT NULL,
        mapping  TEXT NOT NULL,
        version  TEXT NOT NULL,
        document TEXT NOT NULL,
        PRIMARY KEY (tenant, mapping, version)
    ) STRICT;
",
    // Due work is searched per tenant.
    "
    DROP INDEX invitation_due;
    CREATE INDEX invitation_due ON invitation (tenant, step, due_at) WHERE due_at IS NOT NULL;
    DROP INDEX sweep_due;
    CREATE INDEX sweep_due ON sweep (tenant, due_at) WHERE due_at IS NOT NULL;
    DROP INDEX delivery_due;
    CREATE INDEX delivery_due ON delivery (tenant, due_at) WHERE due_at IS NOT NULL;
    DROP INDEX announcement_due;
    CREATE INDEX announcement_due ON announcement (tenant, due_at) WHERE due_at IS NOT NULL;
",
    // The host's last successful write check.
    "
    CREATE TABLE heartbeat (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        at INTEGER NOT NULL
    ) STRICT;
",
    // Indexes by candidate and by time. A document that is not JSON is in neither.
    "
    ALTER TABLE invitation ADD COLUMN candidate TEXT NOT NULL DEFAULT '';
    UPDATE invitation SET candidate = coalesce(document ->> '$.candidate', '') WHERE json_valid(document);
    CREATE INDEX invitation_of_tenant ON invitation (tenant);
    CREATE INDEX invitation_candidate ON invitation (tenant, candidate);

    ALTER TABLE announcement ADD COLUMN candidate TEXT NOT NULL DEFAULT '';
    UPDATE announcement SET candidate = coalesce(document ->> '$.candidate', '') WHERE json_valid(document);
    CREATE INDEX announcement_candidate ON announcement (tenant, candidate);

    CREATE INDEX binding_owner ON binding (tenant, application, mapping, round);

    ALTER TABLE audit ADD COLUMN target TEXT NOT NULL DEFAULT '';
    UPDATE audit SET target = coalesce(document ->> '$.target', '') WHERE json_valid(document);
    CREATE INDEX audit_target ON audit (tenant, target);

    CREATE TABLE delivery_reference (
        tenant    TEXT NOT NULL,
        id        TEXT NOT NULL,
        account   TEXT NOT NULL,
        reference TEXT NOT NULL,
        PRIMARY KEY (tenant, id, account, reference)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX delivery_of_reference ON delivery_reference (tenant, account, reference);
    INSERT OR IGNORE INTO delivery_reference
        SELECT delivery.tenant, delivery.id, coalesce(document ->> '$.account', ''), value
        FROM delivery, json_each(iif(json_valid(document), document, '{}'), '$.references');
    CREATE INDEX delivery_arrived ON delivery (tenant, at, id);
",
    // Eploy's access tokens, sealed.
    "
    CREATE TABLE token (
        tenant TEXT NOT NULL PRIMARY KEY,
        sealed BLOB NOT NULL
    ) STRICT;
",
    // Whose invitation a row was passed over for.
    "
    CREATE INDEX invitation_owner ON invitation
        (tenant, CASE WHEN json_valid(document) THEN document ->> '$.state.skipped.duplicate.application' END)
        WHERE state = 'skipped';
",
];

/// Whether the file has the schema of this version.
pub(super) fn is_current(connection: &Connection) -> Result<bool, Fault> {
    Ok(version(connection)? == MIGRATIONS.len())
}

/// Migrates the file, atomically.
pub(super) fn migrate(connection: &Connection) -> Result<(), Fault> {
    let transaction =
        rusqlite::Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    let from = version(&transaction)?;
    for step in MIGRATIONS.iter().skip(from) {
        transaction.execute_batch(step)?;
    }
    if from < MIGRATIONS.len() {
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", MIGRATIONS.len().cast_signed())?;
        tracing::info!(from, to = MIGRATIONS.len(), "database schema migrated");
    }
    transaction.commit()?;
    if from == 1 {
        // A file of that version has copies of removed or changed data in its unused pages.
        connection.execute_batch("VACUUM")?;
    }
    Ok(())
}

/// The file's version; 0 for a new one. An error if it is another program's or newer than this program.
pub(super) fn version(connection: &Connection) -> Result<usize, Fault> {
    // In one statement, so that a concurrent migration is visible in all three or in none.
    let (owner, version, tables): (i32, i64, i64) = connection.query_row(
        "SELECT application_id, user_version, (SELECT count(*) FROM sqlite_schema)
         FROM pragma_application_id, pragma_user_version",
        [],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )?;
    if owner != APPLICATION_ID && (owner != 0 || version != 0 || tables != 0) {
        return Err(Fault::Other(
            "this is the database of another program. Check the path".to_owned(),
        ));
    }
    match usize::try_from(version) {
        Ok(version) if version <= MIGRATIONS.len() => Ok(version),
        _ => Err(Fault::Other(format!(
            "the file is of version {version} and this program knows {} and older. Use the newer program that wrote it",
            MIGRATIONS.len()
        ))),
    }
}
