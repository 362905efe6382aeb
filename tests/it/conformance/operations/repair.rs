//! What operators repair.

use stagecall_core::announcement::{self, Announcement, Hire, HireKey, Outcome};
use stagecall_core::invitation::{Event, FailReason, State, Step};
use stagecall_core::ports::{Delivery, DeliveryOutcome, TenantState};
use stagecall_core::timing::Timing;
use stagecall_core::work::Work;
use stagecall_operations::repair::unmatched::{self, LinkQuestion};
use stagecall_operations::repair::{One, cancel, reinvite, replay, resync, retry};
use stagecall_operations::{Error, hires};
use stagecall_tests::sample::{assessment, at, delivery, detected, key, reported, sent, then};

use super::fixture::{Operated, acme, change, nothing};
use crate::conformance::Backend;

fn one() -> One {
    One {
        tenant: "acme".to_owned(),
        application: "1".into(),
        mapping: None,
    }
}

/// What failed is due at once; what did not is left alone.
pub async fn a_retry_makes_what_failed_due(backend: impl Backend) {
    let operated = Operated::new(&backend).await;
    let fail = Event::Fail {
        claim: None,
        reason: FailReason::NoEmail,
    };
    let failed = then(&detected(key("acme", 1)), fail, at(1.0));
    operated.save(&failed).await;
    operated
        .save(&reported(&sent(&detected(key("acme", 2)), &"p2".into())))
        .await;
    let question = retry::Question {
        tenant: "acme".to_owned(),
        application: None,
        mapping: None,
    };
    let prepared = change(retry::prepare(&operated.on, &question).await.unwrap());
    let done = operated.apply(prepared).await.unwrap();
    assert_eq!((done.count, done.rejected.len()), (1, 0));
    assert_eq!(operated.load(&failed).await.state, State::Detected);
    let work = Work::step(failed.key.clone(), Step::Invite);
    assert_eq!(operated.enqueued(), [work]);
    let expected = [("retry".to_owned(), failed.key.name())];
    assert_eq!(operated.audited().await, expected);
    let again = retry::prepare(&operated.on, &question).await.unwrap();
    assert_eq!(nothing(again), "nothing to retry");
    let unknown = retry::Question {
        application: Some("3".into()),
        ..question
    };
    let unknown = retry::prepare(&operated.on, &unknown).await;
    assert!(matches!(unknown, Err(Error::NotFound(_))));
}

/// Only once the round before has ended, and once.
pub async fn a_new_round_follows_a_cancelled_one(backend: impl Backend) {
    let operated = Operated::new(&backend).await;
    let row = reported(&sent(&detected(key("acme", 1)), &"p1".into()));
    operated.save(&row).await;
    let open = reinvite::prepare(&operated.on, &one()).await;
    assert!(matches!(open, Err(Error::Conflict(_))));

    let here_only = true;
    let cancellation = cancel::prepare(&operated.on, &one(), here_only).await;
    let done = operated.apply(change(cancellation.unwrap())).await.unwrap();
    assert_eq!(done.rejected, None);
    assert_eq!(operated.load(&row).await.state, State::Cancelled);
    let again = cancel::prepare(&operated.on, &one(), here_only).await;
    assert!(nothing(again.unwrap()).contains("nothing new"));
    operated.enqueued();

    let round = reinvite::prepare(&operated.on, &one()).await.unwrap();
    let twice = reinvite::prepare(&operated.on, &one()).await.unwrap();
    let mut second = row.key.clone();
    second.round = 2;
    let due = reinvite::Reinvited::Due(second.clone());
    assert_eq!(operated.apply(round).await.unwrap(), due);
    let existed = reinvite::Reinvited::Existed(second.clone());
    assert_eq!(operated.apply(twice).await.unwrap(), existed);
    let work = Work::step(second.clone(), Step::Invite);
    assert_eq!(operated.enqueued(), [work]);
    let saved = operated.stores.ledger.load(&second).await.unwrap().unwrap();
    assert_eq!(
        (saved.state, saved.entry.seen_at),
        (State::Detected, at(10.0))
    );
    let definition = acme().mappings[0].definition_id();
    assert_eq!(saved.definition.as_ref(), Some(&definition));
    let names = [row.key.name(), second.name()];
    let expected: Vec<_> = ["cancel", "reinvite"]
        .map(str::to_owned)
        .into_iter()
        .zip(names)
        .collect();
    assert_eq!(operated.audited().await, expected);
}

