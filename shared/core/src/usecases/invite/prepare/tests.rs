use jiff::civil::time as time_of_day;

use super::*;
use crate::clock::Deadline;
use crate::fake_ports::{FakePorts, FakeState, entered, failing, mapping, throttled, time};
use crate::ids::InvitationKey;
use crate::invitation::Failure;
use crate::ports::InviteOrder;

/// The tests' time starts on a Friday at 08:00.
const MONDAY_AT_TEN: i64 = (3 * 24 + 2) * 3600;
const DAY: i64 = 86_400;

fn plan() -> MeetingPlan {
    MeetingPlan {
        creates: None,
        day: MeetingDay::WorkingDays(1),
        time: time_of_day(10, 0, 0, 0),
        zone: "Europe/London".to_owned(),
        minutes: 45,
        interviewers: vec!["robin@example.com".to_owned()],
        interviewers_question: None,
    }
}

/// A setup whose mapping is of this kind.
fn setup(kind: MappingKind) -> FakePorts {
    let fake = FakePorts::new();
    fake.data().tenant.mappings = vec![Mapping {
        kind,
        ..mapping("live")
    }];
    fake
}

fn meeting(plan: MeetingPlan) -> FakePorts {
    setup(MappingKind::Meeting(plan))
}

async fn invite(fake: &FakePorts, key: &InvitationKey) -> Invitation {
    fake.ports()
        .inviter()
        .invite(key, Deadline::NONE)
        .await
        .unwrap();
    fake.row(key)
}

/// Saves a new invitation and sends it.
async fn entering(fake: &FakePorts, application: &str) -> Invitation {
    let key = fake.enter(application, "live");
    invite(fake, &key).await
}

/// The order that the platform got last.
fn last_order(fake: &FakePorts) -> InviteOrder {
    fake.data().orders.last().unwrap().clone()
}

