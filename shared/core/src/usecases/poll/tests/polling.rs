//! Whole polls on fake ports.

use jiff::SignedDuration;

use super::super::Polled;
use super::*;
use crate::clock::Deadline;
use crate::error::Phase;
use crate::fake_ports::{FakePorts, at, at_trigger, failing, start, time};
use crate::invitation::{State, Step};
use crate::ports::{ApplicationPage, StageInfo};
use crate::work::Work;

const DAY: i64 = 86_400;

pub(super) async fn poll_until(world: &FakePorts, deadline: Deadline) -> Polled {
    try_to_poll(world, deadline).await.unwrap()
}

pub(super) async fn try_to_poll(world: &FakePorts, deadline: Deadline) -> Result<Polled, Error> {
    world.ports().poller().poll(&"acme".into(), deadline).await
}

pub(super) async fn poll(world: &FakePorts) -> Polled {
    poll_until(world, Deadline::NONE).await
}

pub(super) fn state(world: &FakePorts) -> TenantState {
    world.holds().state.clone().unwrap()
}

pub(super) fn calls(world: &FakePorts) -> Vec<&'static str> {
    std::mem::take(&mut world.holds().calls)
}

/// An application as a search returns it, changed at this second.
pub(super) fn seen(id: &str, position: Position, modified: i64) -> ApplicationRow {
    ApplicationRow {
        id: id.into(),
        candidate: "9001".into(),
        vacancy: "4101".into(),
        position,
        modified: Some(time(modified)),
    }
}

pub(super) fn page(rows: Vec<ApplicationRow>, more: bool) -> ApplicationPage {
    ApplicationPage {
        rows,
        set_aside: Vec::new(),
        more,
    }
}

/// The changes, one application per page.
pub(super) fn changes(world: &FakePorts, rows: Vec<ApplicationRow>) {
    let last = rows.len();
    let pages = (1..).zip(rows);
    let pages = pages.map(|(number, row)| page(vec![row], number < last));
    world.holds().changed = pages.collect();
}

/// A setup in which the mapping is on, nothing was found so far, and a poll is due now.
pub(super) async fn polled() -> FakePorts {
    let world = FakePorts::new();
    assert_eq!(poll(&world).await, Polled::Done(0));
    world.set(|holds| {
        holds.state.as_mut().unwrap().due_at = start();
        holds.calls.clear();
        holds.asked_since.clear();
    });
    world
}

/// Advances the clock until the next poll is due.
pub(super) fn wait(world: &FakePorts) {
    let due = state(world).due_at;
    world.holds().now = due;
}

pub(super) fn row_of(world: &FakePorts, application: &str) -> Option<Invitation> {
    let holds = world.holds();
    let mut rows = holds.rows.values();
    rows.find(|row| row.key.application == application.into())
        .cloned()
}

pub(super) fn status(world: &FakePorts) -> MappingStatus {
    state(world).mappings[&"video".into()].status.clone()
}

#[tokio::test]
async fn the_first_poll_records_who_is_there_and_invites_nobody() {
    let world = FakePorts::new();
    world.holds().at_triggers = vec![page(vec![seen("1", at_trigger(), -9000)], false)];
    changes(&world, vec![seen("1", at_trigger(), -9000)]);
    assert_eq!(poll(&world).await, Polled::Done(0));
    assert_eq!(
        calls(&world),
        ["directory", "applications_at", "changed_applications"]
    );
    let row = row_of(&world, "1").unwrap();
    assert_eq!(row.state, State::Skipped(SkipReason::Baseline));
    assert_eq!(status(&world), MappingStatus::Active);
    // What changed during the reading is read again, with a margin for an Eploy whose clock differs from ours.
    let since = Some(time(-3900));
    assert_eq!(world.holds().asked_since, [(since, 1)]);
    let holds = world.holds();
    assert!(holds.queued.is_empty() && holds.published.is_empty());
}

