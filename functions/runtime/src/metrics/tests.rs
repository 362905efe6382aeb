use std::sync::Arc;

use async_trait::async_trait;
use stagecall_core::Timestamp;
use stagecall_core::clock::{Clock, Deadline};
use stagecall_core::engine::{Applied, DefinitionCache, Dispatch, Engine};
use stagecall_core::error::StoreError;
use stagecall_core::events::{DomainEvent, What};
use stagecall_core::ids::{AccountId, TenantId};
use stagecall_core::invitation::{Event, Failure, Invitation};
use stagecall_core::metrics::published;
use stagecall_core::ports::{
    CallbackTokens, Events, Ledger as _, OperatorStore as _, Secrets, TenantSecret, TenantState,
    TenantStates as _,
};
use stagecall_core::timing::Timing;
use stagecall_core::usecases::{Polled, Poller, Scheduler, Shares};
use stagecall_embedded::{Limits, Store, WorkQueue};
use stagecall_http::{Transport, TransportError};
use stagecall_tests::sample::{
    at, claimed, detected, key, reported, scored, sent, tenant, touched,
};

use super::*;

/// Nothing outside answers, and the time is a minute after the samples' first moment.
struct Outside;

impl Clock for Outside {
    fn now(&self) -> Timestamp {
        at(60.0)
    }
}

#[async_trait]
impl Events for Outside {
    async fn publish(&self, events: Vec<DomainEvent>) {
        published(&events);
    }
}

#[async_trait]
impl Transport for Outside {
    async fn send(
        &self,
        _: stagecall_http::Request,
        _: stagecall_http::Limits,
    ) -> Result<stagecall_http::Response, TransportError> {
        Err(TransportError::NotSent("nobody is there".to_owned()))
    }
}

#[async_trait]
impl Secrets for Outside {
    async fn secret(&self, _: &TenantId, _: bool) -> Result<TenantSecret, StoreError> {
        Ok(TenantSecret {
            eploy_client_id: "id".into(),
            eploy_client_secret: "secret".into(),
            platforms: [].into(),
            hrms: None,
        })
    }

    async fn callback_tokens(
        &self,
        _: &TenantId,
        _: &AccountId,
    ) -> Result<Option<CallbackTokens>, StoreError> {
        Ok(None)
    }
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

fn engine(store: &Store) -> Engine {
    let (outside, store) = (Arc::new(Outside), Arc::new(store.clone()));
    let (queue, _) = WorkQueue::new(Limits {
        capacity: 100,
        max_total: 1,
        max_per_tenant: 1,
    });
    Engine {
        ledger: store.clone(),
        sweeps: store.clone(),
        tenants: store.clone(),
        definitions: DefinitionCache::over(store),
        queue: Arc::new(queue),
        events: outside.clone(),
        clock: outside,
        timing: Arc::new(Timing::default()),
    }
}

/// A tenant's poll that is a minute late, and that reads the allowance and fails.
async fn poll(store: &Store, engine: &Engine) {
    let acme = tenant("acme");
    store.put_tenant(&acme).await.unwrap();
    let mut state = TenantState::new(at(0.0));
    state.version = 1;
    store.save_state(&acme.id, &state).await.unwrap();
    let (outside, ports) = (Arc::new(Outside), Arc::new(store.clone()));
    let eploy = stagecall_eploy::Connections::new(
        outside.clone(),
        outside.clone(),
        ports.clone(),
        outside,
        &engine.timing,
    );
    let tenant_poller = Poller {
        engine: engine.clone(),
        states: ports.clone(),
        announcements: ports,
        eploy: Arc::new(eploy),
    };
    let polled = tenant_poller.poll(&acme.id, Deadline::NONE).await;
    assert_eq!(polled.unwrap(), Polled::Failed);
    // It is not due any more, and so not late.
    let polled = tenant_poller.poll(&acme.id, Deadline::NONE).await;
    assert_eq!(polled.unwrap(), Polled::NotDue);
}

/// Saves a row as it is before an event, and applies the event.
async fn apply(store: &Store, engine: &Engine, row: &Invitation, event: Event) {
    let mut before = detected(row.key.clone());
    store.insert(&before).await.unwrap();
    while before.version + 1 < row.version {
        before = touched(&before, 1);
        store.save(&before).await.unwrap();
    }
    if row.version > before.version {
        store.save(row).await.unwrap();
    }
    let applied = engine.apply(row, event, None, Dispatch::Inline).await;
    assert!(matches!(applied.unwrap(), Applied::Yes(_)));
}

/// Invitations, each with one change.
async fn invite(store: &Store, engine: &Engine) {
    let failure = Failure {
        code: "x".to_owned(),
        problem: "x".to_owned(),
        remedy: "x".to_owned(),
        first_failed_at: at(60.0),
        attempts: 1,
    };

    let claim = claimed(&detected(key("acme", 1)));
    let accepted = Event::Sent {
        reference: "p1".into(),
        link: None,
        adopted: false,
        writer: None,
    };
    apply(store, engine, &claim, accepted).await;

    let done = scored(&reported(&sent(&detected(key("acme", 2)), &"p2".into())));
    let mut report = done.report.clone();
    report.revision = done.revision;
    apply(store, engine, &done, Event::Reported(report)).await;

    let claim = claimed(&detected(key("acme", 3)));
    let lost = Event::OutcomeUnknown {
        attempt: 1,
        failure: failure.clone(),
        look_up_at: at(90.0),
    };
    apply(store, engine, &claim, lost).await;

    let fresh = detected(key("acme", 4));
    let late = Event::Deferred {
        claim: None,
        failure,
        until: at(90.0),
    };
    apply(store, engine, &fresh, late).await;

    // A change of which nothing is counted.
    let invited = sent(&detected(key("acme", 5)), &"p5".into());
    let seen = Event::StillThere {
        modified: Some(at(50.0)),
    };
    apply(store, engine, &invited, seen).await;
}

/// Domain events.
async fn publish_events(engine: &Engine) {
    let invitation = key("acme", 1);
    let whats = [
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
    engine.events.publish(events.to_vec()).await;
}

/// Enqueues what is due.
async fn tick(store: &Store, engine: &Engine) -> usize {
    let shares = Shares {
        share: 100,
        lease: engine.timing.enqueue_lease(),
    };
    let store = Arc::new(store.clone());
    let scheduler = Scheduler::new(store, engine.queue.clone(), engine.clock.clone(), shares);
    scheduler.tick().await.unwrap()
}

// One test, because there is one collector per process.
#[tokio::test]
async fn every_metric_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("store.db")).unwrap();
    let engine = engine(&store);
    start("stagecall-test", "poll").unwrap();

    poll(&store, &engine).await;
    invite(&store, &engine).await;
    publish_events(&engine).await;
    let due = tick(&store, &engine).await;
    assert!(due > 0);
    record("an outcome of this test's own");
    record(HANDLED);

    let written = lines();
    let tier = Some(("Tier", "to 10000"));
    for (dimension, metric, expected) in [
        (None, POLL_LAG, serde_json::json!([60.0])),
        (None, POLLS_FAILED, 1.into()),
        (tier, EPLOY_CALLS, 1.into()),
        (tier, BUDGET_LEFT, serde_json::json!([99.99])),
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
        (None, DUE, due.into()),
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
