//! Polls that fail, time out, or are overtaken.

use jiff::SignedDuration;

use super::polling::{
    calls, changes, page, poll, poll_until, polled, row_of, seen, state, status, try_to_poll, wait,
};
use super::*;
use crate::clock::Deadline;
use crate::error::Phase;
use crate::fake_ports::{FakePorts, FakeState, at_trigger, failing, start, throttled, time};
use crate::invitation::State;
use crate::ports::StageInfo;

#[tokio::test]
async fn a_poll_that_runs_out_of_time_is_gone_on_with() {
    let world = polled().await;
    let rows = vec![
        seen("1", at_trigger(), 10),
        seen("2", at_trigger(), 20),
        seen("3", at_trigger(), 15),
    ];
    changes(&world, rows);
    // One call takes a second; the deadline is after two.
    world.holds().calls_take = SignedDuration::from_secs(1);
    let deadline = Deadline::at(time(2));
    assert_eq!(poll_until(&world, deadline).await, Polled::Unfinished);
    assert_eq!(state(&world).due_at, time(2));
    assert_eq!(row_of(&world, "3"), None);
    // What was read is saved; the cursor has not moved.
    assert!(row_of(&world, "2").is_some());
    assert_eq!(state(&world).poll.cursor, Some(time(-3900)));
    assert_eq!(
        poll_until(&world, Deadline::at(time(3))).await,
        Polled::Done(1)
    );
    let pages: Vec<u32> = world
        .holds()
        .asked_since
        .iter()
        .map(|asked| asked.1)
        .collect();
    assert_eq!(pages, [1, 2, 3]);
    assert_eq!(state(&world).poll.reached, Some(time(20)));
    assert_eq!(state(&world).poll.progress, None);
}

#[tokio::test]
async fn a_failed_poll_continues_where_it_was() {
    let world = polled().await;
    changes(
        &world,
        vec![seen("1", at_trigger(), 10), seen("2", at_trigger(), 20)],
    );
    let fails_next = |holds: &mut FakeState| {
        let fails = |holds: &mut FakeState| {
            let error = failing(Phase::Unknown);
            holds.fails.insert("changed_applications", error);
        };
        let fails = Box::new(fails);
        holds.on_call.insert("changed_applications", fails);
    };
    let on_call = Box::new(fails_next);
    world
        .holds()
        .on_call
        .insert("changed_applications", on_call);
    assert_eq!(poll(&world).await, Polled::Failed);
    let progress = PollProgress {
        since: Some(time(-3900)),
        page: 2,
        newest: Some(time(10)),
        light: false,
        began_at: Some(start()),
    };
    assert_eq!(state(&world).poll.progress, Some(progress));
    world.holds().fails.clear();
    wait(&world);
    assert_eq!(poll(&world).await, Polled::Done(1));
}

#[tokio::test]
async fn a_poll_that_fails_is_made_again_later_and_later() {
    let world = polled().await;
    let down = failing(Phase::Unknown);
    world.holds().fails.insert("changed_applications", down);
    let mut waited = SignedDuration::ZERO;
    let first_at = world.holds().now;
    for failures in 1..=4 {
        assert_eq!(poll(&world).await, Polled::Failed);
        let state = state(&world);
        assert_eq!(state.poll.failures, failures);
        let failure = state.poll.failure.clone().unwrap();
        assert_eq!(
            (failure.attempts, failure.first_failed_at),
            (failures, first_at)
        );
        let wait_for = state.due_at.duration_since(world.holds().now);
        assert!(wait_for > waited, "{wait_for} after {waited}");
        waited = wait_for;
        assert_eq!(state.suspended, None);
        wait(&world);
    }
    assert!(world.holds().published.is_empty());
    let busy = throttled(Some(time(90_000)));
    world.holds().fails.insert("changed_applications", busy);
    poll(&world).await;
    assert_eq!(state(&world).due_at, time(90_000));
    // From long ago, it means nothing.
    wait(&world);
    poll(&world).await;
    assert!(state(&world).due_at > time(90_100));
    // A success clears the failure.
    wait(&world);
    world.holds().fails.clear();
    poll(&world).await;
    let poll = state(&world).poll;
    assert_eq!((poll.failures, poll.failure), (0, None));
}

