use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::*;
use crate::announcement::{HireKey, Linked};
use crate::error::{ErrorScope, Phase};
use crate::fake_ports::{FakePorts, at, at_trigger, failing, start, throttled, time};
use crate::ports::{HistoryRow, HrmsAnswer, StageInfo};
use crate::tenant::{HiredWhen, PersonalField, Trigger};

/// A setup in which application 70215 has just been detected as hired, by its stage, with an HRMS.
fn world() -> (FakePorts, HireKey) {
    let world = FakePorts::new();
    let key = seen(&world, Hire::Application("70215".into()));
    (world, key)
}

/// Turns a plan for such hires on, and saves one.
fn seen(world: &FakePorts, hire: Hire) -> HireKey {
    let when = match hire {
        Hire::Application(_) => HiredWhen::Stages(vec![Trigger {
            stage: "12".into(),
            stage_name: None,
            statuses: Vec::new(),
        }]),
        Hire::Placement(_) => HiredWhen::Placements(["9".into()].into()),
    };
    let key = HireKey {
        tenant: "acme".into(),
        hire,
    };
    let mut holds = world.holds();
    holds.tenant.hires = Some(HirePlan {
        when,
        endpoint: Some(HrmsEndpoint {
            url: "https://hrms.example.com/hires".parse().unwrap(),
            person: [].into(),
        }),
    });
    let row = Announcement::detected(
        key.clone(),
        "9001".into(),
        "4101".into(),
        holds.now,
        time(-86_400),
    );
    holds.announcements.insert(key.clone(), row);
    key
}

async fn announce(world: &FakePorts, key: &HireKey) -> Announcement {
    world.ports().hire_notifier().announce(key).await.unwrap();
    world.holds().announcements[key].clone()
}

/// The plan, to be changed.
fn plan(world: &FakePorts, change: impl FnOnce(&mut HirePlan)) {
    change(world.holds().tenant.hires.as_mut().unwrap());
}

fn endpoint(world: &FakePorts, change: impl FnOnce(&mut HrmsEndpoint)) {
    plan(world, |plan| change(plan.endpoint.as_mut().unwrap()));
}

/// Lets time pass until the announcement is due.
fn wait(world: &FakePorts, row: &Announcement) {
    world.holds().now = row.due_at.unwrap();
}

/// Announces whenever it is due, until it is never due again.
async fn come_to_an_end(world: &FakePorts, key: &HireKey) -> Announcement {
    for _ in 0..20 {
        let row = announce(world, key).await;
        if row.due_at.is_none() {
            return row;
        }
        wait(world, &row);
    }
    panic!("it goes on for ever");
}

fn answer(status: u16) -> HrmsAnswer {
    HrmsAnswer {
        status,
        retry_after: None,
    }
}

fn history(entered: Timestamp) -> StageInfo {
    let row = |id: &str, at, position| HistoryRow {
        id: id.into(),
        at: Some(at),
        position,
    };
    StageInfo::History(vec![
        row("1", time(-900_000), at("11", "1")),
        row("2", entered, at_trigger()),
    ])
}

/// The names of the published events.
fn published(world: &FakePorts) -> Vec<&'static str> {
    world.holds().published.iter().map(What::name).collect()
}

#[tokio::test]
async fn a_hire_is_published_and_delivered_once() {
    let (world, key) = world();
    let row = announce(&world, &key).await;
    assert_eq!(row.state, State::Delivered);
    {
        let holds = world.holds();
        let [What::Hired(hired)] = &holds.published[..] else {
            panic!("{:?}", holds.published);
        };
        assert_eq!(hired.candidate.id, "9001");
        let [notice] = &holds.notices[..] else {
            panic!("{:?}", holds.notices);
        };
        assert_eq!(
            (notice.id.as_str(), notice.at, notice.again),
            (key.webhook_id().as_str(), start(), false)
        );
        assert_eq!(notice.body["type"], "candidate.hired");
        assert_eq!(notice.body["data"]["candidate"]["id"], "9001");
        assert_eq!(notice.body["data"].get("person"), None);
    }
    assert_eq!(announce(&world, &key).await, row);
    assert_eq!(world.holds().notices.len(), 1);
    assert_eq!(published(&world), ["candidate.hired"]);
}

