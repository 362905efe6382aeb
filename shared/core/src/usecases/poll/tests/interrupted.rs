//! Polls that fail, time out, or are overtaken.

use jiff::SignedDuration;

use super::polling::{
    calls, changes, page, poll, poll_until, polled, row_of, seen, state, status, try_to_poll, wait,
};
use super::*;
use crate::clock::Deadline;
use crate::error::Phase;
use crate::fake_ports::{FakePorts, FakeState, at, at_trigger, failing, start, throttled, time};
use crate::invitation::State;
use crate::ports::StageInfo;

#[tokio::test]
async fn a_poll_that_runs_out_of_time_is_gone_on_with() {
    let fake = polled().await;
    let rows = vec![
        seen("1", at_trigger(), 10),
        seen("2", at_trigger(), 20),
        seen("3", at_trigger(), 15),
    ];
    changes(&fake, rows);
    // One call takes a second; the deadline is after two.
    fake.data().calls_take = SignedDuration::from_secs(1);
    let deadline = Deadline::at(time(2));
    assert_eq!(poll_until(&fake, deadline).await, Polled::Unfinished);
    assert_eq!(state(&fake).due_at, time(2));
    assert_eq!(row_of(&fake, "3"), None);
    // What was read is saved; the cursor has not moved.
    assert!(row_of(&fake, "2").is_some());
    assert_eq!(state(&fake).poll.cursor, Some(time(-3900)));
    assert_eq!(
        poll_until(&fake, Deadline::at(time(3))).await,
        Polled::Done(1)
    );
    let pages: Vec<u32> = fake
        .data()
        .asked_since
        .iter()
        .map(|asked| asked.1)
        .collect();
    assert_eq!(pages, [1, 2, 3]);
    assert_eq!(state(&fake).poll.reached, Some(time(20)));
    assert_eq!(state(&fake).poll.progress, None);
}

#[tokio::test]
async fn a_failed_poll_continues_where_it_was() {
    let fake = polled().await;
    changes(
        &fake,
        vec![seen("1", at_trigger(), 10), seen("2", at_trigger(), 20)],
    );
    let fails_next = |data: &mut FakeState| {
        let fails = |data: &mut FakeState| {
            let error = failing(Phase::Unknown);
            data.fails.insert("changed_applications", error);
        };
        let fails = Box::new(fails);
        data.on_call.insert("changed_applications", fails);
    };
    let on_call = Box::new(fails_next);
    fake.data().on_call.insert("changed_applications", on_call);
    assert_eq!(poll(&fake).await, Polled::Failed);
    let progress = PollProgress {
        since: Some(time(-3900)),
        page: 2,
        newest: Some(time(10)),
        light: false,
        began_at: Some(start()),
    };
    assert_eq!(state(&fake).poll.progress, Some(progress));
    fake.data().fails.clear();
    wait(&fake);
    assert_eq!(poll(&fake).await, Polled::Done(1));
}

#[tokio::test]
async fn a_poll_that_fails_is_made_again_later_and_later() {
    let fake = polled().await;
    let down = failing(Phase::Unknown);
    fake.data().fails.insert("changed_applications", down);
    let mut waited = SignedDuration::ZERO;
    let first_at = fake.data().now;
    for failures in 1..=4 {
        assert_eq!(poll(&fake).await, Polled::Failed);
        let state = state(&fake);
        assert_eq!(state.poll.failures, failures);
        let failure = state.poll.failure.clone().unwrap();
        assert_eq!(
            (failure.attempts, failure.first_failed_at),
            (failures, first_at)
        );
        let wait_for = state.due_at.duration_since(fake.data().now);
        assert!(wait_for > waited, "{wait_for} after {waited}");
        waited = wait_for;
        assert_eq!(state.suspended, None);
        wait(&fake);
    }
    assert!(fake.data().published.is_empty());
    let busy = throttled(Some(time(90_000)));
    fake.data().fails.insert("changed_applications", busy);
    poll(&fake).await;
    assert_eq!(state(&fake).due_at, time(90_000));
    // From long ago, it means nothing.
    wait(&fake);
    poll(&fake).await;
    assert!(state(&fake).due_at > time(90_100));
    // A success clears the failure.
    wait(&fake);
    fake.data().fails.clear();
    poll(&fake).await;
    let poll = state(&fake).poll;
    assert_eq!((poll.failures, poll.failure), (0, None));
}