#[tokio::test]
async fn a_poll_that_finds_nothing_new_costs_one_call() {
    let world = polled().await;
    for _ in 0..3 {
        assert_eq!(poll(&world).await, Polled::Done(0));
        assert_eq!(calls(&world), ["changed_applications"]);
        let poll = state(&world).poll;
        assert_eq!(poll.last_ok, Some(world.holds().now));
        wait(&world);
    }
}

#[tokio::test]
async fn an_entry_into_the_stage_is_saved_and_enqueued_once() {
    let world = polled().await;
    changes(
        &world,
        vec![
            seen("1", at_trigger(), 10),
            seen("2", at("13", "34"), 20),
            seen("3", at_trigger(), 30),
        ],
    );
    assert_eq!(poll(&world).await, Polled::Done(2));
    assert_eq!(calls(&world), ["changed_applications"; 3]);
    let row = row_of(&world, "1").unwrap();
    assert_eq!(row.state, State::Detected);
    assert_eq!(row.candidate, "9001".into());
    assert_eq!(row.vacancy, "4101".into());
    assert_eq!(row.assessment.assessment, "a1".into());
    assert_eq!(row.entry.modified, Some(time(10)));
    // An application that turns out to predate the mapping is not invited after all.
    assert_eq!(row.entry.not_before, Some(start()));
    assert_eq!(row_of(&world, "2"), None);
    let key = |application| row_of(&world, application).unwrap().key;
    let keys = [key("1"), key("3")];
    {
        let holds = world.holds();
        let invited = keys.iter().map(|key| Work::step(key.clone(), Step::Invite));
        assert!(holds.queued.iter().cloned().eq(invited));
        let events = keys
            .into_iter()
            .map(|invitation| What::Detected { invitation });
        assert!(holds.published.iter().cloned().eq(events));
    }
    wait(&world);
    assert_eq!(poll(&world).await, Polled::Done(0));
    assert_eq!(world.holds().queued.len(), 2);
}

#[tokio::test]
async fn the_cursor_moves_once_the_ledger_has_everything() {
    let world = polled().await;
    changes(&world, vec![seen("1", at_trigger(), 10)]);
    poll(&world).await;
    assert_eq!(state(&world).poll.cursor, Some(time(10)));
    wait(&world);
    changes(&world, vec![]);
    poll(&world).await;
    let asked = [(Some(time(-3900)), 1), (Some(time(10)), 1)];
    assert_eq!(world.holds().asked_since, asked);
}

#[tokio::test]
async fn who_is_to_be_invited_for_being_there_is() {
    let world = FakePorts::new();
    world.holds().tenant.mappings[0].include_current = true;
    world.holds().at_triggers = vec![page(vec![seen("1", at_trigger(), -9000)], false)];
    assert_eq!(poll(&world).await, Polled::Done(1));
    let row = row_of(&world, "1").unwrap();
    assert_eq!(row.state, State::Detected);
    assert_eq!(row.entry.not_before, None, "being there before is fine");
}

#[tokio::test]
async fn who_comes_back_does_so_after_the_mapping_was_on() {
    let world = polled().await;
    world.holds().tenant.mappings[0].reentry = Reentry::Again;
    wait(&world);
    poll(&world).await;
    let key = world.invited("1", "video");
    world.happens(&key, Event::Left);
    wait(&world);
    changes(&world, vec![seen("1", at_trigger(), 500)]);
    assert_eq!(poll(&world).await, Polled::Done(1));
    let second = crate::ids::InvitationKey { round: 2, ..key };
    assert_eq!(world.row(&second).entry.not_before, Some(start()));
}

#[tokio::test]
async fn a_pools_rows_are_marked_as_such() {
    let world = FakePorts::new();
    world.holds().tenant.mappings[0].kind = MappingKind::Pool(crate::tenant::PoolPlan {
        tags: Vec::new(),
        after: Vec::new(),
    });
    poll(&world).await;
    wait(&world);
    changes(&world, vec![seen("1", at_trigger(), 10)]);
    assert_eq!(poll(&world).await, Polled::Done(1));
    assert!(row_of(&world, "1").unwrap().pooled);
}