#[tokio::test]
async fn a_tenant_is_suspended_while_its_connection_does_not_work_and_each_change_is_published_once()
 {
    let world = polled().await;
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
        world.holds().fails.insert("eploy", refused(code));
        assert_eq!(poll(&world).await, Polled::Failed);
        let pause = world.holds().now + SignedDuration::from_secs(900);
        let state = state(&world);
        assert_eq!(state.due_at, pause);
        let suspension = state.suspended.unwrap();
        assert_eq!(suspension.until, pause);
        assert_eq!(suspension.failure.code, code);
        assert_eq!(suspension.failure.first_failed_at, start());
        assert_eq!(std::mem::take(&mut world.holds().published), events);
        wait(&world);
    }
    world.holds().fails.clear();
    assert_eq!(poll(&world).await, Polled::Done(0));
    let tenant = "acme".into();
    assert_eq!(world.holds().published, [What::Resumed { tenant }]);
    let state = state(&world);
    assert_eq!((state.suspended, state.poll.failures), (None, 0));
}

/// A clock that is some hours ahead for a moment.
#[tokio::test]
async fn a_clock_that_was_ahead_stops_no_poll_once_it_is_right_again() {
    for fails in [false, true] {
        let world = polled().await;
        if fails {
            let busy = throttled(None);
            world.holds().fails.insert("changed_applications", busy);
        }
        world.holds().now = time(5 * 3600);
        poll(&world).await;
        world.holds().fails.clear();
        world.holds().now = time(60);
        // Due within the interval from now, whatever the row says.
        assert_eq!(poll(&world).await, Polled::NotDue);
        world.holds().now = time(120);
        changes(&world, vec![seen("1", at_trigger(), 90)]);
        assert_eq!(poll(&world).await, Polled::Done(1), "failing: {fails}");
        assert_eq!(state(&world).due_at, time(180));
    }
}

/// Eploy says "not now" without a time: it is retried soon, with growing delays, and no later than a broken connection.
#[tokio::test]
async fn a_throttled_poll_backs_off_from_short_up_to_a_suspension() {
    let world = polled().await;
    let busy = throttled(None);
    world.holds().fails.insert("changed_applications", busy);
    for most in [30, 60, 120, 240, 480, 900, 900, 900] {
        poll(&world).await;
        let state = state(&world);
        let wait_seconds = (state.due_at - world.holds().now).get_seconds();
        assert!(
            (most * 3 / 4 - 1..=most).contains(&wait_seconds),
            "{wait_seconds} of {most}"
        );
        assert_eq!(state.suspended, None);
        wait(&world);
    }
}

