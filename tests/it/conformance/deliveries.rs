//! Deliveries.

use futures::future::join_all;
use stagecall_core::ports::{Delivery, DeliveryOutcome, DeliveryStatus, DueItem};
use stagecall_tests::sample::{at, delivery};

use super::{Backend, due, quiet_tenant};

fn item(delivery: &Delivery) -> DueItem {
    DueItem::Delivery(delivery.tenant.clone(), delivery.id.clone())
}

/// Due as soon as it is stored, and until it has an outcome.
pub async fn a_delivery_is_due_until_it_is_settled(backend: impl Backend) {
    quiet_tenant(&backend, "acme").await;
    let stores = backend.stores();
    let one = delivery("acme", "d1", at(0.0));
    stores.deliveries.store(&one, Some(one.at)).await.unwrap();
    let loaded = stores.deliveries.load_delivery(&one.tenant, "d1").await;
    assert_eq!(loaded.unwrap().as_ref(), Some(&one));
    let unknown = stores.deliveries.load_delivery(&one.tenant, "d2").await;
    assert_eq!(unknown.unwrap(), None);
    let foreign = stores.deliveries.load_delivery(&"other".into(), "d1").await;
    assert_eq!(foreign.unwrap(), None);

    assert_eq!(due(&stores, at(0.0)).await, [item(&one)]);
    assert_eq!(
        due(&stores, at(0.0)).await,
        [item(&one)],
        "asking changes nothing"
    );
    let again = DeliveryOutcome::Again(at(30.0));
    stores.deliveries.settle(&one, &again).await.unwrap();
    assert_eq!(due(&stores, at(29.0)).await, []);
    assert_eq!(due(&stores, at(30.0)).await, [item(&one)]);
    stores
        .deliveries
        .settle(&one, &DeliveryOutcome::Handled)
        .await
        .unwrap();
    assert_eq!(due(&stores, at(1.0e6)).await, []);
    let handled = stores.deliveries.load_delivery(&one.tenant, "d1").await;
    assert_eq!(handled.unwrap(), Some(one));
}

/// Left to a durable queue: not due, until the worker that processes it says so.
pub async fn a_delivery_that_a_queue_keeps_is_not_due(backend: impl Backend) {
    quiet_tenant(&backend, "acme").await;
    let stores = backend.stores();
    let one = delivery("acme", "d1", at(0.0));
    stores.deliveries.store(&one, None).await.unwrap();
    assert_eq!(due(&stores, at(1.0e6)).await, []);
    let loaded = stores.deliveries.load_delivery(&one.tenant, "d1").await;
    assert_eq!(loaded.unwrap().as_ref(), Some(&one));
    // The same call again changes nothing.
    stores.deliveries.store(&one, Some(at(5.0))).await.unwrap();
    assert_eq!(due(&stores, at(1.0e6)).await, []);
    let again = DeliveryOutcome::Again(at(30.0));
    stores.deliveries.settle(&one, &again).await.unwrap();
    assert_eq!(due(&stores, at(30.0)).await, [item(&one)]);
    let fate = DeliveryOutcome::Handled;
    stores.deliveries.settle(&one, &fate).await.unwrap();
    stores.deliveries.store(&one, None).await.unwrap();
    assert_eq!(due(&stores, at(1.0e6)).await, []);
    let pending = stores.records.deliveries(&one.tenant, None).await.unwrap();
    assert_eq!(pending, [(one, DeliveryStatus::Pending)]);
}

/// A second call of the platform neither makes a deferred delivery due earlier, nor changes it.
pub async fn the_same_call_again_is_one_delivery(backend: impl Backend) {
    quiet_tenant(&backend, "acme").await;
    let stores = backend.stores();
    let mut one = delivery("acme", "d1", at(0.0));
    stores.deliveries.store(&one, Some(one.at)).await.unwrap();
    one.tries = 1;
    let again = DeliveryOutcome::Again(at(30.0));
    stores.deliveries.settle(&one, &again).await.unwrap();
    stores
        .deliveries
        .store(&delivery("acme", "d1", at(10.0)), Some(at(10.0)))
        .await
        .unwrap();
    assert_eq!(due(&stores, at(29.0)).await, []);
    assert_eq!(due(&stores, at(30.0)).await, [item(&one)]);
    let loaded = stores.deliveries.load_delivery(&one.tenant, "d1").await;
    assert_eq!(loaded.unwrap(), Some(one));
}

/// The platform may have a reason for it.
pub async fn a_handled_one_that_comes_again_is_due_again(backend: impl Backend) {
    quiet_tenant(&backend, "acme").await;
    let stores = backend.stores();
    let one = delivery("acme", "d1", at(0.0));
    stores.deliveries.store(&one, Some(one.at)).await.unwrap();
    stores
        .deliveries
        .settle(&one, &DeliveryOutcome::Handled)
        .await
        .unwrap();
    let again = delivery("acme", "d1", at(60.0));
    stores
        .deliveries
        .store(&again, Some(again.at))
        .await
        .unwrap();
    assert_eq!(due(&stores, at(60.0)).await, [item(&again)]);
    let loaded = stores.deliveries.load_delivery(&one.tenant, "d1").await;
    assert_eq!(loaded.unwrap(), Some(again));
}

