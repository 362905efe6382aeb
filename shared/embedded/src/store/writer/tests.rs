use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};

use super::*;
use crate::store::configure;

/// Two tables with a deferred foreign key: a child without its parent fails at the commit.
fn writer(path: &Path) -> Writer {
    let connection = Connection::open(path).unwrap();
    configure(&connection).unwrap();
    connection
        .pragma_update(None, "foreign_keys", "ON")
        .unwrap();
    connection
        .execute_batch(
            "CREATE TABLE number (n INTEGER PRIMARY KEY);
             CREATE TABLE child (of INTEGER REFERENCES number DEFERRABLE INITIALLY DEFERRED);",
        )
        .unwrap();
    Writer::start(connection).unwrap()
}

fn insert(n: i64) -> impl FnOnce(&Connection) -> Result<(), Fault> + Send + 'static {
    move |connection| {
        connection.execute("INSERT INTO number VALUES (?1)", [n])?;
        Ok(())
    }
}

fn numbers(path: &Path) -> Vec<i64> {
    let connection = Connection::open(path).unwrap();
    let mut statement = connection
        .prepare("SELECT n FROM number ORDER BY n")
        .unwrap();
    let found = statement.query_map([], |row| row.get(0)).unwrap();
    found.map(Result::unwrap).collect()
}

/// A write that runs until it is released: writes sent meanwhile form the next group.
fn hold() -> (
    impl FnOnce(&Connection) -> Result<(), Fault> + Send + 'static,
    Receiver<()>,
    Sender<()>,
) {
    let (begun, beginning) = channel();
    let (release, released) = channel::<()>();
    let work = move |_: &Connection| {
        begun.send(()).unwrap();
        // Released by a drop.
        let _ = released.recv();
        Ok(())
    };
    (work, beginning, release)
}

/// Runs `$others` in one group.
macro_rules! in_one_group {
    ($writer:expr, $($other:expr),+) => {{
        let (held, beginning, release) = hold();
        let others = async {
            tokio::task::spawn_blocking(move || beginning.recv()).await.unwrap().unwrap();
            // Polled in this order: all are in the channel before the writer is released.
            tokio::join!($($writer.run($other)),+, async move { drop(release) })
        };
        let (held, others) = tokio::join!($writer.run(held), others);
        held.unwrap();
        others
    }};
}

#[tokio::test]
async fn a_failed_write_is_rolled_back_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    let writer = writer(&path);
    let half = |connection: &Connection| {
        insert(2)(connection)?;
        insert(1)(connection)
    };
    let (first, second, third, ()) = in_one_group!(writer, insert(1), half, insert(3));
    first.unwrap();
    assert!(second.unwrap_err().contains("UNIQUE"));
    third.unwrap();
    assert_eq!(numbers(&path), [1, 3]);
}

#[tokio::test]
async fn a_failed_commit_fails_every_write_of_the_group() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    let writer = writer(&path);
    let orphan = |connection: &Connection| {
        connection.execute("INSERT INTO child VALUES (77)", [])?;
        Ok(())
    };
    let (first, second, third, ()) = in_one_group!(writer, insert(1), orphan, insert(3));
    for outcome in [first, second, third] {
        assert!(outcome.unwrap_err().contains("FOREIGN KEY"));
    }
    assert!(numbers(&path).is_empty());

    writer.run(insert(4)).await.unwrap();
    assert_eq!(numbers(&path), [4]);
}

#[tokio::test]
async fn a_transaction_that_ends_early_fails_its_whole_group() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    let writer = writer(&path);
    // As SQLite does after some disk errors.
    let ending = |connection: &Connection| {
        connection.execute_batch("ROLLBACK")?;
        Err(Fault::Other("the disk broke".to_owned()))
    };
    let (first, second, third, ()) = in_one_group!(writer, insert(1), ending, insert(3));
    for outcome in [first, second, third] {
        assert_eq!(outcome.unwrap_err(), "the disk broke");
    }
    assert!(numbers(&path).is_empty());
    writer.run(insert(4)).await.unwrap();
}

#[tokio::test]
async fn a_group_is_one_commit() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    let writer = writer(&path);
    let seen = path.clone();
    let watching = path.clone();
    // From inside the group, another connection sees nothing of it; after it, everything.
    let look = move |_: &Connection| Ok(numbers(&seen));
    let (first, inside, ()) = in_one_group!(writer, insert(1), look);
    first.unwrap();
    assert!(inside.unwrap().is_empty());
    assert_eq!(numbers(&watching), [1]);
}

#[tokio::test]
async fn after_a_panic_every_caller_gets_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let writer = writer(&directory.path().join("db"));
    let panicking =
        |_: &Connection| -> Result<(), Fault> { panic!("a panic intended by the test") };
    let (first, second, ()) = in_one_group!(writer, insert(1), panicking);
    for outcome in [first, second, writer.run(insert(2)).await] {
        assert!(outcome.unwrap_err().contains("Restart"));
    }
}

#[tokio::test]
async fn dropping_the_writer_finishes_started_writes() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    let writer = writer(&path);
    for n in 0..20 {
        // The callers are cancelled before they have an answer.
        let run = writer.run(insert(n));
        tokio::select! { biased; _ = run => {}, () = async {} => {} }
    }
    drop(writer);
    assert_eq!(numbers(&path), (0..20).collect::<Vec<_>>());
}
