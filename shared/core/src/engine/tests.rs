use super::*;
use crate::error::Phase;
use crate::events::What;
use crate::fake_ports::{FakePorts, FakeState, failing, mapping, sent, start, throttled, time};
use crate::ports::SweepState;
use crate::work::Work;

/// A setup with an invitation that was just sent, and is not reported yet.
fn world() -> (FakePorts, InvitationKey) {
    let world = FakePorts::new();
    let key = world.enter("1", "video");
    (world, key)
}

async fn change(world: &FakePorts, key: &InvitationKey, event: Event, next: Dispatch) -> Applied {
    let row = world.row(key);
    let engine = world.engine();
    engine.apply(&row, event, None, next).await.unwrap()
}

fn reported(row: &Invitation) -> Event {
    Event::Reported(crate::fake_ports::fully_shown(row))
}

#[tokio::test]
async fn what_follows_a_change_is_let_out_once_it_is_saved() {
    let (world, key) = world();
    let saved = |holds: &mut FakeState| {
        assert!(holds.queued.is_empty() && holds.published.is_empty());
    };
    world.holds().on_call.insert("save", Box::new(saved));
    let changed = change(&world, &key, sent("r".into()), Dispatch::Enqueue).await;
    let Applied::Yes(row) = changed else {
        panic!("it was not saved");
    };
    assert_eq!(*row, world.row(&key));
    let holds = world.holds();
    let step = crate::invitation::Step::WriteBack;
    assert_eq!(holds.queued, [Work::step(key.clone(), step)]);
    assert_eq!(holds.published, [What::Sent { invitation: key }]);
}

#[tokio::test]
async fn a_caller_that_continues_with_a_row_does_not_enqueue_it() {
    let (world, key) = world();
    change(&world, &key, sent("r".into()), Dispatch::Inline).await;
    let holds = world.holds();
    assert!(holds.queued.is_empty());
    assert_eq!(holds.published.len(), 1);
}

#[tokio::test]
async fn nothing_follows_a_change_that_came_too_late() {
    let (world, key) = world();
    world.holds().conflicts = 1;
    let changed = change(&world, &key, sent("r".into()), Dispatch::Enqueue).await;
    assert!(matches!(changed, Applied::Conflict));
    let holds = world.holds();
    assert!(holds.queued.is_empty() && holds.published.is_empty());
}

#[tokio::test]
async fn what_means_nothing_is_not_saved() {
    let (world, key) = world();
    let before = world.row(&key);
    let changed = change(&world, &key, Event::WatchExpired, Dispatch::Enqueue).await;
    assert!(matches!(changed, Applied::Rejected(_)));
    assert_eq!(world.row(&key), before);
}

#[tokio::test]
async fn a_queue_that_takes_nothing_is_no_failure() {
    let (world, key) = world();
    world.holds().queue_fails = true;
    let changed = change(&world, &key, sent("r".into()), Dispatch::Enqueue).await;
    assert!(matches!(changed, Applied::Yes(_)));
}

/// A watched row that is never swept would be lost.
#[tokio::test]
async fn a_sweep_is_armed_before_what_it_is_to_watch_is_saved() {
    let (world, key) = world();
    world.happens(&key, sent("r".into()));
    let saved = |holds: &mut FakeState| assert_eq!(holds.armed.len(), 1);
    world.holds().on_call.insert("save", Box::new(saved));
    let event = reported(&world.row(&key));
    change(&world, &key, event, Dispatch::Inline).await;
    let holds = world.holds();
    assert!(holds.on_call.is_empty());
    assert_eq!(holds.armed, [mapping("video").assessment]);
    let sweep = &holds.sweeps[&mapping("video").assessment];
    assert_eq!(sweep.due_at, Some(time(900)));
}

#[tokio::test]
async fn a_sweep_is_armed_only_where_it_would_not_come_in_time() {
    for (due_at, empty_at, arms) in [
        (None, None, true),
        (Some(time(901)), None, true),
        (Some(time(900)), None, false),
        (Some(time(-5)), None, false),
        // It found nothing, and is about to become idle.
        (Some(time(900)), Some(3), true),
    ] {
        let (world, key) = world();
        world.happens(&key, sent("r".into()));
        let sweep = SweepState {
            due_at,
            empty_at,
            armed: 3,
            ..SweepState::default()
        };
        let assessment = mapping("video").assessment;
        world.holds().sweeps.insert(assessment, sweep);
        let event = reported(&world.row(&key));
        change(&world, &key, event, Dispatch::Inline).await;
        let armed = world.holds().armed.len();
        assert_eq!(armed == 1, arms, "{due_at:?} {empty_at:?}");
    }
}

#[test]
fn a_deferral_waits_for_the_longer_of_our_delay_and_theirs() {
    let (world, key) = world();
    let engine = world.engine();
    let put_off = |until| {
        let error = throttled(until);
        engine.retry_later(&error, None, &key)
    };
    let (failure, usual) = put_off(None);
    assert_eq!((failure.attempts, failure.first_failed_at), (1, start()));
    assert!(usual > start() && usual <= time(30));
    assert_eq!(put_off(Some(time(5))).1, usual);
    assert_eq!(put_off(Some(time(500))).1, time(500));
    // It continues the earlier failure.
    world.pass(30);
    let error = failing(Phase::NotSent);
    let (failure, until) = engine.retry_later(&error, Some(&failure), &key);
    assert_eq!((failure.attempts, failure.first_failed_at), (2, start()));
    assert!(until > time(60), "{until}");
}
