use super::*;
use crate::app::Ports;
use crate::fake_ports::{FakePorts, failing, mapping, start, throttled, time};

mod failing;
mod long;

use crate::error::{ErrorScope, Phase};
use crate::ids::{InvitationKey, Reference};
use crate::invitation::Schedule;
use crate::ports::SweepPage;
use crate::result::Status;

const DAY: i64 = 86_400;

fn assessment() -> AssessmentRef {
    mapping("video").assessment
}

/// A setup whose sweep is due now, an hour after the last one.
fn setup() -> FakePorts {
    let fake = FakePorts::new();
    let sweep = SweepState {
        due_at: Some(start()),
        last_at: Some(time(-3600)),
        ..SweepState::default()
    };
    fake.data().sweeps.insert(assessment(), sweep);
    fake
}

async fn sweep(fake: &FakePorts) -> SweepState {
    sweep_until(fake, Deadline::NONE).await;
    sweep_state(fake)
}

async fn sweep_until(fake: &FakePorts, deadline: Deadline) -> Swept {
    try_to_sweep(fake, deadline).await.unwrap()
}

async fn try_to_sweep(fake: &FakePorts, deadline: Deadline) -> Result<Swept, Error> {
    let sweeper = fake.ports().sweeper();
    let tenant = "acme".into();
    sweeper.sweep(&tenant, &assessment(), deadline).await
}

fn sweep_state(fake: &FakePorts) -> SweepState {
    fake.data().sweeps[&assessment()].clone()
}

/// Saves this many invitations that the platform has.
fn invited(fake: &FakePorts, many: u32) -> Vec<InvitationKey> {
    let all = 1..=many;
    all.map(|one| fake.invited(&one.to_string(), "video"))
        .collect()
}

/// A line of the platform's list about the invitation of this application.
fn line(application: &str, status: Status, change_token: &str) -> ListedStatus {
    ListedStatus {
        reference: Reference::new(format!("r-{application}")),
        status: Some(status),
        change_token: change_token.to_owned(),
    }
}

fn lists(fake: &FakePorts, pages: Vec<Vec<ListedStatus>>) {
    let last = pages.len();
    let pages = (1..).zip(pages).map(|(next, lines)| SweepPage {
        lines,
        next: (next < last).then(|| next.to_string()),
        set_aside: 0,
    });
    fake.data().list = pages.collect();
}

fn calls(fake: &FakePorts) -> Vec<&'static str> {
    fake.data().calls.clone()
}

#[tokio::test]
async fn nobody_asks_before_it_is_due() {
    for (due_at, asks) in [
        (None, false),
        (Some(time(1)), false),
        (Some(time(0)), true),
        (Some(time(-1)), true),
    ] {
        let fake = setup();
        invited(&fake, 1);
        let state = SweepState {
            due_at,
            ..sweep_state(&fake)
        };
        fake.data().sweeps.insert(assessment(), state);
        sweep(&fake).await;
        assert_eq!(!calls(&fake).is_empty(), asks, "{due_at:?}");
    }
}

#[tokio::test]
async fn a_paused_tenants_assessments_are_not_swept() {
    let fake = setup();
    invited(&fake, 1);
    fake.data().tenant.paused = true;
    assert_eq!(sweep(&fake).await.due_at, Some(start()));
    assert_eq!(calls(&fake), Vec::<&str>::new());
}

#[tokio::test]
async fn a_few_are_queried_one_by_one_and_changes_are_reported() {
    let fake = setup();
    let keys = invited(&fake, 4);
    fake.results_in("2", Status::Completed);
    let next = sweep(&fake).await;
    assert_eq!(calls(&fake), ["result"; 4]);
    assert_eq!(fake.row(&keys[1]).state, State::Completed);
    for key in &keys {
        assert!(!fake.row(key).unreported());
    }
    // The sweep was complete, so the next one is as usual.
    assert_eq!(next.due_at, Some(time(900)));
    assert_eq!(next.last_at, Some(start()));
    assert_eq!(next.failures, 0);
}

#[tokio::test]
async fn one_that_cannot_be_read_hides_no_other_and_is_soon_asked_for_again() {
    let fake = setup();
    fake.pass(-2 * DAY);
    let key = fake.invited("1", "video");
    fake.pass(2 * DAY);
    fake.results_in("1", Status::Completed);
    fake.data().fails.insert("result", failing(Phase::Unknown));
    let next = sweep(&fake).await;
    assert_eq!(next.due_at, Some(time(900)), "and not in hours");
    assert_eq!(next.last_at, Some(time(-3600)));
    fake.data().fails.clear();
    fake.pass(900);
    let next = sweep(&fake).await;
    assert_eq!(fake.row(&key).state, State::Completed);
    assert_eq!(next.last_at, Some(time(900)));
}

