//! A process is killed in the middle of its writes, and a new one takes over its file.

use std::collections::HashSet;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use stagecall_core::ids::Reference;
use stagecall_core::ports::{Bound, Inserted, Ledger as _, Saved};
use stagecall_embedded::Store;
use stagecall_tests::sample::{claimed, detected, key};

use super::Place;

/// The variable with the file for the process that is to be killed.
const FILE: &str = "STAGECALL_CRASH_FILE";

/// The prefix of each number whose writes were answered.
const ANSWERED: &str = "answered ";

fn reference(application: usize) -> Reference {
    Reference::new(format!("p{application}"))
}

/// Every answered write is there and complete, whenever the process ends. The lock is released with the process.
#[tokio::test]
async fn what_was_answered_survives_a_kill() {
    let place = Place::new();
    for round in 0..3 {
        let mut host = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "sqlite::crash::the_host",
                "--ignored",
                "--nocapture",
            ])
            .env(FILE, place.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(host.stdout.take().unwrap());
        let mut answered = HashSet::new();
        let mut killed = false;
        loop {
            let mut line = String::new();
            lines.read_line(&mut line).unwrap();
            // All its output counts, except for half a line.
            let Some(line) = line.strip_suffix('\n') else {
                break;
            };
            if let Some(number) = line.strip_prefix(ANSWERED) {
                answered.insert(number.parse::<usize>().unwrap());
            }
            if answered.len() == 150 + 77 * round && !killed {
                host.kill().unwrap();
                killed = true;
            }
        }
        host.wait().unwrap();
        assert!(killed, "it exited before it was killed");

        let store = Store::open_exclusive(&place.path()).unwrap();
        for application in answered {
            let row = detected(key("acme", application));
            let found = store.load(&row.key).await.unwrap();
            assert_eq!(found, Some(claimed(&row)));
            let bound = store
                .bind_reference(
                    &"willo".into(),
                    &reference(application),
                    &detected(key("acme", 0)),
                )
                .await;
            assert_eq!(bound.unwrap(), Bound::Other(row.key));
        }
    }
}

/// Not a test of its own: the process that is killed. It writes from several tasks as fast as it can, and prints each
/// number when all three of its writes were answered.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by what_was_answered_survives_a_kill"]
async fn the_host() {
    let Some(file) = std::env::var_os(FILE) else {
        return;
    };
    let store = Store::open_exclusive(file.as_ref()).unwrap();
    let tasks = (0..16).map(|task| {
        let store = store.clone();
        tokio::spawn(async move {
            // Enough to be still writing when it is killed.
            for application in (1..200_000).filter(|n| n % 16 == task) {
                let row = detected(key("acme", application));
                if store.insert(&row).await.unwrap() == Inserted::Existed {
                    continue;
                }
                store
                    .bind_reference(&"willo".into(), &reference(application), &row)
                    .await
                    .unwrap();
                assert_eq!(store.save(&claimed(&row)).await.unwrap(), Saved::Saved);
                println!("{ANSWERED}{application}");
            }
        })
    });
    for task in futures::future::join_all(tasks).await {
        task.unwrap();
    }
}
