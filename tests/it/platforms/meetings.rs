//! Live interviews: creating one, scheduling it with candidates, withdrawing.

use jiff::Timestamp;
use stagecall_core::clock::Deadline;
use stagecall_core::error::{ErrorScope, Phase};
use stagecall_core::ids::{AssessmentId, Reference};
use stagecall_core::meeting::Appointment;
use stagecall_core::ports::{AssessmentOrder, InviteAnswer, InviteOrder, Task, Withdrawn};
use stagecall_core::result::Status;
use stagecall_core::tenant::Settings;
use stagecall_platforms::kind;
use stagecall_sandbox::control::{Fault, WecpReviewerAct};

use serde_json::{Value, json};

use super::{ACCOUNT, Scene, client_ref, each, email, open, person};

const INTERVIEWER: &str = "robin.example@example.com";

fn appointment() -> Appointment {
    Appointment {
        at: "2027-01-18T10:00:00Z".parse().unwrap(),
        minutes: 45,
    }
}

/// Every platform that promises live interviews.
async fn each_that_meets(case: impl AsyncFn(&Scene, Settings)) {
    let mut met = 0;
    each(async |scene| {
        let makes = scene.stand.makes_interviews();
        assert_eq!(
            scene.capabilities.live_interviews,
            makes.is_some(),
            "{}: its stand-in has to play what it promises",
            scene.kind.name
        );
        let Some((Value::Object(options), _)) = makes else {
            return;
        };
        case(scene, options).await;
    })
    .await;
    for kind in stagecall_platforms::KINDS {
        met += usize::from((kind.capabilities)().live_interviews);
    }
    assert!(met > 0, "no platform has live interviews");
}

fn prepare(scene: &Scene, name: &str, options: &Settings) -> AssessmentOrder {
    AssessmentOrder {
        client_ref: name.to_owned(),
        configured: scene.stand.makes_interviews().unwrap().1,
        vacancy: Some("Support Worker".to_owned()),
        options: options.clone(),
    }
}

fn meet(scene: &Scene, interview: &AssessmentId, options: &Settings, number: u32) -> InviteOrder {
    InviteOrder {
        assessment: interview.clone(),
        options: options.clone(),
        task: Task::Meet {
            appointment: appointment(),
            interviewers: vec![INTERVIEWER.to_owned()],
        },
        ..scene.order(number)
    }
}

async fn made(scene: &Scene, options: &Settings) -> AssessmentId {
    let order = prepare(scene, "live.1", options);
    scene.platform.ensure_assessment(&order).await.unwrap()
}

#[tokio::test]
async fn an_interview_is_made_once_for_a_name_even_if_the_answer_is_lost() {
    each_that_meets(async |scene, options| {
        let before = scene.stand.interviews().await.len();
        let order = prepare(scene, "live.1", &options);
        scene.fault(scene.stand.makes(), Fault::DropAfter).await;
        let lost = scene.platform.ensure_assessment(&order).await.unwrap_err();
        assert_eq!(lost.phase, Phase::Unknown, "{}", scene.kind.name);
        let first = scene.platform.ensure_assessment(&order).await.unwrap();
        assert_eq!(
            scene.platform.ensure_assessment(&order).await.unwrap(),
            first
        );
        let other = prepare(scene, "live.2", &options);
        let second = scene.platform.ensure_assessment(&other).await.unwrap();
        assert_ne!(second, first);
        let there = scene.stand.interviews().await;
        assert_eq!(there.len(), before + 2, "{}", scene.kind.name);
        assert!(there.contains(&first) && there.contains(&second));
    })
    .await;
}

#[tokio::test]
async fn a_candidate_is_met_when_and_by_whom_it_was_said() {
    each_that_meets(async |scene, mut options| {
        let interview = made(scene, &options).await;
        let answer = scene
            .platform
            .invite(&meet(scene, &interview, &options, 1))
            .await;
        let Ok(InviteAnswer::Created { reference, link }) = answer else {
            panic!("{}: {answer:?}", scene.kind.name)
        };
        assert!(link.is_some(), "{}: where do they meet?", scene.kind.name);
        let met = scene.stand.met(&reference).await.unwrap();
        let Appointment { at, minutes } = appointment();
        assert_eq!(met, (at, minutes, vec![INTERVIEWER.to_owned()], true));
        // Without a message from the platform itself, if so set.
        options.insert("send_email".to_owned(), false.into());
        let answer = scene
            .platform
            .invite(&meet(scene, &interview, &options, 2))
            .await;
        let Ok(InviteAnswer::Created { reference, .. }) = answer else {
            panic!("{}: {answer:?}", scene.kind.name)
        };
        assert!(!scene.stand.met(&reference).await.unwrap().3);
        let result = scene.platform.result(&interview, &reference).await;
        assert_eq!(result.unwrap().status, Status::Sent);
    })
    .await;
}

