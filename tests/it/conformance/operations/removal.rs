//! What operators remove.

use stagecall_core::invitation::Invitation;
use stagecall_operations::retention::{self, Keep};
use stagecall_operations::{Error, erase};
use stagecall_tests::sample::{at, claimed, detected, key, reported, scored, sent};

use super::fixture::{Operated, change, nothing};
use crate::conformance::Backend;

/// Not while an invitation is being sent. A repetition finds nothing.
pub async fn an_erasure_leaves_a_tombstone(backend: impl Backend) {
    let operated = Operated::new(&backend).await;
    let row = sent(&detected(key("acme", 1)), &"p1".into());
    operated.save(&row).await;
    let sending = claimed(&detected(key("acme", 2)));
    operated.save(&sending).await;
    let question = erase::Question {
        tenant: "acme".to_owned(),
        candidate: "7".into(),
        here_only: true,
    };
    let busy = erase::prepare(&operated.on, &question).await;
    assert!(matches!(busy, Err(Error::Busy(_))), "{busy:?}");
    // The lease of its sender is over.
    operated.clock.set(at(100.0));
    let erasure = erase::prepare(&operated.on, &question).await.unwrap();
    let erased = operated.apply(erasure).await.unwrap();
    assert_eq!((erased.removed.invitations, erased.left), (2, 0));
    let elsewhere = erased.elsewhere.join("\n");
    for part in ["p1 is still there", "possibly an invitation", "backups"] {
        assert!(elsewhere.contains(part), "{part}: {elsewhere}");
    }
    for one in [&row, &sending] {
        assert_eq!(operated.stores.ledger.load(&one.key).await.unwrap(), None);
    }
    let again = erase::prepare(&operated.on, &question).await.unwrap();
    let again = operated.apply(again).await.unwrap();
    assert_eq!(again.removed.invitations, 0);
    let tombstones = operated.stores.records.tombstones(&"acme".into()).await;
    assert_eq!(tombstones.unwrap().len(), 1);
    let erasure = || ("erase".to_owned(), "candidate 7".to_owned());
    assert_eq!(operated.audited().await, [erasure(), erasure()]);
}

/// The time is set first; what has expired goes only when it is applied.
pub async fn a_retention_time_is_set_and_applied(backend: impl Backend) {
    let operated = Operated::new(&backend).await;
    let row = scored(&reported(&sent(&detected(key("acme", 1)), &"p1".into())));
    operated.save(&row).await;
    operated.clock.set(at(31.0 * 86_400.0));
    let prepare = async |keep, purge| {
        let question = retention::Question {
            tenant: "acme".to_owned(),
            keep,
            purge,
        };
        retention::prepare(&operated.on, &question).await
    };
    let unset = prepare(None, false).await.unwrap();
    assert_eq!(nothing(unset), "acme: results are kept for ever.");
    assert!(matches!(prepare(None, true).await, Err(Error::Invalid(_))));
    let done = |set, purged| retention::Done { set, purged };
    let set = change(prepare(Some(Keep::Days(30)), false).await.unwrap());
    assert_eq!(operated.apply(set).await.unwrap(), done(true, None));
    assert_eq!(operated.load(&row).await, row);
    let applied = change(prepare(None, true).await.unwrap());
    assert_eq!(operated.apply(applied).await.unwrap(), done(false, Some(1)));
    let Invitation {
        snapshot,
        forgotten_at,
        ..
    } = operated.load(&row).await;
    assert_eq!((snapshot, forgotten_at), (None, Some(at(31.0 * 86_400.0))));
    let forever = change(prepare(Some(Keep::Forever), false).await.unwrap());
    assert_eq!(operated.apply(forever).await.unwrap(), done(true, None));
    let targets: Vec<_> = operated
        .audited()
        .await
        .into_iter()
        .map(|one| one.1)
        .collect();
    assert_eq!(targets, ["30 days", "30 days", "for ever"]);
}