/// For an application outside the mapping, not even the ledger is read.
#[tokio::test]
async fn other_vacancies_and_mappings_without_triggers_are_left_out() {
    for without_triggers in [false, true] {
        let world = FakePorts::new();
        world.set(|holds| {
            let mapping = &mut holds.tenant.mappings[0];
            if without_triggers {
                mapping.triggers.clear();
            } else {
                mapping.vacancies = Vacancies::Only(["4102".into()].into());
            }
        });
        poll(&world).await;
        assert_eq!(status(&world), MappingStatus::Active);
        wait(&world);
        changes(&world, vec![seen("1", at_trigger(), 10)]);
        calls(&world);
        assert_eq!(poll(&world).await, Polled::Done(0));
        assert_eq!(calls(&world), ["changed_applications"]);
    }
}

#[tokio::test]
async fn leaving_before_it_went_out_skips_it() {
    let world = polled().await;
    changes(&world, vec![seen("1", at_trigger(), 10)]);
    poll(&world).await;
    wait(&world);
    changes(&world, vec![seen("1", at("13", "34"), 20)]);
    assert_eq!(poll(&world).await, Polled::Done(0));
    let row = row_of(&world, "1").unwrap();
    assert_eq!(row.state, State::Skipped(SkipReason::MovedOn));
}

/// A setup whose mapping invites again, with an invitation of a first stay, and an application that changed since.
async fn changed_since() -> (FakePorts, crate::ids::InvitationKey) {
    let world = FakePorts::new();
    world.holds().tenant.mappings[0].reentry = Reentry::Again;
    poll(&world).await;
    let key = world.invited("1", "video");
    let first = Event::StillThere {
        modified: Some(time(5)),
    };
    world.happens(&key, first);
    wait(&world);
    changes(&world, vec![seen("1", at_trigger(), 50)]);
    calls(&world);
    (world, key)
}

fn line(id: &str, second: i64, position: Position) -> HistoryRow {
    HistoryRow {
        id: id.into(),
        at: Some(time(second)),
        position,
    }
}

/// A history in which the application left and came back.
fn came_back() -> StageInfo {
    StageInfo::History(vec![
        line("1", 0, at_trigger()),
        line("2", 40, at("13", "34")),
        line("3", 45, at_trigger()),
    ])
}

#[tokio::test]
async fn an_application_that_changed_may_have_come_back() {
    let (world, _) = changed_since().await;
    world.holds().standing = came_back();
    assert_eq!(poll(&world).await, Polled::Done(1));
    assert_eq!(calls(&world), ["changed_applications", "standing"]);
}

#[tokio::test]
async fn an_application_that_changed_and_stayed_is_asked_about_once() {
    for standing in [
        StageInfo::History(vec![line("1", 0, at_trigger())]),
        StageInfo::Position(at_trigger()),
    ] {
        let (world, key) = changed_since().await;
        world.holds().standing = standing;
        assert_eq!(poll(&world).await, Polled::Done(0));
        assert_eq!(world.row(&key).entry.modified, Some(time(50)));
        wait(&world);
        calls(&world);
        poll(&world).await;
        assert_eq!(calls(&world), ["changed_applications"]);
    }
}

#[tokio::test]
async fn an_application_that_is_gone_has_left() {
    let (world, key) = changed_since().await;
    world.holds().standing = StageInfo::Gone;
    assert_eq!(poll(&world).await, Polled::Done(0));
    assert!(world.row(&key).entry.left_at.is_some());
}

