//! Talent pools: adding a candidate, finding them there, removing them.

use serde_json::json;
use stagecall_core::clock::Deadline;
use stagecall_core::error::Phase;
use stagecall_core::ids::AssessmentId;
use stagecall_core::ports::{InviteAnswer, InviteOrder, Task, Withdrawn};
use stagecall_platforms::{KINDS, kind};
use stagecall_sandbox::control::Fault;

use super::{Scene, client_ref, each, email, open, person};

/// Every pool of every platform that has pools.
async fn each_pool(case: impl AsyncFn(&Scene, &AssessmentId)) {
    assert!(KINDS.iter().any(|kind| (kind.capabilities)().pools));
    each(async |scene| {
        let pools = scene.stand.pools().await;
        assert_eq!(
            scene.capabilities.pools,
            !pools.is_empty(),
            "{}: its stand-in has to play what it promises",
            scene.kind.name
        );
        for pool in pools {
            case(scene, &pool).await;
        }
    })
    .await;
}

fn order(scene: &Scene, pool: &AssessmentId, number: u32) -> InviteOrder {
    InviteOrder {
        assessment: pool.clone(),
        task: Task::Pool {
            tags: vec!["care".to_owned()],
        },
        ..scene.order(number)
    }
}

#[tokio::test]
async fn a_pooled_candidate_has_tags_and_is_found() {
    each_pool(async |scene, pool| {
        let before = scene.stand.invitations(&email(1)).await;
        let answer = scene.platform.invite(&order(scene, pool, 1)).await;
        let Ok(InviteAnswer::Created { reference, .. }) = answer else {
            panic!("{pool}: {answer:?}")
        };
        assert_eq!(scene.stand.invitations(&email(1)).await, before + 1);
        assert_eq!(scene.stand.tags(&reference).await, ["care"]);
        let found = scene
            .platform
            .find(pool, &person(1), &client_ref(1), None, Deadline::NONE)
            .await
            .unwrap();
        assert_eq!(found.len(), 1, "{pool}");
        assert_eq!(found[0].reference, reference);
        let nobody = scene
            .platform
            .find(pool, &person(9), &client_ref(9), None, Deadline::NONE)
            .await;
        assert_eq!(nobody.unwrap(), [], "{pool}");
    })
    .await;
}

#[tokio::test]
async fn after_a_lost_answer_the_place_is_found() {
    each_pool(async |scene, pool| {
        let operation = if pool.as_str().starts_with("group:") {
            "wecp.groups.add"
        } else {
            scene.stand.invites()
        };
        scene.fault(operation, Fault::DropAfter).await;
        let error = scene.platform.invite(&order(scene, pool, 1)).await;
        assert_eq!(error.unwrap_err().phase, Phase::Unknown, "{pool}");
        let found = scene
            .platform
            .find(pool, &person(1), &client_ref(1), None, Deadline::NONE)
            .await;
        assert_eq!(found.unwrap().len(), 1, "{pool}");
    })
    .await;
}

#[tokio::test]
async fn a_pooled_candidate_is_withdrawn_or_the_failure_reported() {
    for (removal_path, takes_out) in [
        (None, [false, false]),
        (Some("v2/candidates/{candidate}"), [true, true]),
        (
            Some("v2/groups/{group}/candidates/{candidate}"),
            [false, true],
        ),
    ] {
        let mut scene = Scene::new(kind("wecp").unwrap()).await;
        let mut settings = scene.stand.settings();
        if let Some(path) = removal_path {
            scene.stand.switch(json!({"removal_path": path})).await;
            settings["removal_path"] = json!(path);
        }
        let (base_url, secrets) = (scene.stand.base_url(), scene.stand.secrets());
        scene.platform = open(scene.kind, &base_url, settings, secrets).await;
        for (pool, takes_out) in scene.stand.pools().await.iter().zip(takes_out) {
            let answer = scene.platform.invite(&order(&scene, pool, 1)).await;
            let Ok(InviteAnswer::Created { reference, .. }) = answer else {
                panic!("{pool}: {answer:?}")
            };
            let done = scene.platform.withdraw(pool, &reference).await.unwrap();
            assert_eq!(done == Withdrawn::Done, takes_out, "{pool}: {done:?}");
            let found = scene
                .platform
                .find(pool, &person(1), &client_ref(1), None, Deadline::NONE)
                .await;
            assert_eq!(found.unwrap().is_empty(), takes_out, "{pool}");
        }
        scene.done().await;
    }
}
