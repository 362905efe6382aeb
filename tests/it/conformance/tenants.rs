//! Tenants and their polling state.

use futures::future::join_all;
use stagecall_core::invitation::Failure;
use stagecall_core::ports::{
    ApplicationRow, ChangeFeed, EarlierPart, Feed, MappingState, MappingStatus, Overlap,
    PollProgress, PollState, Proven, RecheckQueue, Saved, StageScan, Suspension, TenantState,
    UnreadRecord,
};
use stagecall_core::tenant::Position;
use stagecall_tests::sample::{at, residents, tenant};

use super::Backend;

/// Reading gives the newest configuration, of this tenant.
pub async fn a_tenant_is_what_was_last_configured(backend: impl Backend) {
    let tenants = backend.stores().tenants;
    assert_eq!(tenants.tenant(&"acme".into()).await.unwrap(), None);
    let mut acme = tenant("acme");
    backend.configure(&acme).await;
    backend.configure(&tenant("other")).await;
    assert_eq!(
        tenants.tenant(&acme.id).await.unwrap().as_ref(),
        Some(&acme)
    );
    acme.paused = true;
    acme.eploy.daily_calls = 7;
    backend.configure(&acme).await;
    assert_eq!(tenants.tenant(&acme.id).await.unwrap(), Some(acme));
    assert!(
        !tenants
            .tenant(&"other".into())
            .await
            .unwrap()
            .unwrap()
            .paused
    );
}

fn state(version: u64, due: f64) -> TenantState {
    TenantState {
        version,
        ..TenantState::new(at(due))
    }
}

/// The first save is of version 1, and each one needs the version before it.
pub async fn a_state_is_saved_by_version(backend: impl Backend) {
    backend.configure(&tenant("acme")).await;
    let states = backend.stores().states;
    let acme = "acme".into();
    assert_eq!(states.load_state(&acme).await.unwrap(), None);
    for (version, answer) in [
        (2, Saved::Conflict),
        (0, Saved::Conflict),
        (1, Saved::Saved),
        (1, Saved::Conflict),
        (3, Saved::Conflict),
        (2, Saved::Saved),
        (1, Saved::Conflict),
    ] {
        let saved = states
            .save_state(&acme, &state(version, 60.0))
            .await
            .unwrap();
        assert_eq!(saved, answer, "version {version}");
    }
    assert_eq!(
        states.load_state(&acme).await.unwrap(),
        Some(state(2, 60.0))
    );
    assert_eq!(states.load_state(&"other".into()).await.unwrap(), None);
}