/// One unreadable record must not block all others, and must not be lost either.
#[tokio::test]
async fn whose_history_cannot_be_read_is_looked_at_again_later_and_later() {
    let (world, key) = changed_since().await;
    let before = world.row(&key);
    let broken = failing(Phase::Unknown);
    world.holds().fails.insert("standing", broken);
    assert_eq!(poll(&world).await, Polled::Done(0));
    let mut waited = SignedDuration::ZERO;
    for times in 1..=4 {
        assert_eq!(world.row(&key), before);
        let state = state(&world);
        assert_eq!(state.poll.failures, 0);
        let again = state.poll.again.unwrap();
        assert_eq!((again.rows.len(), again.times), (1, times));
        let delay = again.at.duration_since(world.holds().now);
        assert!(delay > waited, "{delay} after {waited}");
        waited = delay;
        // Not before.
        calls(&world);
        world.set(|holds| {
            holds.now = again.at - SignedDuration::from_nanos(1);
            holds.state.as_mut().unwrap().due_at = holds.now;
        });
        poll(&world).await;
        assert_eq!(calls(&world), ["changed_applications"]);
        world.set(|holds| {
            holds.now = again.at;
            holds.state.as_mut().unwrap().due_at = holds.now;
        });
        poll(&world).await;
        assert_eq!(calls(&world), ["standing", "changed_applications"]);
    }
    // It came back, and did not change since.
    world.holds().fails.clear();
    world.holds().standing = came_back();
    let again = state(&world).poll.again.unwrap();
    world.set(|holds| {
        holds.now = again.at;
        holds.state.as_mut().unwrap().due_at = holds.now;
    });
    assert_eq!(poll(&world).await, Polled::Done(1));
    assert_eq!(state(&world).poll.again, None);
}

/// Nobody is decided about by an outdated row.
#[tokio::test]
async fn who_changes_meanwhile_is_not_looked_at_as_before() {
    let (world, key) = changed_since().await;
    let broken = failing(Phase::Unknown);
    world.holds().fails.insert("standing", broken);
    assert_eq!(poll(&world).await, Polled::Done(0));
    assert!(state(&world).poll.again.is_some());
    world.holds().changed = vec![page(vec![seen("1", at("13", "34"), 60)], false)];
    wait(&world);
    assert_eq!(poll(&world).await, Polled::Done(0));
    assert!(world.row(&key).entry.left_at.is_some());
    assert_eq!(state(&world).poll.again, None);
}

/// However long others have failed.
#[tokio::test]
async fn who_cannot_be_read_for_the_first_time_is_soon_looked_at_again() {
    let world = FakePorts::new();
    let rows = |modified| ["1", "2"].map(|one| seen(one, at_trigger(), modified));
    world.holds().at_triggers = vec![page(rows(-9000).into(), false)];
    assert_eq!(poll(&world).await, Polled::Done(0));
    let broken = failing(Phase::Unknown);
    world.holds().fails.insert("standing", broken);
    let [first, second] = rows(10);
    world.holds().changed = vec![page(vec![first], false)];
    for _ in 0..4 {
        world.pass(7200);
        assert_eq!(poll(&world).await, Polled::Done(0));
    }
    let soon = |world: &FakePorts| world.holds().now + SignedDuration::from_secs(30);
    assert!(state(&world).poll.again.unwrap().at > soon(&world));
    world.holds().changed = vec![page(vec![second], false)];
    world.set(|holds| holds.state.as_mut().unwrap().due_at = holds.now);
    assert_eq!(poll(&world).await, Polled::Done(0));
    let again = state(&world).poll.again.unwrap();
    assert_eq!(again.rows.len(), 2);
    assert_eq!(again.at, soon(&world));
}

/// With this many, Eploy itself does not work: no application may be passed over.
#[tokio::test]
async fn more_than_can_be_remembered_are_not_passed_over() {
    for (many, polled) in [(20, Polled::Done(0)), (21, Polled::Failed)] {
        let world = FakePorts::new();
        let rows = |modified| {
            (1..=many).map(move |one: i64| seen(&one.to_string(), at_trigger(), modified))
        };
        world.holds().at_triggers = vec![page(rows(-9000).collect(), false)];
        assert_eq!(poll(&world).await, Polled::Done(0));
        wait(&world);
        let cursor = state(&world).poll.cursor;
        world.holds().changed = vec![page(rows(10).collect(), false)];
        let broken = failing(Phase::Unknown);
        world.holds().fails.insert("standing", broken);
        assert_eq!(poll(&world).await, polled);
        let passed = state(&world).poll.cursor != cursor;
        assert_eq!(passed, polled != Polled::Failed);
    }
}

