//! Sweeps.

use futures::future::join_all;
use stagecall_core::ids::{AssessmentRef, TenantId};
use stagecall_core::invitation::Failure;
use stagecall_core::ports::{Saved, SweepFailing, SweepReading, SweepState};
use stagecall_tests::sample::{assessment, at};

use super::Backend;

fn acme() -> TenantId {
    "acme".into()
}

/// Before it is scheduled it has the default state.
pub async fn a_sweep_rests_until_it_is_armed(backend: impl Backend) {
    let sweeps = backend.stores().sweeps;
    let state = sweeps.load_sweep(&acme(), &assessment()).await.unwrap();
    assert_eq!(state, SweepState::default());
    sweeps
        .schedule_sweep(&acme(), &assessment(), at(900.0))
        .await
        .unwrap();
    let state = sweeps.load_sweep(&acme(), &assessment()).await.unwrap();
    assert_eq!(
        state,
        SweepState {
            due_at: Some(at(900.0)),
            armed: 1,
            ..SweepState::default()
        }
    );
}

/// "At the latest": an earlier time counts, a later one does not.
pub async fn arming_brings_forward_and_never_back(backend: impl Backend) {
    let sweeps = backend.stores().sweeps;
    for (armed, due) in [
        (900.0, 900.0),
        (1000.0, 900.0),
        (100.0, 100.0),
        (100.0, 100.0),
    ] {
        sweeps
            .schedule_sweep(&acme(), &assessment(), at(armed))
            .await
            .unwrap();
        let state = sweeps.load_sweep(&acme(), &assessment()).await.unwrap();
        assert_eq!(state.due_at, Some(at(due)), "armed for {armed}");
    }
}

/// An unchanged sweep is saved, also to rest. The same expectation does not hold twice.
pub async fn a_sweep_is_saved_as_it_was_loaded(backend: impl Backend) {
    let sweeps = backend.stores().sweeps;
    sweeps
        .schedule_sweep(&acme(), &assessment(), at(0.0))
        .await
        .unwrap();
    let before = sweeps.load_sweep(&acme(), &assessment()).await.unwrap();
    let done = SweepState {
        due_at: Some(at(900.0)),
        last_at: Some(at(1.000_001)),
        failures: 2,
        armed: 0,
        empty_at: Some(1),
        reading: Some(SweepReading {
            next: Some("https://app.willotalent.com/participants?page=7&x=%C3%A9".to_owned()),
            pages: 6,
            began_at: at(1.000_002),
            news: 3,
            set_aside: 2,
        }),
        failing: Some(SweepFailing {
            failure: Failure {
                code: "platform.unreadable".to_owned(),
                problem: "its list is too large".to_owned(),
                remedy: "Archive old candidates".to_owned(),
                first_failed_at: at(-90_000.0),
                attempts: 7,
            },
            at: Some(at(0.0)),
            open_after: Some("70215.video.1".to_owned()),
            ended_after: None,
        }),
        set_aside: 4,
    };
    let save = |expected: SweepState, next: SweepState| {
        let sweeps = sweeps.clone();
        async move {
            sweeps
                .save_sweep(&acme(), &assessment(), &expected, &next)
                .await
                .unwrap()
        }
    };
    assert_eq!(save(before.clone(), done.clone()).await, Saved::Saved);
    let stored = sweeps.load_sweep(&acme(), &assessment()).await.unwrap();
    // The count is the store's own.
    assert_eq!(
        stored,
        SweepState {
            armed: 1,
            ..done.clone()
        }
    );
    assert_eq!(save(before, done).await, Saved::Conflict);

    let resting = SweepState {
        due_at: None,
        reading: None,
        ..stored.clone()
    };
    assert_eq!(save(stored, resting.clone()).await, Saved::Saved);
    assert_eq!(
        sweeps.load_sweep(&acme(), &assessment()).await.unwrap(),
        resting
    );
    sweeps
        .schedule_sweep(&acme(), &assessment(), at(5.0))
        .await
        .unwrap();
    let armed = sweeps.load_sweep(&acme(), &assessment()).await.unwrap();
    assert_eq!(
        (armed.due_at, armed.last_at),
        (Some(at(5.0)), resting.last_at)
    );
}

/// A scheduling between load and save is not lost, even if it did not change the due time. Otherwise an invitation that
/// began to wait during the sweep would never be checked.
pub async fn a_sweep_armed_meanwhile_stays_due(backend: impl Backend) {
    let sweeps = backend.stores().sweeps;
    sweeps
        .schedule_sweep(&acme(), &assessment(), at(0.0))
        .await
        .unwrap();
    for again in [-5.0, 0.0, 900.0] {
        let before = sweeps.load_sweep(&acme(), &assessment()).await.unwrap();
        sweeps
            .schedule_sweep(&acme(), &assessment(), at(again))
            .await
            .unwrap();
        let rest = SweepState {
            due_at: None,
            last_at: Some(at(1.0)),
            ..before.clone()
        };
        let saved = sweeps
            .save_sweep(&acme(), &assessment(), &before, &rest)
            .await;
        assert_eq!(saved.unwrap(), Saved::Conflict, "armed for {again}");
        let state = sweeps.load_sweep(&acme(), &assessment()).await.unwrap();
        assert!(state.due_at.is_some_and(|due| due <= at(0.0)));
    }
}

/// Fifty invitations begin to wait at once: the earliest time wins and every one is counted.
pub async fn many_armings_leave_the_earliest(backend: impl Backend) {
    let sweeps = backend.stores().sweeps;
    let tasks = (0..50_u32).map(|n| {
        let sweeps = sweeps.clone();
        tokio::spawn(async move {
            let when = at(f64::from((n * 7) % 50));
            sweeps
                .schedule_sweep(&acme(), &assessment(), when)
                .await
                .unwrap();
        })
    });
    for task in join_all(tasks).await {
        task.unwrap();
    }
    let state = sweeps.load_sweep(&acme(), &assessment()).await.unwrap();
    assert_eq!((state.due_at, state.armed), (Some(at(0.0)), 50));
}

/// A sweep belongs to one assessment of one account of one tenant.
pub async fn sweeps_are_apart(backend: impl Backend) {
    let sweeps = backend.stores().sweeps;
    sweeps
        .schedule_sweep(&acme(), &assessment(), at(0.0))
        .await
        .unwrap();
    let account = AssessmentRef {
        account: "willo-retail".into(),
        ..assessment()
    };
    let second = AssessmentRef {
        assessment: "interview-2".into(),
        ..assessment()
    };
    for (tenant, other) in [
        (acme(), account),
        (acme(), second),
        ("other".into(), assessment()),
    ] {
        let state = sweeps.load_sweep(&tenant, &other).await.unwrap();
        assert_eq!(state, SweepState::default(), "{tenant} {other}");
    }
}