#[tokio::test]
async fn without_an_hrms_a_hire_is_published_and_nothing_more() {
    let (world, key) = world();
    plan(&world, |plan| plan.endpoint = None);
    assert_eq!(announce(&world, &key).await.state, State::Published);
    assert_eq!(published(&world), ["candidate.hired"]);
    assert!(world.holds().notices.is_empty());
}

#[tokio::test]
async fn an_endpoint_removed_while_it_fails_gets_nothing_more() {
    let (world, key) = world();
    world.holds().hrms.push_back(Ok(answer(500)));
    let row = announce(&world, &key).await;
    plan(&world, |plan| plan.endpoint = None);
    wait(&world, &row);
    assert_eq!(announce(&world, &key).await.state, State::Published);
    assert_eq!(world.holds().notices.len(), 1);
    assert_eq!(published(&world), ["candidate.hired"]);
}

#[tokio::test]
async fn nothing_happens_before_its_time_or_while_the_tenant_is_paused() {
    let (world, key) = world();
    let fresh = world.holds().announcements[&key].clone();
    world.holds().tenant.paused = true;
    assert_eq!(announce(&world, &key).await, fresh);
    world.holds().tenant.paused = false;
    world.holds().now = start() - SignedDuration::from_nanos(1);
    assert_eq!(announce(&world, &key).await, fresh);
    world.holds().now = start();
    assert_eq!(announce(&world, &key).await.state, State::Delivered);
}

#[tokio::test]
async fn nothing_is_published_about_an_erased_candidate() {
    let (world, key) = world();
    world.holds().erased.insert("9001".into());
    world.ports().hire_notifier().announce(&key).await.unwrap();
    assert!(world.holds().announcements.is_empty());
    assert!(world.holds().calls.is_empty() && world.holds().published.is_empty());
}

#[tokio::test]
async fn a_hire_that_was_undone_is_not_announced() {
    for standing in [StageInfo::Gone, StageInfo::Position(at("13", "34"))] {
        let (world, key) = world();
        world.holds().standing = standing.clone();
        let row = announce(&world, &key).await;
        assert_eq!(
            row.state,
            State::Skipped(SkipReason::MovedOn),
            "{standing:?}"
        );
        assert_eq!(published(&world), [""; 0]);
        assert!(world.holds().notices.is_empty());
    }
    let (world, key) = world();
    world.holds().tenant.hires = None;
    let row = announce(&world, &key).await;
    assert_eq!(row.state, State::Skipped(SkipReason::PlanRemoved));
    assert_eq!(published(&world), [""; 0]);
}

/// The order of pages may have changed while the baseline of hires was read.
#[tokio::test]
async fn a_hire_from_before_the_plan_is_not_announced_when_the_history_shows_it() {
    // Eploy's times may be an hour off.
    let margin = SignedDuration::from_mins(65);
    let not_before = time(-86_400);
    let (early, key) = world();
    early.holds().standing = history(not_before - margin - SignedDuration::from_secs(1));
    let row = announce(&early, &key).await;
    assert_eq!(row.state, State::Skipped(SkipReason::Baseline));
    assert_eq!(published(&early), [""; 0]);

    let (late, key) = world();
    let entered = not_before - margin;
    late.holds().standing = history(entered);
    let row = announce(&late, &key).await;
    assert_eq!((row.state, row.hired_at), (State::Delivered, Some(entered)));
    assert_eq!(late.holds().notices[0].body["timestamp"], json!(entered));
}

