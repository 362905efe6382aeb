//! The `SQLite` store's behaviour beyond the ports.

mod crash;

use std::path::PathBuf;

use stagecall_core::ports::{
    Allowance as _, Due as _, Ledger as _, OperatorStore as _, Saved, TenantState,
    TenantStates as _,
};
use stagecall_core::work::Kind;
use stagecall_embedded::Store;
use stagecall_tests::sample::{assessment, at, detected, key, reported, sent, tenant};

struct Place {
    directory: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("stagecall.db")
    }

    fn open(&self) -> Store {
        Store::open_exclusive(&self.path()).unwrap()
    }
}

async fn state(store: &Store, id: &str, version: u64, due: f64) {
    let state = TenantState {
        version,
        ..TenantState::new(at(due))
    };
    let saved = store.save_state(&id.into(), &state).await.unwrap();
    assert_eq!(saved, Saved::Saved);
}

/// A week is kept, separately for each tenant.
#[tokio::test]
async fn old_days_of_the_allowance_are_forgotten() {
    let place = Place::new();
    let store = place.open();
    assert!(
        store
            .take(&"other".into(), "2026-11-01", 5, 10)
            .await
            .unwrap()
    );
    for day in 1..=10 {
        let day = format!("2026-11-{day:02}");
        assert!(store.take(&"acme".into(), &day, 5, 10).await.unwrap());
    }
    for (id, day, taken) in [
        ("acme", "2026-11-03", 0),
        ("acme", "2026-11-04", 5),
        ("acme", "2026-11-10", 5),
        ("other", "2026-11-01", 5),
    ] {
        assert_eq!(
            store.taken(&id.into(), day).await.unwrap(),
            taken,
            "{id} {day}"
        );
    }
}

/// Thousands of writes from as many tasks at once: more than fit into the channel.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_burst_is_taken_in() {
    let place = Place::new();
    let store = place.open();
    store.put_tenant(&tenant("acme")).await.unwrap();
    state(&store, "acme", 1, 1.0e9).await;
    let tasks = (0..3000).map(|application| {
        let store = store.clone();
        tokio::spawn(async move {
            let row = detected(key("acme", application));
            store.insert(&row).await.unwrap();
            let next = reported(&sent(&row, &format!("p{application}").as_str().into()));
            // In one step here, so the version is brought into line.
            let next = stagecall_core::invitation::Invitation { version: 1, ..next };
            assert_eq!(store.save(&next).await.unwrap(), Saved::Saved);
        })
    });
    for task in futures::future::join_all(tasks).await {
        task.unwrap();
    }
    let waiting = store.waiting(&"acme".into(), &assessment()).await.unwrap();
    assert_eq!(waiting.len(), 3000);
    assert_eq!(store.due(at(1.0e6), &Kind::ALL, 50).await.unwrap(), []);
}
