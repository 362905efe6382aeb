use stagecall_core::ids::{ApplicationId, InvitationKey, TenantId};
use stagecall_core::invitation::{Entry, Invitation, Step};
use stagecall_core::ports::{
    Due as _, DueItem, Inserted, InvitationFilter, Ledger as _, OperatorStore as _,
};
use stagecall_core::result::{ResultSnapshot, Score, Status};
use stagecall_core::work::Kind;

use super::*;

fn now() -> Timestamp {
    "2026-11-22T10:00:00Z".parse().unwrap()
}

fn invitation(application: usize) -> Invitation {
    Invitation::detected(
        InvitationKey {
            tenant: "acme".into(),
            application: ApplicationId::new(application.to_string()),
            mapping: "video".into(),
            round: 1,
        },
        "7".into(),
        "8".into(),
        stagecall_core::ids::AssessmentRef {
            account: "willo".into(),
            assessment: "i1".into(),
        },
        Entry::seen(now()),
    )
}

fn place() -> (tempfile::TempDir, std::path::PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("stagecall.db");
    (directory, path)
}

fn refusal(opened: Result<Store, StoreError>) -> String {
    opened.err().unwrap().to_string()
}

#[tokio::test]
async fn one_host_per_file_and_commands_beside_it() {
    let (_directory, path) = place();
    let host = Store::open_exclusive(&path).unwrap();
    let error = refusal(Store::open_exclusive(&path));
    assert!(
        error.contains("another Stagecall host") && error.contains("stagecall.db"),
        "{error}"
    );

    let command = Store::open(&path).unwrap();
    host.insert(&invitation(1)).await.unwrap();
    assert_eq!(
        command.insert(&invitation(1)).await.unwrap(),
        Inserted::Existed
    );
    assert_eq!(command.insert(&invitation(2)).await.unwrap(), Inserted::New);
    assert!(host.load(&invitation(2).key).await.unwrap().is_some());

    drop(host);
    Store::open_exclusive(&path).unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn one_host_per_file_under_any_name() {
    let (directory, path) = place();
    let host = Store::open_exclusive(&path).unwrap();
    let [link, hard] = ["link.db", "hard.db"].map(|name| directory.path().join(name));
    std::os::unix::fs::symlink(&path, &link).unwrap();
    std::fs::hard_link(&path, &hard).unwrap();
    for name in [&link, &hard] {
        let error = refusal(Store::open_exclusive(name));
        assert!(error.contains("another Stagecall host"), "{error}");
    }
    // The refused open has not released the host's locks.
    host.insert(&invitation(1)).await.unwrap();
    drop(host);
    Store::open_exclusive(&link).unwrap();
}

#[tokio::test]
async fn a_file_that_was_overwritten_replaced_or_removed_is_noticed() {
    let harm: [fn(&Path); 4] = [
        |path| {
            std::fs::write(
                path,
                "something else, and much longer than the header of a database",
            )
            .unwrap();
        },
        |path| std::fs::write(path, "").unwrap(),
        |path| std::fs::remove_file(path).unwrap(),
        |path| {
            let other = path.with_extension("other");
            drop(Store::open(&other).unwrap());
            std::fs::rename(other, path).unwrap();
        },
    ];
    for harm in harm {
        let (_directory, path) = place();
        let host = Store::open_exclusive(&path).unwrap();
        host.check(now()).await.unwrap();
        harm(&path);
        let error = host.check(now()).await.unwrap_err().to_string();
        assert!(error.contains("stagecall.db"), "{error}");
    }
}

/// Overwrites the first page of an index or table, as a faulty disk may.
fn damage(path: &Path, name: &str) {
    let connection = rusqlite::Connection::open(path).unwrap();
    let root = "SELECT rootpage FROM sqlite_schema WHERE name = ?1";
    let root: u32 = connection
        .query_row(root, [name], |row| row.get(0))
        .unwrap();
    drop(connection);
    let root = usize::try_from(root).unwrap();
    let mut bytes = std::fs::read(path).unwrap();
    bytes[(root - 1) * 4096..root * 4096].fill(0xAB);
    std::fs::write(path, bytes).unwrap();
}

#[tokio::test]
async fn a_damaged_page_is_detected_before_it_is_read() {
    let (_directory, path) = place();
    let store = Store::open_exclusive(&path).unwrap();
    store.insert(&invitation(1)).await.unwrap();
    store.verify().await.unwrap();
    drop(store);
    damage(&path, "invitation_state");
    let store = Store::open_exclusive(&path).unwrap();
    store.check(now()).await.unwrap();
    store.load(&invitation(1).key).await.unwrap().unwrap();
    let error = store.verify().await.unwrap_err().to_string();
    assert!(error.contains("the file is damaged"), "{error}");
}

#[tokio::test]
async fn verifying_a_removed_file_creates_none() {
    let (_directory, path) = place();
    let store = Store::open_exclusive(&path).unwrap();
    store.verify().await.unwrap();
    std::fs::remove_file(&path).unwrap();
    store.verify().await.unwrap_err();
    assert!(!path.exists());
}

#[tokio::test]
async fn the_end_of_the_writing_thread_is_reported() {
    let (_directory, path) = place();
    let store = Store::open_exclusive(&path).unwrap();
    let write = store.write("panic", |_| -> Result<(), Fault> {
        panic!("a panic intended by the test")
    });
    write.await.unwrap_err();
    store.writer_ended().await;
    store.check(now()).await.unwrap_err();
}

/// Limits the file's size, so that writes fail as on a full disk.
async fn fill_the_disk(store: &Store, full: bool) {
    store
        .write("limit the file", move |connection| {
            let pages: i64 = connection.pragma_query_value(None, "page_count", |row| row.get(0))?;
            let most = if full {
                pages + 4
            } else {
                i64::from(u32::MAX) - 1
            };
            connection.pragma_update(None, "max_page_count", most)?;
            Ok(())
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn a_full_disk_is_named_loses_nothing_and_is_recovered_from() {
    let (_directory, path) = place();
    let store = Store::open_exclusive(&path).unwrap();
    fill_the_disk(&store, true).await;
    let mut answered = Vec::new();
    let mut refused = Vec::new();
    for application in 0..200 {
        match store.insert(&invitation(application)).await {
            Ok(_) => answered.push(application),
            Err(error) => {
                assert!(error.to_string().contains("the disk is full"), "{error}");
                refused.push(application);
            }
        }
    }
    assert!(!answered.is_empty() && !refused.is_empty());
    fill_the_disk(&store, false).await;
    for application in answered {
        assert_eq!(
            store.insert(&invitation(application)).await.unwrap(),
            Inserted::Existed
        );
    }
    for application in refused {
        assert_eq!(
            store.insert(&invitation(application)).await.unwrap(),
            Inserted::New
        );
    }
}

#[test]
fn a_foreign_file_is_refused_and_unchanged() {
    let (_directory, path) = place();
    std::fs::write(
        &path,
        "this is a shopping list, and not a short one at that: ".repeat(100),
    )
    .unwrap();
    let before = std::fs::read(&path).unwrap();
    assert!(refusal(Store::open(&path)).contains("not a database"));
    assert_eq!(std::fs::read(&path).unwrap(), before);

    std::fs::remove_file(&path).unwrap();
    Connection::open(&path)
        .unwrap()
        .execute_batch("CREATE TABLE other (x)")
        .unwrap();
    let before = std::fs::read(&path).unwrap();
    assert!(refusal(Store::open_exclusive(&path)).contains("another program"));
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn a_file_of_a_newer_version_is_refused() {
    let (_directory, path) = place();
    drop(Store::open(&path).unwrap());
    Connection::open(&path)
        .unwrap()
        .pragma_update(None, "user_version", 99)
        .unwrap();
    let error = refusal(Store::open_exclusive(&path));
    assert!(error.contains("version 99"), "{error}");
}

/// A file of an older version.
fn old_file(path: &Path, version: usize, contents: &str) {
    let connection = Connection::open(path).unwrap();
    for step in &schema::MIGRATIONS[..version] {
        connection.execute_batch(step).unwrap();
    }
    let marks = format!(
        "PRAGMA application_id = {}; PRAGMA user_version = {version};",
        schema::APPLICATION_ID
    );
    connection.execute_batch(&marks).unwrap();
    connection.execute_batch(contents).unwrap();
}

/// A file of the first version keeps its rows, and nothing that was removed before.
#[tokio::test]
async fn a_file_of_the_first_version_is_migrated() {
    let (_directory, path) = place();
    let row = serde_json::to_string(&invitation(1)).unwrap();
    let contents = format!(
        "PRAGMA secure_delete = OFF;
         INSERT INTO invitation (tenant, application, mapping, round, version, state, document)
             VALUES ('acme', '1', 'video', 1, 1, 'detected', '{row}');
         INSERT INTO tenant VALUES ('gone', 0, 'p7Yk2Lw9QxT4'); DELETE FROM tenant;"
    );
    old_file(&path, 1, &contents);
    let remnant = |path: &Path| {
        let bytes = std::fs::read(path).unwrap();
        bytes.windows(12).any(|part| part == b"p7Yk2Lw9QxT4")
    };
    assert!(remnant(&path), "the remnant is missing");
    let store = Store::open(&path).unwrap();
    assert_eq!(
        store.insert(&invitation(1)).await.unwrap(),
        Inserted::Existed
    );
    drop(store);
    assert!(!remnant(&path));
}

/// The indexes for erasure cover existing rows, and skip unreadable ones.
#[tokio::test]
async fn an_erasure_finds_rows_older_than_its_indexes() {
    let (_directory, path) = place();
    let row = serde_json::to_string(&invitation(1)).unwrap();
    let candidate = invitation(1).candidate;
    let contents = format!(
        r#"INSERT INTO invitation (tenant, application, mapping, round, version, state, document)
             VALUES ('acme', '1', 'video', 1, 1, 'detected', '{row}'),
                    ('acme', '2', 'video', 1, 1, 'detected', 'no JSON');
         INSERT INTO binding VALUES ('acme', 'willo', 'p1', '1', 'video', 1);
         INSERT INTO delivery (tenant, id, standing, at, document)
             VALUES ('acme', 'd1', 'handled', 0, '{{"account": "willo", "references": ["p1", "p1"]}}'),
                    ('acme', 'd2', 'handled', 0, '{{"account": "willo", "references": ["p2"]}}'),
                    ('acme', 'd3', 'handled', 0, 'no JSON');
         INSERT INTO announcement (tenant, kind, id, version, told, seen_at, document)
             VALUES ('acme', 'application', '1', 1, 1, 0, 'no JSON');
         INSERT INTO audit VALUES (0, 'acme', '{{"at": "2026-11-22T10:00:00Z", "target": "1.video.1"}}');"#
    );
    old_file(&path, 5, &contents);
    let store = Store::open(&path).unwrap();
    let erased = store
        .erase(&"acme".into(), &candidate, now())
        .await
        .unwrap();
    assert_eq!(erased.invitations, [invitation(1)]);
    assert_eq!(
        (erased.references, erased.deliveries, erased.audits),
        (1, 1, 1)
    );
    let file = Connection::open(&path).unwrap();
    let left: (String, String) = file
        .query_row(
            "SELECT (SELECT group_concat(application) FROM invitation), (SELECT group_concat(id) FROM delivery)",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .unwrap();
    assert_eq!(left, ("2".to_owned(), "d2,d3".to_owned()));
}

/// The statements in a source file: its strings that begin with an SQL verb.
fn statements(source: &str) -> Vec<String> {
    let verbs = ["SELECT ", "INSERT ", "UPDATE ", "DELETE "];
    let texts = source.split('"').map(str::trim_start);
    texts
        .filter(|text| verbs.iter().any(|verb| text.starts_with(verb)))
        .map(str::to_owned)
        .collect()
}

/// Every statement on a table that grows with the number of invitations uses an index.
#[test]
fn no_statement_reads_a_whole_table() {
    let (_directory, path) = place();
    drop(Store::open(&path).unwrap());
    let file = Connection::open(&path).unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store");
    let mut seen = Vec::new();
    for source in std::fs::read_dir(folder).unwrap() {
        let source = source.unwrap().path();
        let name = source.file_name().unwrap().to_string_lossy().into_owned();
        if ["schema.rs", "tests.rs"].contains(&name.as_str()) || source.is_dir() {
            continue;
        }
        let statements = statements(&std::fs::read_to_string(&source).unwrap());
        seen.extend(statements.into_iter().map(|sql| (name.clone(), sql)));
    }
    assert!(seen.len() > 50, "{} statements are not all", seen.len());
    for filter in [
        InvitationFilter::default(),
        InvitationFilter {
            candidate: Some("7".into()),
            ..InvitationFilter::default()
        },
        InvitationFilter {
            application: Some("1".into()),
            ..InvitationFilter::default()
        },
        InvitationFilter {
            state: Some("sending".to_owned()),
            ..InvitationFilter::default()
        },
    ] {
        seen.push(("a page".to_owned(), records::page_sql(&filter)));
    }
    let mut whole = Vec::new();
    for (name, sql) in seen {
        let mut plan = file
            .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
            .unwrap_or_else(|error| panic!("{name}: {error}: {sql}"));
        let nothing = vec![rusqlite::types::Null; plan.parameter_count()];
        let steps = plan.query_map(rusqlite::params_from_iter(nothing), |row| {
            row.get::<_, String>(3)
        });
        for step in steps.unwrap().map(Result::unwrap) {
            let mut words = step.split_whitespace();
            let scanned = words.next() == Some("SCAN");
            // As large as the list of tenants, or no table at all.
            let small = ["tenant", "json_each", "CONSTANT"];
            let reads_all = scanned && words.next().is_none_or(|table| !small.contains(&table));
            // A tenant may own the whole table. Reading all of its rows is allowed if they are few, ordered for a
            // limit, or counted.
            let few = [
                "tenant_state",
                "definition",
                "allowance",
                "tombstone",
                "token",
            ];
            let ordered = ["delivery_unmatched", "announcement_seen"];
            let is_asked_for = few.iter().chain(&ordered).any(|name| step.contains(name))
                || sql.contains("count(*)");
            let reads_tenant = step.contains("(tenant=?)") && !is_asked_for;
            let reads_range = step.contains("(rowid<") || step.contains("(rowid>");
            if reads_all || reads_tenant || reads_range {
                whole.push(format!("{name}: {step}: {sql}"));
            }
        }
    }
    assert!(whole.is_empty(), "{whole:#?}");
}

#[test]
fn a_command_does_not_change_the_schema_under_a_host() {
    let (_directory, path) = place();
    let _host = Lock::take(&path).unwrap();
    assert!(refusal(Store::open(&path)).contains("another Stagecall host"));
}

#[test]
fn a_directory_that_is_not_there_is_named() {
    let error = refusal(Store::open(Path::new("/nowhere/at/all/stagecall.db")));
    assert!(
        error.contains("/nowhere/at/all/stagecall.db") && error.contains("directory"),
        "{error}"
    );
}

#[tokio::test]
async fn a_damaged_file_is_named() {
    let (_directory, path) = place();
    let store = Store::open(&path).unwrap();
    for application in 0..50 {
        store.insert(&invitation(application)).await.unwrap();
    }
    drop(store);
    let mut bytes = std::fs::read(&path).unwrap();
    // All pages except the first ones, which have the schema: opening works, reading rows does not.
    for byte in bytes.iter_mut().skip(32 * 4096) {
        *byte = 0xAB;
    }
    std::fs::write(&path, bytes).unwrap();
    let store = Store::open(&path).unwrap();
    let mut damaged = false;
    for application in 0..50 {
        if let Err(error) = store.load(&invitation(application).key).await {
            assert!(error.to_string().contains("the file is damaged"), "{error}");
            damaged = true;
        }
    }
    assert!(damaged);
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_an_error_of_its_own() {
    let (_directory, path) = place();
    let store = Store::open(&path).unwrap();
    for application in [1, 2] {
        store.insert(&invitation(application)).await.unwrap();
    }
    store
        .write("damage", |connection| {
            connection.execute(
                "UPDATE invitation SET document = '{}' WHERE application = '1'",
                [],
            )?;
            Ok(())
        })
        .await
        .unwrap();
    let key = invitation(1).key;
    let filter = InvitationFilter::default();
    for error in [
        store.load(&key).await.unwrap_err(),
        store
            .invitations(&key.tenant, &filter, 10, None)
            .await
            .unwrap_err(),
        store
            .of_applications(&key.tenant, std::slice::from_ref(&key.application))
            .await
            .unwrap_err(),
    ] {
        assert!(error.lasting, "{error}");
        let named = format!("the row of invitation {key} cannot be read: it is JSON, but");
        assert!(error.to_string().contains(&named), "{error}");
    }
    assert!(store.load(&invitation(2).key).await.unwrap().is_some());
}

#[tokio::test]
async fn an_unreadable_due_row_blocks_no_other() {
    let (_directory, path) = place();
    let store = Store::open(&path).unwrap();
    let tenant = serde_json::from_value(serde_json::json!({
        "id": "acme",
        "eploy": {"base_url": "https://acme.eploy.net/"},
        "platforms": {},
        "mappings": [],
    }));
    store.put_tenant(&tenant.unwrap()).await.unwrap();
    for application in [1, 2, 3] {
        store.insert(&invitation(application)).await.unwrap();
    }
    store
        .write("damage", |connection| {
            connection.execute_batch(
                "UPDATE invitation SET step = 'post' WHERE application = '1';
                 UPDATE invitation SET round = -1 WHERE application = '2';",
            )?;
            Ok(())
        })
        .await
        .unwrap();
    let due = store.due(Timestamp::MAX, &Kind::ALL, 10).await.unwrap();
    let step = DueItem::Invitation(invitation(3).key, Step::Invite);
    assert!(due.iter().any(|one| one.item == step), "{due:?}");
}

#[tokio::test]
async fn an_invalid_cursor_is_refused() {
    let (_directory, path) = place();
    let store = Store::open(&path).unwrap();
    let (tenant, filter) = (TenantId::from("acme"), InvitationFilter::default());
    for next in ["", "x", "99999999999999999999"] {
        let asked = store.invitations(&tenant, &filter, 10, Some(next)).await;
        assert!(asked.is_err(), "{next}");
    }
}

#[tokio::test]
async fn numbers_and_times_read_back_exactly() {
    let (_directory, path) = place();
    let store = Store::open(&path).unwrap();
    let mut written = invitation(1);
    written.entry.entered_at = Some("2026-11-22T10:00:00.123456789Z".parse().unwrap());
    written.snapshot = Some(ResultSnapshot {
        status: Status::Graded,
        started_at: Some(Timestamp::MIN),
        completed_at: Some(Timestamp::MAX),
        // A number whose last bit a fast parser gets wrong.
        score: Some(Score::of(92.388_291_205_107_85, Some(f64::MAX))),
        digest: String::new(),
    });
    store.insert(&written).await.unwrap();
    assert_eq!(store.load(&written.key).await.unwrap(), Some(written));
}

#[test]
fn a_column_is_never_early_and_keeps_the_order() {
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let exact = at("2026-11-22T10:00:00.000001Z");
    let later = at("2026-11-22T10:00:00.000001001Z");
    assert_eq!(column(exact), instant(exact));
    assert!(column(later) > instant(later));
    assert!(column(at("1969-12-31T23:59:59.9999999Z")) >= 0);
    assert!(column(Timestamp::MIN) < column(exact) && column(exact) < column(Timestamp::MAX));
}

/// Rows that are not due, or of another tenant, are never read.
#[test]
fn due_work_is_found_by_an_index() {
    let connection = Connection::open_in_memory().unwrap();
    schema::migrate(&connection).unwrap();
    for kind in Kind::ALL {
        let sql = format!("EXPLAIN QUERY PLAN {}", due::query(kind).0);
        let mut statement = connection.prepare(&sql).unwrap();
        let steps: Vec<String> = statement
            .query_map(rusqlite::params![0, 1], |row| row.get("detail"))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        let scans = steps.iter().filter(|step| step.starts_with("SCAN"));
        assert!(
            scans.clone().all(|step| step.starts_with("SCAN tenant")),
            "{steps:?}"
        );
    }
}