fn ordered(fake: &FakePorts) -> (Appointment, Vec<String>) {
    match last_order(fake).task {
        Task::Meet {
            appointment,
            interviewers,
        } => (appointment, interviewers),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_candidate_is_met_as_the_plan_says_and_the_ledger_knows_when() {
    let fake = meeting(plan());
    let row = entering(&fake, "1").await;
    assert_eq!(row.state, State::Invited);
    let appointment = Appointment {
        at: time(MONDAY_AT_TEN),
        minutes: 45,
    };
    assert_eq!(row.appointment, Some(appointment));
    assert_eq!(
        ordered(&fake),
        (appointment, vec!["robin@example.com".to_owned()])
    );
    // The assessment names an existing interview.
    assert_eq!(last_order(&fake).assessment, "a1".into());
    assert!(fake.data().made.is_empty());
}

#[tokio::test]
async fn another_try_moves_an_appointment_only_once_it_is_past() {
    for (second, met) in [
        (MONDAY_AT_TEN - 1, MONDAY_AT_TEN),
        (MONDAY_AT_TEN, MONDAY_AT_TEN + DAY),
    ] {
        let fake = meeting(plan());
        let busy = Err(throttled(None));
        fake.data().invited.push_back(busy);
        let row = entering(&fake, "1").await;
        assert_eq!(row.state, State::Detected);
        fake.pass(second);
        assert_eq!(invite(&fake, &row.key).await.state, State::Invited);
        assert_eq!(fake.data().orders.len(), 2);
        assert_eq!(ordered(&fake).0.at, time(met), "tried again after {second}");
    }
}

#[tokio::test]
async fn of_two_concurrent_senders_one_schedules() {
    let fake = meeting(plan());
    fake.data().conflicts = 1;
    assert_eq!(entering(&fake, "1").await.state, State::Detected);
    assert!(fake.data().orders.is_empty());
}

/// The outcome of this answer to the date question of the application.
async fn dated(answer: Option<Answer>) -> (FakePorts, Invitation) {
    let question = QuestionId::new("application-date");
    let fake = meeting(MeetingPlan {
        day: MeetingDay::Question(question.clone()),
        ..plan()
    });
    if let Some(answer) = answer {
        fake.data().answers.insert(question, answer);
    }
    let row = entering(&fake, "1").await;
    (fake, row)
}

#[tokio::test]
async fn the_date_that_was_entered_counts_with_its_time_if_it_has_one() {
    let wednesday = "2027-01-20".parse().unwrap();
    let (fake, _) = dated(Some(Answer::Day(wednesday))).await;
    assert_eq!(ordered(&fake).0.at, time(MONDAY_AT_TEN + 2 * DAY));
    let (fake, _) = dated(Some(Answer::At(time(1)))).await;
    assert_eq!(ordered(&fake).0.at, time(1));
}

#[tokio::test]
async fn a_date_that_is_past_is_refused_with_what_to_do() {
    let (fake, row) = dated(Some(Answer::At(time(0)))).await;
    let State::Failed(FailReason::Refused(failure)) = &row.state else {
        panic!("{:?}", row.state);
    };
    assert_eq!(failure.code, "meeting.past");
    assert!(failure.remedy.contains("still to come"), "{failure:?}");
    assert!(fake.data().orders.is_empty());
}

#[tokio::test]
async fn a_date_that_no_calendar_has_is_refused() {
    let (fake, row) = dated(Some(Answer::Day(jiff::civil::Date::MAX))).await;
    let State::Failed(FailReason::Refused(failure)) = &row.state else {
        panic!("{:?}", row.state);
    };
    assert_eq!(failure.code, "meeting.no_day");
    assert!(fake.data().orders.is_empty());
}

#[tokio::test]
async fn without_a_date_the_interview_waits_for_one() {
    for nothing in [None, Some(Answer::Text("next week".to_owned()))] {
        let (fake, row) = dated(nothing).await;
        assert_eq!(row.state, State::Detected);
        assert_eq!(row.failure.unwrap().code, "meeting.no_date");
        assert!(fake.data().orders.is_empty());
        fake.data()
            .answers
            .insert("application-date".into(), Answer::At(time(DAY)));
        fake.pass(3600);
        assert_eq!(invite(&fake, &row.key).await.state, State::Invited);
    }
}

/// The interviewers in the order, or the failure.
async fn panel(plan: MeetingPlan, answer: Option<&str>) -> Result<Vec<String>, Failure> {
    let question = QuestionId::new("vacancy-panel");
    let fake = meeting(MeetingPlan {
        interviewers_question: Some(question.clone()),
        ..plan
    });
    if let Some(text) = answer {
        let answer = Answer::Text(text.to_owned());
        fake.data().answers.insert(question, answer);
    }
    let row = entering(&fake, "1").await;
    match row.failure {
        Some(failure) => Err(failure),
        None => Ok(ordered(&fake).1),
    }
}

#[tokio::test]
async fn the_vacancys_interviewers_are_added_each_once() {
    let text = "Robin@Example.com; sam@example.com, SAM@example.com and others";
    assert_eq!(
        panel(plan(), Some(text)).await.unwrap(),
        ["robin@example.com", "sam@example.com"]
    );
    assert_eq!(panel(plan(), None).await.unwrap(), ["robin@example.com"]);
}

#[tokio::test]
async fn without_any_interviewer_the_interview_waits() {
    let nobody = MeetingPlan {
        interviewers: Vec::new(),
        ..plan()
    };
    for answer in [None, Some("Robin Example")] {
        let failure = panel(nobody.clone(), answer).await.unwrap_err();
        assert_eq!(failure.code, "meeting.no_interviewer");
    }
    let asked = panel(nobody, Some("sam@example.com")).await;
    assert_eq!(asked.unwrap(), ["sam@example.com"]);
}

/// A setup whose mapping creates interviews.
fn making(once_per: OncePer) -> FakePorts {
    meeting(MeetingPlan {
        creates: Some(once_per),
        ..plan()
    })
}

#[tokio::test]
async fn an_interview_is_made_once_for_the_mapping() {
    let fake = making(OncePer::Mapping);
    let row = entering(&fake, "1").await;
    assert_eq!(row.assessment.assessment, "made-1".into());
    entering(&fake, "2").await;
    let data = fake.data();
    let [order] = &data.made[..] else {
        panic!("{:?}", data.made);
    };
    assert_eq!((order.configured.as_str(), &order.vacancy), ("a1", &None));
    assert_eq!(data.orders.len(), 2);
    assert!(
        data.orders
            .iter()
            .all(|one| one.assessment == "made-1".into())
    );
}

#[tokio::test]
async fn an_interview_is_made_once_for_each_vacancy() {
    let fake = making(OncePer::Vacancy);
    entering(&fake, "1").await;
    entering(&fake, "2").await;
    let key = fake.enter("3", "live");
    fake.data().rows.get_mut(&key).unwrap().vacancy = "4102".into();
    invite(&fake, &key).await;
    let data = fake.data();
    let made: Vec<_> = data.made.iter().map(|one| one.vacancy.as_deref()).collect();
    assert_eq!(made, [Some("Vacancy 4101"), Some("Vacancy 4102")]);
    let used: Vec<_> = data
        .orders
        .iter()
        .map(|one| one.assessment.as_str())
        .collect();
    assert_eq!(used, ["made-1", "made-1", "made-2"]);
}

#[tokio::test]
async fn other_options_make_another_interview_but_not_for_whom_one_was_arranged() {
    let fake = making(OncePer::Mapping);
    let busy = Err(throttled(None));
    fake.data().invited.push_back(busy);
    let arranged = entering(&fake, "1").await;
    fake.data().tenant.mappings[0]
        .options
        .insert("duration".to_owned(), 30.into());
    fake.pass(3600);
    invite(&fake, &arranged.key).await;
    assert_eq!(last_order(&fake).assessment, "made-1".into());
    entering(&fake, "2").await;
    assert_eq!(last_order(&fake).assessment, "made-2".into());
}

#[tokio::test]
async fn of_two_interviews_created_at_once_the_saved_one_is_used() {
    let fake = making(OncePer::Mapping);
    fake.data().made_elsewhere = Some("theirs".into());
    entering(&fake, "1").await;
    assert_eq!(last_order(&fake).assessment, "theirs".into());
}

fn pool() -> FakePorts {
    setup(MappingKind::Pool(PoolPlan {
        tags: vec!["silver".to_owned()],
        after: Vec::new(),
    }))
}

#[tokio::test]
async fn a_candidate_is_put_into_a_pool_once_however_many_applications_they_have() {
    let fake = pool();
    let first = entering(&fake, "1").await;
    assert_eq!(first.state, State::Invited);
    assert_eq!(
        last_order(&fake).task,
        Task::Pool {
            tags: vec!["silver".to_owned()]
        }
    );
    let second = entering(&fake, "2").await;
    assert_eq!(
        second.state,
        State::Skipped(SkipReason::Duplicate(Some(first.key)))
    );
    assert_eq!(fake.data().orders.len(), 1);
}

/// The erasure comes between the sender's check for it and the slot.
#[tokio::test]
async fn a_place_that_was_taken_after_an_erasure_is_given_back() {
    let fake = pool();
    let erased = |data: &mut FakeState| {
        data.erased.insert("9001".into());
    };
    fake.data().on_call.insert("candidate", Box::new(erased));
    let key = fake.enter("1", "live");
    fake.ports()
        .inviter()
        .invite(&key, Deadline::NONE)
        .await
        .unwrap();
    let data = fake.data();
    assert!(data.rows.is_empty() && data.references.is_empty());
    assert!(data.orders.is_empty());
}

/// A slot is taken by an invitation that is in the pool, or may turn out to be.
#[tokio::test]
async fn a_place_whose_owner_never_got_there_is_passed_over() {
    let failure = Failure::from_call(&failing(Phase::Unknown), None, time(0));
    let lease_until = time(60);
    for (state, taken) in [
        (Some(State::Detected), true),
        (Some(State::Sending { lease_until }), true),
        (Some(State::Invited), true),
        (
            Some(State::Failed(FailReason::OutcomeUnknown(failure))),
            true,
        ),
        (Some(State::Failed(FailReason::NoEmail)), false),
        (Some(State::Skipped(SkipReason::MovedOn)), false),
        (Some(State::Cancelled), false),
        // Erased.
        (None, false),
    ] {
        let fake = pool();
        let owner = entered("1", &fake.data().tenant.mappings[0], time(0));
        {
            let mut data = fake.data();
            let place = ("acc".into(), "pool/a1/9001/1".into());
            data.references.insert(place, owner.key.clone());
            if let Some(state) = state.clone() {
                let owner = Invitation {
                    state,
                    ..owner.clone()
                };
                data.rows.insert(owner.key.clone(), owner);
            }
        }
        let second = entering(&fake, "2").await;
        let expected = if taken {
            State::Skipped(SkipReason::Duplicate(Some(owner.key)))
        } else {
            State::Invited
        };
        assert_eq!(second.state, expected, "behind {state:?}");
    }
}