fn unread() -> StoreError {
    StoreError::new("ledger", "load", "it is not read")
}

#[tokio::test]
async fn a_row_that_is_broken_for_good_hides_no_other() {
    let fake = setup();
    let keys = invited(&fake, 2);
    fake.results_in("1", Status::Completed);
    fake.results_in("2", Status::Completed);
    let broken = unread().permanent();
    fake.data().rows_fail.insert(keys[0].clone(), broken);
    let next = sweep(&fake).await;
    assert_eq!(fake.row(&keys[1]).state, State::Completed);
    assert_eq!(next.last_at, Some(time(-3600)), "not all were looked at");

    // A store that may work on the next attempt is no reason to continue.
    let fake = self::setup();
    let keys = invited(&fake, 2);
    fake.results_in("2", Status::Completed);
    fake.data().rows_fail.insert(keys[0].clone(), unread());
    let tried = try_to_sweep(&fake, Deadline::NONE).await;
    assert!(matches!(tried, Err(Error::Store(_))), "{tried:?}");
    assert_ne!(fake.row(&keys[1]).state, State::Completed);
    assert_eq!(sweep_state(&fake).due_at, Some(start()), "still due");
}

#[tokio::test]
async fn many_are_found_on_one_list_and_only_changed_ones_are_enqueued() {
    let fake = setup();
    fake.pass(-2 * DAY);
    let keys = invited(&fake, 5);
    fake.pass(2 * DAY);
    lists(
        &fake,
        vec![
            vec![
                line("1", Status::Sent, "m1"),
                line("2", Status::Started, "m2"),
                line("somebody's", Status::Completed, "m"),
            ],
            vec![line("3", Status::Sent, "m3")],
            vec![line("4", Status::Opened, "m4")],
        ],
    );
    let next = sweep(&fake).await;
    assert_eq!(calls(&fake), ["list"; 3]);
    let news = [(1, "m2"), (3, "m4")].map(|(at, change_token)| Work::WriteBack {
        key: keys[at].clone(),
        news: true,
        change_token: Some(change_token.to_owned()),
    });
    assert_eq!(fake.data().queued, news);
    // A hint can be lost, so the next sweep is soon, and sees the same change.
    assert_eq!(next.due_at, Some(time(900)));
    assert_eq!(next.last_at, Some(start()));
}

#[tokio::test]
async fn a_list_without_changes_is_read_again_as_usual() {
    let fake = setup();
    fake.pass(-2 * DAY);
    invited(&fake, 5);
    fake.pass(2 * DAY);
    lists(&fake, vec![vec![line("1", Status::Sent, "m1")]]);
    let next = sweep(&fake).await;
    // An eighth of the time since the last invitation.
    assert_eq!(next.due_at, Some(time(6 * 3600)));
    assert_eq!(next.last_at, Some(start()));
    assert!(fake.data().queued.is_empty());
}

#[tokio::test]
async fn a_sweep_rests_only_after_it_found_nothing_twice() {
    let fake = setup();
    let first = sweep(&fake).await;
    assert_eq!(first.due_at, Some(time(900)));
    assert_eq!(first.empty_at, Some(0));
    fake.pass(900);
    assert_eq!(sweep(&fake).await.due_at, None);
    assert_eq!(calls(&fake), Vec::<&str>::new());
}

/// A writer schedules the sweep before it saves the row that is to be watched, and may take as long as a lease.
#[tokio::test]
async fn a_sweep_that_was_armed_since_it_found_nothing_looks_twice_more() {
    let fake = setup();
    let mut engine = fake.engine();
    engine.timing = Arc::new(Timing {
        sweep_seconds: 10.0,
        ..Timing::default()
    });
    let sweeper = Ports {
        engine,
        ..fake.ports()
    }
    .sweeper();
    let sweep = async || {
        let tenant = "acme".into();
        let assessment = assessment();
        let swept = sweeper.sweep(&tenant, &assessment, Deadline::NONE);
        assert_eq!(swept.await.unwrap(), Swept::Done);
        sweep_state(&fake)
    };
    assert_eq!(sweep().await.due_at, Some(time(60)), "the lease is longer");
    let sweeps = &sweeper.engine.sweeps;
    let tenant = "acme".into();
    sweeps
        .schedule_sweep(&tenant, &assessment(), time(60))
        .await
        .unwrap();
    fake.pass(60);
    assert_eq!(sweep().await.due_at, Some(time(120)));
    fake.pass(60);
    assert_eq!(sweep().await.due_at, None);
}

