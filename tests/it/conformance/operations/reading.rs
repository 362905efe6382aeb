//! What operators see.

use stagecall_core::invitation::{Entry, Event, FailReason, Invitation};
use stagecall_core::ports::{AuditRecord, Delivery, InvitationFilter, TenantState};
use stagecall_core::tenant::Tenant;
use stagecall_operations::events::Follower;
use stagecall_operations::explain::{self, explain};
use stagecall_operations::status::{Standing, status};
use stagecall_operations::{Error, invitations};
use stagecall_tests::sample::{
    assessment, at, claimed, delivery, detected, key, reported, sent, tenant, then,
};

use super::fixture::Operated;
use crate::conformance::Backend;

/// Of one tenant or of all, no more than asked for, with the number of the others.
pub async fn the_latest_invitations_come_first(backend: impl Backend) {
    let operated = Operated::new(&backend).await;
    backend.configure(&tenant("other")).await;
    for (of, application, seen) in [("acme", 1, 1.0), ("acme", 2, 3.0), ("other", 3, 2.0)] {
        let entry = Entry::seen(at(seen));
        let key = key(of, application);
        let row = Invitation::detected(key, "7".into(), "8".into(), assessment(), entry);
        operated.save(&row).await;
    }
    let filter = InvitationFilter::default();
    let latest = async |tenant, limit| {
        let latest = invitations::latest(&operated.on, tenant, &filter, limit).await?;
        let rows = latest.rows.into_iter();
        let applications: Vec<String> = rows.map(|row| row.key.application.to_string()).collect();
        Ok::<_, Error>((applications.join(" "), latest.more))
    };
    assert_eq!(latest(None, 2).await.unwrap(), ("2 3".to_owned(), 1));
    assert_eq!(latest(None, 9).await.unwrap(), ("2 3 1".to_owned(), 0));
    let of_acme = latest(Some("acme"), 9).await.unwrap();
    assert_eq!(of_acme, ("2 1".to_owned(), 0));
    let unknown = latest(Some("nobody"), 9).await;
    assert!(matches!(unknown, Err(Error::NotFound(_))), "{unknown:?}");
}

/// By what has to happen next, of each tenant.
pub async fn the_status_counts_what_waits_and_what_failed(backend: impl Backend) {
    let operated = Operated::new(&backend).await;
    let paused = Tenant {
        paused: true,
        ..tenant("other")
    };
    backend.configure(&paused).await;
    operated.save(&detected(key("acme", 1))).await;
    let open = sent(&detected(key("acme", 2)), &"p2".into());
    operated.save(&open).await;
    let fail = Event::Fail {
        claim: None,
        reason: FailReason::NoEmail,
    };
    let failed = then(&detected(key("acme", 3)), fail, at(1.0));
    operated.save(&failed).await;
    let mut state = TenantState::new(at(4.0));
    state.version = 1;
    let states = &operated.stores.states;
    states.save_state(&"acme".into(), &state).await.unwrap();
    let all = status(&operated.on, None).await.unwrap();
    let [acme, other] = all.tenants.as_slice() else {
        panic!("{all:?}");
    };
    assert_eq!((acme.waiting, acme.open, acme.failed), (1, 1, 1));
    assert_eq!((acme.standing, acme.lag_seconds), (Standing::On, 6));
    assert_eq!((acme.calls_today, acme.calls_allowed), (0, 10_000));
    assert_eq!((other.standing, other.lag_seconds), (Standing::Paused, 0));
    assert_eq!(all.oldest_due, Some(at(0.0)));
    let one = status(&operated.on, Some("other")).await.unwrap();
    assert_eq!(one.tenants.len(), 1);
    let unknown = status(&operated.on, Some("nobody")).await;
    assert!(matches!(unknown, Err(Error::NotFound(_))));
}

/// Also one that was saved a little late, and several at one time.
pub async fn each_event_is_followed_once(backend: impl Backend) {
    let operated = Operated::new(&backend).await;
    let row = detected(key("acme", 1));
    operated.save(&row).await;
    let mut follower = Follower::new(None, at(-1.0));
    let mut next = async || {
        let events = follower.next(&operated.on).await.unwrap();
        let events = events.into_iter();
        let words = events.map(|one| format!("{} {}", one.invitation, one.entry.what));
        words.collect::<Vec<_>>()
    };
    assert_eq!(next().await, ["1.video.1 detected"]);
    assert_eq!(next().await, [""; 0]);
    let claimed = claimed(&row);
    operated.stores.ledger.save(&claimed).await.unwrap();
    assert_eq!(next().await, ["1.video.1 claimed"]);
    operated
        .save(&sent(&detected(key("acme", 2)), &"p2".into()))
        .await;
    let late = ["2.video.1 detected", "2.video.1 claimed", "2.video.1 sent"];
    assert_eq!(next().await, late);
    assert_eq!(next().await, [""; 0]);
}

/// The story of an application: its history, the callbacks about it and what operators did, in order.
pub async fn an_application_is_explained(backend: impl Backend) {
    let operated = Operated::new(&backend).await;
    let row = reported(&sent(&detected(key("acme", 1)), &"p1".into()));
    operated.save(&row).await;
    let called = delivery("acme", "d1", at(1.5));
    let of_another = Delivery {
        references: vec!["p3".into()],
        ..delivery("acme", "d2", at(1.7))
    };
    for one in [&called, &of_another] {
        let stored = operated.stores.deliveries.store(one, None);
        stored.await.unwrap();
    }
    let audit = AuditRecord {
        at: at(4.0),
        who: "ada".to_owned(),
        what: "resync".to_owned(),
        tenant: Some("acme".into()),
        target: row.key.name(),
        why: Some("ticket 118".to_owned()),
    };
    operated.stores.records.audit(&audit).await.unwrap();
    let question = |tenant: &str, application: &str| explain::Question {
        tenant: tenant.to_owned(),
        application: application.into(),
        offline: true,
    };
    let explained = explain(&operated.on, &question("acme", "1")).await.unwrap();
    assert_eq!(explained.invitations, [row]);
    let story: Vec<_> = explained
        .story
        .iter()
        .map(|line| line.what.as_str())
        .collect();
    assert_eq!(
        story,
        [
            "entered the trigger stage, by Eploy's status history",
            "seen at the trigger stage; to be invited",
            "sending began (attempt 1)",
            "the platform has it, as p1",
            "the platform called back: new_response",
            "Eploy shows it (revision 1)",
            "resync by ada: ticket 118",
        ]
    );
    assert_eq!(explained.now, ["Eploy has not been polled yet"]);
    let other = explain(&operated.on, &question("acme", "2")).await.unwrap();
    assert!(other.invitations.is_empty() && other.story.is_empty());
    let unknown = explain(&operated.on, &question("nobody", "1")).await;
    assert!(matches!(unknown, Err(Error::NotFound(_))));
}
