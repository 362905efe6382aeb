//! Sweeps of lists that are longer than one sweep can read.

use super::*;
use crate::fake_ports::FakeState;

/// A setup of five invitations, all long ago, whose list has a page for each of these applications. A call takes ten
/// seconds, a lease is a minute.
fn long(pages: &[&str]) -> FakePorts {
    let fake = setup();
    fake.pass(-2 * DAY);
    invited(&fake, 5);
    fake.pass(2 * DAY);
    let page = |application: &&str| vec![line(application, Status::Completed, "m")];
    lists(&fake, pages.iter().map(page).collect());
    fake.data().calls_take = SignedDuration::from_secs(10);
    fake
}

fn enqueued(fake: &FakePorts) -> Vec<String> {
    let enqueued = |work: &Work| match work {
        Work::WriteBack { key, .. } => key.application.to_string(),
        other => panic!("{other:?}"),
    };
    fake.data().queued.iter().map(enqueued).collect()
}

fn reading(fake: &FakePorts) -> SweepReading {
    sweep_state(fake).reading.unwrap()
}

#[tokio::test]
async fn a_list_is_read_on_where_time_ran_out() {
    let fake = long(&["1", "2", "3", "4", "5"]);
    let early = Deadline::at(time(15));
    assert_eq!(sweep_until(&fake, early).await, Swept::Unfinished);
    assert_eq!(enqueued(&fake), ["1", "2"]);
    let due = sweep_state(&fake);
    assert_eq!(due.due_at, Some(time(20)), "at once");
    assert_eq!(due.last_at, Some(time(-3600)));
    assert_eq!(
        reading(&fake),
        SweepReading {
            next: Some("2".to_owned()),
            pages: 2,
            began_at: start(),
            news: 2,
            set_aside: 0,
        }
    );

    assert_eq!(sweep_until(&fake, Deadline::NONE).await, Swept::Done);
    assert_eq!(enqueued(&fake), ["1", "2", "3", "4", "5"]);
    let done = sweep_state(&fake);
    assert_eq!(done.reading, None);
    // The next sweep also checks whether the changes of the first part arrived.
    assert_eq!(done.due_at, Some(time(50 + 900)));
    assert_eq!(done.last_at, Some(start()));
}

#[tokio::test]
async fn what_changed_while_a_list_was_read_is_after_the_next_ones_beginning() {
    let fake = long(&["x", "y", "z"]);
    let early = Deadline::at(time(5));
    assert_eq!(sweep_until(&fake, early).await, Swept::Unfinished);
    fake.pass(3600);
    assert_eq!(sweep_until(&fake, Deadline::NONE).await, Swept::Done);
    assert_eq!(sweep_state(&fake).last_at, Some(start()));
}

#[tokio::test]
async fn a_long_reading_keeps_others_away_and_is_not_lost() {
    let fake = long(&["1", "2", "3", "4", "5", "1", "2", "3"]);
    // From half a lease on, for a lease from then.
    let held = |data: &FakeState, since: i64, next: &str| {
        let sweep = data.sweeps[&assessment()].clone();
        assert_eq!(sweep.due_at, Some(time(since + 60)));
        assert_eq!(sweep.reading.unwrap().next.as_deref(), Some(next));
    };
    let at_eighth = move |data: &mut FakeState| {
        held(data, 60, "6");
        data.fails.insert("list", failing(Phase::Unknown));
    };
    let at_sixth = move |data: &mut FakeState| {
        held(data, 30, "3");
        data.on_later_call("list", 1, Box::new(at_eighth));
    };
    let at_third = move |data: &mut FakeState| {
        assert_eq!(data.sweeps[&assessment()].due_at, Some(start()));
        data.on_later_call("list", 2, Box::new(at_sixth));
    };
    fake.data().on_later_call("list", 2, Box::new(at_third));
    let failed = sweep(&fake).await;
    assert_eq!(failed.failures, 1);
    assert_eq!(reading(&fake).next.as_deref(), Some("7"));
    assert_eq!(enqueued(&fake), ["1", "2", "3", "4", "5", "1", "2"]);
}

#[tokio::test]
async fn a_list_that_cannot_be_continued_is_restarted_after_three_tries_or_a_refusal() {
    for (phase, kept) in [(Phase::Unknown, 2), (Phase::Refused, 0)] {
        let fake = long(&["1", "2", "3"]);
        let early = Deadline::at(time(5));
        assert_eq!(sweep_until(&fake, early).await, Swept::Unfinished);
        fake.data().fails.insert("list", failing(phase));
        for tries in 1..=3 {
            fake.pass(2 * DAY);
            let sweep_state = sweep(&fake).await;
            assert_eq!(sweep_state.failures, tries);
            assert_eq!(
                sweep_state.reading.is_some(),
                tries <= kept,
                "{phase:?} {tries}"
            );
        }
    }
}