#[tokio::test]
async fn where_the_history_lacks_the_hire_the_applications_own_record_decides() {
    let behind = StageInfo::History(Vec::new());
    let (hired, key) = world();
    hired.holds().standing = behind.clone();
    let row = announce(&hired, &key).await;
    assert_eq!((row.state, row.hired_at), (State::Delivered, None));

    for position in [Some(at("13", "34")), None] {
        let (left, key) = world();
        left.holds().standing = behind.clone();
        left.holds().position = position;
        let row = announce(&left, &key).await;
        assert_eq!(row.state, State::Skipped(SkipReason::MovedOn));
    }
}

#[tokio::test]
async fn a_placement_is_announced_with_its_application_if_eploy_has_it() {
    let world = FakePorts::new();
    let key = seen(&world, Hire::Placement("31".into()));
    world.holds().application = Some("70215".into());
    let row = announce(&world, &key).await;
    assert_eq!((row.state, row.hired_at), (State::Delivered, None));
    let holds = world.holds();
    let [What::Hired(hired)] = &holds.published[..] else {
        panic!("{:?}", holds.published);
    };
    let id = |linked: &Option<Linked>| linked.as_ref().map(|linked| linked.id.clone());
    assert_eq!(id(&hired.application), Some("70215".to_owned()));
    assert_eq!(id(&hired.placement), Some("31".to_owned()));
}

#[tokio::test]
async fn a_placement_whose_application_may_not_be_looked_for_is_announced_without_it() {
    let world = FakePorts::new();
    let key = seen(&world, Hire::Placement("31".into()));
    world.holds().eploy_fails = Some(failing(Phase::Refused));
    let row = announce(&world, &key).await;
    assert_eq!((row.state, row.application), (State::Delivered, None));
}

#[tokio::test]
async fn while_eploy_does_not_answer_a_hire_waits_unpublished() {
    for hire in [
        Hire::Placement("31".into()),
        Hire::Application("70215".into()),
    ] {
        let world = FakePorts::new();
        let key = seen(&world, hire);
        world.holds().eploy_fails = Some(failing(Phase::Unknown));
        let first = announce(&world, &key).await;
        assert_eq!(first.state, State::Detected);
        assert_eq!(first.failure.as_ref().unwrap().attempts, 1);
        let first_wait = first.due_at.unwrap().duration_since(start());
        assert!(first_wait >= SignedDuration::from_secs(20), "{first_wait}");
        assert_eq!(published(&world), [""; 0]);
        wait(&world, &first);
        let second = announce(&world, &key).await;
        assert_eq!(second.failure.as_ref().unwrap().attempts, 2);
        assert!(
            second.due_at.unwrap().duration_since(first.due_at.unwrap()) > first_wait,
            "the wait grows"
        );
        wait(&world, &second);
        world.holds().eploy_fails = None;
        assert_eq!(announce(&world, &key).await.state, State::Delivered);
    }
    // As long as Eploy asks for.
    let (world, key) = world();
    world.holds().eploy_fails = Some(throttled(Some(time(5000))));
    assert_eq!(announce(&world, &key).await.due_at, Some(time(5000)));
}

#[tokio::test]
async fn only_the_configured_fields_of_the_person_are_sent() {
    let (world, key) = world();
    endpoint(&world, |to| to.person = [PersonalField::Email].into());
    announce(&world, &key).await;
    assert_eq!(
        world.holds().notices[0].body["data"]["person"],
        json!({"email": "robin@example.com"})
    );
}

/// The hire is published already, and the HRMS is to receive it when the candidate becomes unreadable.
async fn unreadable(error: CallError) -> (FakePorts, Announcement) {
    let (world, key) = world();
    endpoint(&world, |to| to.person = [PersonalField::Email].into());
    world.holds().hrms.push_back(Ok(answer(500)));
    let row = announce(&world, &key).await;
    wait(&world, &row);
    world.holds().eploy_fails = Some(error);
    let row = announce(&world, &key).await;
    assert_eq!(world.holds().notices.len(), 1);
    (world, row)
}