#[tokio::test]
async fn a_tenant_is_suspended_while_its_connection_does_not_work_and_each_change_is_published_once()
 {
    let fake = polled().await;
    let refused = |code| CallError {
        scope: ErrorScope::Connection,
        code,
        ..failing(Phase::Refused)
    };
    let suspended = |code: &str| What::Suspended {
        tenant: "acme".into(),
        code: code.to_owned(),
    };
    for (code, events) in [
        ("eploy.forbidden", vec![suspended("eploy.forbidden")]),
        ("eploy.forbidden", vec![]),
        ("eploy.unauthorized", vec![suspended("eploy.unauthorized")]),
    ] {
        fake.data().fails.insert("eploy", refused(code));
        assert_eq!(poll(&fake).await, Polled::Failed);
        let pause = fake.data().now + SignedDuration::from_secs(900);
        let state = state(&fake);
        assert_eq!(state.due_at, pause);
        let suspension = state.suspended.unwrap();
        assert_eq!(suspension.until, pause);
        assert_eq!(suspension.failure.code, code);
        assert_eq!(suspension.failure.first_failed_at, start());
        assert_eq!(std::mem::take(&mut fake.data().published), events);
        wait(&fake);
    }
    fake.data().fails.clear();
    assert_eq!(poll(&fake).await, Polled::Done(0));
    let tenant = "acme".into();
    assert_eq!(fake.data().published, [What::Resumed { tenant }]);
    let state = state(&fake);
    assert_eq!((state.suspended, state.poll.failures), (None, 0));
}

/// A clock that is some hours ahead for a moment.
#[tokio::test]
async fn a_clock_that_was_ahead_stops_no_poll_once_it_is_right_again() {
    for fails in [false, true] {
        let fake = polled().await;
        if fails {
            let busy = throttled(None);
            fake.data().fails.insert("changed_applications", busy);
        }
        fake.data().now = time(5 * 3600);
        poll(&fake).await;
        fake.data().fails.clear();
        fake.data().now = time(60);
        // Due within the interval from now, whatever the row says.
        assert_eq!(poll(&fake).await, Polled::NotDue);
        fake.data().now = time(120);
        changes(&fake, vec![seen("1", at_trigger(), 90)]);
        assert_eq!(poll(&fake).await, Polled::Done(1), "failing: {fails}");
        assert_eq!(state(&fake).due_at, time(180));
    }
}

/// Nothing makes the row of a baseline due. By its times the return would have been before it was seen.
#[tokio::test]
async fn who_returns_after_a_clock_that_was_ahead_recorded_them_is_invited() {
    let fake = FakePorts::new();
    fake.data().now = time(5 * 3600);
    fake.data().at_triggers = vec![page(vec![seen("1", at_trigger(), -9000)], false)];
    poll(&fake).await;
    assert!(row_of(&fake, "1").unwrap().entry.seen_at > time(3600));
    fake.data().now = time(60);
    poll(&fake).await;
    let stay = |id: &str, position, second| HistoryRow {
        id: id.into(),
        position,
        at: Some(time(second)),
    };
    fake.data().stage_info = StageInfo::History(vec![
        stay("h1", at_trigger(), -9000),
        stay("h2", at("99", "1"), 100),
        stay("h3", at_trigger(), 110),
    ]);
    changes(&fake, vec![seen("1", at_trigger(), 110)]);
    wait(&fake);
    assert_eq!(poll(&fake).await, Polled::Done(1));
}

/// Eploy says "not now" without a time: it is retried soon, with growing delays, and no later than a broken connection.
#[tokio::test]
async fn a_throttled_poll_backs_off_from_short_up_to_a_suspension() {
    let fake = polled().await;
    let busy = throttled(None);
    fake.data().fails.insert("changed_applications", busy);
    for most in [30, 60, 120, 240, 480, 900, 900, 900] {
        poll(&fake).await;
        let state = state(&fake);
        let wait_seconds = (state.due_at - fake.data().now).get_seconds();
        assert!(
            (most * 3 / 4 - 1..=most).contains(&wait_seconds),
            "{wait_seconds} of {most}"
        );
        assert_eq!(state.suspended, None);
        wait(&fake);
    }
}

#[tokio::test]
async fn a_suspension_ends_when_the_other_side_says_so_or_we_would_try_again() {
    for (until, from, to) in [(500, 500, 500), (1, 20, 30), (5000, 5000, 5000)] {
        let fake = polled().await;
        let spent = CallError {
            scope: ErrorScope::Connection,
            ..throttled(Some(time(until)))
        };
        fake.data().fails.insert("changed_applications", spent);
        poll(&fake).await;
        let due = state(&fake).due_at;
        assert!((time(from)..=time(to)).contains(&due), "{until}: {due}");
    }
}