/// Nothing of it is lost or rounded.
pub async fn every_field_of_a_state_reads_back(backend: impl Backend) {
    backend.configure(&tenant("acme")).await;
    let states = backend.stores().states;
    let mut full = state(1, 0.000_000_001);
    full.poll = PollState {
        unread: vec![UnreadRecord {
            id: Some("70015".to_owned()),
            reason: "Vacancy is missing".to_owned(),
            at: at(7.0),
        }],
        cursor: Some(at(-3.000_000_007)),
        reached: Some(at(-1.0)),
        overlap: Overlap {
            quiet_seconds: 61,
            light_left: 3,
            spacing: 4,
            read_at: Some(at(-0.5)),
            read_to: Some(at(-1.5)),
            restless: 2,
        },
        pages_average: 130,
        progress: Some(PollProgress {
            light: true,
            began_at: Some(at(-2.5)),
            since: Some(at(-4.0)),
            page: 3,
            newest: Some(at(-2.0)),
        }),
        last_ok: Some(at(-0.5)),
        failures: 5,
        failure: Some(Failure {
            code: "eploy.throttled".to_owned(),
            problem: "Eploy asks to slow down".to_owned(),
            remedy: "Wait.".to_owned(),
            first_failed_at: at(-6.5),
            attempts: 5,
        }),
        set_aside: 6,
        again: Some(RecheckQueue {
            rows: vec![ApplicationRow {
                id: "70001".into(),
                candidate: "9001".into(),
                vacancy: "4101".into(),
                position: Position {
                    stage: Some("12".into()),
                    status: None,
                },
                modified: Some(at(-3.000_000_001)),
            }],
            times: 7,
            at: at(30.0),
        }),
        feed: Some(Feed {
            by: ChangeFeed::StatusHistory,
            settled: true,
        }),
        scan: Some(StageScan {
            search: 2,
            page: 3,
            present: residents(&["70002"]),
            residents: residents(&["70003", "70004"]),
            waiting: ["70004".into()].into(),
            unconfirmed: ["70005".into()].into(),
            missed: 6,
            missed_at: Some(at(-7.0)),
            completed_at: Some(at(-8.000_000_001)),
            ..StageScan::starting(at(9.0))
        }),
    };
    for (mapping, status) in [
        (
            "a",
            MappingStatus::Baseline {
                page: 2,
                again: true,
                after_break: true,
                search: 3,
            },
        ),
        ("b", MappingStatus::Active),
        (
            "c",
            MappingStatus::Broken {
                reason: "The stage is gone. Choose another".to_owned(),
                at: Some(at(-1.0)),
                on: true,
            },
        ),
    ] {
        let remembered = MappingState {
            status,
            since: at(-9.0),
            definition: Some("d1".into()),
            earlier: vec![EarlierPart {
                definition: "d0".into(),
                since: at(-99.0),
                on: true,
            }],
            watches: "w".to_owned(),
            doubted: mapping == "b",
        };
        full.mappings.insert(mapping.into(), remembered);
    }
    full.suspended = Some(Suspension {
        failure: Failure {
            code: "eploy.ip_forbidden".to_owned(),
            problem: "Eploy refuses this address".to_owned(),
            remedy: "Ask Eploy to allow it.".to_owned(),
            first_failed_at: at(-8.0),
            attempts: 2,
        },
        until: at(900.0),
    });
    full.proven = vec![Proven {
        position: Position::default(),
        at: at(-6.0),
    }];
    full.check_at = Some(at(-7.0));
    let acme = "acme".into();
    states.save_state(&acme, &full).await.unwrap();
    assert_eq!(states.load_state(&acme).await.unwrap(), Some(full));
}

/// It was removed during its first poll. If it returns, it begins with a new baseline.
pub async fn a_removed_tenants_state_does_not_come_back(backend: impl Backend) {
    let states = backend.stores().states;
    let acme = "acme".into();
    for version in [1, 2] {
        backend.configure(&tenant("acme")).await;
        if version == 2 {
            let first = states.save_state(&acme, &state(1, 60.0)).await;
            assert_eq!(first.unwrap(), Saved::Saved);
        }
        assert!(backend.remove(&acme).await);
        let late = states.save_state(&acme, &state(version, 60.0)).await;
        assert_eq!(late.unwrap(), Saved::Conflict);
        assert_eq!(states.load_state(&acme).await.unwrap(), None);
    }
}

/// Two polls of one tenant: one moves the cursor, the other gets a conflict. The first state is no exception.
pub async fn of_many_states_of_one_version_one_wins(backend: impl Backend) {
    backend.configure(&tenant("acme")).await;
    let states = backend.stores().states;
    for version in [1, 2] {
        let answers = join_all((0..50_u32).map(|n| {
            let states = states.clone();
            tokio::spawn(async move {
                let mine = state(version, f64::from(n));
                states.save_state(&"acme".into(), &mine).await.unwrap()
            })
        }))
        .await;
        let saved = answers
            .iter()
            .filter(|answer| matches!(answer, Ok(Saved::Saved)));
        assert_eq!(saved.count(), 1, "version {version}");
    }
}

pub async fn tenants_are_listed_by_name(backend: impl Backend) {
    for id in ["b", "c", "a", "b"] {
        backend.configure(&tenant(id)).await;
    }
    assert_eq!(
        backend.list().await,
        [tenant("a"), tenant("b"), tenant("c")]
    );
}
