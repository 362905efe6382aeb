use super::*;
use crate::error::Phase;
use crate::events::What;
use crate::fake_ports::{FakePorts, FakeState, failing, mapping, sent, start, throttled, time};
use crate::ports::SweepState;
use crate::work::Work;

/// A setup with an invitation that was just sent, and is not reported yet.
fn setup() -> (FakePorts, InvitationKey) {
    let fake = FakePorts::new();
    let key = fake.enter("1", "video");
    (fake, key)
}

async fn change(fake: &FakePorts, key: &InvitationKey, event: Event, next: Dispatch) -> Applied {
    let row = fake.row(key);
    let engine = fake.engine();
    engine.apply(&row, event, None, next).await.unwrap()
}

fn reported(row: &Invitation) -> Event {
    Event::Reported(crate::fake_ports::fully_shown(row))
}

#[tokio::test]
async fn what_follows_a_change_is_let_out_once_it_is_saved() {
    let (fake, key) = setup();
    let saved = |data: &mut FakeState| {
        assert!(data.queued.is_empty() && data.published.is_empty());
    };
    fake.data().on_call.insert("save", Box::new(saved));
    let changed = change(&fake, &key, sent("r".into()), Dispatch::Enqueue).await;
    let Applied::Yes(row) = changed else {
        panic!("it was not saved");
    };
    assert_eq!(*row, fake.row(&key));
    let data = fake.data();
    let step = crate::invitation::Step::WriteBack;
    assert_eq!(data.queued, [Work::step(key.clone(), step)]);
    assert_eq!(data.published, [What::Sent { invitation: key }]);
}

#[tokio::test]
async fn a_caller_that_continues_with_a_row_does_not_enqueue_it() {
    let (fake, key) = setup();
    change(&fake, &key, sent("r".into()), Dispatch::Inline).await;
    let data = fake.data();
    assert!(data.queued.is_empty());
    assert_eq!(data.published.len(), 1);
}

#[tokio::test]
async fn nothing_follows_a_change_that_came_too_late() {
    let (fake, key) = setup();
    fake.data().conflicts = 1;
    let changed = change(&fake, &key, sent("r".into()), Dispatch::Enqueue).await;
    assert!(matches!(changed, Applied::Conflict));
    let data = fake.data();
    assert!(data.queued.is_empty() && data.published.is_empty());
}

#[tokio::test]
async fn what_means_nothing_is_not_saved() {
    let (fake, key) = setup();
    let before = fake.row(&key);
    let changed = change(&fake, &key, Event::WatchExpired, Dispatch::Enqueue).await;
    assert!(matches!(changed, Applied::Rejected(_)));
    assert_eq!(fake.row(&key), before);
}

#[tokio::test]
async fn a_queue_that_takes_nothing_is_no_failure() {
    let (fake, key) = setup();
    fake.data().queue_fails = true;
    let changed = change(&fake, &key, sent("r".into()), Dispatch::Enqueue).await;
    assert!(matches!(changed, Applied::Yes(_)));
}

/// A watched row that is never swept would be lost.
#[tokio::test]
async fn a_sweep_is_armed_before_what_it_is_to_watch_is_saved() {
    let (fake, key) = setup();
    fake.happens(&key, sent("r".into()));
    let saved = |data: &mut FakeState| assert_eq!(data.armed.len(), 1);
    fake.data().on_call.insert("save", Box::new(saved));
    let event = reported(&fake.row(&key));
    change(&fake, &key, event, Dispatch::Inline).await;
    let data = fake.data();
    assert!(data.on_call.is_empty());
    assert_eq!(data.armed, [mapping("video").assessment]);
    let sweep = &data.sweeps[&mapping("video").assessment];
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
        let (fake, key) = setup();
        fake.happens(&key, sent("r".into()));
        let sweep = SweepState {
            due_at,
            empty_at,
            armed: 3,
            ..SweepState::default()
        };
        let assessment = mapping("video").assessment;
        fake.data().sweeps.insert(assessment, sweep);
        let event = reported(&fake.row(&key));
        change(&fake, &key, event, Dispatch::Inline).await;
        let armed = fake.data().armed.len();
        assert_eq!(armed == 1, arms, "{due_at:?} {empty_at:?}");
    }
}

#[test]
fn a_deferral_waits_for_the_longer_of_our_delay_and_theirs() {
    let (fake, key) = setup();
    let engine = fake.engine();
    let deferred = |until| {
        let error = throttled(until);
        engine.retry_later(&error, None, &key)
    };
    let (failure, usual) = deferred(None);
    assert_eq!((failure.attempts, failure.first_failed_at), (1, start()));
    assert!(usual > start() && usual <= time(30));
    assert_eq!(deferred(Some(time(5))).1, usual);
    assert_eq!(deferred(Some(time(500))).1, time(500));
    // It continues the earlier failure.
    fake.pass(30);
    let error = failing(Phase::NotSent);
    let (failure, until) = engine.retry_later(&error, Some(&failure), &key);
    assert_eq!((failure.attempts, failure.first_failed_at), (2, start()));
    assert!(until > time(60), "{until}");
}