/// Also those that were handled.
pub async fn deliveries_are_processed_again(backend: impl Backend) {
    let operated = Operated::new(&backend).await;
    let early = delivery("acme", "d0", at(-100.0));
    let mut late = delivery("acme", "d1", at(1.0));
    late.tries = 3;
    for one in [&early, &late] {
        let deliveries = &operated.stores.deliveries;
        deliveries.store(one, None).await.unwrap();
        deliveries
            .settle(one, &DeliveryOutcome::Handled)
            .await
            .unwrap();
    }
    let none = replay::prepare(&operated.on, "acme", at(2.0))
        .await
        .unwrap();
    assert!(nothing(none).starts_with("no delivery of acme since "));
    let replay = replay::prepare(&operated.on, "acme", at(0.0))
        .await
        .unwrap();
    assert_eq!(operated.apply(change(replay)).await.unwrap(), 1);
    let work = Work::Delivery {
        tenant: "acme".into(),
        id: "d1".to_owned(),
    };
    assert_eq!(operated.enqueued(), [work]);
    let deliveries = &operated.stores.deliveries;
    let loaded = deliveries
        .load_delivery(&"acme".into(), "d1")
        .await
        .unwrap();
    assert_eq!(loaded.unwrap().tries, 0);
    let target = format!("1 deliveries since {}", at(0.0));
    assert_eq!(operated.audited().await, [("replay".to_owned(), target)]);
}

/// A linked one belongs to its invitation for good; a discarded one is not listed.
pub async fn an_unmatched_delivery_is_linked_or_discarded(backend: impl Backend) {
    let operated = Operated::new(&backend).await;
    let row = detected(key("acme", 1));
    operated.save(&row).await;
    let first = delivery("acme", "d1", at(1.0));
    let second = Delivery {
        given_up: true,
        ..delivery("acme", "e1", at(2.0))
    };
    for one in [&first, &second] {
        let deliveries = &operated.stores.deliveries;
        deliveries.store(one, None).await.unwrap();
        deliveries
            .settle(one, &DeliveryOutcome::Unmatched)
            .await
            .unwrap();
    }
    let listed = unmatched::list(&operated.on, "acme", 10).await.unwrap();
    let why: Vec<_> = listed.iter().map(unmatched::why).collect();
    assert_eq!(
        why,
        ["its result could not be saved", "no matching invitation"]
    );

    let mut question = LinkQuestion {
        tenant: "acme".to_owned(),
        delivery: "d".to_owned(),
        application: "1".into(),
        mapping: None,
        reference: None,
    };
    let several = unmatched::link(&operated.on, &question).await;
    assert!(matches!(several, Err(Error::Invalid(_))), "two references");
    question.reference = Some("p2".to_owned());
    let link = unmatched::link(&operated.on, &question).await.unwrap();
    let linked = operated.apply(link).await.unwrap();
    assert_eq!(
        (linked.delivery.as_str(), &linked.row.key),
        ("d1", &row.key)
    );
    assert_eq!(operated.load(&row).await.reference, Some("p2".into()));
    let (account, reference) = ("willo".into(), "p2".into());
    let ledger = &operated.stores.ledger;
    let bound = ledger.find_by_reference(&row.key.tenant, &account, &reference);
    assert_eq!(bound.await.unwrap(), Some(row.key.clone()));
    let again = unmatched::link(&operated.on, &question).await;
    assert!(
        matches!(again, Err(Error::NotFound(_))),
        "it is unmatched no more"
    );

    let discard = unmatched::discard(&operated.on, "acme", "e").await.unwrap();
    assert_eq!(operated.apply(discard).await.unwrap(), "e1");
    assert!(
        unmatched::list(&operated.on, "acme", 10)
            .await
            .unwrap()
            .is_empty()
    );
    let expected = [
        ("unmatched link", row.key.name()),
        ("unmatched discard", "e1".to_owned()),
    ];
    let expected = expected.map(|(what, target)| (what.to_owned(), target));
    assert_eq!(operated.audited().await, expected);
}

