use std::sync::Arc;

use stagecall_core::Timestamp;
use stagecall_core::clock::Clock;
use stagecall_core::events::{DomainEvent, What};
use stagecall_core::invitation::{Event, Failure, Invitation};
use stagecall_core::ports::{
    Allowance as _, Events, Ledger as _, OperatorStore as _, Saved, TenantState, TenantStates as _,
    Tenants as _,
};
use stagecall_embedded::Store;
use stagecall_tests::sample::{
    at, claimed, detected, key, reported, scored, sent, tenant, then, touched,
};

use super::*;

/// A minute after the samples' first moment.
struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        at(60.0)
    }
}

struct Nobody;

#[async_trait::async_trait]
impl Events for Nobody {
    async fn publish(&self, _: Vec<DomainEvent>) {}
}

/// The metrics, line by line, each with its dimensions and values.
fn lines() -> Vec<serde_json::Value> {
    let mut written = Vec::new();
    flush_to(&mut written);
    let written = String::from_utf8(written).unwrap();
    written
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The value of a metric in a line with this dimension.
fn value(
    lines: &[serde_json::Value],
    dimension: Option<(&str, &str)>,
    metric: &str,
) -> serde_json::Value {
    let of_this = |line: &&serde_json::Value| {
        dimension.is_none_or(|(name, value)| line[name] == value) && !line[metric].is_null()
    };
    lines
        .iter()
        .find(of_this)
        .map_or(serde_json::Value::Null, |line| line[metric].clone())
}

/// Saves a row as it was before `next`, and then `next`.
async fn save(store: &MeasuredStore<Store>, before: &Invitation, next: &Invitation) {
    let mut row = detected(before.key.clone());
    store.insert(&row).await.unwrap();
    while row.version < before.version {
        row = touched(&row, 1);
        store.inner().save(&row).await.unwrap();
    }
    assert_eq!(store.save(next).await.unwrap(), Saved::Saved);
}

/// The state of polling, and calls from the allowance.
async fn poll(store: &MeasuredStore<Store>) {
    let acme = tenant("acme");
    store.inner().put_tenant(&acme).await.unwrap();
    let mut state = TenantState::new(at(0.0));
    state.version = 1;
    store.inner().save_state(&acme.id, &state).await.unwrap();
    store.load_state(&acme.id).await.unwrap();
    store.tenant(&acme.id).await.unwrap();
    // A poll is late when it starts, and not again when it later checks whether it was overtaken.
    for _ in 0..3 {
        store.load_state(&acme.id).await.unwrap();
    }
    let day = "2026-11-22";
    store.take(&acme.id, day, 2_500, 8_000).await.unwrap();
    store.taken(&acme.id, day).await.unwrap();
}

/// Invitations, each with one change at the clock's time.
async fn invite(store: &MeasuredStore<Store>) {
    let now = at(60.0);
    let told_now = |mut row: Invitation| {
        row.history.last_mut().unwrap().at = now;
        row
    };
    let failure = Failure {
        code: "x".to_owned(),
        problem: "x".to_owned(),
        remedy: "x".to_owned(),
        first_failed_at: now,
        attempts: 1,
    };

    let claim = claimed(&detected(key("acme", 1)));
    let invited = sent(&detected(key("acme", 1)), &"p1".into());
    save(store, &claim, &told_now(invited)).await;

    let done = scored(&reported(&sent(&detected(key("acme", 2)), &"p2".into())));
    save(store, &done, &told_now(reported(&done))).await;

    let claim = claimed(&detected(key("acme", 3)));
    let lost = Event::OutcomeUnknown {
        attempt: 1,
        failure: failure.clone(),
        look_up_at: at(90.0),
    };
    save(store, &claim, &then(&claim, lost, now)).await;

    let fresh = detected(key("acme", 4));
    let late = Event::Deferred {
        claim: None,
        failure,
        until: at(90.0),
    };
    save(store, &fresh, &then(&fresh, late, now)).await;

    // Saved again for a change that is not in the history: nothing is counted.
    let invited = sent(&detected(key("acme", 5)), &"p5".into());
    let seen = Event::StillThere {
        modified: Some(at(50.0)),
    };
    save(store, &invited, &then(&invited, seen, now)).await;
}

/// Domain events.
async fn publish_events() {
    let invitation = key("acme", 1);
    let whats = [
        What::Sent {
            invitation: invitation.clone(),
        },
        What::Progressed {
            invitation,
            state: "completed".to_owned(),
        },
        What::Suspended {
            tenant: "acme".into(),
            code: "eploy.x".to_owned(),
        },
    ];
    let events = whats.map(|what| DomainEvent { at: at(60.0), what });
    MeasuredEvents(Nobody).publish(events.to_vec()).await;
}

// One test, because there is one collector per process.
#[tokio::test]
async fn every_metric_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let inner = Store::open(&folder.path().join("store.db")).unwrap();
    let store = MeasuredStore::new(inner, Arc::new(Stopped));
    start("stagecall-test", "poll").unwrap();

    poll(&store).await;
    invite(&store).await;
    publish_events().await;
    record("an outcome of this test's own");
    record(HANDLED);
    work_enqueued(3);
    poll_failed();

    let written = lines();
    let tier = Some(("Tier", "to 10000"));
    for (dimension, metric, expected) in [
        (None, POLL_LAG, serde_json::json!([60.0])),
        (None, POLLS_FAILED, 1.into()),
        (tier, EPLOY_CALLS, 2_500.into()),
        (tier, BUDGET_LEFT, serde_json::json!([75.0])),
        (None, ENTRY_TO_INVITATION, serde_json::json!([65.0])),
        (None, COMPLETION_TO_REPORT, serde_json::json!([56.0])),
        (None, UNKNOWN_OUTCOMES, 1.into()),
        (None, RETRIES, 1.into()),
        (Some(("State", "invited")), INVITATIONS, 1.into()),
        (Some(("State", "completed")), INVITATIONS, 1.into()),
        (None, SUSPENSIONS, 1.into()),
        (
            Some(("Outcome", "an outcome of this test's own")),
            RECORDS,
            1.into(),
        ),
        (Some(("Outcome", HANDLED)), RECORDS, 1.into()),
        (None, RECORDS_FAILED, 1.into()),
        (None, DUE, 3.into()),
    ] {
        assert_eq!(
            value(&written, dimension, metric),
            expected,
            "{metric} in {written:?}"
        );
    }
    for line in &written {
        assert_eq!(line["Stack"], "stagecall-test");
        assert_eq!(line["_aws"]["CloudWatchMetrics"][0]["Namespace"], NAMESPACE);
    }
    assert_eq!(
        value(&lines(), None, DUE),
        serde_json::Value::Null,
        "it is written once"
    );
}