#[tokio::test]
async fn a_person_who_cannot_be_read_now_is_read_later() {
    let (world, row) = unreadable(failing(Phase::Unknown)).await;
    assert_eq!(row.state, State::Delivering);
    assert_eq!(row.failure.as_ref().unwrap().code, "test.failed");
    world.holds().eploy_fails = None;
    wait(&world, &row);
    assert_eq!(announce(&world, &row.key).await.state, State::Delivered);
}

#[tokio::test]
async fn an_announcement_follows_a_candidate_who_was_merged_into_another() {
    let (world, key) = world();
    endpoint(&world, |to| to.person = [PersonalField::Email].into());
    world.set(|holds| {
        holds.merged = ["9001".into()].into();
        let merged = crate::ports::ApplicationRow {
            id: "70215".into(),
            candidate: "8000".into(),
            vacancy: "4101".into(),
            position: at_trigger(),
            modified: None,
        };
        holds.records.insert("70215".into(), merged);
    });
    let row = announce(&world, &key).await;
    assert_eq!(
        (row.candidate.as_str(), &row.state),
        ("8000", &State::Delivering)
    );
    assert_eq!(announce(&world, &key).await.state, State::Delivered);
    let told = &world.holds().notices[0].body["data"];
    assert_eq!(told["candidate"]["id"], "8000");
    assert_eq!(told["person"], json!({"email": "robin@example.com"}));
}

#[tokio::test]
async fn a_person_who_can_never_be_read_ends_it_with_a_reason() {
    let (world, row) = unreadable(failing(Phase::Refused)).await;
    let State::Failed(FailReason::Refused(failure)) = &row.state else {
        panic!("{:?}", row.state);
    };
    assert_eq!(failure.code, "test.failed");
    assert_eq!(
        world.holds().published.last(),
        Some(&What::HireUndelivered {
            tenant: "acme".into(),
            hire: row.key.hire.clone(),
            reason: "refused".to_owned(),
        })
    );
    // Refused credentials are another matter: with new ones it would work.
    let retryable = CallError {
        scope: ErrorScope::Connection,
        ..failing(Phase::Refused)
    };
    assert_eq!(unreadable(retryable).await.1.state, State::Delivering);
}

#[tokio::test]
async fn a_second_attempt_says_so_and_the_log_has_both() {
    let (world, key) = world();
    world.holds().hrms.extend([
        Err(failing(Phase::Unknown)),
        Ok(HrmsAnswer {
            status: 429,
            retry_after: Some(SignedDuration::from_secs(4000)),
        }),
    ]);
    let first = announce(&world, &key).await;
    assert_eq!(first.state, State::Delivering);
    wait(&world, &first);
    let second = announce(&world, &key).await;
    assert_eq!(
        second.due_at.unwrap().duration_since(world.holds().now),
        SignedDuration::from_secs(4000)
    );
    wait(&world, &second);
    let third = announce(&world, &key).await;
    let outcomes: Vec<_> = third.attempts.iter().map(|one| &one.outcome).collect();
    assert_eq!(
        outcomes,
        [
            &Outcome::Unanswered("test.failed".to_owned()),
            &Outcome::Answered(429),
            &Outcome::Answered(204)
        ]
    );
    let holds = world.holds();
    let again: Vec<_> = holds.notices.iter().map(|notice| notice.again).collect();
    assert_eq!(again, [false, true, true]);
    assert!(
        holds
            .notices
            .iter()
            .all(|notice| notice.id == key.webhook_id())
    );
}

