//! What is due.

use std::collections::HashSet;

use stagecall_core::invitation::{Event, Failure, Schedule, Step};
use stagecall_core::ports::{DueItem, DueSince, TenantState};
use stagecall_core::work::Kind;
use stagecall_tests::sample::{
    assessment, at, claimed, delivery, detected, key, reported, sent, tenant, then, touched,
};

use super::{Backend, due, due_of_each, quiet_tenant};

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

/// From detection to the lease's end to the report, each step at its time.
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

/// Only the platform can move a watched invitation, and nothing an ended one.
pub async fn a_watched_or_ended_invitation_is_not_due(backend: impl Backend) {
    quiet_tenant(&backend, "acme").await;
    let stores = backend.stores();
    let watched = reported(&sent(&detected(key("acme", 1)), &"p1".into()));
    let ended = then(
        &detected(key("acme", 2)),
        Event::Left { modified: None },
        at(0.0),
    );
    for row in [watched, ended] {
        stores.ledger.insert(&row).await.unwrap();
    }
    assert_eq!(due(&stores, at(1.0e7)).await, []);
}

/// Once scheduled, at its time; at rest, never.
pub async fn a_sweep_is_due_when_armed(backend: impl Backend) {
    quiet_tenant(&backend, "acme").await;
    let stores = backend.stores();
    let acme = "acme".into();
    stores
        .sweeps
        .schedule_sweep(&acme, &assessment(), at(900.0))
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

/// The limit holds for each tenant and kind, no item comes twice, and the longest due come first.
pub async fn no_more_of_each_tenant_and_kind_than_asked_for(backend: impl Backend) {
    quiet_tenant(&backend, "acme").await;
    backend.configure(&tenant("other")).await;
    let stores = backend.stores();
    for n in 0..10_u32 {
        let since = at(f64::from(n));
        let mut row = detected(key("acme", usize::try_from(n).unwrap()));
        row.entry.seen_at = since;
        row.schedule = Schedule::At {
            at: since,
            step: Step::Invite,
        };
        stores.ledger.insert(&row).await.unwrap();
        let one = delivery("acme", &n.to_string(), since);
        stores.deliveries.store(&one, Some(one.at)).await.unwrap();
    }
    stores
        .sweeps
        .schedule_sweep(&"acme".into(), &assessment(), at(0.0))
        .await
        .unwrap();
    let now = at(100.0);
    let all = due_of_each(&stores, now, 100).await;
    for (each, expected) in [(0, 0), (1, 4), (5, 12), (10, 22), (100, 22)] {
        let items = due_of_each(&stores, now, each).await;
        assert_eq!(items.len(), expected);
        assert_eq!(items.iter().collect::<HashSet<_>>().len(), expected);
        let longest = longest_of_each(&all, each);
        assert_eq!(items.iter().collect::<HashSet<_>>(), longest);
    }
}

fn longest_of_each(all: &[DueItem], each: usize) -> HashSet<&DueItem> {
    let kinds = Kind::ALL.into_iter();
    let of = |kind| {
        all.iter()
            .filter(move |item| item.kind() == kind)
            .take(each)
    };
    kinds.flat_map(of).collect()
}

/// A crowd of one tenant hides nothing of another tenant, and no other kind of its own.
pub async fn a_crowd_hides_no_other_item(backend: impl Backend) {
    let small = one_of_each(&backend, "small", 1000.0).await;
    quiet_tenant(&backend, "big").await;
    let stores = backend.stores();
    for n in 0..300 {
        stores
            .ledger
            .insert(&detected(key("big", n)))
            .await
            .unwrap();
    }
    let mut late = sent(&detected(key("big", 300)), &"p".into());
    late.schedule = Schedule::At {
        at: at(1000.0),
        step: Step::WriteBack,
    };
    stores.ledger.insert(&late).await.unwrap();
    let due = due_of_each(&stores, at(2000.0), 2).await;
    assert_eq!(due.len(), 2 + 1 + small.len());
    for item in small {
        assert!(due.contains(&item), "{item:?}");
    }
    assert!(due.contains(&DueItem::Invitation(late.key, Step::WriteBack)));
}

/// Of the requested kinds, with the time since when.
pub async fn only_what_is_asked_for_is_found(backend: impl Backend) {
    let all = one_of_each(&backend, "acme", 10.0).await;
    let due = backend.stores().due;
    let now = at(100.0);
    for (later, item) in (0..).zip(&all) {
        let found = due.due(now, &[item.kind()], 10).await.unwrap();
        let expected = DueSince {
            since: at(10.0 + f64::from(later)),
            item: item.clone(),
        };
        assert_eq!(found, [expected]);
    }
    assert_eq!(due.due(now, &[Kind::Announce], 10).await.unwrap(), []);
}

/// A deferred step is not due at its earlier time. An unrelated change leaves it due.
pub async fn a_step_that_moves_is_due_at_its_new_time_only(backend: impl Backend) {
    quiet_tenant(&backend, "acme").await;
    let stores = backend.stores();
    let first = detected(key("acme", 1));
    stores.ledger.insert(&first).await.unwrap();
    let beside = touched(&first, 1);
    stores.ledger.save(&beside).await.unwrap();
    assert_eq!(due(&stores, at(0.0)).await.len(), 1);
    let put_off = Event::Deferred {
        claim: None,
        failure: Failure {
            code: "platform.unreachable".to_owned(),
            problem: "it does not answer".to_owned(),
            remedy: "Wait.".to_owned(),
            first_failed_at: at(0.0),
            attempts: 1,
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

/// One of each kind for a tenant, due at `first`, a second later, and so on: poll, invitation, report, sweep,
/// delivery.
async fn one_of_each(backend: &impl Backend, id: &str, first: f64) -> [DueItem; 5] {
    backend.configure(&tenant(id)).await;
    let stores = backend.stores();
    let mut state = TenantState::new(at(first));
    state.version = 1;
    stores.states.save_state(&id.into(), &state).await.unwrap();
    let mut to_invite = detected(key(id, 1));
    let mut to_report = sent(&detected(key(id, 2)), &"p2".into());
    for (row, later) in [(&mut to_invite, 1.0), (&mut to_report, 2.0)] {
        if let Schedule::At { at: due, .. } = &mut row.schedule {
            *due = at(first + later);
        }
        stores.ledger.insert(row).await.unwrap();
    }
    stores
        .sweeps
        .schedule_sweep(&id.into(), &assessment(), at(first + 3.0))
        .await
        .unwrap();
    let received = delivery(id, "d", at(first + 4.0));
    stores
        .deliveries
        .store(&received, Some(received.at))
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

/// Across kinds and tenants.
pub async fn the_longest_due_comes_first(backend: impl Backend) {
    let first = one_of_each(&backend, "acme", 10.0).await;
    let second = one_of_each(&backend, "other", 10.5).await;
    let order: Vec<_> = first
        .into_iter()
        .zip(second)
        .flat_map(<[_; 2]>::from)
        .collect();
    let stores = backend.stores();
    for each in [1, 50] {
        assert_eq!(due_of_each(&stores, at(100.0), each).await, order);
    }
    assert_eq!(due_of_each(&stores, at(11.0), 50).await, order[..3]);
}

/// Nothing is polled, sent or swept. Deliveries are processed and results reported.
pub async fn a_paused_tenant_is_due_for_reports_and_deliveries_only(backend: impl Backend) {
    let all = one_of_each(&backend, "acme", 0.0).await;
    let mut paused = tenant("acme");
    paused.paused = true;
    backend.configure(&paused).await;
    let stores = backend.stores();
    let through = [all[2].clone(), all[4].clone()];
    // What is withheld does not use up the limit.
    for each in [1, 50] {
        assert_eq!(due_of_each(&stores, at(10.0), each).await, through);
    }

    backend.configure(&tenant("acme")).await;
    assert_eq!(due(&stores, at(10.0)).await, all);
}

/// Its work could not be done. Its invitations are kept, its polling state is not.
pub async fn a_removed_tenant_is_not_due_and_its_invitations_stay(backend: impl Backend) {
    let acme = "acme".into();
    one_of_each(&backend, "acme", 0.0).await;
    assert!(backend.remove(&acme).await);
    assert!(!backend.remove(&acme).await);
    let stores = backend.stores();
    assert_eq!(due(&stores, at(10.0)).await, []);
    assert_eq!(stores.tenants.tenant(&acme).await.unwrap(), None);
    assert_eq!(stores.states.load_state(&acme).await.unwrap(), None);
    assert!(stores.ledger.load(&key("acme", 1)).await.unwrap().is_some());
    // A tenant that returns is polled like a new one.
    backend.configure(&tenant("acme")).await;
    let due = due(&stores, at(10.0)).await;
    assert_eq!(due.first(), Some(&DueItem::Poll(acme)));
}