#[tokio::test]
async fn those_to_be_looked_at_again_are_kept_if_the_connection_fails() {
    let (world, _) = changed_since().await;
    let broken = failing(Phase::Unknown);
    world.holds().fails.insert("standing", broken.clone());
    assert_eq!(poll(&world).await, Polled::Done(0));
    world.pass(3600);
    let refused = CallError {
        scope: ErrorScope::Connection,
        ..broken
    };
    world.holds().fails.insert("standing", refused);
    let before = state(&world).poll.again;
    assert_eq!(poll(&world).await, Polled::Failed);
    assert_eq!(state(&world).poll.again, before);
}

#[tokio::test]
async fn a_failing_connection_is_no_unreadable_record() {
    let (world, _) = changed_since().await;
    let broken = CallError {
        scope: ErrorScope::Connection,
        ..failing(Phase::Refused)
    };
    world.holds().fails.insert("standing", broken);
    for _ in 0..5 {
        assert_eq!(poll(&world).await, Polled::Failed);
        wait(&world);
    }
}

#[tokio::test]
async fn nobody_polls_before_it_is_due() {
    for (due, polls) in [(1, false), (0, true), (-1, true)] {
        let world = polled().await;
        world.set(|holds| holds.state.as_mut().unwrap().due_at = time(due));
        let polled = poll(&world).await;
        assert_eq!(polled == Polled::NotDue, !polls, "{due}");
        assert_eq!(!calls(&world).is_empty(), polls, "{due}");
    }
    let world = FakePorts::new();
    world.holds().tenant.paused = true;
    assert_eq!(poll(&world).await, Polled::NotDue);
    assert_eq!(calls(&world), Vec::<&str>::new());
}

#[tokio::test]
async fn the_interval_is_as_wished_unless_the_allowance_is_short() {
    let world = polled().await;
    poll(&world).await;
    assert_eq!(state(&world).due_at, time(60));
    // The rest of the day has to do with the remaining calls.
    wait(&world);
    world.holds().allowance = 100;
    poll(&world).await;
    assert_eq!(
        state(&world).due_at,
        time(60) + (SignedDuration::from_secs(DAY - 60) / 100)
    );
}

/// The stages that Eploy has.
fn stages(world: &FakePorts, ids: &[&str]) {
    let stage = |id: &&str| NamedId {
        id: (*id).to_owned(),
        name: "Video".to_owned(),
        archived: false,
    };
    world.holds().directory.stages = Some(ids.iter().map(stage).collect());
}

#[tokio::test]
async fn a_mapping_whose_stage_vanished_invites_nobody_and_is_reported_once() {
    let world = polled().await;
    stages(&world, &["13"]);
    changes(&world, vec![seen("1", at_trigger(), 10)]);
    // Checked every six hours.
    world.holds().now = time(6 * 3600 - 1);
    assert_eq!(poll(&world).await, Polled::Done(1));
    assert_eq!(calls(&world), ["changed_applications"]);
    // A list can be incomplete once: only a second check with the same outcome counts.
    changes(&world, vec![]);
    world.pass(6 * 3600);
    assert_eq!(poll(&world).await, Polled::Done(0));
    assert_eq!(calls(&world), ["directory", "changed_applications"]);
    assert_eq!(status(&world), MappingStatus::Active);
    wait(&world);
    for published in [1, 0, 0] {
        world.holds().published.clear();
        poll(&world).await;
        assert_eq!(calls(&world), ["directory", "changed_applications"]);
        assert_eq!(world.holds().published.len(), published);
        assert!(matches!(status(&world), MappingStatus::Broken { .. }));
        // While it is broken, it is checked every quarter of an hour.
        world.pass(900);
    }
    stages(&world, &["12"]);
    poll(&world).await;
    assert_eq!(calls(&world), ["directory", "changed_applications"]);
    assert_eq!(status(&world), MappingStatus::Active);
}

