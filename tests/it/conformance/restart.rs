//! What a new process finds in the store.

use stagecall_core::ports::{Bound, DeliveryOutcome, Inserted, Saved, TenantState};
use stagecall_tests::sample::{
    assessment, at, claimed, delivery, detected, key, reported, sent, tenant, touched,
};

use super::{Backend, Stores};

/// Every confirmed write is there, and due as before.
pub async fn everything_is_there_after_a_restart(backend: impl Backend) {
    let acme = "acme".into();
    backend.configure(&tenant("acme")).await;
    let before = backend.stores();
    let mut state = TenantState::new(at(60.0));
    state.version = 1;
    before.states.save_state(&acme, &state).await.unwrap();
    let first = detected(key("acme", 1));
    before.ledger.insert(&first).await.unwrap();
    before.ledger.save(&claimed(&first)).await.unwrap();
    let watched = reported(&sent(&detected(key("acme", 2)), &"p2".into()));
    before.ledger.insert(&watched).await.unwrap();
    before
        .ledger
        .bind_reference(&"willo".into(), &"p2".into(), &watched)
        .await
        .unwrap();
    before
        .sweeps
        .schedule_sweep(&acme, &assessment(), at(900.0))
        .await
        .unwrap();
    let parked = delivery("acme", "parked", at(0.0));
    for one in [&delivery("acme", "pending", at(0.0)), &parked] {
        before.deliveries.store(one, Some(one.at)).await.unwrap();
    }
    before
        .deliveries
        .settle(&parked, &DeliveryOutcome::Unmatched)
        .await
        .unwrap();
    before
        .allowance
        .take(&acme, "2026-11-22", 7, 10)
        .await
        .unwrap();
    let due = all_due(&before).await;
    assert_eq!(due.len(), 4);
    drop(before);

    let backend = backend.restart().await;
    let after = backend.stores();
    assert_eq!(
        after.tenants.tenant(&acme).await.unwrap(),
        Some(tenant("acme"))
    );
    assert_eq!(after.states.load_state(&acme).await.unwrap(), Some(state));
    assert_eq!(
        after.ledger.load(&first.key).await.unwrap(),
        Some(claimed(&first))
    );
    assert_eq!(
        after.ledger.insert(&first).await.unwrap(),
        Inserted::Existed
    );
    assert_eq!(
        after
            .ledger
            .waiting(&acme, &assessment())
            .await
            .unwrap()
            .len(),
        1
    );
    let taken = after
        .ledger
        .bind_reference(&"willo".into(), &"p2".into(), &first)
        .await;
    assert_eq!(taken.unwrap(), Bound::Other(watched.key));
    assert_eq!(
        after.deliveries.unmatched(&acme, 10).await.unwrap(),
        [parked]
    );
    assert_eq!(after.allowance.taken(&acme, "2026-11-22").await.unwrap(), 7);
    assert_eq!(all_due(&after).await, due);
}

/// What is due, sorted: items that are due since the same time come in any order.
async fn all_due(stores: &Stores) -> Vec<String> {
    let due = super::due(stores, at(1.0e6)).await;
    let mut due: Vec<_> = due.iter().map(|item| format!("{item:?}")).collect();
    due.sort();
    due
}

/// A process that died between load and save cannot overwrite what its successor saved.
pub async fn versions_count_on_after_a_restart(backend: impl Backend) {
    let first = detected(key("acme", 1));
    backend.stores().ledger.insert(&first).await.unwrap();
    backend
        .stores()
        .ledger
        .save(&touched(&first, 1))
        .await
        .unwrap();
    let backend = backend.restart().await;
    let ledger = backend.stores().ledger;
    assert_eq!(
        ledger.save(&touched(&first, 1)).await.unwrap(),
        Saved::Conflict
    );
    assert_eq!(
        ledger.save(&touched(&first, 2)).await.unwrap(),
        Saved::Saved
    );
}