#[tokio::test]
async fn after_a_lost_answer_the_schedule_is_found_with_its_link() {
    each_that_meets(async |scene, options| {
        let interview = made(scene, &options).await;
        for (number, (fault, there)) in (1..).zip([
            (Fault::DropAfter, 1),
            (Fault::ErrorAfter { status: 502 }, 1),
            (Fault::DropBefore, 0),
        ]) {
            scene.fault(scene.stand.arranges(), fault.clone()).await;
            let order = meet(scene, &interview, &options, number);
            let error = scene.platform.invite(&order).await.unwrap_err();
            assert_eq!(error.phase, Phase::Unknown, "{fault:?}: {error}");
            let (person, name) = (person(number), client_ref(number));
            let found = scene
                .platform
                .find(&interview, &person, &name, None, Deadline::NONE)
                .await
                .unwrap();
            assert_eq!(found.len(), there, "{fault:?}");
            assert!(found.iter().all(|found| found.link.is_some()));
            assert_eq!(scene.stand.invitations(&email(number)).await, there);
        }
        scene
            .fault(scene.stand.lists_met(), Fault::ErrorBefore { status: 404 })
            .await;
        let failed = scene
            .platform
            .find(&interview, &person(1), &client_ref(1), None, Deadline::NONE)
            .await;
        assert!(
            failed.is_err(),
            "a look-up that fails is never an empty one"
        );
    })
    .await;
}

#[tokio::test]
async fn an_impossible_withdrawal_is_reported() {
    each(async |scene| {
        let reference = scene.invited(1).await;
        let status = async |reference: &Reference| {
            let result = scene.platform.result(&scene.first, reference).await;
            result.unwrap().status
        };
        for _ in 0..2 {
            match scene.platform.withdraw(&scene.first, &reference).await {
                Ok(Withdrawn::Done) => assert_eq!(status(&reference).await, Status::Cancelled),
                Ok(Withdrawn::Impossible { why }) => {
                    assert!(why.ends_with('.') && why.len() > 20, "{why}");
                    assert_eq!(status(&reference).await, Status::Sent);
                }
                Err(error) => panic!("{}: {error}", scene.kind.name),
            }
        }
    })
    .await;
}

/// `WeCP` with these quirks and settings. A null is left out.
async fn wecp(quirks: Value, settings: Value) -> (Scene, Settings) {
    let mut scene = Scene::new(kind("wecp").unwrap()).await;
    scene.stand.switch(quirks).await;
    let (base_url, secrets) = (scene.stand.base_url(), scene.stand.secrets());
    let mut all = scene.stand.settings();
    let all_of = all.as_object_mut().unwrap();
    for (key, value) in settings.as_object().unwrap() {
        match value {
            Value::Null => all_of.remove(key),
            value => all_of.insert(key.clone(), value.clone()),
        };
    }
    scene.platform = open(scene.kind, &base_url, all, secrets).await;
    let Some((Value::Object(options), _)) = scene.stand.makes_interviews() else {
        panic!("it makes interviews")
    };
    (scene, options)
}

#[tokio::test]
async fn an_empty_answer_to_scheduling_is_looked_up() {
    for (does, there) in [("answered_empty", 1), ("nothing", 0)] {
        for (switch, settings) in [
            ("org_schedule", json!({})),
            ("ats_schedule", json!({"schedule_path": ATS_SCHEDULE})),
        ] {
            let (scene, options) = wecp(json!({switch: does}), settings).await;
            let interview = made(&scene, &options).await;
            let order = meet(&scene, &interview, &options, 1);
            let error = scene.platform.invite(&order).await.unwrap_err();
            assert_eq!(error.phase, Phase::Unknown, "{switch}, {does}: {error}");
            let found = scene
                .platform
                .find(&interview, &person(1), &client_ref(1), None, Deadline::NONE)
                .await;
            assert_eq!(found.unwrap().len(), there, "{switch}, {does}");
            scene.done().await;
        }
    }
}

/// The path in `WeCP`'s reference.
const ATS_SCHEDULE: &str = "ats/wecp/scheduleInterviews";

