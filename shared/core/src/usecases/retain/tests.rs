use std::sync::Arc;

use super::*;
use crate::fake_ports::{FakePorts, entered, mapping, start, time};
use crate::invitation::{Report, SkipReason, State};
use crate::ports::Ledger as _;
use crate::result::{AssessmentResult, Score, Status};
use crate::timing::Timing;

const DAY: i64 = 86_400;

fn retention(fake: &FakePorts) -> Retention {
    Retention {
        engine: fake.engine(),
        records: Arc::new(fake.clone()),
    }
}

/// Invited and completed with a score at `at`.
fn scored(application: &str, at: i64) -> Invitation {
    let mut result = AssessmentResult::bare("r".into(), Status::Completed);
    result.score = Some(Score::of(8.0, Some(10.0)));
    let seen = Event::Observed {
        snapshot: result.snapshot(),
        change_token: None,
        lease_until: None,
        carried: false,
    };
    then(&invited(application, at), seen, at)
}

/// Invited, completed with a score and shown in Eploy at `at`.
fn completed(application: &str, at: i64) -> Invitation {
    let row = scored(application, at);
    let report = Report {
        revision: row.revision,
        ..Report::default()
    };
    then(&row, Event::Reported(report), at)
}

fn invited(application: &str, at: i64) -> Invitation {
    let sent = Event::Sent {
        reference: application.into(),
        link: None,
        adopted: false,
        writer: None,
    };
    then(&entered(application, &mapping("video"), start()), sent, at)
}

fn then(row: &Invitation, event: Event, at: i64) -> Invitation {
    row.apply(event, time(at), &Timing::default(), None)
        .unwrap()
        .next
}

/// A setup with these rows, thirty days after the start.
async fn after_thirty_days(rows: &[Invitation]) -> FakePorts {
    let fake = FakePorts::new();
    for row in rows {
        fake.insert(row).await.unwrap();
    }
    fake.pass(30 * DAY);
    fake
}

#[tokio::test]
async fn what_is_over_is_kept_for_the_days_that_the_tenant_says_and_no_longer() {
    let old = completed("1", 0);
    let fake = after_thirty_days(&[
        // A page of its own each.
        completed("0", 1),
        old.clone(),
        completed("2", 1),
        // Old, but not ended; or without a result that could be removed.
        invited("3", 0),
        entered("4", &mapping("video"), start()).skipped(SkipReason::Baseline),
    ])
    .await;
    let over = retention(&fake).over(&"acme".into(), 30).await.unwrap();
    assert_eq!(over, [old]);
    fake.pass(1);
    let over = retention(&fake).over(&"acme".into(), 30).await.unwrap();
    assert_eq!(over.len(), 3);
    let over = retention(&fake).over(&"acme".into(), 31).await.unwrap();
    assert_eq!(over, []);
}

#[tokio::test]
async fn what_came_of_it_is_removed_and_that_it_was_stays() {
    let fake = after_thirty_days(&[completed("1", 0)]).await;
    let retention = retention(&fake);
    // The tenant has no retention time.
    retention.purge_expired().await.unwrap();
    let key = completed("1", 0).key;
    assert!(fake.row(&key).snapshot.is_some());

    fake.data().tenant.retention_days = Some(31);
    retention.purge_expired().await.unwrap();
    assert!(fake.row(&key).snapshot.is_some());

    fake.data().tenant.retention_days = Some(30);
    retention.purge_expired().await.unwrap();
    let kept = fake.row(&key);
    assert_eq!(kept.forgotten_at, Some(time(30 * DAY)));
    assert_eq!((kept.snapshot, kept.state), (None, State::Completed));
    assert_eq!(retention.over(&"acme".into(), 30).await.unwrap(), []);
}

/// The failure is reported, so that it is retried soon.
#[tokio::test]
async fn one_tenants_failure_keeps_nothing_else_from_being_forgotten() {
    let fake = after_thirty_days(&[completed("1", 0)]).await;
    {
        let mut data = fake.data();
        data.tenant.retention_days = Some(30);
        let mut other = data.tenant.clone();
        other.id = "before-acme".into();
        data.unlistable = Some(other);
    }
    let failed = retention(&fake).purge_expired().await;
    assert!(failed.is_err());
    assert_eq!(fake.row(&completed("1", 0).key).snapshot, None);
    assert_eq!(fake.data().deliveries_expired, [time(30 * DAY)]);
}

#[tokio::test]
async fn only_what_was_removed_counts() {
    let rows = [completed("1", 0), completed("2", 0), completed("3", 0)];
    let fake = after_thirty_days(&rows).await;
    // The first has just changed.
    fake.data().conflicts = 1;
    let retention = retention(&fake);
    assert_eq!(retention.forget(&rows).await.unwrap(), 2);
    assert!(fake.row(&rows[0].key).snapshot.is_some());
}

/// Eploy refuses the report, because the application was deleted there, and it is retried again and again.
#[tokio::test]
async fn failing_reports_do_not_extend_the_retention_time() {
    let failure = crate::invitation::Failure {
        code: "eploy.not_found".to_owned(),
        problem: "Eploy has no such record".to_owned(),
        remedy: "None".to_owned(),
        first_failed_at: start(),
        attempts: 9,
    };
    let ended = scored("1", 0);
    let report = Report {
        failure: Some(failure),
        ..ended.report.clone()
    };
    let deferred = Event::ReportDeferred {
        report,
        until: time(31 * DAY),
    };
    let tried = then(&ended, deferred, 29 * DAY);
    let fake = after_thirty_days(std::slice::from_ref(&tried)).await;
    let retention = retention(&fake);
    assert_eq!(retention.over(&"acme".into(), 31).await.unwrap(), []);
    let over = retention.over(&"acme".into(), 30).await.unwrap();
    assert_eq!(over, [tried]);
    assert_eq!(retention.forget(&over).await.unwrap(), 1);
    assert_eq!(fake.row(&over[0].key).snapshot, None);
}