#[tokio::test]
async fn a_suspension_ends_when_the_other_side_says_so_or_we_would_try_again() {
    for (until, from, to) in [(500, 500, 500), (1, 20, 30), (5000, 5000, 5000)] {
        let world = polled().await;
        let spent = CallError {
            scope: ErrorScope::Connection,
            ..throttled(Some(time(until)))
        };
        world.holds().fails.insert("changed_applications", spent);
        poll(&world).await;
        let due = state(&world).due_at;
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
    let world = polled().await;
    changes(
        &world,
        vec![seen("1", at_trigger(), 10), seen("2", at_trigger(), 20)],
    );
    world.set(|holds| {
        holds.changed[0].set_aside = vec![set_aside()];
        holds.changed[1].set_aside = vec![set_aside(), set_aside()];
    });
    assert_eq!(poll(&world).await, Polled::Done(2));
    assert_eq!(state(&world).poll.set_aside, 3);
}

/// Another poll of the tenant is faster during the next call, or save, of this name.
pub(super) fn overtaken(world: &FakePorts, call: &'static str) {
    let overtakes = |holds: &mut FakeState| {
        let mut state = holds
            .state
            .clone()
            .unwrap_or_else(|| TenantState::new(start()));
        state.version += 1;
        holds.state = Some(state);
    };
    world.holds().on_call.insert(call, Box::new(overtakes));
}

#[tokio::test]
async fn who_entered_since_another_poll_was_quicker_is_not_taken_for_the_baseline() {
    let world = FakePorts::new();
    world.holds().at_triggers = vec![page(vec![seen("1", at_trigger(), 0)], false)];
    overtaken(&world, "applications_at");
    assert_eq!(poll(&world).await, Polled::NotDue);
    assert_eq!(row_of(&world, "1"), None);
    assert_eq!(state(&world).version, 1);
}

#[tokio::test]
async fn of_two_polls_the_slower_one_changes_nothing_that_is_remembered() {
    let world = polled().await;
    changes(&world, vec![seen("1", at_trigger(), 10)]);
    overtaken(&world, "save");
    assert_eq!(poll(&world).await, Polled::NotDue);
    assert!(row_of(&world, "1").is_some());
    assert_eq!(state(&world).version, 2);
    assert_eq!(state(&world).poll.cursor, Some(time(-3900)));
    // And every finished poll is one more change.
    assert_eq!(poll(&world).await, Polled::Done(0));
    assert_eq!(state(&world).version, 3);
}

#[tokio::test]
async fn a_baseline_of_several_pages_is_gone_on_with_and_nobody_is_invited_meanwhile() {
    let world = FakePorts::new();
    world.holds().at_triggers = vec![
        page(vec![seen("1", at_trigger(), 0)], true),
        page(vec![seen("2", at_trigger(), 0)], true),
        page(vec![seen("3", at_trigger(), 0)], false),
    ];
    changes(&world, vec![seen("4", at_trigger(), 0)]);
    world.holds().calls_take = SignedDuration::from_secs(1);
    // The directory and two pages.
    let deadline = Deadline::at(time(3));
    assert_eq!(poll_until(&world, deadline).await, Polled::Unfinished);
    assert_eq!(
        calls(&world),
        ["directory", "applications_at", "applications_at"]
    );
    let reading = MappingStatus::Baseline {
        page: 3,
        again: false,
        after_break: false,
        search: 0,
    };
    assert_eq!(status(&world), reading);
    // The last page ends it, however late.
    assert_eq!(poll_until(&world, deadline).await, Polled::Done(1));
    assert_eq!(calls(&world), ["applications_at", "changed_applications"]);
    for application in ["1", "2", "3"] {
        let state = row_of(&world, application).unwrap().state;
        assert_eq!(state, State::Skipped(SkipReason::Baseline));
    }
    assert_eq!(row_of(&world, "4").unwrap().state, State::Detected);
}

/// So that the clock, which ticks every minute, does not make it read the same pages over and over.
#[tokio::test]
async fn a_long_poll_keeps_others_away_and_is_not_lost() {
    const PAGE: &str = "changed_applications";
    let world = polled().await;
    let rows = (1..=8).map(|one| seen(&one.to_string(), at_trigger(), 10 * one));
    changes(&world, rows.collect());
    let began = world.holds().now;
    // Six pages take a minute, which is a lease.
    world.holds().calls_take = SignedDuration::from_secs(10);
    let held = move |holds: &FakeState, since: i64, page: u32| {
        let state = holds.state.as_ref().unwrap();
        assert_eq!(state.due_at, began + SignedDuration::from_secs(since + 60));
        assert_eq!(state.poll.progress.as_ref().unwrap().page, page);
    };
    let seventh = move |holds: &mut FakeState| {
        held(holds, 60, 7);
        // The process dies: the next poll after the lease reads the rest.
        holds.state.as_mut().unwrap().version += 1;
    };
    let sixth = move |holds: &mut FakeState| {
        held(holds, 30, 4);
        holds.later_meanwhile(PAGE, 0, Box::new(seventh));
    };
    let fourth = move |holds: &mut FakeState| {
        held(holds, 30, 4);
        holds.later_meanwhile(PAGE, 1, Box::new(sixth));
    };
    let third = move |holds: &mut FakeState| {
        assert_eq!(holds.state.as_ref().unwrap().version, 1);
        holds.later_meanwhile(PAGE, 0, Box::new(fourth));
    };
    world.set(|holds| holds.later_meanwhile(PAGE, 2, Box::new(third)));
    assert_eq!(poll(&world).await, Polled::NotDue, "it was overtaken");

    world.holds().asked_since.clear();
    assert_eq!(poll(&world).await, Polled::NotDue, "held");
    world.pass(60);
    assert_eq!(poll(&world).await, Polled::Done(0));
    let pages: Vec<u32> = world
        .holds()
        .asked_since
        .iter()
        .map(|asked| asked.1)
        .collect();
    assert_eq!(pages, [7, 8]);
}

#[tokio::test]
async fn a_poll_that_was_overtaken_while_it_ran_out_of_time_is_not_gone_on_with() {
    let world = polled().await;
    let rows = vec![seen("1", at_trigger(), 10), seen("2", at_trigger(), 20)];
    changes(&world, rows);
    world.holds().calls_take = SignedDuration::from_secs(1);
    overtaken(&world, "save");
    let deadline = Deadline::at(time(1));
    assert_eq!(poll_until(&world, deadline).await, Polled::NotDue);
}

/// A setup in which an application of the baseline has changed, so that its presence is recorded; and this many other
/// writers are faster.
async fn contended(others: u32) -> FakePorts {
    let world = FakePorts::new();
    world.holds().at_triggers = vec![page(vec![seen("1", at_trigger(), -9000)], false)];
    assert_eq!(poll(&world).await, Polled::Done(0));
    wait(&world);
    world.holds().standing = StageInfo::Position(at_trigger());
    changes(&world, vec![seen("1", at_trigger(), 10)]);
    calls(&world);
    world.holds().conflicts = others;
    world
}

#[tokio::test]
async fn a_row_that_changes_meanwhile_is_decided_again() {
    let world = contended(1).await;
    assert_eq!(poll(&world).await, Polled::Done(0));
    let asked = ["changed_applications", "standing", "standing"];
    assert_eq!(calls(&world), asked);
    let row = row_of(&world, "1").unwrap();
    assert_eq!(row.entry.modified, Some(time(10)));
}

/// Otherwise the clock would retry it every minute, and every attempt would end in the dead-letter queue.
#[tokio::test]
async fn a_poll_for_which_something_of_ours_fails_is_due_later() {
    let world = contended(3).await;
    let before = state(&world);
    let failed = try_to_poll(&world, Deadline::NONE).await;
    assert!(matches!(failed, Err(Error::Store(_))), "{failed:?}");
    let wait = state(&world).due_at.duration_since(world.holds().now);
    assert!((20..=30).contains(&wait.as_secs()), "{wait}");
    let mut unchanged = state(&world);
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
        let world = polled().await;
        let rows = (1..=5).map(|one| seen(&one.to_string(), at_trigger(), 10 * one));
        changes(&world, rows.collect());
        world.holds().calls_take = SignedDuration::from_secs(10);
        if other {
            overtaken(&world, "save");
        }
        let error = StoreError::new("ledger", "save", "the answer is lost");
        world.holds().state_fails = Some(error);
        let before = state(&world);
        let failed = try_to_poll(&world, Deadline::NONE).await;
        assert!(matches!(failed, Err(Error::Store(_))), "{failed:?}");
        let after = state(&world);
        assert_eq!(after.version, before.version + 1);
        assert_eq!(after.poll.failures, u32::from(!other));
        assert_eq!(after.due_at > before.due_at, !other);
    }
}
