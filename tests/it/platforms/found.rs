//! Assessments, inviting, and finding what is there.

use stagecall_core::error::Phase;
use stagecall_core::ports::InviteAnswer;
use stagecall_core::result::Status;
use stagecall_sandbox::control::Fault;

use super::{each, email};

#[tokio::test]
async fn assessments_are_listed_by_id_and_name() {
    each(async |scene| {
        let listed = scene.platform.assessments().await.unwrap();
        for (id, name) in [(&scene.first, "Care basics"), (&scene.second, "Java")] {
            let found = listed.iter().filter(|it| it.id == *id && it.name == name);
            assert_eq!(found.count(), 1, "{}: {name}", scene.kind.name);
        }
    })
    .await;
}

#[tokio::test]
async fn an_invitation_is_there_and_is_given_back_as_promised() {
    each(async |scene| {
        let answer = scene.invite(1).await;
        let InviteAnswer::Created { reference, .. } = answer else {
            panic!("{}: {answer:?}", scene.kind.name)
        };
        assert_eq!(scene.stand.invitations(&email(1)).await, 1);
        let result = scene.platform.result(&scene.first, &reference).await;
        let status = result.unwrap().status;
        assert!(
            matches!(status, Status::Queued | Status::Sent),
            "{}: {status:?}",
            scene.kind.name
        );
        let found = scene.find(1).await;
        assert_eq!(found.len(), 1, "{}", scene.kind.name);
        assert_eq!(found[0].reference, reference);
    })
    .await;
}

#[tokio::test]
async fn only_the_candidate_invited_by_hand_is_found() {
    each(async |scene| {
        assert_eq!(scene.find(1).await, [], "{}", scene.kind.name);
        let address = email(1).to_uppercase();
        let reference = scene.stand.by_hand(&scene.first, &address).await;
        scene.stand.by_hand(&scene.first, &email(3)).await;
        scene.stand.by_hand(&scene.second, &email(2)).await;
        let found = scene.find(1).await;
        assert_eq!(found.len(), 1, "{}", scene.kind.name);
        assert_eq!(found[0].reference, reference);
        assert_eq!(scene.find(2).await, [], "{}", scene.kind.name);
    })
    .await;
}

#[tokio::test]
async fn after_a_lost_answer_a_lookup_finds_the_outcome() {
    each(async |scene| {
        let faults = [
            (Fault::DropAfter, 1),
            (Fault::ErrorAfter { status: 502 }, 1),
            (Fault::DropBefore, 0),
            (Fault::ErrorBefore { status: 503 }, 0),
        ];
        for (number, (fault, there)) in (1..).zip(faults) {
            scene.fault(scene.stand.invites(), fault.clone()).await;
            let error = scene.platform.invite(&scene.order(number)).await;
            let error = error.unwrap_err();
            let shown = format!("{}, {fault:?}: {error}", scene.kind.name);
            assert_eq!(error.phase, Phase::Unknown, "{shown}");
            assert_eq!(
                scene.stand.invitations(&email(number)).await,
                there,
                "{shown}"
            );
            assert_eq!(scene.find(number).await.len(), there, "{shown}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_look_up_that_fails_is_never_an_empty_one() {
    each(async |scene| {
        scene.stand.by_hand(&scene.first, &email(1)).await;
        let faults = [
            Fault::DropAfter,
            Fault::ErrorBefore { status: 404 },
            Fault::ErrorBefore { status: 500 },
            Fault::TooMany { retry_after: None },
        ];
        for fault in faults {
            scene.fault(scene.stand.lists(), fault.clone()).await;
            let found = scene.try_find(&*scene.platform, 1).await;
            assert!(found.is_err(), "{}, {fault:?}: {found:?}", scene.kind.name);
        }
    })
    .await;
}

#[tokio::test]
async fn a_second_invitation_is_found_however_the_platform_answers() {
    each(async |scene| {
        for (number, how) in (1..).zip(scene.stand.duplicates()) {
            scene.stand.switch(how.clone()).await;
            let first = scene.invited(number).await;
            let shown = format!("{}, {how}", scene.kind.name);
            match scene.invite(number).await {
                InviteAnswer::AlreadyThere {
                    reference: Some(reference),
                } => assert_eq!(reference, first, "{shown}"),
                InviteAnswer::AlreadyThere { reference: None } | InviteAnswer::Created { .. } => {}
            }
            let found = scene.find(number).await;
            assert!(found.iter().any(|one| one.reference == first), "{shown}");
            let there = scene.stand.invitations(&email(number)).await;
            assert_eq!(found.len(), there, "{shown}");
        }
    })
    .await;
}
