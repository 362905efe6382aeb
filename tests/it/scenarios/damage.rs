//! The host's file is damaged or replaced.

use std::path::Path;

use stagecall_tests::harness::{Harness, request, stagecall, until};

/// Overwrites the first page of an index that is only read when invitations are counted.
fn damage(file: &Path) {
    let connection = rusqlite::Connection::open(file).unwrap();
    let number = |sql: &str| -> u32 { connection.query_row(sql, [], |row| row.get(0)).unwrap() };
    let size = number("PRAGMA page_size") as usize;
    let root =
        number("SELECT rootpage FROM sqlite_schema WHERE name = 'invitation_state'") as usize;
    drop(connection);
    let mut bytes = std::fs::read(file).unwrap();
    bytes[(root - 1) * size..root * size].fill(0xAB);
    std::fs::write(file, bytes).unwrap();
}

/// Waits until the host's health endpoint has this status.
async fn health(harness: &Harness, says: &str) {
    until(&format!("health says \"{says}\""), async || {
        let health = request(harness.listen(), "GET", "/health", &[], b"").await;
        let right = health.status == if says == "ok" { 200 } else { 503 };
        (right && health.body.contains(says)).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_whose_file_is_damaged_or_replaced_says_so() {
    let (mut harness, acme) = Harness::with_one(173).await;
    harness.start_for(&[&acme]).await;
    health(&harness, "ok").await;
    assert!(harness.stop().await.success());

    let file = harness.file("stagecall.db");
    let whole = std::fs::read(&file).unwrap();
    damage(&file);
    let doctor = stagecall()
        .args(["doctor", "--config"])
        .arg(harness.file("stagecall.toml"))
        .output()
        .unwrap();
    let found = String::from_utf8(doctor.stdout).unwrap();
    assert_eq!(doctor.status.code(), Some(3), "{found}");
    assert!(found.contains("the file is damaged"), "{found}");
    harness.start().await;
    health(&harness, "the store is damaged").await;
    harness
        .logged(&["the file is damaged", "restore a backup"])
        .await;
    harness.kill();

    // The journal belongs to the damaged one.
    for journal in ["stagecall.db-wal", "stagecall.db-shm"] {
        let _ = std::fs::remove_file(harness.file(journal));
    }
    std::fs::write(&file, &whole).unwrap();
    harness.start().await;
    health(&harness, "ok").await;
    let other = harness.file("other.db");
    std::fs::write(&other, &whole).unwrap();
    std::fs::rename(&other, &file).unwrap();
    health(&harness, "does not take writes").await;
    harness
        .logged(&["is another file than the one that was opened"])
        .await;
}
