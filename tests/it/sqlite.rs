//! What the store in one `SQLite` file does beyond the ports.

mod crash;

use std::path::PathBuf;

use stagecall_core::Timestamp;
use stagecall_core::invitation::Step;
use stagecall_core::ports::{
    Allowance as _, Deliveries as _, DeliveryFate, Due as _, DueItem, Ledger as _, Saved,
    Sweeps as _, TenantState, TenantStates as _, Tenants as _,
};
use stagecall_embedded::{InvitationFilter, StateCount, Store};
use stagecall_tests::sample::{
    assessment, at, claimed, delivery, detected, key, reported, sent, tenant,
};

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

    fn open(&self, now: Timestamp) -> Store {
        Store::open_exclusive(&self.path(), now).unwrap()
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

/// One of each kind for a tenant, due at `first`, a second later, and so on: poll, to invite, to report, sweep,
/// delivery.
async fn one_of_each(store: &Store, id: &str, first: f64) -> [DueItem; 5] {
    store.put_tenant(&tenant(id)).await.unwrap();
    state(store, id, 1, first).await;
    let mut to_invite = detected(key(id, 1));
    let mut to_report = sent(&detected(key(id, 2)), &"p2".into());
    for (row, later) in [(&mut to_invite, 1.0), (&mut to_report, 2.0)] {
        if let stagecall_core::invitation::Wake::At { at: due, .. } = &mut row.wake {
            *due = at(first + later);
        }
        store.insert(row).await.unwrap();
    }
    store
        .arm(&id.into(), &assessment(), at(first + 3.0))
        .await
        .unwrap();
    store
        .store(&delivery(id, "d", at(first + 4.0)))
        .await
        .unwrap();
    [
        DueItem::Poll(id.into()),
        DueItem::Invitation(to_invite.key, Step::Invite),
        DueItem::Invitation(to_report.key, Step::WriteBack),
        DueItem::Sweep(id.into(), assessment()),
        DueItem::Delivery(id.into(), "d".to_owned()),
    ]
}

/// Across kinds and tenants, with any limit.
#[tokio::test]
async fn the_longest_due_comes_first() {
    let place = Place::new();
    let store = place.open(at(0.0));
    let acme = one_of_each(&store, "acme", 10.0).await;
    let other = one_of_each(&store, "other", 10.5).await;
    let order: Vec<_> = acme
        .into_iter()
        .zip(other)
        .flat_map(<[DueItem; 2]>::from)
        .collect();
    for limit in [1, 4, 10, 50] {
        let due = store.due(at(100.0), limit).await.unwrap();
        assert_eq!(due, order[..limit.min(10)]);
    }
    assert_eq!(store.due(at(11.0), 50).await.unwrap(), order[..3]);
}

/// Nothing is polled, sent or swept; deliveries are looked into and results reported.
#[tokio::test]
async fn a_paused_tenant_is_due_for_reports_and_deliveries_only() {
    let place = Place::new();
    let store = place.open(at(0.0));
    let [poll, invite, report, sweep, received] = one_of_each(&store, "acme", 0.0).await;
    let mut paused = tenant("acme");
    paused.paused = true;
    store.put_tenant(&paused).await.unwrap();
    assert_eq!(
        store.due(at(10.0), 50).await.unwrap(),
        [report.clone(), received.clone()]
    );
    // What is held back does not use up the limit.
    assert_eq!(
        store.due(at(10.0), 1).await.unwrap(),
        std::slice::from_ref(&report)
    );

    store.put_tenant(&tenant("acme")).await.unwrap();
    let all = [poll, invite, report, sweep, received];
    assert_eq!(store.due(at(10.0), 50).await.unwrap(), all);
}

/// Its work could not be done. Its invitations are remembered, how polling stood is not.
#[tokio::test]
async fn a_removed_tenant_is_not_due_and_its_invitations_stay() {
    let place = Place::new();
    let store = place.open(at(0.0));
    one_of_each(&store, "acme", 0.0).await;
    assert!(store.remove_tenant(&"acme".into()).await.unwrap());
    assert!(!store.remove_tenant(&"acme".into()).await.unwrap());
    assert_eq!(store.due(at(10.0), 50).await.unwrap(), []);
    assert_eq!(store.tenant(&"acme".into()).await.unwrap(), None);
    assert_eq!(store.load_state(&"acme".into()).await.unwrap(), None);
    assert!(store.load(&key("acme", 1)).await.unwrap().is_some());
}

#[tokio::test]
async fn tenants_are_listed_by_name() {
    let place = Place::new();
    let store = place.open(at(0.0));
    for id in ["b", "c", "a"] {
        store.put_tenant(&tenant(id)).await.unwrap();
    }
    let tenants = store.list_tenants().await.unwrap();
    assert_eq!(tenants, [tenant("a"), tenant("b"), tenant("c")]);
}

#[tokio::test]
async fn an_operator_sees_how_many_which_and_how_late() {
    let place = Place::new();
    let store = place.open(at(0.0));
    assert_eq!(store.oldest_due(at(100.0)).await.unwrap(), None);
    store.put_tenant(&tenant("new")).await.unwrap();
    store.put_tenant(&tenant("acme")).await.unwrap();
    assert_eq!(store.oldest_due(at(100.0)).await.unwrap(), None);
    let rows = [
        claimed(&detected(key("acme", 1))),
        detected(key("acme", 2)),
        detected(key("other", 3)),
        detected(key("acme", 4)),
    ];
    for row in &rows {
        store.insert(row).await.unwrap();
    }
    let count = |id: &str, state: &str, count| StateCount {
        tenant: id.into(),
        state: state.to_owned(),
        count,
    };
    assert_eq!(
        store.counts().await.unwrap(),
        [
            count("acme", "detected", 2),
            count("acme", "sending", 1),
            count("other", "detected", 1)
        ]
    );
    let [sending, second, other, fourth] = rows;
    let filter = |id: Option<&str>, state: Option<&str>| InvitationFilter {
        tenant: id.map(Into::into),
        state: state.map(str::to_owned),
    };
    for (filter, limit, expected) in [
        (
            filter(None, None),
            9,
            vec![&fourth, &other, &second, &sending],
        ),
        (filter(None, None), 2, vec![&fourth, &other]),
        (
            filter(Some("acme"), Some("detected")),
            9,
            vec![&fourth, &second],
        ),
        (filter(None, Some("sending")), 9, vec![&sending]),
        (filter(Some("nobody"), None), 9, vec![]),
    ] {
        let found = store.list_invitations(filter, limit).await.unwrap();
        assert_eq!(found.iter().collect::<Vec<_>>(), expected);
    }
    assert_eq!(store.oldest_due(at(100.0)).await.unwrap(), Some(at(0.0)));
}

/// Only the handled ones, and only old ones.
#[tokio::test]
async fn old_handled_deliveries_are_forgotten_when_a_host_starts() {
    let place = Place::new();
    let store = place.open(at(0.0));
    let day = 86_400.0;
    for (id, arrived, fate) in [
        ("old", 0.0, DeliveryFate::Handled),
        ("younger", 2.0 * day, DeliveryFate::Handled),
        ("parked", 0.0, DeliveryFate::Unmatched),
        ("pending", 0.0, DeliveryFate::Again(at(1.0))),
    ] {
        let one = delivery("acme", id, at(arrived));
        store.store(&one).await.unwrap();
        store.settle(&one, &fate).await.unwrap();
    }
    drop(store);
    let store = place.open(at(31.0 * day));
    for (id, there) in [
        ("old", false),
        ("younger", true),
        ("parked", true),
        ("pending", true),
    ] {
        let found = store.load_delivery(&"acme".into(), id).await.unwrap();
        assert_eq!(found.is_some(), there, "{id}");
    }
}

/// A week is kept to look at, for each tenant its own.
#[tokio::test]
async fn old_days_of_the_allowance_are_forgotten() {
    let place = Place::new();
    let store = place.open(at(0.0));
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
    let store = place.open(at(0.0));
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
    assert_eq!(store.due(at(1.0e6), 50).await.unwrap(), []);
}
