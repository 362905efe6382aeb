//! Writes whose answer is lost, so that they are repeated. Each takes effect once, and the caller gets its success: what
//! follows from a change, above all the domain event, depends on that answer.

use stagecall_core::announcement::{Announcement, Event, Hire, HireKey};
use stagecall_core::ids::TenantId;
use stagecall_core::ports::{
    AuditRecord, Bound, DeliveryOutcome, Inserted, Saved, SweepState, TenantState,
};
use stagecall_core::timing::Timing;
use stagecall_core::work::Kind;
use stagecall_tests::sample::{
    assessment, at, claimed, delivery, detected, key, sent, tenant, touched,
};

use super::Backend;

fn acme() -> TenantId {
    "acme".into()
}

pub async fn an_invitation_is_new_and_its_changes_are_saved(backend: impl Backend) {
    let ledger = backend.losing_answers().ledger;
    let row = detected(key("acme", 1));
    assert_eq!(ledger.insert(&row).await.unwrap(), Inserted::New);
    let claim = claimed(&row);
    assert_eq!(ledger.save(&claim).await.unwrap(), Saved::Saved);
    assert_eq!(ledger.load(&row.key).await.unwrap(), Some(claim.clone()));
    let sent = sent(&row, &"p1".into());
    assert_eq!(sent.version, claim.version + 1);
    assert_eq!(ledger.save(&sent).await.unwrap(), Saved::Saved);

    // Another worker has created it already.
    assert_eq!(ledger.insert(&row).await.unwrap(), Inserted::Existed);
    assert_eq!(ledger.save(&sent).await.unwrap(), Saved::Conflict);
    let gone = detected(key("acme", 2));
    assert_eq!(
        ledger.save(&touched(&gone, 1)).await.unwrap(),
        Saved::Conflict
    );
}

pub async fn a_reference_is_ours_and_what_was_made_is_used(backend: impl Backend) {
    let ledger = backend.losing_answers().ledger;
    let (account, reference) = ("willo".into(), "p1".into());
    let bind = async |application| {
        let owner = detected(key("acme", application));
        ledger
            .bind_reference(&account, &reference, &owner)
            .await
            .unwrap()
    };
    assert_eq!(bind(1).await, Bound::Ours);
    assert_eq!(bind(2).await, Bound::Other(key("acme", 1)));
    let prepare = async |made: &str| {
        let (tenant, made) = (acme(), made.into());
        ledger
            .save_created_assessment(&tenant, &account, "live", &made)
            .await
    };
    assert_eq!(prepare("i1").await.unwrap(), "i1".into());
    assert_eq!(prepare("i2").await.unwrap(), "i1".into());
}

pub async fn a_polls_state_is_saved(backend: impl Backend) {
    backend.configure(&tenant("acme")).await;
    let states = backend.losing_answers().states;
    for version in 1..4 {
        let state = TenantState {
            version,
            ..TenantState::new(at(60.0))
        };
        let saved = states.save_state(&acme(), &state).await;
        assert_eq!(saved.unwrap(), Saved::Saved, "version {version}");
        let saved = states.save_state(&acme(), &state).await;
        assert_eq!(saved.unwrap(), Saved::Conflict, "version {version} again");
    }
}

pub async fn a_sweep_is_armed_once_and_saved(backend: impl Backend) {
    let sweeps = backend.losing_answers().sweeps;
    let load = async || sweeps.load_sweep(&acme(), &assessment()).await.unwrap();
    // Set, moved forward, and only counted.
    for (armed, later) in [(1, 900.0), (2, 100.0), (3, 500.0)] {
        sweeps
            .schedule_sweep(&acme(), &assessment(), at(later))
            .await
            .unwrap();
        assert_eq!(load().await.armed, armed);
    }
    let before = load().await;
    let next = SweepState {
        last_at: Some(at(100.0)),
        ..before.clone()
    };
    let save = async || {
        let (tenant, assessment) = (acme(), assessment());
        let saved = sweeps.save_sweep(&tenant, &assessment, &before, &next);
        saved.await.unwrap()
    };
    assert_eq!(save().await, Saved::Saved);
    assert_eq!(save().await, Saved::Conflict);
}

pub async fn a_hire_is_new_and_its_changes_are_saved(backend: impl Backend) {
    let announcements = backend.losing_answers().announcements;
    let key = HireKey {
        tenant: acme(),
        hire: Hire::Application("1".into()),
    };
    let row = Announcement::detected(key, "7".into(), "8".into(), at(0.0), at(-100.0));
    let inserted = async || announcements.insert_announcement(&row).await.unwrap();
    assert_eq!(inserted().await, Inserted::New);
    let confirmed = Event::Confirmed {
        hired_at: None,
        application: None,
        endpoint: true,
    };
    let next = row
        .apply(confirmed, at(1.0), &Timing::default())
        .unwrap()
        .next;
    let saved = async || announcements.save_announcement(&next).await.unwrap();
    assert_eq!(saved().await, Saved::Saved);
    assert_eq!(saved().await, Saved::Conflict);
    assert_eq!(inserted().await, Inserted::Existed);
}

pub async fn calls_are_taken_once(backend: impl Backend) {
    let allowance = backend.losing_answers().allowance;
    let day = "2026-11-22";
    let take = async |calls| allowance.take(&acme(), day, calls, 1000).await.unwrap();
    for (calls, granted, taken) in [(600, true, 600), (400, true, 1000), (1, false, 1000)] {
        assert_eq!(take(calls).await, granted, "{calls} calls");
        assert_eq!(allowance.taken(&acme(), day).await.unwrap(), taken);
    }
}

pub async fn a_delivery_is_stored_and_settled(backend: impl Backend) {
    backend.configure(&tenant("acme")).await;
    let stores = backend.losing_answers();
    let one = delivery("acme", "d1", at(1.0));
    stores.deliveries.store(&one, Some(one.at)).await.unwrap();
    let due = async || {
        let due = stores.due.due(at(2.0), &[Kind::Delivery], 10).await;
        due.unwrap().len()
    };
    assert_eq!(due().await, 1);
    let settled = stores.deliveries.settle(&one, &DeliveryOutcome::Handled);
    settled.await.unwrap();
    assert_eq!(due().await, 0);
}

pub async fn what_an_operator_does_happens_once(backend: impl Backend) {
    let records = backend.losing_answers().records;
    records.put_tenant(&tenant("acme")).await.unwrap();
    let record = AuditRecord {
        at: at(1.0),
        who: "ada".to_owned(),
        what: "retry".to_owned(),
        tenant: Some(acme()),
        target: "1.video.1".to_owned(),
        why: None,
    };
    for count in 1..3 {
        records.audit(&record).await.unwrap();
        let audits = records.audits(Some(&acme()), None).await.unwrap();
        assert_eq!(audits.len(), count);
    }
    let row = detected(key("acme", 1));
    let stores = backend.stores();
    stores.ledger.insert(&row).await.unwrap();
    let erased = records.erase(&acme(), &row.candidate, at(2.0)).await;
    assert_eq!(erased.unwrap().invitations, [row]);
    assert!(records.remove_tenant(&acme()).await.unwrap());
    assert!(!records.remove_tenant(&acme()).await.unwrap());
}
