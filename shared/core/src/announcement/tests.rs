use jiff::SignedDuration;
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::tenant::{EployConnection, PersonalField};
use crate::timing::{Timing, seconds};

fn time(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn key() -> HireKey {
    HireKey {
        tenant: "acme".into(),
        hire: Hire::Application("70215".into()),
    }
}

fn fresh() -> Announcement {
    Announcement::detected(key(), "9001".into(), "4101".into(), time(0), time(-100))
}

fn confirmed(endpoint: bool) -> Event {
    Event::Confirmed {
        hired_at: Some(time(-5)),
        application: None,
        endpoint,
    }
}

fn begin(until: i64) -> Event {
    Event::Begin {
        lease_until: time(until),
    }
}

fn ended(attempt: u32, outcome: Outcome) -> Event {
    Event::Ended {
        attempt,
        outcome,
        retry_after: None,
    }
}

fn step(row: &Announcement, event: Event, at: i64) -> Transition {
    row.apply(event, time(at), &Timing::default()).unwrap()
}

fn refused(row: &Announcement, event: Event, at: i64) -> NotApplicable {
    row.apply(event, time(at), &Timing::default()).unwrap_err()
}

/// Confirmed, with an HRMS.
fn delivering() -> Announcement {
    step(&fresh(), confirmed(true), 1).next
}

/// The first whole second at which it is due.
fn due_second(row: &Announcement) -> i64 {
    let due = row.due_at.unwrap();
    due.as_second() + i64::from(due.subsec_nanosecond() > 0) - 1_800_000_000
}

/// After one attempt with this outcome at `at`.
fn tried(row: &Announcement, outcome: Outcome, at: i64) -> Transition {
    let begun = step(row, begin(at + 60), at).next;
    let attempt = begun.attempts.last().unwrap().number;
    step(&begun, ended(attempt, outcome), at)
}

#[test]
fn a_confirmed_hire_is_published_once() {
    let applied = step(&fresh(), confirmed(true), 1);
    assert_eq!(applied.notification, Some(Notification::Hired));
    assert_eq!(
        (applied.next.state.clone(), applied.next.due_at),
        (State::Delivering, Some(time(1)))
    );
    let delivered = tried(&applied.next, Outcome::Answered(204), 2);
    assert_eq!(delivered.notification, None);
    assert_eq!(delivered.next.state, State::Delivered);
    assert_eq!(delivered.next.due_at, None);
    refused(&delivered.next, confirmed(true), 3);

    let alone = step(&fresh(), confirmed(false), 1);
    assert_eq!(alone.notification, Some(Notification::Hired));
    assert_eq!(
        (alone.next.state, alone.next.due_at),
        (State::Published, None)
    );
}

#[test]
fn a_skipped_hire_is_not_published_and_a_return_is_detected_again() {
    for reason in [
        SkipReason::Baseline,
        SkipReason::MovedOn,
        SkipReason::PlanRemoved,
    ] {
        let skipped = step(&fresh(), Event::Skip(reason), 1);
        assert_eq!(skipped.notification, None);
        assert_eq!(skipped.next.due_at, None);
        let again = Event::SeenAgain {
            not_before: time(50),
        };
        if reason == SkipReason::MovedOn {
            let again = step(&skipped.next, again, 60).next;
            assert_eq!(again.state, State::Detected);
            assert_eq!(again.due_at, Some(time(60)));
            assert_eq!(again.not_before, time(50));
        } else {
            refused(&skipped.next, again, 60);
        }
    }
}

#[test]
fn ten_attempts_are_made_over_three_days_by_the_schedule() {
    let mut row = delivering();
    let mut waits = Vec::new();
    let begun = row.due_at.unwrap();
    let last = loop {
        let due = row.due_at.unwrap();
        let now = due_second(&row);
        let failed = tried(&row, Outcome::Answered(500), now);
        row = failed.next;
        if row.due_at.is_none() {
            assert_eq!(failed.notification, Some(Notification::Undelivered));
            break due;
        }
        assert_eq!(failed.notification, None);
        waits.push(row.due_at.unwrap().duration_since(due).as_secs_f64());
        assert!(waits.len() <= SCHEDULE.len(), "it goes on for ever");
    };
    assert_eq!(row.state, State::Failed(FailReason::GaveUp));
    assert_eq!(row.attempts.len(), 10);
    assert_eq!(waits.len(), SCHEDULE.len());
    for (wait, delay) in waits.iter().zip(SCHEDULE) {
        // Rounded to whole seconds on the way.
        assert!(
            (delay - 1.0..=delay * 1.1 + 1.0).contains(wait),
            "{wait} {delay}"
        );
    }
    let days = last.duration_since(begun).as_secs_f64() / 86_400.0;
    assert!((3.0..4.0).contains(&days), "{days}");
}

/// The suggestion of the Standard Webhooks specification, as it is written there.
#[test]
fn the_schedule_is_the_specifications() {
    let suggested = ["5s", "5m", "30m", "2h", "5h", "10h", "14h", "20h", "24h"];
    for (delay, text) in SCHEDULE.into_iter().zip(suggested) {
        assert_eq!(seconds(delay), text.parse().unwrap(), "{text}");
    }
}

#[test]
fn gone_ends_it_at_once() {
    let gone = tried(&delivering(), Outcome::Answered(410), 2);
    assert_eq!(gone.next.state, State::Failed(FailReason::Gone));
    assert_eq!(gone.notification, Some(Notification::Undelivered));
    assert_eq!(gone.next.tries, 1);
    assert_eq!(gone.next.attempts[0].outcome, Outcome::Answered(410));
}

#[test]
fn a_receiver_may_defer_the_next_attempt_within_a_bound() {
    let after = |asked: SignedDuration| {
        let begun = step(&delivering(), begin(62), 2).next;
        let event = Event::Ended {
            attempt: 1,
            outcome: Outcome::Answered(429),
            retry_after: Some(asked),
        };
        let due = step(&begun, event, 3).next.due_at.unwrap();
        due.duration_since(time(3))
    };
    assert_eq!(after(SignedDuration::from_secs(600)), seconds(600.0));
    assert_eq!(after(SignedDuration::from_hours(1000)), seconds(86_400.0));
    // The schedule's own delay is the minimum.
    assert!(after(SignedDuration::ZERO) >= seconds(5.0));
}

/// The wait after a failed first attempt for this hire, where the first delay is this long.
fn first_wait(hire: u32, announce_seconds: f64, asked: Option<SignedDuration>) -> f64 {
    let timing = Timing {
        announce_seconds,
        ..Timing::default()
    };
    let mut row = fresh();
    row.key.hire = Hire::Application(hire.to_string().as_str().into());
    let event = Event::Ended {
        attempt: 1,
        outcome: Outcome::Answered(503),
        retry_after: asked,
    };
    for event in [confirmed(true), begin(60), event] {
        row = row.apply(event, time(1), &timing).unwrap().next;
    }
    row.due_at.unwrap().duration_since(time(1)).as_secs_f64()
}

#[test]
fn hires_that_failed_together_come_back_spread_over_a_tenth_of_the_delay() {
    for delay in [5.0, 500.0, 0.5] {
        let waits: Vec<f64> = (0..100).map(|hire| first_wait(hire, delay, None)).collect();
        let least = waits.iter().copied().fold(f64::INFINITY, f64::min);
        let most = waits.iter().copied().fold(0.0, f64::max);
        assert!(least >= delay && least < delay * 1.02, "{least} {delay}");
        assert!(most <= delay * 1.1 && most > delay * 1.08, "{most} {delay}");
    }
}

#[test]
fn how_long_a_receiver_may_ask_for_grows_with_the_schedule_and_never_shrinks() {
    let asked = Some(SignedDuration::from_hours(10_000));
    for (announce_seconds, days) in [(5.0, 1.0), (50.0, 10.0), (0.5, 1.0)] {
        let wait = first_wait(1, announce_seconds, asked) / 86_400.0;
        assert!((wait - days).abs() < 1e-6, "{wait} {days}");
    }
}

#[test]
fn an_attempt_whose_maker_died_is_made_again_and_counted() {
    let begun = step(&delivering(), begin(62), 2).next;
    refused(&begun, begin(100), 30);
    let second = step(&begun, begin(122), 62).next;
    assert_eq!((second.tries, second.attempts.len()), (1, 2));
    // The first one resumes: its outcome goes into the log, and counts only if it was delivered.
    let late = step(&second, ended(1, Outcome::Answered(500)), 63).next;
    assert_eq!((late.state, late.tries), (State::Delivering, 1));
    assert_eq!(late.due_at, second.due_at);
    let late = step(&second, ended(1, Outcome::Answered(200)), 63).next;
    assert_eq!(late.state, State::Delivered);
    let after = step(&late, ended(2, Outcome::Answered(500)), 64).next;
    assert_eq!(after.state, State::Delivered);
    refused(&after, ended(2, Outcome::Answered(500)), 65);

    let mut row = delivering();
    for attempt in 0..=i64::from(u8::MAX) {
        if row.state != State::Delivering {
            assert_eq!(attempt, 11);
            return;
        }
        row = step(&row, begin(100 * (attempt + 1)), 100 * attempt + 1).next;
    }
    panic!("it goes on for ever");
}

/// Its lease had expired, and another attempt has ended the delivery meanwhile.
#[test]
fn a_late_attempt_does_not_publish_the_failure_again() {
    let begun = step(&delivering(), begin(62), 2).next;
    let second = step(&begun, begin(122), 62).next;
    let gone = step(&second, ended(2, Outcome::Answered(410)), 63);
    assert_eq!(gone.notification, Some(Notification::Undelivered));
    let late = step(&gone.next, ended(1, Outcome::Answered(500)), 64);
    assert_eq!(late.notification, None);
    assert_eq!(late.next.state, State::Failed(FailReason::Gone));
}

#[test]
fn what_does_not_apply_says_what_and_where() {
    assert_eq!(
        refused(&fresh(), Event::Redeliver, 1).to_string(),
        "redelivered does not apply to an announcement that is detected"
    );
}

#[test]
fn a_redelivery_restarts_the_schedule_from_any_state() {
    let delivered = tried(&delivering(), Outcome::Answered(200), 2).next;
    let gone = tried(&delivering(), Outcome::Answered(410), 2).next;
    let published = step(&fresh(), confirmed(false), 1).next;
    for row in [delivered, gone, published] {
        let again = step(&row, Event::Redeliver, 50);
        assert_eq!(again.notification, None, "{:?}", row.state);
        assert_eq!(
            (again.next.state.clone(), again.next.tries),
            (State::Delivering, 0)
        );
        assert_eq!(again.next.due_at, Some(time(50)));
        assert_eq!(again.next.attempts, row.attempts);
        let delivered = tried(&again.next, Outcome::Answered(200), 51).next;
        assert_eq!(delivered.state, State::Delivered);
    }
    // A hire of the baseline was not published yet.
    let baseline = fresh().of_baseline();
    assert_eq!(
        step(&baseline, Event::Redeliver, 50).notification,
        Some(Notification::Hired)
    );
    refused(&delivering(), Event::Redeliver, 50);
    refused(&fresh(), Event::Redeliver, 50);
}

#[test]
fn the_log_keeps_its_end() {
    let mut row = delivering();
    for round in 0..30 {
        for _ in 0..2 {
            let now = due_second(&row);
            row = tried(&row, Outcome::Answered(500), now).next;
        }
        let now = due_second(&row);
        row = tried(&row, Outcome::Answered(200), now).next;
        assert_eq!(row.attempts.last().unwrap().number, 3 * (round + 1));
        row = step(&row, Event::Redeliver, now + 1).next;
    }
    assert_eq!(row.attempts.len(), Announcement::MAX_LOG_LINES);
}

#[test]
fn a_webhook_is_known_by_its_hire_alone() {
    let id = key().webhook_id();
    assert!(id.starts_with("hire_") && !id.contains('.'), "{id}");
    let other = |tenant: &str, hire| HireKey {
        tenant: tenant.into(),
        hire,
    };
    assert_eq!(key().webhook_id(), id);
    for different in [
        other("acme2", Hire::Application("70215".into())),
        other("acme", Hire::Placement("70215".into())),
        other("acme", Hire::Application("70216".into())),
    ] {
        assert_ne!(different.webhook_id(), id);
        let (kind, id) = different.hire.parts();
        assert_eq!(Hire::of_parts(kind, id), Some(different.hire.clone()));
    }
}

/// The name of a variant as it is stored.
fn stored(variant: &impl Serialize) -> String {
    match serde_json::to_value(variant).unwrap() {
        serde_json::Value::String(name) => name,
        serde_json::Value::Object(fields) => fields.keys().next().unwrap().clone(),
        other => panic!("{other}"),
    }
}

#[test]
fn states_and_reasons_are_named_as_they_are_stored() {
    let failure = Failure {
        code: "eploy.not_found".to_owned(),
        problem: "it is not there".to_owned(),
        remedy: "Nothing.".to_owned(),
        first_failed_at: time(0),
        attempts: 1,
    };
    for state in [
        State::Detected,
        State::Delivering,
        State::Published,
        State::Delivered,
        State::Skipped(SkipReason::MovedOn),
        State::Failed(FailReason::Gone),
    ] {
        assert_eq!(state.name(), stored(&state));
    }
    for reason in [
        FailReason::Gone,
        FailReason::GaveUp,
        FailReason::Refused(failure),
    ] {
        assert_eq!(reason.name(), stored(&reason));
    }
}

#[test]
fn the_payload_is_ids_links_and_the_named_fields() {
    let eploy = EployConnection {
        base_url: "https://acme.eploy.net/".parse().unwrap(),
        daily_calls: 1000,
        poll_seconds: 60,
        dialect: serde_json::Map::default(),
    };
    let person = crate::person::Person {
        first_name: "Ada".to_owned(),
        last_name: String::new(),
        email: Some("ada@example.com".to_owned()),
        phone: None,
    };
    let hired = HiredCandidate::of(&delivering(), &eploy);
    let body = webhook(&hired, None);
    assert_eq!(
        body,
        serde_json::json!({
            "type": "candidate.hired",
            "timestamp": time(-5),
            "data": {
                "tenant": "acme",
                "candidate": {"id": "9001", "url": "https://acme.eploy.net/api/candidates/9001"},
                "vacancy": {"id": "4101", "url": "https://acme.eploy.net/api/vacancies/4101"},
                "application": {"id": "70215", "url": "https://acme.eploy.net/api/applications/70215"},
                "placement": null,
            },
        })
    );
    let fields = [PersonalField::Email, PersonalField::LastName];
    let body = webhook(&hired, Some(named(&person, &fields)));
    assert_eq!(
        body["data"]["person"],
        serde_json::json!({"email": "ada@example.com", "last_name": null})
    );
    assert!(!body.to_string().contains("Ada"));
}

/// Any event, as some worker might apply it at some time.
fn any_event() -> impl Strategy<Value = Event> {
    let outcome = prop_oneof![
        2 => Just(Outcome::Answered(500)),
        1 => Just(Outcome::Answered(204)),
        1 => Just(Outcome::Answered(410)),
        1 => Just(Outcome::Unanswered("hrms.no_answer".to_owned())),
    ];
    let failure = |at| Failure {
        code: "eploy.unreachable".to_owned(),
        problem: "it does not answer".to_owned(),
        remedy: "Wait.".to_owned(),
        first_failed_at: time(at),
        attempts: 1,
    };
    let at = 0..400_000i64;
    prop_oneof![
        2 => any::<bool>().prop_map(confirmed),
        1 => Just(Event::Skip(SkipReason::MovedOn)),
        1 => at.clone().prop_map(|at| Event::SeenAgain { not_before: time(at) }),
        1 => at.clone().prop_map(move |at| Event::Deferred { failure: failure(at), until: time(at) }),
        1 => at.clone().prop_map(move |at| Event::Refuse(failure(at))),
        1 => Just(Event::NoEndpoint),
        6 => at.prop_map(begin),
        6 => (0..20u32, outcome, 0..200_000i64).prop_map(|(attempt, outcome, wait)| Event::Ended {
            attempt, outcome, retry_after: (wait > 100_000).then(|| SignedDuration::from_secs(wait)),
        }),
        1 => Just(Event::Redeliver),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_what_must_hold_holds(history in vec((any_event(), 0..20_000i64), 1..80)) {
        let timing = Timing::default();
        let mut row = fresh();
        let mut now = 0;
        let mut hired = 0;
        for (event, passes) in history {
            now += passes;
            let Ok(Transition { next, notification }) = row.apply(event.clone(), time(now), &timing) else {
                continue;
            };
            prop_assert_eq!(next.version, row.version + 1);
            // Nothing is ever forgotten: an unfinished announcement is due.
            let open = matches!(next.state, State::Detected | State::Delivering);
            prop_assert_eq!(next.due_at.is_some(), open, "{:?} left {:?} {:?}", event, next.state, next.due_at);
            prop_assert!(next.tries as usize <= SCHEDULE.len() + 1);
            prop_assert!(next.attempts.len() <= Announcement::MAX_LOG_LINES);
            prop_assert!(next.attempts.is_sorted_by(|a, b| a.number < b.number));
            hired += u32::from(notification == Some(Notification::Hired));
            prop_assert!(hired <= 1, "published twice");
            if matches!(next.state, State::Delivering | State::Published | State::Delivered | State::Failed(_)) {
                prop_assert_eq!(hired, 1);
            }
            if next.state == State::Delivered {
                prop_assert!(next.attempts.iter().any(|one| one.outcome.is_delivered()));
            }
            if matches!(next.state, State::Failed(_)) && next.state != row.state {
                prop_assert_eq!(notification, Some(Notification::Undelivered));
            }
            let text = serde_json::to_string(&next).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Announcement>(&text).unwrap(), &next);
            row = next;
        }
    }
}

#[test]
fn a_hire_that_eploy_cannot_confirm_for_days_is_given_up_and_published() {
    const DAYS: i64 = 3 * 86_400;
    let deferred = |times| Event::Deferred {
        failure: Failure {
            code: "eploy.unreachable".to_owned(),
            problem: "Eploy, read the candidate: no answer".to_owned(),
            remedy: "Wait".to_owned(),
            first_failed_at: time(0),
            attempts: times,
        },
        until: time(DAYS + 60),
    };
    for row in [fresh(), delivering()] {
        let few = step(&row, deferred(9), DAYS).next;
        assert_eq!(few.state, row.state);
        let early = step(&row, deferred(10), DAYS - 1).next;
        assert_eq!(early.state, row.state);
        let over = step(&row, deferred(10), DAYS);
        assert!(matches!(
            over.next.state,
            State::Failed(FailReason::Refused(_))
        ));
        assert_eq!(
            (over.next.due_at, over.notification),
            (None, Some(Notification::Undelivered))
        );
    }
}