/// What changed since a time is read again; a poll that was faster is not overwritten.
pub async fn a_tenant_is_due_at_once(backend: impl Backend) {
    let operated = Operated::new(&backend).await;
    let prepare = async |since| resync::of_all(&operated.on, "acme", since).await.unwrap();
    assert!(nothing(prepare(None).await).contains("never polled"));
    let mut state = TenantState::new(at(1.0e6));
    state.version = 1;
    state.poll.cursor = Some(at(0.0));
    let states = &operated.stores.states;
    states.save_state(&"acme".into(), &state).await.unwrap();
    let resync = change(prepare(Some(at(-3600.0))).await);
    let overtaken = change(prepare(None).await);
    operated.apply(resync).await.unwrap();
    let saved = states.load_state(&"acme".into()).await.unwrap().unwrap();
    assert_eq!(
        (saved.due_at, saved.poll.cursor),
        (at(10.0), Some(at(-3600.0)))
    );
    let sweep = operated
        .stores
        .sweeps
        .load_sweep(&"acme".into(), &assessment())
        .await;
    assert_eq!(sweep.unwrap().due_at, Some(at(10.0)));
    let work = [
        Work::Poll {
            tenant: "acme".into(),
        },
        Work::Sweep {
            tenant: "acme".into(),
            assessment: assessment(),
        },
    ];
    assert_eq!(operated.enqueued(), work);
    let overtaken = operated.apply(overtaken).await;
    assert!(matches!(overtaken, Err(Error::Busy(_))), "{overtaken:?}");
    let expected = [("resync".to_owned(), "acme".to_owned())];
    assert_eq!(operated.audited().await, expected);
}

/// A delivered hire is due again, once.
pub async fn a_hire_is_sent_again(backend: impl Backend) {
    let operated = Operated::new(&backend).await;
    let hire = Hire::Application("1".into());
    let key = HireKey {
        tenant: "acme".into(),
        hire: hire.clone(),
    };
    let unknown = hires::redelivery(&operated.on, "acme", hire.clone()).await;
    assert!(matches!(unknown, Err(Error::NotFound(_))));
    let row = Announcement::detected(key.clone(), "7".into(), "8".into(), at(0.0), at(-100.0));
    let announcements = &operated.stores.announcements;
    announcements.insert_announcement(&row).await.unwrap();
    let events = [
        announcement::Event::Confirmed {
            hired_at: None,
            application: None,
            endpoint: true,
        },
        announcement::Event::Begin {
            lease_until: at(60.0),
        },
        announcement::Event::Ended {
            attempt: 1,
            outcome: Outcome::Answered(200),
            retry_after: None,
        },
    ];
    events_saved(&operated, row, events).await;
    let listed = hires::list(&operated.on, "acme", 10).await.unwrap();
    assert_eq!(
        listed.iter().map(hires::state).collect::<Vec<_>>(),
        ["delivered"]
    );
    let redelivery = async || {
        hires::redelivery(&operated.on, "acme", hire.clone())
            .await
            .unwrap()
    };
    let (first, second) = (redelivery().await, redelivery().await);
    let done = operated.apply(first).await.unwrap();
    assert_eq!(done, hires::Redelivered::Due);
    assert_eq!(operated.enqueued(), [Work::Announce { key: key.clone() }]);
    let saved = announcements
        .load_announcement(&key)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(saved.due_at, Some(at(10.0)));
    let done = operated.apply(second).await.unwrap();
    assert_eq!(done, hires::Redelivered::UnderWay);
    let expected = [("hires redeliver".to_owned(), hire.to_string())];
    assert_eq!(operated.audited().await, expected);
}

/// Saves an announcement after each of these events.
async fn events_saved(
    operated: &Operated,
    mut row: Announcement,
    events: impl IntoIterator<Item = announcement::Event>,
) {
    for event in events {
        row = row.apply(event, at(1.0), &Timing::default()).unwrap().next;
        let saved = operated.stores.announcements.save_announcement(&row);
        saved.await.unwrap();
    }
}
