use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::*;
use crate::announcement::{HireKey, Linked};
use crate::error::{ErrorScope, Phase};
use crate::fake_ports::{FakePorts, at, at_trigger, failing, start, throttled, time};
use crate::ports::{HistoryRow, HrmsAnswer, StageInfo};
use crate::tenant::{HiredWhen, PersonalField, Trigger};

/// A setup in which application 70215 has just been detected as hired, by its stage, with an HRMS.
fn setup() -> (FakePorts, HireKey) {
    let fake = FakePorts::new();
    let key = seen(&fake, Hire::Application("70215".into()));
    (fake, key)
}

/// Turns a plan for such hires on, and saves one.
fn seen(fake: &FakePorts, hire: Hire) -> HireKey {
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
    let mut data = fake.data();
    data.tenant.hires = Some(HirePlan {
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
        data.now,
        time(-86_400),
    );
    data.announcements.insert(key.clone(), row);
    key
}

async fn announce(fake: &FakePorts, key: &HireKey) -> Announcement {
    fake.ports().hire_notifier().announce(key).await.unwrap();
    fake.data().announcements[key].clone()
}

/// The plan, to be changed.
fn plan(fake: &FakePorts, change: impl FnOnce(&mut HirePlan)) {
    change(fake.data().tenant.hires.as_mut().unwrap());
}

fn endpoint(fake: &FakePorts, change: impl FnOnce(&mut HrmsEndpoint)) {
    plan(fake, |plan| change(plan.endpoint.as_mut().unwrap()));
}

/// Lets time pass until the announcement is due.
fn wait(fake: &FakePorts, row: &Announcement) {
    fake.data().now = row.due_at.unwrap();
}

/// Announces whenever it is due, until it is never due again.
async fn come_to_an_end(fake: &FakePorts, key: &HireKey) -> Announcement {
    for _ in 0..20 {
        let row = announce(fake, key).await;
        if row.due_at.is_none() {
            return row;
        }
        wait(fake, &row);
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
fn published(fake: &FakePorts) -> Vec<&'static str> {
    fake.data().published.iter().map(What::name).collect()
}

#[tokio::test]
async fn a_hire_is_published_and_delivered_once() {
    let (fake, key) = setup();
    let row = announce(&fake, &key).await;
    assert_eq!(row.state, State::Delivered);
    {
        let data = fake.data();
        let [What::Hired(hired)] = &data.published[..] else {
            panic!("{:?}", data.published);
        };
        assert_eq!(hired.candidate.id, "9001");
        let [notice] = &data.notices[..] else {
            panic!("{:?}", data.notices);
        };
        assert_eq!(
            (notice.id.as_str(), notice.at, notice.again),
            (key.webhook_id().as_str(), start(), false)
        );
        assert_eq!(notice.body["type"], "candidate.hired");
        assert_eq!(notice.body["data"]["candidate"]["id"], "9001");
        assert_eq!(notice.body["data"].get("person"), None);
    }
    assert_eq!(announce(&fake, &key).await, row);
    assert_eq!(fake.data().notices.len(), 1);
    assert_eq!(published(&fake), ["candidate.hired"]);
}

#[tokio::test]
async fn without_an_hrms_a_hire_is_published_and_nothing_more() {
    let (fake, key) = setup();
    plan(&fake, |plan| plan.endpoint = None);
    assert_eq!(announce(&fake, &key).await.state, State::Published);
    assert_eq!(published(&fake), ["candidate.hired"]);
    assert!(fake.data().notices.is_empty());
}

#[tokio::test]
async fn an_endpoint_removed_while_it_fails_gets_nothing_more() {
    let (fake, key) = setup();
    fake.data().hrms.push_back(Ok(answer(500)));
    let row = announce(&fake, &key).await;
    plan(&fake, |plan| plan.endpoint = None);
    wait(&fake, &row);
    assert_eq!(announce(&fake, &key).await.state, State::Published);
    assert_eq!(fake.data().notices.len(), 1);
    assert_eq!(published(&fake), ["candidate.hired"]);
}

#[tokio::test]
async fn nothing_happens_before_its_time_or_while_the_tenant_is_paused() {
    let (fake, key) = setup();
    let fresh = fake.data().announcements[&key].clone();
    fake.data().tenant.paused = true;
    assert_eq!(announce(&fake, &key).await, fresh);
    fake.data().tenant.paused = false;
    fake.data().now = start() - SignedDuration::from_nanos(1);
    assert_eq!(announce(&fake, &key).await, fresh);
    fake.data().now = start();
    assert_eq!(announce(&fake, &key).await.state, State::Delivered);
}

#[tokio::test]
async fn nothing_is_published_about_an_erased_candidate() {
    let (fake, key) = setup();
    fake.data().erased.insert("9001".into());
    fake.ports().hire_notifier().announce(&key).await.unwrap();
    assert!(fake.data().announcements.is_empty());
    assert!(fake.data().calls.is_empty() && fake.data().published.is_empty());
}

#[tokio::test]
async fn a_hire_that_was_undone_is_not_announced() {
    for stage_info in [StageInfo::Gone, StageInfo::Position(at("13", "34"))] {
        let (fake, key) = setup();
        fake.data().stage_info = stage_info.clone();
        let row = announce(&fake, &key).await;
        assert_eq!(
            row.state,
            State::Skipped(SkipReason::MovedOn),
            "{stage_info:?}"
        );
        assert_eq!(published(&fake), [""; 0]);
        assert!(fake.data().notices.is_empty());
    }
    let (fake, key) = setup();
    fake.data().tenant.hires = None;
    let row = announce(&fake, &key).await;
    assert_eq!(row.state, State::Skipped(SkipReason::PlanRemoved));
    assert_eq!(published(&fake), [""; 0]);
}

/// The order of pages may have changed while the baseline of hires was read.
#[tokio::test]
async fn a_hire_from_before_the_plan_is_not_announced_when_the_history_shows_it() {
    // Eploy's times may be an hour off.
    let margin = SignedDuration::from_mins(65);
    let not_before = time(-86_400);
    let (early, key) = setup();
    early.data().stage_info = history(not_before - margin - SignedDuration::from_secs(1));
    let row = announce(&early, &key).await;
    assert_eq!(row.state, State::Skipped(SkipReason::Baseline));
    assert_eq!(published(&early), [""; 0]);

    let (late, key) = setup();
    let entered = not_before - margin;
    late.data().stage_info = history(entered);
    let row = announce(&late, &key).await;
    assert_eq!((row.state, row.hired_at), (State::Delivered, Some(entered)));
    assert_eq!(late.data().notices[0].body["timestamp"], json!(entered));
}

#[tokio::test]
async fn where_the_history_lacks_the_hire_the_applications_own_record_decides() {
    let behind = StageInfo::History(Vec::new());
    let (hired, key) = setup();
    hired.data().stage_info = behind.clone();
    let row = announce(&hired, &key).await;
    assert_eq!((row.state, row.hired_at), (State::Delivered, None));

    for position in [Some(at("13", "34")), None] {
        let (left, key) = setup();
        left.data().stage_info = behind.clone();
        left.data().position = position;
        let row = announce(&left, &key).await;
        assert_eq!(row.state, State::Skipped(SkipReason::MovedOn));
    }
}

#[tokio::test]
async fn a_placement_is_announced_with_its_application_if_eploy_has_it() {
    let fake = FakePorts::new();
    let key = seen(&fake, Hire::Placement("31".into()));
    fake.data().application = Some("70215".into());
    let row = announce(&fake, &key).await;
    assert_eq!((row.state, row.hired_at), (State::Delivered, None));
    let data = fake.data();
    let [What::Hired(hired)] = &data.published[..] else {
        panic!("{:?}", data.published);
    };
    let id = |linked: &Option<Linked>| linked.as_ref().map(|linked| linked.id.clone());
    assert_eq!(id(&hired.application), Some("70215".to_owned()));
    assert_eq!(id(&hired.placement), Some("31".to_owned()));
}

#[tokio::test]
async fn a_placement_whose_application_may_not_be_looked_for_is_announced_without_it() {
    let fake = FakePorts::new();
    let key = seen(&fake, Hire::Placement("31".into()));
    fake.data().eploy_fails = Some(failing(Phase::Refused));
    let row = announce(&fake, &key).await;
    assert_eq!((row.state, row.application), (State::Delivered, None));
}

#[tokio::test]
async fn while_eploy_does_not_answer_a_hire_waits_unpublished() {
    for hire in [
        Hire::Placement("31".into()),
        Hire::Application("70215".into()),
    ] {
        let fake = FakePorts::new();
        let key = seen(&fake, hire);
        fake.data().eploy_fails = Some(failing(Phase::Unknown));
        let first = announce(&fake, &key).await;
        assert_eq!(first.state, State::Detected);
        assert_eq!(first.failure.as_ref().unwrap().attempts, 1);
        let first_wait = first.due_at.unwrap().duration_since(start());
        assert!(first_wait >= SignedDuration::from_secs(20), "{first_wait}");
        assert_eq!(published(&fake), [""; 0]);
        wait(&fake, &first);
        let second = announce(&fake, &key).await;
        assert_eq!(second.failure.as_ref().unwrap().attempts, 2);
        assert!(
            second.due_at.unwrap().duration_since(first.due_at.unwrap()) > first_wait,
            "the wait grows"
        );
        wait(&fake, &second);
        fake.data().eploy_fails = None;
        assert_eq!(announce(&fake, &key).await.state, State::Delivered);
    }
    // As long as Eploy asks for.
    let (fake, key) = setup();
    fake.data().eploy_fails = Some(throttled(Some(time(5000))));
    assert_eq!(announce(&fake, &key).await.due_at, Some(time(5000)));
}

#[tokio::test]
async fn only_the_configured_fields_of_the_person_are_sent() {
    let (fake, key) = setup();
    endpoint(&fake, |to| to.person = [PersonalField::Email].into());
    announce(&fake, &key).await;
    assert_eq!(
        fake.data().notices[0].body["data"]["person"],
        json!({"email": "robin@example.com"})
    );
}

/// The hire is published already, and the HRMS is to receive it when the candidate becomes unreadable.
async fn unreadable(error: CallError) -> (FakePorts, Announcement) {
    let (fake, key) = setup();
    endpoint(&fake, |to| to.person = [PersonalField::Email].into());
    fake.data().hrms.push_back(Ok(answer(500)));
    let row = announce(&fake, &key).await;
    wait(&fake, &row);
    fake.data().eploy_fails = Some(error);
    let row = announce(&fake, &key).await;
    assert_eq!(fake.data().notices.len(), 1);
    (fake, row)
}

#[tokio::test]
async fn a_person_who_cannot_be_read_now_is_read_later() {
    let (fake, row) = unreadable(failing(Phase::Unknown)).await;
    assert_eq!(row.state, State::Delivering);
    assert_eq!(row.failure.as_ref().unwrap().code, "test.failed");
    fake.data().eploy_fails = None;
    wait(&fake, &row);
    assert_eq!(announce(&fake, &row.key).await.state, State::Delivered);
}

#[tokio::test]
async fn an_announcement_follows_a_candidate_who_was_merged_into_another() {
    let (fake, key) = setup();
    endpoint(&fake, |to| to.person = [PersonalField::Email].into());
    fake.set(|data| {
        data.merged = ["9001".into()].into();
        let merged = crate::ports::ApplicationRow {
            id: "70215".into(),
            candidate: "8000".into(),
            vacancy: "4101".into(),
            position: at_trigger(),
            modified: None,
        };
        data.records.insert("70215".into(), merged);
    });
    let row = announce(&fake, &key).await;
    assert_eq!(
        (row.candidate.as_str(), &row.state),
        ("8000", &State::Delivering)
    );
    assert_eq!(announce(&fake, &key).await.state, State::Delivered);
    let sent = &fake.data().notices[0].body["data"];
    assert_eq!(sent["candidate"]["id"], "8000");
    assert_eq!(sent["person"], json!({"email": "robin@example.com"}));
}

#[tokio::test]
async fn a_person_who_can_never_be_read_ends_it_with_a_reason() {
    let (fake, row) = unreadable(failing(Phase::Refused)).await;
    let State::Failed(FailReason::Refused(failure)) = &row.state else {
        panic!("{:?}", row.state);
    };
    assert_eq!(failure.code, "test.failed");
    assert_eq!(
        fake.data().published.last(),
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
    let (fake, key) = setup();
    fake.data().hrms.extend([
        Err(failing(Phase::Unknown)),
        Ok(HrmsAnswer {
            status: 429,
            retry_after: Some(SignedDuration::from_secs(4000)),
        }),
    ]);
    let first = announce(&fake, &key).await;
    assert_eq!(first.state, State::Delivering);
    wait(&fake, &first);
    let second = announce(&fake, &key).await;
    assert_eq!(
        second.due_at.unwrap().duration_since(fake.data().now),
        SignedDuration::from_secs(4000)
    );
    wait(&fake, &second);
    let third = announce(&fake, &key).await;
    let outcomes: Vec<_> = third.attempts.iter().map(|one| &one.outcome).collect();
    assert_eq!(
        outcomes,
        [
            &Outcome::Unanswered("test.failed".to_owned()),
            &Outcome::Answered(429),
            &Outcome::Answered(204)
        ]
    );
    let data = fake.data();
    let again: Vec<_> = data.notices.iter().map(|notice| notice.again).collect();
    assert_eq!(again, [false, true, true]);
    assert!(
        data.notices
            .iter()
            .all(|notice| notice.id == key.webhook_id())
    );
}

/// An endpoint that answers 410, and one that always fails: subscribers get one event, with the reason.
#[tokio::test]
async fn a_failed_delivery_to_the_hrms_is_an_event() {
    let reason = |fake: &FakePorts| match fake.data().published.last() {
        Some(What::HireUndelivered { reason, .. }) => reason.clone(),
        other => panic!("{other:?}"),
    };
    let (gone, key) = setup();
    gone.data().hrms.push_back(Ok(answer(410)));
    announce(&gone, &key).await;
    assert_eq!(reason(&gone), "gone");

    let (down, key) = setup();
    down.data().hrms.extend((0..20).map(|_| Ok(answer(503))));
    let row = come_to_an_end(&down, &key).await;
    assert_eq!(row.state, State::Failed(FailReason::GaveUp));
    assert_eq!(reason(&down), "gave_up");
    assert_eq!(published(&down), ["candidate.hired", "hire.undelivered"]);
    assert_eq!(down.data().notices.len(), 10);
}

/// A person who reads the log after the lease must be able to rely on no call being under way.
#[tokio::test]
async fn no_attempt_is_made_that_could_outlive_its_lease() {
    let saving = |seconds: i64| {
        let (fake, key) = setup();
        // The confirmation is saved, and the attempt comes next.
        fake.data().hrms.push_back(Ok(answer(500)));
        async move {
            let row = announce(&fake, &key).await;
            wait(&fake, &row);
            fake.data().saving_takes = SignedDuration::from_secs(seconds);
            announce(&fake, &key).await;
            fake.data().notices.len()
        }
    };
    // A lease of a minute, a call of half a minute.
    assert_eq!(saving(30).await, 2);
    assert_eq!(saving(31).await, 1);
}

/// Every attempt died without an outcome: the schedule is over, and no further attempt is made.
#[tokio::test]
async fn attempts_without_outcomes_end_with_the_schedule() {
    let (fake, key) = setup();
    fake.data().saving_takes = SignedDuration::from_secs(31);
    let row = come_to_an_end(&fake, &key).await;
    assert_eq!(row.state, State::Failed(FailReason::GaveUp));
    assert_eq!(published(&fake), ["candidate.hired", "hire.undelivered"]);
    assert!(fake.data().notices.is_empty());
}

#[tokio::test]
async fn of_two_concurrent_announcers_one_publishes() {
    let (fake, key) = setup();
    let fresh = fake.data().announcements[&key].clone();
    fake.data().conflicts = 1;
    assert_eq!(announce(&fake, &key).await, fresh);
    assert_eq!(published(&fake), [""; 0]);
    assert!(fake.data().notices.is_empty());
}

#[tokio::test]
async fn what_was_delivered_is_delivered_again_if_somebody_says_so() {
    let (fake, key) = setup();
    let announcer = fake.ports().hire_notifier();
    let redeliver = async || announcer.redeliver(&key).await.unwrap();
    assert_eq!(redeliver().await, Redelivery::UnderWay);
    let delivered = announce(&fake, &key).await;

    fake.data().conflicts = 1;
    assert_eq!(redeliver().await, Redelivery::UnderWay);
    assert!(fake.data().queued.is_empty());

    assert_eq!(redeliver().await, Redelivery::Due);
    assert_eq!(fake.data().queued, [Work::Announce { key: key.clone() }]);
    assert_eq!(redeliver().await, Redelivery::UnderWay);
    let again = announce(&fake, &key).await;
    assert_eq!(again.state, State::Delivered);
    assert_eq!(again.attempts.len(), delivered.attempts.len() + 1);
    assert_eq!(fake.data().notices.len(), 2);
    assert_eq!(published(&fake), ["candidate.hired"]);

    plan(&fake, |plan| plan.endpoint = None);
    assert_eq!(redeliver().await, Redelivery::NoEndpoint);
}

#[tokio::test]
async fn an_unsaved_hire_cannot_be_announced() {
    let (fake, mut key) = setup();
    key.hire = Hire::Application("70216".into());
    let announcer = fake.ports().hire_notifier();
    announcer.announce(&key).await.unwrap();
    assert_eq!(
        announcer.redeliver(&key).await.unwrap(),
        Redelivery::Unknown
    );
    assert!(fake.data().notices.is_empty());
}
