//! The announcements of hires.

use futures::future::join_all;
use stagecall_core::Timestamp;
use stagecall_core::announcement::{Announcement, Event, Hire, HireKey, Outcome, State};
use stagecall_core::invitation::Failure;
use stagecall_core::ports::{DueItem, Inserted, Saved};
use stagecall_core::timing::Timing;
use stagecall_tests::sample::{at, tenant};

use super::{Backend, Stores, due, quiet_tenant};

fn key(tenant: &str, hire: Hire) -> HireKey {
    HireKey {
        tenant: tenant.into(),
        hire,
    }
}

fn application(id: &str) -> Hire {
    Hire::Application(id.into())
}

fn detected(key: HireKey, seen: f64) -> Announcement {
    Announcement::detected(key, "7".into(), "8".into(), at(seen), at(-100.0))
}

fn then(row: &Announcement, event: Event, now: Timestamp) -> Announcement {
    row.apply(event, now, &Timing::default()).unwrap().next
}

/// Published to subscribers, and due to be sent to the HRMS.
fn delivering(row: &Announcement) -> Announcement {
    let confirmed = Event::Confirmed {
        hired_at: Some(at(-3.000_000_001)),
        application: Some("70215".into()),
        endpoint: true,
    };
    then(row, confirmed, at(1.0))
}

fn begun(row: &Announcement, now: f64) -> Announcement {
    let lease_until = at(now + 60.0);
    then(row, Event::Begin { lease_until }, at(now))
}

fn ended(row: &Announcement, outcome: Outcome, now: f64) -> Announcement {
    let event = Event::Ended {
        attempt: row.attempts.last().unwrap().number,
        outcome,
        retry_after: None,
    };
    then(row, event, at(now))
}

async fn insert(stores: &Stores, row: &Announcement) -> Inserted {
    let inserted = stores.announcements.insert_announcement(row).await;
    inserted.unwrap()
}

async fn save(stores: &Stores, row: &Announcement) -> Saved {
    let saved = stores.announcements.save_announcement(row).await;
    saved.unwrap()
}

async fn load(stores: &Stores, key: &HireKey) -> Option<Announcement> {
    let loaded = stores.announcements.load_announcement(key).await;
    loaded.unwrap()
}

/// By its key. A second insert changes nothing.
pub async fn a_hire_is_recorded_once(backend: impl Backend) {
    let stores = backend.stores();
    let first = detected(key("acme", application("1")), 0.0);
    assert_eq!(load(&stores, &first.key).await, None);
    assert_eq!(insert(&stores, &first).await, Inserted::New);
    let second = detected(first.key.clone(), 9.0).of_baseline();
    assert_eq!(insert(&stores, &second).await, Inserted::Existed);
    assert_eq!(load(&stores, &first.key).await, Some(first));
    let tasks = (0..20).map(|n| {
        let stores = stores.clone();
        tokio::spawn(async move {
            let row = detected(key("acme", application("2")), f64::from(n));
            insert(&stores, &row).await
        })
    });
    let answers = join_all(tasks).await.into_iter().map(Result::unwrap);
    assert_eq!(answers.filter(|one| *one == Inserted::New).count(), 1);
}

/// A save creates nothing that was not inserted.
pub async fn a_change_needs_the_version_before(backend: impl Backend) {
    let stores = backend.stores();
    let first = detected(key("acme", application("1")), 0.0);
    let second = delivering(&first);
    assert_eq!(save(&stores, &second).await, Saved::Conflict);
    assert_eq!(load(&stores, &first.key).await, None);
    insert(&stores, &first).await;
    assert_eq!(save(&stores, &begun(&second, 2.0)).await, Saved::Conflict);
    assert_eq!(save(&stores, &second).await, Saved::Saved);
    assert_eq!(save(&stores, &second).await, Saved::Conflict);
    let tasks = (0..20).map(|n| {
        let (stores, next) = (stores.clone(), begun(&second, 2.0 + f64::from(n)));
        tokio::spawn(async move { save(&stores, &next).await })
    });
    let answers = join_all(tasks).await.into_iter().map(Result::unwrap);
    assert_eq!(answers.filter(|one| *one == Saved::Saved).count(), 1);
}