/// Its invitation may be recorded by now.
pub async fn a_parked_one_that_comes_again_is_due_again(backend: impl Backend) {
    quiet_tenant(&backend, "acme").await;
    let stores = backend.stores();
    let one = delivery("acme", "d1", at(0.0));
    stores.deliveries.store(&one, Some(one.at)).await.unwrap();
    stores
        .deliveries
        .settle(&one, &DeliveryOutcome::Unmatched)
        .await
        .unwrap();
    assert_eq!(due(&stores, at(60.0)).await, []);
    stores
        .deliveries
        .store(&delivery("acme", "d1", at(60.0)), Some(at(60.0)))
        .await
        .unwrap();
    assert_eq!(due(&stores, at(60.0)).await, [item(&one)]);
    let parked = stores.deliveries.unmatched(&one.tenant, 10).await.unwrap();
    assert_eq!(parked, []);
}

/// For a person to see: the newest of this tenant, up to the limit.
pub async fn the_parked_ones_newest_first(backend: impl Backend) {
    let stores = backend.stores();
    for (tenant, id, later, fate) in [
        ("acme", "old", 1.0, DeliveryOutcome::Unmatched),
        ("acme", "new", 3.0, DeliveryOutcome::Unmatched),
        ("acme", "middle", 2.0, DeliveryOutcome::Unmatched),
        ("acme", "handled", 4.0, DeliveryOutcome::Handled),
        ("acme", "again", 5.0, DeliveryOutcome::Again(at(9.0))),
        ("other", "foreign", 6.0, DeliveryOutcome::Unmatched),
    ] {
        let one = delivery(tenant, id, at(later));
        stores.deliveries.store(&one, Some(one.at)).await.unwrap();
        stores.deliveries.settle(&one, &fate).await.unwrap();
    }
    let ids = |limit: usize| {
        let deliveries = stores.deliveries.clone();
        async move {
            let found = deliveries.unmatched(&"acme".into(), limit).await.unwrap();
            found.into_iter().map(|one| one.id).collect::<Vec<_>>()
        }
    };
    assert_eq!(ids(10).await, ["new", "middle", "old"]);
    assert_eq!(ids(2).await, ["new", "middle"]);
}

/// Processing counts the attempts. Settling keeps the count.
pub async fn settling_keeps_the_tries(backend: impl Backend) {
    let stores = backend.stores();
    let mut one = delivery("acme", "d1", at(0.0));
    stores.deliveries.store(&one, Some(one.at)).await.unwrap();
    for (tries, fate) in [
        (1, DeliveryOutcome::Again(at(1.0))),
        (2, DeliveryOutcome::Unmatched),
    ] {
        one.tries = tries;
        stores.deliveries.settle(&one, &fate).await.unwrap();
        let loaded = stores.deliveries.load_delivery(&one.tenant, "d1").await;
        assert_eq!(loaded.unwrap().unwrap().tries, tries);
    }
}

/// Twenty copies of one call at once are one delivery, due once.
pub async fn of_many_of_one_call_one_is_stored(backend: impl Backend) {
    quiet_tenant(&backend, "acme").await;
    let stores = backend.stores();
    let one = delivery("acme", "d1", at(0.0));
    let tasks = (0..20).map(|_| {
        let (deliveries, one) = (stores.deliveries.clone(), one.clone());
        tokio::spawn(async move { deliveries.store(&one, Some(one.at)).await.unwrap() })
    });
    for task in join_all(tasks).await {
        task.unwrap();
    }
    assert_eq!(due(&stores, at(0.0)).await, [item(&one)]);
}

/// Daily, while the store is open: only old handled ones.
pub async fn handled_ones_are_forgotten_in_the_end(backend: impl Backend) {
    let stores = backend.stores();
    let day = 86_400.0;
    for (id, arrived, fate) in [
        ("old", 0.0, DeliveryOutcome::Handled),
        ("younger", 2.0 * day, DeliveryOutcome::Handled),
        ("parked", 0.0, DeliveryOutcome::Unmatched),
        ("pending", 0.0, DeliveryOutcome::Again(at(1.0))),
    ] {
        let one = delivery("acme", id, at(arrived));
        stores.deliveries.store(&one, Some(one.at)).await.unwrap();
        stores.deliveries.settle(&one, &fate).await.unwrap();
    }
    backend.expire(at(31.0 * day)).await;
    for (id, there) in [
        ("old", false),
        ("younger", true),
        ("parked", true),
        ("pending", true),
    ] {
        let found = stores.deliveries.load_delivery(&"acme".into(), id).await;
        assert_eq!(found.unwrap().is_some(), there, "{id}");
    }
}