#[tokio::test]
async fn an_interview_is_scheduled_by_the_path_that_is_set() {
    for (there, missing, settings) in [
        ("org_schedule", "ats_schedule", json!({})),
        // It needs no organisation and no group.
        (
            "ats_schedule",
            "org_schedule",
            json!({"schedule_path": ATS_SCHEDULE, "organisation": null}),
        ),
    ] {
        let (scene, mut options) = wecp(json!({missing: "absent"}), settings.clone()).await;
        let interview = made(&scene, &options).await;
        if there == "ats_schedule" {
            options.remove("group");
        }
        let order = meet(&scene, &interview, &options, 1);
        let answer = scene.platform.invite(&order).await;
        assert!(
            matches!(answer, Ok(InviteAnswer::Created { .. })),
            "{there}: {answer:?}"
        );
        scene.done().await;

        let (scene, options) = wecp(json!({there: "absent"}), settings).await;
        let interview = made(&scene, &options).await;
        let order = meet(&scene, &interview, &options, 1);
        let error = scene.platform.invite(&order).await.unwrap_err();
        // Tests continue.
        assert_eq!(
            (error.phase, error.scope),
            (Phase::Refused, ErrorScope::Record)
        );
        assert!(error.remedy.contains("schedule_path"), "{error}");
        scene.done().await;
    }
}

#[tokio::test]
async fn an_account_without_an_organisation_is_good_for_tests_alone() {
    let (scene, options) = wecp(json!({}), json!({"organisation": null})).await;
    scene.invited(1).await;
    let interview = made(&scene, &options).await;
    let order = meet(&scene, &interview, &options, 2);
    let error = scene.platform.invite(&order).await.unwrap_err();
    assert_eq!(
        (error.phase, error.scope),
        (Phase::NotSent, ErrorScope::Record)
    );
    assert!(error.remedy.contains("organisation"), "{error}");
    assert_eq!(scene.stand.invitations(&email(2)).await, 0);
    scene.done().await;
}

#[tokio::test]
async fn without_a_list_of_interviews_one_is_made_all_the_same() {
    let (scene, options) = wecp(json!({"interview_reads": false}), json!({})).await;
    let interview = made(&scene, &options).await;
    assert_eq!(
        scene.stand.interviews().await,
        std::slice::from_ref(&interview)
    );
    let found = scene
        .platform
        .find(&interview, &person(1), &client_ref(1), None, Deadline::NONE)
        .await;
    let error = found.unwrap_err();
    assert!(
        error.remedy.contains("interview_candidates_path"),
        "{error}"
    );
    scene.done().await;
}

#[tokio::test]
async fn a_held_interview_is_reported_with_its_scorecard() {
    let (scene, options) = wecp(json!({}), json!({})).await;
    let interview = made(&scene, &options).await;
    let order = meet(&scene, &interview, &options, 1);
    let Ok(InviteAnswer::Created { reference, .. }) = scene.platform.invite(&order).await else {
        panic!("it was arranged")
    };
    let player = scene.sandbox.player();
    let which = [reference.to_string()];
    let held = async |stars: u8| {
        let answers = vec![json!(stars)];
        let act = WecpReviewerAct::Conduct { answers };
        player.wecp_reviewer(ACCOUNT, &which, &act).await.unwrap();
        scene.platform.result(&interview, &reference).await.unwrap()
    };
    let (first, second) = (held(4).await, held(5).await);
    assert_eq!(first.status, Status::Completed);
    assert!(first.completed_at <= Some(Timestamp::now()));
    assert_eq!(first.ratings[0].value, "4 stars");
    assert!(first.report_link.is_some());
    assert_ne!(first.snapshot(), second.snapshot());
    let page = scene.platform.list(&interview, None).await.unwrap();
    assert_eq!(page.lines[0].status, Some(Status::Completed));
    scene.done().await;
}

#[tokio::test]
async fn a_candidate_is_removed_where_the_account_has_a_way() {
    let path = "ats/wecp/tests/{test}/candidates/{candidate}";
    let settings = json!({"removal_path": path});
    let (scene, options) = wecp(json!({"removal_path": path}), settings).await;
    let reference = scene.invited(1).await;
    for _ in 0..2 {
        let done = scene.platform.withdraw(&scene.first, &reference).await;
        assert_eq!(done.unwrap(), Withdrawn::Done);
    }
    let result = scene.platform.result(&scene.first, &reference).await;
    assert_eq!(result.unwrap().status, Status::Cancelled);
    let interview = made(&scene, &options).await;
    let done = scene
        .platform
        .withdraw(&interview, &reference)
        .await
        .unwrap();
    assert!(matches!(done, Withdrawn::Impossible { .. }), "{done:?}");
    scene.done().await;
}
