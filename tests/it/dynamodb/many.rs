//! Many rows, and names with the separators of keys.

use stagecall_aws::Store;
use stagecall_core::ports::{Due as _, Ledger as _, OperatorStore as _};
use stagecall_core::work::Kind;
use stagecall_tests::sample::{assessment, at, detected, key, reported, sent, tenant};

use super::server::{store, table};

async fn new() -> Store {
    store(&table().await)
}

#[tokio::test]
async fn names_do_not_run_into_each_other() {
    let store = new().await;
    let names = ["a", "a#app", "a%23app", "#due", "#tenants"];
    for id in names {
        store.put_tenant(&tenant(id)).await.unwrap();
        store.insert(&detected(key(id, 1))).await.unwrap();
    }
    // Each one's poll and invitation.
    assert_eq!(
        store.due(at(10.0), &Kind::ALL, 100).await.unwrap().len(),
        10
    );
    assert_eq!(store.list_tenants().await.unwrap().len(), 5);
    for id in names {
        let found = store
            .of_applications(&id.into(), &["1".into()])
            .await
            .unwrap();
        assert_eq!(found, [detected(key(id, 1))]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_than_a_page_is_waiting_and_due() {
    let store = new().await;
    store.put_tenant(&tenant("acme")).await.unwrap();
    let tasks = (0..600).map(|application| {
        let store = store.clone();
        tokio::spawn(async move {
            let row = detected(key("acme", application));
            let row = if application % 2 == 0 {
                row
            } else {
                reported(&sent(&row, &format!("p{application}").as_str().into()))
            };
            store.insert(&row).await.unwrap();
        })
    });
    for task in futures::future::join_all(tasks).await {
        task.unwrap();
    }
    let waiting = store.waiting(&"acme".into(), &assessment()).await.unwrap();
    assert_eq!(waiting.len(), 300);
    // With the tenant's poll.
    assert_eq!(
        store.due(at(1.0), &Kind::ALL, 1000).await.unwrap().len(),
        301
    );
    assert_eq!(
        store.due(at(1.0), &Kind::ALL, 250).await.unwrap().len(),
        251
    );
}
