//! Sweeps of platforms that cannot be asked.

use super::*;
use crate::error::CallError;
use crate::invitation::FailReason;

/// Sweeps whenever it is due, for this many days. Returns how often.
async fn days(fake: &FakePorts, days: i64) -> usize {
    let mut sweeps = 0;
    let end = fake.data().now + SignedDuration::from_hours(24 * days);
    loop {
        let Some(due) = sweep_state(fake).due_at.filter(|due| *due <= end) else {
            fake.data().now = end;
            return sweeps;
        };
        fake.data().now = due;
        sweep(fake).await;
        sweeps += 1;
        let keys: Vec<_> = fake.data().rows.keys().cloned().collect();
        for key in keys {
            fake.ports().write_back().write_back(&key).await.unwrap();
        }
    }
}

fn count(fake: &FakePorts, call: &str) -> usize {
    fake.data().calls.iter().filter(|one| **one == call).count()
}

fn refused() -> CallError {
    CallError {
        scope: ErrorScope::Record,
        ..failing(Phase::Refused)
    }
}

/// The list is too large, or at another path; each result can be read.
#[tokio::test]
async fn results_arrive_one_by_one_where_the_list_cannot_be_read() {
    for error in [failing(Phase::Unknown), refused()] {
        let fake = setup();
        fake.data().capabilities.list_from = 0;
        let keys = invited(&fake, 3);
        fake.results_in("1", Status::Completed);
        fake.data().fails.insert("list", error);
        days(&fake, 2).await;
        assert_eq!(fake.row(&keys[0]).state, State::Completed);
        assert!(!fake.row(&keys[1]).result_overdue, "it can be asked for");
        let sweep_state = sweep_state(&fake);
        let failing = sweep_state.failing.unwrap();
        assert!(
            failing
                .failure
                .is_overdue(fake.data().now, &Timing::default())
        );
        assert_eq!(sweep_state.last_at, Some(time(-3600)));

        fake.data().fails.clear();
        lists(&fake, vec![vec![]]);
        let due = sweep(&fake).await.due_at.unwrap();
        fake.data().now = due;
        let recovered = sweep(&fake).await;
        assert_eq!((recovered.failing, recovered.failures), (None, 0));
    }
}

#[tokio::test]
async fn a_list_that_fails_on_its_second_page_each_time_counts_as_failing() {
    let fake = setup();
    fake.data().capabilities.list_from = 0;
    let key = invited(&fake, 1).remove(0);
    fake.results_in("1", Status::Completed);
    lists(&fake, vec![vec![], vec![]]);
    for _ in 0..5 {
        let fails = |data: &mut crate::fake_ports::FakeState| {
            data.fails.insert("list", failing(Phase::Unknown));
        };
        fake.data().fails.clear();
        if sweep_state(&fake).reading.is_some() {
            fails(&mut fake.data());
        } else {
            let mut data = fake.data();
            data.on_later_call("list", 1, Box::new(fails));
        }
        let due = sweep(&fake).await.due_at.unwrap();
        fake.data().now = due;
    }
    assert_eq!(fake.row(&key).state, State::Completed);
}

/// As many as fit in one sweep, and the others with the next.
#[tokio::test]
async fn all_have_their_turn_one_by_one_and_no_sweep_asks_for_too_many() {
    let fake = setup();
    fake.data().capabilities.list_from = 0;
    let keys = invited(&fake, 200);
    for application in 1..=200 {
        fake.results_in(&application.to_string(), Status::Started);
    }
    fake.data().fails.insert("list", failing(Phase::Unknown));
    let mut asked = Vec::new();
    while asked.len() < 6 {
        fake.data().calls.clear();
        let due = sweep(&fake).await.due_at.unwrap();
        asked.push(count(&fake, "result"));
        fake.data().now = due;
    }
    assert_eq!(asked[..2], [0, 0], "it may be over soon");
    assert!(asked.iter().all(|calls| *calls <= 80), "{asked:?}");
    let started = |key: &&InvitationKey| fake.row(key).state == State::Started;
    assert_eq!(keys.iter().filter(started).count(), 200);
}

#[test]
fn turns_go_round() {
    let all: Vec<_> = ["1", "2", "3"]
        .map(|application| {
            let mut one = waiting(2, None, 0);
            one.key.application = application.into();
            one
        })
        .into();
    let turn = |last: Option<&str>, most| {
        let all = super::super::one_by_one::turn(all.iter().collect(), last, most);
        let names = all.iter().map(|one| one.key.application.to_string());
        names.collect::<Vec<_>>()
    };
    let name = |at: usize| all[at].key.name();
    assert_eq!(turn(None, 2), ["1", "2"]);
    assert_eq!(turn(Some(&name(1)), 2), ["3", "1"]);
    assert_eq!(turn(Some(&name(2)), 2), ["1", "2"]);
    assert_eq!(turn(Some("0"), 9), ["1", "2", "3"]);
}

/// The whole platform is down: calls are limited, and after a day the recruiters are notified.
#[tokio::test]
async fn an_outage_of_a_platform_is_reported_after_a_day_and_ends_it_after_a_month() {
    for list_from in [0, 5] {
        let fake = setup();
        fake.data().capabilities.list_from = list_from;
        let keys = invited(&fake, 3);
        fake.data()
            .fails
            .insert("platform", failing(Phase::NotSent));
        days(&fake, 1).await;
        let overdue = |key: &InvitationKey| fake.row(key).result_overdue;
        assert!(!keys.iter().any(overdue));
        let sweeps = days(&fake, 1).await;
        assert!(keys.iter().all(overdue), "{list_from}");
        assert!((4..=48).contains(&sweeps), "{sweeps} a day");
        for key in &keys {
            assert_eq!(fake.row(key).report.revision, 2, "it is shown in Eploy");
        }
        days(&fake, 31).await;
        for key in &keys {
            let state = fake.row(key).state;
            assert!(
                matches!(state, State::Failed(FailReason::Unanswered(_))),
                "{state:?}"
            );
        }
    }
}

/// One record is refused permanently; the others work.
#[tokio::test]
async fn a_refused_record_is_reported_and_slows_down_no_other() {
    let fake = setup();
    let key = invited(&fake, 1).remove(0);
    fake.data().fails.insert("result", refused());
    days(&fake, 2).await;
    assert!(fake.row(&key).result_overdue);
    assert_eq!(sweep_state(&fake).failing, None, "the platform is well");
    let calls = count(&fake, "result");
    assert!(calls < 60, "{calls} calls in two days");
}

#[tokio::test]
async fn an_own_expiry_does_not_wait_for_a_platform_that_does_not_answer() {
    for call in ["platform", "list", "result"] {
        for error in [failing(Phase::Unknown), refused()] {
            let (fake, key) = watching(Status::Started, -1).await;
            fake.data().capabilities.list_from = 0;
            lists(&fake, vec![vec![]]);
            fake.data().fails.insert(call, error);
            sweep(&fake).await;
            if call != "list" {
                assert_eq!(fake.row(&key).state, State::Started, "{call}: a day more");
            }
            days(&fake, 2).await;
            assert_eq!(fake.row(&key).state, State::Expired, "{call}");
        }
    }
}