fn set_aside() -> crate::ports::UnparsableRecord {
    crate::ports::UnparsableRecord {
        id: None,
        reason: "no vacancy".to_owned(),
    }
}

#[tokio::test]
async fn records_that_cannot_be_read_are_counted_over_all_pages() {
    let fake = polled().await;
    changes(
        &fake,
        vec![seen("1", at_trigger(), 10), seen("2", at_trigger(), 20)],
    );
    fake.set(|data| {
        data.changed[0].set_aside = vec![set_aside()];
        data.changed[1].set_aside = vec![set_aside(), set_aside()];
    });
    assert_eq!(poll(&fake).await, Polled::Done(2));
    assert_eq!(state(&fake).poll.set_aside, 3);
}

/// Another poll of the tenant is faster during the next call, or save, of this name.
pub(super) fn overtaken(fake: &FakePorts, call: &'static str) {
    let overtakes = |data: &mut FakeState| {
        let mut state = data
            .state
            .clone()
            .unwrap_or_else(|| TenantState::new(start()));
        state.version += 1;
        data.state = Some(state);
    };
    fake.data().on_call.insert(call, Box::new(overtakes));
}

#[tokio::test]
async fn who_entered_since_another_poll_was_quicker_is_not_taken_for_the_baseline() {
    let fake = FakePorts::new();
    fake.data().at_triggers = vec![page(vec![seen("1", at_trigger(), 0)], false)];
    overtaken(&fake, "applications_at");
    assert_eq!(poll(&fake).await, Polled::NotDue);
    assert_eq!(row_of(&fake, "1"), None);
    assert_eq!(state(&fake).version, 1);
}

#[tokio::test]
async fn of_two_polls_the_slower_one_changes_nothing_that_is_remembered() {
    let fake = polled().await;
    changes(&fake, vec![seen("1", at_trigger(), 10)]);
    overtaken(&fake, "save");
    assert_eq!(poll(&fake).await, Polled::NotDue);
    assert!(row_of(&fake, "1").is_some());
    assert_eq!(state(&fake).version, 2);
    assert_eq!(state(&fake).poll.cursor, Some(time(-3900)));
    // And every finished poll is one more change.
    assert_eq!(poll(&fake).await, Polled::Done(0));
    assert_eq!(state(&fake).version, 3);
}

#[tokio::test]
async fn a_baseline_of_several_pages_is_gone_on_with_and_nobody_is_invited_meanwhile() {
    let fake = FakePorts::new();
    fake.data().at_triggers = vec![
        page(vec![seen("1", at_trigger(), 0)], true),
        page(vec![seen("2", at_trigger(), 0)], true),
        page(vec![seen("3", at_trigger(), 0)], false),
    ];
    changes(&fake, vec![seen("4", at_trigger(), 0)]);
    fake.data().calls_take = SignedDuration::from_secs(1);
    // The directory and two pages.
    let deadline = Deadline::at(time(3));
    assert_eq!(poll_until(&fake, deadline).await, Polled::Unfinished);
    assert_eq!(
        calls(&fake),
        ["directory", "applications_at", "applications_at"]
    );
    let reading = MappingStatus::Baseline {
        page: 3,
        again: false,
        after_break: false,
        search: 0,
    };
    assert_eq!(status(&fake), reading);
    // The last page ends it, however late.
    assert_eq!(poll_until(&fake, deadline).await, Polled::Done(1));
    assert_eq!(calls(&fake), ["applications_at", "changed_applications"]);
    for application in ["1", "2", "3"] {
        let state = row_of(&fake, application).unwrap().state;
        assert_eq!(state, State::Skipped(SkipReason::Baseline));
    }
    assert_eq!(row_of(&fake, "4").unwrap().state, State::Detected);
}