/// Failures in a row have no page between them.
#[tokio::test]
async fn a_page_that_was_read_makes_up_for_failures_before_it() {
    let fake = long(&["1", "2", "3", "4"]);
    let early = Deadline::at(time(5));
    assert_eq!(sweep_until(&fake, early).await, Swept::Unfinished);
    for _ in 0..2 {
        fake.data().fails.insert("list", failing(Phase::Unknown));
        fake.pass(2 * DAY);
        sweep(&fake).await;
    }
    assert_eq!(sweep_state(&fake).failures, 2);
    let at_second = |data: &mut FakeState| {
        data.fails.insert("list", failing(Phase::Unknown));
    };
    fake.data().fails.clear();
    fake.data().on_later_call("list", 1, Box::new(at_second));
    fake.pass(2 * DAY);
    assert_eq!(sweep(&fake).await.failures, 1);
    assert!(sweep_state(&fake).reading.is_some());

    // Also if there was no time for more.
    fake.data().fails.clear();
    fake.pass(2 * DAY);
    let early = Deadline::at(fake.data().now + SignedDuration::from_secs(5));
    assert_eq!(sweep_until(&fake, early).await, Swept::Unfinished);
    assert_eq!(sweep_state(&fake).failures, 0);
}

#[tokio::test]
async fn a_sweep_that_was_overtaken_leaves_the_rest_to_the_other() {
    for (armed, last_at) in [
        (0, Some(time(1))),
        (1, Some(time(1))),
        (0, Some(time(-3600))),
    ] {
        let fake = long(&["1", "2", "3", "4", "5"]);
        let other = SweepState {
            due_at: Some(time(77)),
            last_at,
            armed,
            ..sweep_state(&fake)
        };
        let faster = other.clone();
        let overtakes = move |data: &mut FakeState| {
            data.sweeps.insert(assessment(), faster);
        };
        fake.data().on_call.insert("save", Box::new(overtakes));
        let swept = sweep_until(&fake, Deadline::NONE).await;
        assert_eq!(swept, Swept::NotDue, "{other:?}");
        assert_eq!(calls(&fake), ["list"; 3]);
        assert_eq!(sweep_state(&fake), other);
    }
}

#[tokio::test]
async fn a_long_sweep_that_is_scheduled_meanwhile_continues_and_is_soon_repeated() {
    let fake = long(&["x1", "x2", "x3", "x4", "x5"]);
    armed_meanwhile(&fake, time(20));
    let next = sweep(&fake).await;
    assert_eq!(calls(&fake), ["list"; 5]);
    assert_eq!(next.due_at, Some(time(50 + 900)), "and not in hours");
    assert_eq!(next.reading, None);
}

#[tokio::test]
async fn an_endless_list_is_abandoned_and_restarted() {
    let fake = long(&["1"]);
    let line = fake.data().list[0].clone();
    let endless = SweepPage {
        next: Some("0".to_owned()),
        ..line
    };
    fake.data().list = vec![endless];
    fake.data().calls_take = SignedDuration::ZERO;
    let next = sweep(&fake).await;
    assert_eq!(calls(&fake).len(), 2, "nothing new comes");
    assert_eq!(next.reading, None);
    assert_eq!(next.failing.unwrap().failure.code, "platform.endless_list");
    assert_eq!(next.last_at, Some(time(-3600)));
}

#[tokio::test]
async fn watches_that_there_was_no_time_to_end_are_ended_soon() {
    let (fake, key) = watching(Status::Completed, -1).await;
    fake.data().calls_take = SignedDuration::from_secs(10);
    for application in ["2", "3", "4", "5"] {
        fake.invited(application, "video");
    }
    lists(&fake, vec![vec![line("1", Status::Completed, "m1")]]);
    let early = Deadline::at(time(5));
    assert_eq!(sweep_until(&fake, early).await, Swept::Done);
    assert_ne!(fake.row(&key).schedule, Schedule::Never);
    assert_eq!(sweep_state(&fake).due_at, Some(time(900)));
    assert_eq!(sweep_state(&fake).last_at, None, "not everything was done");
    fake.pass(900);
    sweep(&fake).await;
    assert_eq!(fake.row(&key).schedule, Schedule::Never);
}