/// Through its whole life cycle, with its delivery log.
pub async fn every_field_of_an_announcement_reads_back(backend: impl Backend) {
    let stores = backend.stores();
    let mut row = detected(key("acme", Hire::Placement("31".into())), 0.0);
    insert(&stores, &row).await;
    let put_off = Event::Deferred {
        failure: Failure {
            code: "eploy.unreachable".to_owned(),
            problem: "it does not answer – „nein“".to_owned(),
            remedy: "Wait.".to_owned(),
            first_failed_at: at(0.5),
            attempts: 1,
        },
        until: at(0.75),
    };
    let put_off = then(&row, put_off, at(0.5));
    let in_delivery = delivering(&put_off);
    let tried = ended(
        &begun(&in_delivery, 2.0),
        Outcome::Unanswered("hrms.no_answer".to_owned()),
        3.0,
    );
    let again = begun(&tried, 10.0);
    let delivered = ended(&again, Outcome::Answered(204), 10.5);
    let begun = begun(&in_delivery, 2.0);
    assert_eq!(delivered.state, State::Delivered);
    for next in [put_off, in_delivery, begun, tried, again, delivered] {
        row = next;
        assert_eq!(save(&stores, &row).await, Saved::Saved);
        assert_eq!(load(&stores, &row.key).await, Some(row.clone()));
    }
    let list = stores.announcements.announcements(&"acme".into(), 9).await;
    assert_eq!(list.unwrap(), [row]);
}

/// An application and a placement of the same id, and odd names.
pub async fn hires_are_apart(backend: impl Backend) {
    let stores = backend.stores();
    let mut keys = Vec::new();
    for tenant in ["acme", "acme#x", "a%23b"] {
        for id in ["1", "1#1", "%23"] {
            keys.push(key(tenant, application(id)));
            keys.push(key(tenant, Hire::Placement(id.into())));
        }
    }
    for (n, key) in keys.iter().enumerate() {
        let seen = f64::from(u32::try_from(n).unwrap());
        let inserted = insert(&stores, &detected(key.clone(), seen)).await;
        assert_eq!(inserted, Inserted::New, "{key}");
    }
    for (n, key) in keys.iter().enumerate() {
        let seen = f64::from(u32::try_from(n).unwrap());
        assert_eq!(load(&stores, key).await.unwrap().seen_at, at(seen));
    }
}

/// From detection to its next attempt, each at its time. What is done or part of the baseline is not due, and neither is
/// anything of a paused or removed tenant.
pub async fn an_announcement_is_due_for_its_next_step(backend: impl Backend) {
    quiet_tenant(&backend, "acme").await;
    let stores = backend.stores();
    let first = detected(key("acme", Hire::Placement("1#1".into())), 0.0);
    let item = [DueItem::Announcement(first.key.clone())];
    insert(&stores, &first).await;
    let baseline = detected(key("acme", application("2")), 0.0).of_baseline();
    insert(&stores, &baseline).await;
    assert_eq!(due(&stores, at(-0.001)).await, []);
    assert_eq!(due(&stores, at(0.0)).await, item);
    let in_delivery = delivering(&first);
    save(&stores, &in_delivery).await;
    assert_eq!(due(&stores, at(0.5)).await, []);
    assert_eq!(due(&stores, at(1.0)).await, item);
    let begun = begun(&in_delivery, 2.0);
    save(&stores, &begun).await;
    assert_eq!(due(&stores, at(61.0)).await, []);
    assert_eq!(due(&stores, at(62.0)).await, item);

    let mut paused = tenant("acme");
    paused.paused = true;
    backend.configure(&paused).await;
    assert_eq!(due(&stores, at(62.0)).await, []);
    backend.configure(&tenant("acme")).await;
    assert_eq!(due(&stores, at(62.0)).await, item);

    save(&stores, &ended(&begun, Outcome::Answered(200), 3.0)).await;
    assert_eq!(due(&stores, at(1.0e6)).await, []);
    let other = detected(key("acme", application("3")), 0.0);
    insert(&stores, &other).await;
    assert_eq!(due(&stores, at(1.0e6)).await.len(), 1);
    assert!(backend.remove(&"acme".into()).await);
    assert_eq!(due(&stores, at(1.0e6)).await, []);
    assert_eq!(load(&stores, &other.key).await, Some(other));
}

/// The newest of this tenant, up to the limit. The baseline is not listed until it is delivered.
pub async fn announcements_are_listed_newest_first(backend: impl Backend) {
    let stores = backend.stores();
    for (tenant, id, seen) in [
        ("acme", "old", 1.0),
        ("acme", "new", 3.0),
        ("acme", "middle", 2.0),
        ("other", "foreign", 4.0),
    ] {
        insert(&stores, &detected(key(tenant, application(id)), seen)).await;
    }
    let baseline = detected(key("acme", application("before")), 0.0).of_baseline();
    insert(&stores, &baseline).await;
    let ids = async |limit: usize| {
        let acme = "acme".into();
        let found = stores.announcements.announcements(&acme, limit).await;
        let ids = found.unwrap().into_iter();
        ids.map(|one| one.key.hire.parts().1.to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(10).await, ["new", "middle", "old"]);
    assert_eq!(ids(2).await, ["new", "middle"]);
    save(&stores, &then(&baseline, Event::Redeliver, at(9.0))).await;
    assert_eq!(ids(10).await, ["new", "middle", "old", "before"]);
}