/// So that the clock, which ticks every minute, does not make it read the same pages over and over.
#[tokio::test]
async fn a_long_poll_keeps_others_away_and_is_not_lost() {
    const PAGE: &str = "changed_applications";
    let fake = polled().await;
    let rows = (1..=8).map(|one| seen(&one.to_string(), at_trigger(), 10 * one));
    changes(&fake, rows.collect());
    let began = fake.data().now;
    // Six pages take a minute, which is a lease.
    fake.data().calls_take = SignedDuration::from_secs(10);
    let held = move |data: &FakeState, since: i64, page: u32| {
        let state = data.state.as_ref().unwrap();
        assert_eq!(state.due_at, began + SignedDuration::from_secs(since + 60));
        assert_eq!(state.poll.progress.as_ref().unwrap().page, page);
    };
    let seventh = move |data: &mut FakeState| {
        held(data, 60, 7);
        // The process dies: the next poll after the lease reads the rest.
        data.state.as_mut().unwrap().version += 1;
    };
    let sixth = move |data: &mut FakeState| {
        held(data, 30, 4);
        data.on_later_call(PAGE, 0, Box::new(seventh));
    };
    let fourth = move |data: &mut FakeState| {
        held(data, 30, 4);
        data.on_later_call(PAGE, 1, Box::new(sixth));
    };
    let third = move |data: &mut FakeState| {
        assert_eq!(data.state.as_ref().unwrap().version, 1);
        data.on_later_call(PAGE, 0, Box::new(fourth));
    };
    fake.set(|data| data.on_later_call(PAGE, 2, Box::new(third)));
    assert_eq!(poll(&fake).await, Polled::NotDue, "it was overtaken");

    fake.data().asked_since.clear();
    assert_eq!(poll(&fake).await, Polled::NotDue, "held");
    fake.pass(60);
    assert_eq!(poll(&fake).await, Polled::Done(0));
    let pages: Vec<u32> = fake
        .data()
        .asked_since
        .iter()
        .map(|asked| asked.1)
        .collect();
    assert_eq!(pages, [7, 8]);
}

#[tokio::test]
async fn a_poll_that_was_overtaken_while_it_ran_out_of_time_is_not_gone_on_with() {
    let fake = polled().await;
    let rows = vec![seen("1", at_trigger(), 10), seen("2", at_trigger(), 20)];
    changes(&fake, rows);
    fake.data().calls_take = SignedDuration::from_secs(1);
    overtaken(&fake, "save");
    let deadline = Deadline::at(time(1));
    assert_eq!(poll_until(&fake, deadline).await, Polled::NotDue);
}

/// A setup in which an application of the baseline has changed, so that its presence is recorded; and this many other
/// writers are faster.
async fn contended(others: u32) -> FakePorts {
    let fake = FakePorts::new();
    fake.data().at_triggers = vec![page(vec![seen("1", at_trigger(), -9000)], false)];
    assert_eq!(poll(&fake).await, Polled::Done(0));
    wait(&fake);
    fake.data().stage_info = StageInfo::Position(at_trigger());
    changes(&fake, vec![seen("1", at_trigger(), 10)]);
    calls(&fake);
    fake.data().conflicts = others;
    fake
}

#[tokio::test]
async fn a_row_that_changes_meanwhile_is_decided_again() {
    let fake = contended(1).await;
    assert_eq!(poll(&fake).await, Polled::Done(0));
    let asked = ["changed_applications", "stage_info", "stage_info"];
    assert_eq!(calls(&fake), asked);
    let row = row_of(&fake, "1").unwrap();
    assert_eq!(row.entry.modified, Some(time(10)));
}

/// Otherwise the clock would retry it every minute, and every attempt would end in the dead-letter queue.
#[tokio::test]
async fn a_poll_for_which_something_of_ours_fails_is_due_later() {
    let fake = contended(3).await;
    let before = state(&fake);
    let failed = try_to_poll(&fake, Deadline::NONE).await;
    assert!(matches!(failed, Err(Error::Store(_))), "{failed:?}");
    let wait = state(&fake).due_at.duration_since(fake.data().now);
    assert!((20..=30).contains(&wait.as_secs()), "{wait}");
    let mut unchanged = state(&fake);
    assert_eq!(unchanged.poll.failures, 1);
    unchanged.poll.failures = 0;
    unchanged.due_at = before.due_at;
    unchanged.version = before.version;
    unchanged.saved_at = before.saved_at;
    assert_eq!(unchanged, before);
}

/// Otherwise it would count on as if the failed save had worked, and overwrite what another poll did save.
#[tokio::test]
async fn a_poll_whose_save_failed_is_deferred_unless_it_was_overtaken() {
    for other in [false, true] {
        let fake = polled().await;
        let rows = (1..=5).map(|one| seen(&one.to_string(), at_trigger(), 10 * one));
        changes(&fake, rows.collect());
        fake.data().calls_take = SignedDuration::from_secs(10);
        if other {
            overtaken(&fake, "save");
        }
        let error = StoreError::new("ledger", "save", "the answer is lost");
        fake.data().state_fails = Some(error);
        let before = state(&fake);
        let failed = try_to_poll(&fake, Deadline::NONE).await;
        assert!(matches!(failed, Err(Error::Store(_))), "{failed:?}");
        let after = state(&fake);
        assert_eq!(after.version, before.version + 1);
        assert_eq!(after.poll.failures, u32::from(!other));
        assert_eq!(after.due_at > before.due_at, !other);
    }
}