/// An endpoint that answers 410, and one that always fails: subscribers get one event, with the reason.
#[tokio::test]
async fn a_failed_delivery_to_the_hrms_is_an_event() {
    let reason = |world: &FakePorts| match world.holds().published.last() {
        Some(What::HireUndelivered { reason, .. }) => reason.clone(),
        other => panic!("{other:?}"),
    };
    let (gone, key) = world();
    gone.holds().hrms.push_back(Ok(answer(410)));
    announce(&gone, &key).await;
    assert_eq!(reason(&gone), "gone");

    let (down, key) = world();
    down.holds().hrms.extend((0..20).map(|_| Ok(answer(503))));
    let row = come_to_an_end(&down, &key).await;
    assert_eq!(row.state, State::Failed(FailReason::GaveUp));
    assert_eq!(reason(&down), "gave_up");
    assert_eq!(published(&down), ["candidate.hired", "hire.undelivered"]);
    assert_eq!(down.holds().notices.len(), 10);
}

/// A person who reads the log after the lease must be able to rely on no call being under way.
#[tokio::test]
async fn no_attempt_is_made_that_could_outlive_its_lease() {
    let saving = |seconds: i64| {
        let (world, key) = world();
        // The confirmation is saved, and the attempt comes next.
        world.holds().hrms.push_back(Ok(answer(500)));
        async move {
            let row = announce(&world, &key).await;
            wait(&world, &row);
            world.holds().saving_takes = SignedDuration::from_secs(seconds);
            announce(&world, &key).await;
            world.holds().notices.len()
        }
    };
    // A lease of a minute, a call of half a minute.
    assert_eq!(saving(30).await, 2);
    assert_eq!(saving(31).await, 1);
}

/// Every attempt died without an outcome: the schedule is over, and no further attempt is made.
#[tokio::test]
async fn attempts_without_outcomes_end_with_the_schedule() {
    let (world, key) = world();
    world.holds().saving_takes = SignedDuration::from_secs(31);
    let row = come_to_an_end(&world, &key).await;
    assert_eq!(row.state, State::Failed(FailReason::GaveUp));
    assert_eq!(published(&world), ["candidate.hired", "hire.undelivered"]);
    assert!(world.holds().notices.is_empty());
}

#[tokio::test]
async fn of_two_concurrent_announcers_one_publishes() {
    let (world, key) = world();
    let fresh = world.holds().announcements[&key].clone();
    world.holds().conflicts = 1;
    assert_eq!(announce(&world, &key).await, fresh);
    assert_eq!(published(&world), [""; 0]);
    assert!(world.holds().notices.is_empty());
}

#[tokio::test]
async fn what_was_delivered_is_delivered_again_if_somebody_says_so() {
    let (world, key) = world();
    let announcer = world.ports().hire_notifier();
    let redeliver = async || announcer.redeliver(&key).await.unwrap();
    assert_eq!(redeliver().await, Redelivery::UnderWay);
    let delivered = announce(&world, &key).await;

    world.holds().conflicts = 1;
    assert_eq!(redeliver().await, Redelivery::UnderWay);
    assert!(world.holds().queued.is_empty());

    assert_eq!(redeliver().await, Redelivery::Due);
    assert_eq!(world.holds().queued, [Work::Announce { key: key.clone() }]);
    assert_eq!(redeliver().await, Redelivery::UnderWay);
    let again = announce(&world, &key).await;
    assert_eq!(again.state, State::Delivered);
    assert_eq!(again.attempts.len(), delivered.attempts.len() + 1);
    assert_eq!(world.holds().notices.len(), 2);
    assert_eq!(published(&world), ["candidate.hired"]);

    plan(&world, |plan| plan.endpoint = None);
    assert_eq!(redeliver().await, Redelivery::NoEndpoint);
}

#[tokio::test]
async fn an_unsaved_hire_cannot_be_announced() {
    let (world, mut key) = world();
    key.hire = Hire::Application("70216".into());
    let announcer = world.ports().hire_notifier();
    announcer.announce(&key).await.unwrap();
    assert_eq!(
        announcer.redeliver(&key).await.unwrap(),
        Redelivery::Unknown
    );
    assert!(world.holds().notices.is_empty());
}