/// A setup whose mapping is on, and then its stage is missing from the list.
async fn broken() -> FakePorts {
    let world = polled().await;
    stages(&world, &["13"]);
    world.pass(6 * 3600);
    poll(&world).await;
    wait(&world);
    poll(&world).await;
    assert!(matches!(status(&world), MappingStatus::Broken { .. }));
    wait(&world);
    calls(&world);
    world
}

#[tokio::test]
async fn who_is_seen_at_a_stage_that_the_list_lacks_is_invited_and_proves_that_it_exists() {
    let world = broken().await;
    changes(&world, vec![seen("2", at_trigger(), 20)]);
    assert_eq!(poll(&world).await, Polled::Done(1));
    assert_eq!(row_of(&world, "2").unwrap().state, State::Detected);
    assert_eq!(status(&world), MappingStatus::Active);
    // The list lacks it still, which counts for nothing for a day.
    changes(&world, vec![]);
    let broken_after = |hours: i64| {
        let world = world.clone();
        async move {
            let mut broken = false;
            for _ in 0..2 {
                world.pass(hours * 3600 / 2);
                poll(&world).await;
                broken = matches!(status(&world), MappingStatus::Broken { .. });
            }
            broken
        }
    };
    assert!(!broken_after(23).await);
    assert!(broken_after(24).await);
}

#[tokio::test]
async fn fixing_a_mapping_makes_no_baseline_of_those_who_came_while_it_was_broken() {
    // Its stage was replaced by another, and the mapping follows.
    let world = broken().await;
    let gone = |modified| seen("1", at("13", "34"), modified);
    let broke_at = (world.holds().now - time(0)).get_seconds();
    let came = seen("2", at("13", "34"), broke_at + 60);
    changes(&world, vec![gone(0), came.clone()]);
    poll(&world).await;
    wait(&world);
    world.holds().tenant.mappings[0].triggers[0].stage = "13".into();
    world.holds().at_triggers = vec![page(vec![gone(0), came], false)];
    changes(&world, vec![]);
    assert_eq!(poll(&world).await, Polled::Done(1));
    let state_of = |application| row_of(&world, application).unwrap().state;
    assert_eq!(state_of("1"), State::Skipped(SkipReason::Baseline));
    assert_eq!(state_of("2"), State::Detected);
    assert_eq!(status(&world), MappingStatus::Active);
}

/// It was never on: a list was incomplete from the beginning.
#[tokio::test]
async fn who_enters_while_a_new_mapping_counts_as_broken_is_invited() {
    let world = FakePorts::new();
    stages(&world, &["13"]);
    poll(&world).await;
    assert!(matches!(status(&world), MappingStatus::Broken { .. }));
    wait(&world);
    let there = seen("1", at_trigger(), -9000);
    changes(&world, vec![seen("2", at_trigger(), 90)]);
    world.holds().at_triggers = vec![page(vec![there], false)];
    assert_eq!(poll(&world).await, Polled::Done(1));
    let state_of = |application| row_of(&world, application).unwrap().state;
    assert_eq!(state_of("1"), State::Skipped(SkipReason::Baseline));
    assert_eq!(state_of("2"), State::Detected);
    assert_eq!(status(&world), MappingStatus::Active);
}

#[tokio::test]
async fn a_mapping_whose_stage_exists_continues() {
    let world = polled().await;
    stages(&world, &["12"]);
    world.pass(6 * 3600);
    changes(&world, vec![seen("1", at_trigger(), 10)]);
    assert_eq!(poll(&world).await, Polled::Done(1));
    assert_eq!(calls(&world), ["directory", "changed_applications"]);
}