#[tokio::test]
async fn a_platform_that_fails_is_asked_less_and_less_often() {
    let fake = setup();
    invited(&fake, 5);
    fake.data().fails.insert("list", failing(Phase::Unknown));
    let mut waited = SignedDuration::ZERO;
    for failures in 1..=4 {
        let now = fake.data().now;
        let next = sweep(&fake).await;
        assert_eq!(next.failures, failures);
        assert_eq!(next.last_at, Some(time(-3600)), "what was missed is kept");
        let wait = next.due_at.unwrap().duration_since(now);
        assert!(wait > waited, "{wait} after {waited}");
        waited = wait;
        fake.pass(wait.as_secs() + 1);
    }
    fake.data().fails.clear();
    lists(&fake, vec![vec![]]);
    let next = sweep(&fake).await;
    assert_eq!(next.failures, 0);
    assert_eq!(next.last_at, Some(fake.data().now));
}

#[tokio::test]
async fn a_platform_that_asks_to_be_left_alone_is_until_then() {
    for (until, due) in [(time(5000), 5000..=5000), (time(1), 20..=30)] {
        for call in ["platform", "list"] {
            let fake = setup();
            invited(&fake, 5);
            let busy = throttled(Some(until));
            fake.data().fails.insert(call, busy);
            let due_at = sweep(&fake).await.due_at.unwrap();
            let seconds = due_at.duration_since(start()).as_secs();
            assert!(due.contains(&seconds), "{call}: {seconds}");
        }
    }
}

/// Schedules the sweep for this time while it runs.
fn armed_meanwhile(fake: &FakePorts, at: Timestamp) {
    let armed = move |data: &mut crate::fake_ports::FakeState| {
        let sweep = data.sweeps.get_mut(&assessment()).unwrap();
        sweep.armed += 1;
        sweep.due_at = Some(at);
    };
    let mut data = fake.data();
    data.on_call.insert("save", Box::new(armed));
}

#[tokio::test]
async fn a_sweep_that_is_armed_meanwhile_is_soon_done_again() {
    // Watching for long.
    let slow = setup();
    slow.pass(-2 * DAY);
    invited(&slow, 5);
    slow.pass(2 * DAY);
    lists(&slow, vec![vec![]]);
    armed_meanwhile(&slow, start());
    assert_eq!(sweep(&slow).await.due_at, Some(time(900)));

    // Found nothing, for the first time and for the last.
    for empty_at in [None, Some(0)] {
        let fake = setup();
        let mut before = sweep_state(&fake);
        before.empty_at = empty_at;
        fake.data().sweeps.insert(assessment(), before);
        armed_meanwhile(&fake, start());
        let next = sweep(&fake).await;
        assert_eq!(next.due_at, Some(time(900)));
        assert_eq!(
            next.empty_at, None,
            "the row to be watched may not be saved yet"
        );
        assert_eq!(next.armed, 1);
    }

    // The platform does not answer, and asks us to wait.
    let busy = setup();
    invited(&busy, 5);
    let until = throttled(Some(time(5000)));
    busy.data().fails.insert("list", until);
    armed_meanwhile(&busy, start());
    let next = sweep(&busy).await;
    assert_eq!(next.due_at, Some(time(5000)));
    assert_eq!(next.failures, 1);
}

/// A setup in which the watch of one invitation, with this status, ends this many seconds from now.
async fn watching(status: Status, over: i64) -> (FakePorts, InvitationKey) {
    let fake = setup();
    fake.data().tenant.mappings[0].expires_after_days = Some(1);
    let watched = if status == Status::Completed {
        30 * DAY
    } else {
        DAY
    };
    fake.pass(over - watched);
    let key = fake.invited("1", "video");
    fake.results_in("1", status);
    let due = |due_at| SweepState {
        due_at: Some(due_at),
        ..SweepState::default()
    };
    let then = fake.data().now;
    fake.data().sweeps.insert(assessment(), due(then));
    sweep(&fake).await;
    fake.pass(watched - over);
    fake.data().sweeps.insert(assessment(), due(start()));
    (fake, key)
}

#[tokio::test]
async fn an_open_invitation_expires_when_its_time_is_over() {
    for (over, expired) in [(-1, true), (0, true), (1, false)] {
        for status in [Status::Sent, Status::Started] {
            let (fake, key) = watching(status, over).await;
            sweep(&fake).await;
            let state = fake.row(&key).state;
            assert_eq!(state == State::Expired, expired, "{over}: {state:?}");
        }
    }
}

