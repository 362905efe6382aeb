//! Refusals and throttling.

use jiff::{SignedDuration, Timestamp};
use stagecall_core::error::{CallError, ErrorScope, Phase};
use stagecall_core::ids::Reference;
use stagecall_core::ports::Platform;
use stagecall_sandbox::control::Fault;

use super::{Scene, each, email};

/// Every operation, once.
async fn failures(scene: &Scene, platform: &dyn Platform) -> Vec<CallError> {
    let reference = Reference::new("00000000000000000000000000000000");
    vec![
        platform.assessments().await.unwrap_err(),
        platform.invite(&scene.order(1)).await.unwrap_err(),
        scene.try_find(platform, 1).await.unwrap_err(),
        platform.result(&scene.first, &reference).await.unwrap_err(),
        platform.list(&scene.first, None).await.unwrap_err(),
    ]
}

#[tokio::test]
async fn a_refused_key_concerns_the_connection_and_repeats_nothing() {
    each(async |scene| {
        let wrong = scene.with_a_wrong_key().await;
        for how in scene.stand.refusals() {
            scene.stand.switch(how.clone()).await;
            for error in failures(scene, &*wrong).await {
                let shown = format!("{}, {how}: {error}", scene.kind.name);
                assert_eq!(error.phase, Phase::Refused, "{shown}");
                assert_eq!(error.scope, ErrorScope::Connection, "{shown}");
                assert!(error.may_retry(), "{shown}");
                assert!(!shown.contains('@') && !shown.contains("wrong"), "{shown}");
            }
        }
        assert_eq!(scene.stand.invitations(&email(1)).await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_throttled_caller_waits_as_long_as_asked() {
    each(async |scene| {
        for (retry_after, wait) in [
            (Some(7), SignedDuration::from_secs(7)),
            (None, scene.kind.back_off),
        ] {
            let operations = [
                scene.stand.invites(),
                scene.stand.lists(),
                scene.stand.reads(),
            ];
            for (at, operation) in operations.into_iter().enumerate() {
                scene.fault(operation, Fault::TooMany { retry_after }).await;
                let begun = Timestamp::now();
                let reference = Reference::new("00000000000000000000000000000000");
                let error = match at {
                    0 => scene.platform.invite(&scene.order(1)).await.err(),
                    1 => scene.platform.list(&scene.first, None).await.err(),
                    _ => scene.platform.result(&scene.first, &reference).await.err(),
                };
                let error = error.unwrap_or_else(|| panic!("{}: {operation}", scene.kind.name));
                assert!(error.phase == Phase::Throttled, "{error}");
                let until = error.retry_at.unwrap();
                let range = begun + wait..=Timestamp::now() + wait;
                assert!(range.contains(&until), "{operation}: {until}, {range:?}");
            }
        }
        assert_eq!(scene.stand.invitations(&email(1)).await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_deleted_assessment_fails_permanently_and_alone() {
    each(async |scene| {
        let mut order = scene.order(1);
        order.assessment = "00000000000000000000000000000000".into();
        let error = scene.platform.invite(&order).await.unwrap_err();
        let shown = format!("{}: {error}", scene.kind.name);
        assert_eq!(error.phase, Phase::Refused, "{shown}");
        assert_eq!(error.scope, ErrorScope::Record, "{shown}");
    })
    .await;
}
