//! What is due.

use std::collections::HashSet;

use stagecall_core::Timestamp;
use stagecall_core::invitation::{Event, Step, Trouble};
use stagecall_core::ports::{DueItem, TenantState};
use stagecall_tests::sample::{
    assessment, at, claimed, delivery, detected, key, reported, sent, tenant, then, touched,
};

use super::{Backend, Stores, quiet_tenant};

async fn due(stores: &Stores, now: Timestamp) -> Vec<DueItem> {
    stores.due.due(now, 100).await.unwrap()
}

/// A tenant that was never polled is due at once; an empty store has nothing due.
pub async fn a_new_tenant_is_due(backend: impl Backend) {
    let stores = backend.stores();
    assert_eq!(due(&stores, at(0.0)).await, []);
    backend.configure(&tenant("acme")).await;
    assert_eq!(due(&stores, at(0.0)).await, [DueItem::Poll("acme".into())]);
}

/// At its time and from then on; configuring it again changes nothing about that.
pub async fn a_tenant_is_due_when_its_state_says(backend: impl Backend) {
    let stores = backend.stores();
    backend.configure(&tenant("acme")).await;
    let mut state = TenantState::new(at(60.0));
    state.version = 1;
    stores
        .states
        .save_state(&"acme".into(), &state)
        .await
        .unwrap();
    backend.configure(&tenant("acme")).await;
    assert_eq!(due(&stores, at(59.999_999)).await, []);
    for later in [60.0, 61.0, 1.0e6] {
        assert_eq!(
            due(&stores, at(later)).await,
            [DueItem::Poll("acme".into())]
        );
    }
    state.version = 2;
    state.due_at = at(120.0);
    stores
        .states
        .save_state(&"acme".into(), &state)
        .await
        .unwrap();
    assert_eq!(due(&stores, at(119.0)).await, []);
}

/// From detection to the lease's end to the report, each at its time for its step.
pub async fn an_invitation_is_due_for_its_step(backend: impl Backend) {
    quiet_tenant(&backend, "acme").await;
    let stores = backend.stores();
    let first = detected(key("acme", 1));
    let item = |step| DueItem::Invitation(first.key.clone(), step);
    stores.ledger.insert(&first).await.unwrap();
    assert_eq!(due(&stores, at(-0.001)).await, []);
    assert_eq!(due(&stores, at(0.0)).await, [item(Step::Invite)]);
    assert_eq!(
        due(&stores, at(0.0)).await,
        [item(Step::Invite)],
        "asking changes nothing"
    );
    stores.ledger.save(&claimed(&first)).await.unwrap();
    assert_eq!(due(&stores, at(59.0)).await, []);
    assert_eq!(due(&stores, at(60.0)).await, [item(Step::Invite)]);
    stores
        .ledger
        .save(&sent(&first, &"p1".into()))
        .await
        .unwrap();
    assert_eq!(due(&stores, at(1.0)).await, [item(Step::WriteBack)]);
}

/// Only the platform can move a watched one, and nothing an ended one.
pub async fn a_watched_or_ended_invitation_is_not_due(backend: impl Backend) {
    quiet_tenant(&backend, "acme").await;
    let stores = backend.stores();
    let watched = reported(&sent(&detected(key("acme", 1)), &"p1".into()));
    let ended = then(&detected(key("acme", 2)), Event::Left, at(0.0));
    for row in [watched, ended] {
        stores.ledger.insert(&row).await.unwrap();
    }
    assert_eq!(due(&stores, at(1.0e7)).await, []);
}

/// Armed and not before its time; resting, never.
pub async fn a_sweep_is_due_when_armed(backend: impl Backend) {
    quiet_tenant(&backend, "acme").await;
    let stores = backend.stores();
    let acme = "acme".into();
    stores
        .sweeps
        .arm(&acme, &assessment(), at(900.0))
        .await
        .unwrap();
    assert_eq!(due(&stores, at(899.0)).await, []);
    let item = DueItem::Sweep(acme.clone(), assessment());
    assert_eq!(due(&stores, at(900.0)).await, [item]);
    let before = stores
        .sweeps
        .load_sweep(&acme, &assessment())
        .await
        .unwrap();
    let mut rest = before.clone();
    rest.due_at = None;
    stores
        .sweeps
        .save_sweep(&acme, &assessment(), &before, &rest)
        .await
        .unwrap();
    assert_eq!(due(&stores, at(1.0e6)).await, []);
}

/// The limit holds for all kinds together, and no item comes twice.
pub async fn no_more_than_the_limit(backend: impl Backend) {
    quiet_tenant(&backend, "acme").await;
    backend.configure(&tenant("other")).await;
    let stores = backend.stores();
    for n in 0..10 {
        stores
            .ledger
            .insert(&detected(key("acme", n)))
            .await
            .unwrap();
        let one = delivery("acme", &n.to_string(), at(0.0));
        stores.deliveries.store(&one).await.unwrap();
    }
    stores
        .sweeps
        .arm(&"acme".into(), &assessment(), at(0.0))
        .await
        .unwrap();
    for (limit, expected) in [(0, 0), (1, 1), (5, 5), (22, 22), (100, 22)] {
        let items = stores.due.due(at(0.0), limit).await.unwrap();
        assert_eq!(items.len(), expected);
        assert_eq!(items.iter().collect::<HashSet<_>>().len(), expected);
    }
}

/// A step that was put off is not due at the time it had before; a change beside it leaves it due.
pub async fn a_step_that_moves_is_due_at_its_new_time_only(backend: impl Backend) {
    quiet_tenant(&backend, "acme").await;
    let stores = backend.stores();
    let first = detected(key("acme", 1));
    stores.ledger.insert(&first).await.unwrap();
    let beside = touched(&first, 1);
    stores.ledger.save(&beside).await.unwrap();
    assert_eq!(due(&stores, at(0.0)).await.len(), 1);
    let put_off = Event::PutOff {
        claim: None,
        trouble: Trouble {
            code: "platform.unreachable".to_owned(),
            problem: "it does not answer".to_owned(),
            remedy: "Wait.".to_owned(),
            since: at(0.0),
            times: 1,
        },
        until: at(30.0),
    };
    stores
        .ledger
        .save(&then(&beside, put_off, at(0.0)))
        .await
        .unwrap();
    assert_eq!(due(&stores, at(29.0)).await, []);
    assert_eq!(due(&stores, at(30.0)).await.len(), 1);
}