#[tokio::test]
async fn what_came_at_the_last_moment_counts_and_what_cannot_be_asked_for_waits() {
    let (fake, key) = watching(Status::Started, -1).await;
    // Among many, so that only the list is read, which is behind.
    for application in ["2", "3", "4", "5"] {
        fake.invited(application, "video");
    }
    lists(&fake, vec![vec![line("1", Status::Started, "m1")]]);
    fake.results_in("1", Status::Completed);
    let down = failing(Phase::Unknown);
    fake.data().fails.insert("result", down);
    sweep(&fake).await;
    assert_eq!(fake.row(&key).state, State::Started);

    fake.data().fails.clear();
    fake.pass(900);
    sweep(&fake).await;
    assert_eq!(fake.row(&key).state, State::Completed);
}

#[tokio::test]
async fn an_ended_one_is_no_longer_watched_when_its_time_is_over() {
    for (over, ends) in [(-1, true), (0, true), (1, false)] {
        let (fake, key) = watching(Status::Completed, over).await;
        fake.data().calls.clear();
        sweep(&fake).await;
        let row = fake.row(&key);
        assert_eq!(row.state, State::Completed);
        assert_eq!(
            row.schedule == Schedule::Never,
            ends,
            "{over}: {:?}",
            row.schedule
        );
        assert_eq!(calls(&fake), ["result"], "not a second time");
    }
}

#[tokio::test]
async fn a_watch_whose_row_is_broken_for_good_holds_up_no_sweep() {
    let (fake, key) = watching(Status::Completed, -1).await;
    // Among many, so that only the list is read, and not the row.
    for application in ["2", "3", "4", "5"] {
        fake.invited(application, "video");
    }
    lists(&fake, vec![vec![]]);
    fake.data().rows_fail.insert(key.clone(), unread());
    let tried = try_to_sweep(&fake, Deadline::NONE).await;
    assert!(matches!(tried, Err(Error::Store(_))), "{tried:?}");

    let broken = unread().permanent();
    fake.data().rows_fail.insert(key, broken);
    assert_eq!(sweep(&fake).await.last_at, Some(start()));
}

fn waiting(level: u8, change_token: Option<&str>, invited_at: i64) -> WatchedInvitation {
    WatchedInvitation {
        key: InvitationKey {
            tenant: TenantId::new("acme"),
            application: "1".into(),
            mapping: "m".into(),
            round: 1,
        },
        reference: Reference::new("r"),
        level,
        change_token: change_token.map(ToOwned::to_owned),
        invited_at: Timestamp::from_second(invited_at).ok(),
        until: None,
    }
}

fn sighting(status: Status, change_token: &str) -> ListedStatus {
    ListedStatus {
        reference: Reference::new("r"),
        status: Some(status),
        change_token: change_token.to_owned(),
    }
}

#[test]
fn only_what_is_new_costs_a_call() {
    assert!(!has_changed(
        &waiting(2, None, 0),
        &sighting(Status::Sent, "a")
    ));
    assert!(has_changed(
        &waiting(2, None, 0),
        &sighting(Status::Completed, "a")
    ));
    assert!(!has_changed(
        &waiting(3, None, 0),
        &sighting(Status::Started, "a")
    ));
    let silent = ListedStatus {
        status: None,
        ..sighting(Status::Sent, "a")
    };
    assert!(has_changed(&waiting(2, None, 0), &silent));
    assert!(has_changed(
        &waiting(4, None, 0),
        &sighting(Status::Expired, "a")
    ));
    assert!(has_changed(
        &waiting(5, None, 0),
        &sighting(Status::Completed, "a")
    ));
    assert!(!has_changed(
        &waiting(5, Some("a"), 0),
        &sighting(Status::Completed, "a")
    ));
    assert!(has_changed(
        &waiting(5, Some("a"), 0),
        &sighting(Status::Completed, "b")
    ));
}

#[test]
fn sweeps_slow_down_and_rest() {
    let timing = Timing::default();
    let now = Timestamp::from_second(100_000).unwrap();
    assert_eq!(interval(&[], now, &timing), None);
    let fresh = interval(&[waiting(2, None, 99_990)], now, &timing).unwrap();
    assert_eq!(fresh, seconds(timing.sweep_seconds));
    let old = interval(&[waiting(2, None, 0)], now, &timing).unwrap();
    assert_eq!(old, SignedDuration::from_secs(12_500));
    let ended = interval(&[waiting(5, None, 0)], now, &timing).unwrap();
    assert_eq!(ended, seconds(timing.sweep_max_seconds) * 4);
}