#[tokio::test]
async fn a_list_that_is_short_for_once_breaks_nothing() {
    for shown in [&["13"][..], &[]] {
        let world = polled().await;
        stages(&world, shown);
        world.pass(6 * 3600);
        poll(&world).await;
        stages(&world, &["12"]);
        wait(&world);
        poll(&world).await;
        stages(&world, shown);
        world.pass(6 * 3600);
        changes(&world, vec![seen("1", at_trigger(), 10)]);
        assert_eq!(poll(&world).await, Polled::Done(1));
        assert_eq!(status(&world), MappingStatus::Active);
        let detected = |what: &What| matches!(what, What::Detected { .. });
        assert!(world.holds().published.iter().all(detected));
    }
}

#[tokio::test]
async fn lists_that_cannot_be_read_keep_nobody_from_being_invited() {
    let world = polled().await;
    world.pass(6 * 3600);
    changes(&world, vec![seen("1", at_trigger(), 10)]);
    let down = failing(Phase::Unknown);
    world.holds().fails.insert("directory", down.clone());
    assert_eq!(poll(&world).await, Polled::Done(1));
    wait(&world);
    calls(&world);
    poll(&world).await;
    assert_eq!(calls(&world), ["changed_applications"], "not at every poll");
    world.pass(900);
    poll(&world).await;
    assert_eq!(calls(&world), ["directory", "changed_applications"]);
    // An error of the whole connection ends the poll.
    let refused = CallError {
        scope: ErrorScope::Connection,
        ..down
    };
    world.holds().fails.insert("directory", refused);
    world.pass(900);
    assert_eq!(poll(&world).await, Polled::Failed);
}

/// By a faulty clock or a migration. Nothing that changes until then would be seen if the cursor followed it.
#[tokio::test]
async fn a_date_in_the_future_does_not_move_the_cursor() {
    let world = polled().await;
    let now = world.holds().now;
    let ahead = |seconds| (now + SignedDuration::from_secs(seconds) - time(0)).get_seconds();
    // Clocks and time zones differ by no more than this.
    let plausible = ahead(65 * 60);
    let rows = vec![
        seen("1", at_trigger(), plausible),
        seen("2", at_trigger(), plausible + 1),
        seen("3", at_trigger(), 80 * 365 * DAY),
    ];
    world.holds().changed = vec![page(rows, false)];
    assert_eq!(poll(&world).await, Polled::Done(3));
    assert_eq!(state(&world).poll.cursor, Some(time(plausible)));

    // Such a record alone counts as changed now.
    let world = polled().await;
    let now = world.holds().now;
    world.holds().changed = vec![page(vec![seen("3", at_trigger(), 80 * 365 * DAY)], false)];
    poll(&world).await;
    assert_eq!(state(&world).poll.cursor, Some(now));
}

#[tokio::test]
async fn that_a_mapping_is_broken_is_an_event_with_the_reason() {
    let world = FakePorts::new();
    stages(&world, &["13"]);
    poll(&world).await;
    let holds = world.holds();
    let [
        What::MappingBroken {
            mapping, reason, ..
        },
    ] = holds.published.as_slice()
    else {
        panic!("{:?}", holds.published);
    };
    assert_eq!(*mapping, "video".into());
    assert!(reason.contains("trigger stage 12"), "{reason}");
}

/// A second mapping is turned on while the first is at work.
#[tokio::test]
async fn a_reading_of_who_is_there_concerns_only_mappings_that_are_being_turned_on() {
    let world = polled().await;
    let mut second = crate::fake_ports::mapping("second");
    second.vacancies = Vacancies::Only(["4101".into()].into());
    world.holds().tenant.mappings.push(second);
    world.holds().at_triggers = vec![page(vec![seen("1", at_trigger(), 0)], false)];
    assert_eq!(poll(&world).await, Polled::Done(0));
    let mappings = world
        .holds()
        .rows
        .keys()
        .map(|key| key.mapping.clone())
        .collect::<Vec<_>>();
    assert_eq!(mappings, ["second".into()]);
}
