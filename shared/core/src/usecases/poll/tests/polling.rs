//! Whole polls on fake ports.

use jiff::SignedDuration;

use super::super::Polled;
use super::*;
use crate::clock::Deadline;
use crate::error::Phase;
use crate::fake_ports::{FakePorts, at, at_trigger, failing, start, time};
use crate::invitation::{State, Step};
use crate::ports::{ApplicationPage, RecheckQueue, StageInfo};
use crate::work::Work;

const DAY: i64 = 86_400;

pub(super) async fn poll_until(fake: &FakePorts, deadline: Deadline) -> Polled {
    try_to_poll(fake, deadline).await.unwrap()
}

pub(super) async fn try_to_poll(fake: &FakePorts, deadline: Deadline) -> Result<Polled, Error> {
    fake.ports().poller().poll(&"acme".into(), deadline).await
}

pub(super) async fn poll(fake: &FakePorts) -> Polled {
    poll_until(fake, Deadline::NONE).await
}

pub(super) fn state(fake: &FakePorts) -> TenantState {
    fake.data().state.clone().unwrap()
}

pub(super) fn calls(fake: &FakePorts) -> Vec<&'static str> {
    std::mem::take(&mut fake.data().calls)
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
pub(super) fn changes(fake: &FakePorts, rows: Vec<ApplicationRow>) {
    let last = rows.len();
    let pages = (1..).zip(rows);
    let pages = pages.map(|(number, row)| page(vec![row], number < last));
    fake.data().changed = pages.collect();
}

/// A setup in which the mapping is on, nothing was found so far, and a poll is due now.
pub(super) async fn polled() -> FakePorts {
    let fake = FakePorts::new();
    assert_eq!(poll(&fake).await, Polled::Done(0));
    fake.set(|data| {
        data.state.as_mut().unwrap().due_at = start();
        data.calls.clear();
        data.asked_since.clear();
    });
    fake
}

/// Advances the clock until the next poll is due.
pub(super) fn wait(fake: &FakePorts) {
    let due = state(fake).due_at;
    fake.data().now = due;
}

pub(super) fn row_of(fake: &FakePorts, application: &str) -> Option<Invitation> {
    let data = fake.data();
    let mut rows = data.rows.values();
    rows.find(|row| row.key.application == application.into())
        .cloned()
}

pub(super) fn status(fake: &FakePorts) -> MappingStatus {
    state(fake).mappings[&"video".into()].status.clone()
}

#[tokio::test]
async fn the_first_poll_records_who_is_there_and_invites_nobody() {
    let fake = FakePorts::new();
    fake.data().at_triggers = vec![page(vec![seen("1", at_trigger(), -9000)], false)];
    changes(&fake, vec![seen("1", at_trigger(), -9000)]);
    assert_eq!(poll(&fake).await, Polled::Done(0));
    assert_eq!(
        calls(&fake),
        ["directory", "applications_at", "changed_applications"]
    );
    let row = row_of(&fake, "1").unwrap();
    assert_eq!(row.state, State::Skipped(SkipReason::Baseline));
    assert_eq!(status(&fake), MappingStatus::Active);
    // What changed during the reading is read again, with a margin for an Eploy whose clock differs from ours.
    let since = Some(time(-3900));
    assert_eq!(fake.data().asked_since, [(since, 1)]);
    let data = fake.data();
    assert!(data.queued.is_empty() && data.published.is_empty());
}

#[tokio::test]
async fn a_poll_that_finds_nothing_new_costs_one_call() {
    let fake = polled().await;
    for _ in 0..3 {
        assert_eq!(poll(&fake).await, Polled::Done(0));
        assert_eq!(calls(&fake), ["changed_applications"]);
        let poll = state(&fake).poll;
        assert_eq!(poll.last_ok, Some(fake.data().now));
        wait(&fake);
    }
}

#[tokio::test]
async fn an_entry_into_the_stage_is_saved_and_enqueued_once() {
    let fake = polled().await;
    changes(
        &fake,
        vec![
            seen("1", at_trigger(), 10),
            seen("2", at("13", "34"), 20),
            seen("3", at_trigger(), 30),
        ],
    );
    assert_eq!(poll(&fake).await, Polled::Done(2));
    assert_eq!(calls(&fake), ["changed_applications"; 3]);
    let row = row_of(&fake, "1").unwrap();
    assert_eq!(row.state, State::Detected);
    assert_eq!(row.candidate, "9001".into());
    assert_eq!(row.vacancy, "4101".into());
    assert_eq!(row.assessment.assessment, "a1".into());
    assert_eq!(row.entry.modified, Some(time(10)));
    // An application that turns out to predate the mapping is not invited after all.
    assert_eq!(row.entry.not_before, Some(start()));
    assert_eq!(row_of(&fake, "2"), None);
    let key = |application| row_of(&fake, application).unwrap().key;
    let keys = [key("1"), key("3")];
    {
        let data = fake.data();
        let invited = keys.iter().map(|key| Work::step(key.clone(), Step::Invite));
        assert!(data.queued.iter().cloned().eq(invited));
        let events = keys
            .into_iter()
            .map(|invitation| What::Detected { invitation });
        assert!(data.published.iter().cloned().eq(events));
    }
    wait(&fake);
    assert_eq!(poll(&fake).await, Polled::Done(0));
    assert_eq!(fake.data().queued.len(), 2);
}

#[tokio::test]
async fn the_cursor_moves_once_the_ledger_has_everything() {
    let fake = polled().await;
    changes(&fake, vec![seen("1", at_trigger(), 10)]);
    poll(&fake).await;
    assert_eq!(state(&fake).poll.cursor, Some(time(10)));
    wait(&fake);
    changes(&fake, vec![]);
    poll(&fake).await;
    let asked = [(Some(time(-3900)), 1), (Some(time(10)), 1)];
    assert_eq!(fake.data().asked_since, asked);
}

#[tokio::test]
async fn who_is_to_be_invited_for_being_there_is() {
    let fake = FakePorts::new();
    fake.data().tenant.mappings[0].include_current = true;
    fake.data().at_triggers = vec![page(vec![seen("1", at_trigger(), -9000)], false)];
    assert_eq!(poll(&fake).await, Polled::Done(1));
    let row = row_of(&fake, "1").unwrap();
    assert_eq!(row.state, State::Detected);
    assert_eq!(row.entry.not_before, None, "being there before is fine");
}

#[tokio::test]
async fn who_comes_back_does_so_after_the_mapping_was_on() {
    let fake = polled().await;
    fake.data().tenant.mappings[0].reentry = Reentry::Again;
    wait(&fake);
    poll(&fake).await;
    let key = fake.invited("1", "video");
    fake.happens(&key, Event::Left { modified: None });
    wait(&fake);
    changes(&fake, vec![seen("1", at_trigger(), 500)]);
    assert_eq!(poll(&fake).await, Polled::Done(1));
    let second = crate::ids::InvitationKey { round: 2, ..key };
    assert_eq!(fake.row(&second).entry.not_before, Some(start()));
}

#[tokio::test]
async fn a_pools_rows_are_marked_as_such() {
    let fake = FakePorts::new();
    fake.data().tenant.mappings[0].kind = MappingKind::Pool(crate::tenant::PoolPlan {
        tags: Vec::new(),
        after: Vec::new(),
    });
    poll(&fake).await;
    wait(&fake);
    changes(&fake, vec![seen("1", at_trigger(), 10)]);
    assert_eq!(poll(&fake).await, Polled::Done(1));
    assert!(row_of(&fake, "1").unwrap().pooled);
}

/// For an application outside the mapping, not even the ledger is read.
#[tokio::test]
async fn other_vacancies_and_mappings_without_triggers_are_left_out() {
    for without_triggers in [false, true] {
        let fake = FakePorts::new();
        fake.set(|data| {
            let mapping = &mut data.tenant.mappings[0];
            if without_triggers {
                mapping.triggers.clear();
            } else {
                mapping.vacancies = Vacancies::Only(["4102".into()].into());
            }
        });
        poll(&fake).await;
        assert_eq!(status(&fake), MappingStatus::Active);
        wait(&fake);
        changes(&fake, vec![seen("1", at_trigger(), 10)]);
        calls(&fake);
        assert_eq!(poll(&fake).await, Polled::Done(0));
        assert_eq!(calls(&fake), ["changed_applications"]);
    }
}

#[tokio::test]
async fn leaving_before_it_went_out_skips_it() {
    let fake = polled().await;
    changes(&fake, vec![seen("1", at_trigger(), 10)]);
    poll(&fake).await;
    wait(&fake);
    changes(&fake, vec![seen("1", at("13", "34"), 20)]);
    assert_eq!(poll(&fake).await, Polled::Done(0));
    let row = row_of(&fake, "1").unwrap();
    assert_eq!(row.state, State::Skipped(SkipReason::MovedOn));
}

/// A setup whose mapping invites again, with an invitation of a first stay, and an application that changed since.
async fn changed_since() -> (FakePorts, crate::ids::InvitationKey) {
    let fake = FakePorts::new();
    fake.data().tenant.mappings[0].reentry = Reentry::Again;
    poll(&fake).await;
    let key = fake.invited("1", "video");
    let first = Event::StillThere {
        modified: Some(time(5)),
    };
    fake.happens(&key, first);
    wait(&fake);
    changes(&fake, vec![seen("1", at_trigger(), 50)]);
    calls(&fake);
    (fake, key)
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
    let (fake, _) = changed_since().await;
    fake.data().stage_info = came_back();
    assert_eq!(poll(&fake).await, Polled::Done(1));
    assert_eq!(calls(&fake), ["changed_applications", "stage_info"]);
}

#[tokio::test]
async fn an_application_that_changed_and_stayed_is_asked_about_once() {
    for stage_info in [
        StageInfo::History(vec![line("1", 0, at_trigger())]),
        StageInfo::Position(at_trigger()),
    ] {
        let (fake, key) = changed_since().await;
        fake.data().stage_info = stage_info;
        assert_eq!(poll(&fake).await, Polled::Done(0));
        assert_eq!(fake.row(&key).entry.modified, Some(time(50)));
        wait(&fake);
        calls(&fake);
        poll(&fake).await;
        assert_eq!(calls(&fake), ["changed_applications"]);
    }
}

/// A page that another poll read before this one saw the application away.
#[tokio::test]
async fn a_page_from_before_the_departure_invites_only_who_is_back_by_now() {
    for (now, found) in [(at("13", "34"), 0), (at_trigger(), 1)] {
        let (fake, key) = changed_since().await;
        let modified = Some(time(60));
        fake.happens(&key, Event::Left { modified });
        fake.data().stage_info = StageInfo::Position(now);
        assert_eq!(poll(&fake).await, Polled::Done(found));
        assert_eq!(calls(&fake), ["changed_applications", "stage_info"]);
        if found > 0 {
            let second = crate::ids::InvitationKey { round: 2, ..key };
            assert_eq!(fake.row(&second).entry.modified, modified);
        }
    }
}

#[tokio::test]
async fn an_application_that_is_gone_has_left() {
    let (fake, key) = changed_since().await;
    fake.data().stage_info = StageInfo::Gone;
    assert_eq!(poll(&fake).await, Polled::Done(0));
    assert!(fake.row(&key).entry.left_at.is_some());
}

/// One unreadable record must not block all others, and must not be lost either.
#[tokio::test]
async fn whose_history_cannot_be_read_is_looked_at_again_later_and_later() {
    let (fake, key) = changed_since().await;
    let before = fake.row(&key);
    let broken = failing(Phase::Unknown);
    fake.data().fails.insert("stage_info", broken);
    assert_eq!(poll(&fake).await, Polled::Done(0));
    let mut waited = SignedDuration::ZERO;
    for times in 1..=4 {
        assert_eq!(fake.row(&key), before);
        let state = state(&fake);
        assert_eq!(state.poll.failures, 0);
        let again = state.poll.again.unwrap();
        assert_eq!((again.rows.len(), again.times), (1, times));
        let delay = again.at.duration_since(fake.data().now);
        assert!(delay > waited, "{delay} after {waited}");
        waited = delay;
        // Not before.
        calls(&fake);
        fake.set(|data| {
            data.now = again.at - SignedDuration::from_nanos(1);
            data.state.as_mut().unwrap().due_at = data.now;
        });
        poll(&fake).await;
        assert_eq!(calls(&fake), ["changed_applications"]);
        fake.set(|data| {
            data.now = again.at;
            data.state.as_mut().unwrap().due_at = data.now;
        });
        poll(&fake).await;
        assert_eq!(calls(&fake), ["stage_info", "changed_applications"]);
    }
    // It came back, and did not change since.
    fake.data().fails.clear();
    fake.data().stage_info = came_back();
    let again = state(&fake).poll.again.unwrap();
    fake.set(|data| {
        data.now = again.at;
        data.state.as_mut().unwrap().due_at = data.now;
    });
    assert_eq!(poll(&fake).await, Polled::Done(1));
    assert_eq!(state(&fake).poll.again, None);
}

/// Nobody is decided about by an outdated row.
#[tokio::test]
async fn who_changes_meanwhile_is_not_looked_at_as_before() {
    let (fake, key) = changed_since().await;
    let broken = failing(Phase::Unknown);
    fake.data().fails.insert("stage_info", broken);
    assert_eq!(poll(&fake).await, Polled::Done(0));
    assert!(state(&fake).poll.again.is_some());
    fake.data().changed = vec![page(vec![seen("1", at("13", "34"), 60)], false)];
    wait(&fake);
    assert_eq!(poll(&fake).await, Polled::Done(0));
    assert!(fake.row(&key).entry.left_at.is_some());
    assert_eq!(state(&fake).poll.again, None);
}

/// However long others have failed.
#[tokio::test]
async fn who_cannot_be_read_for_the_first_time_is_soon_looked_at_again() {
    let fake = FakePorts::new();
    let rows = |modified| ["1", "2"].map(|one| seen(one, at_trigger(), modified));
    fake.data().at_triggers = vec![page(rows(-9000).into(), false)];
    assert_eq!(poll(&fake).await, Polled::Done(0));
    let broken = failing(Phase::Unknown);
    fake.data().fails.insert("stage_info", broken);
    let [first, second] = rows(10);
    fake.data().changed = vec![page(vec![first], false)];
    for _ in 0..4 {
        fake.pass(7200);
        assert_eq!(poll(&fake).await, Polled::Done(0));
    }
    let soon = |fake: &FakePorts| fake.data().now + SignedDuration::from_secs(30);
    assert!(state(&fake).poll.again.unwrap().at > soon(&fake));
    fake.data().changed = vec![page(vec![second], false)];
    fake.set(|data| data.state.as_mut().unwrap().due_at = data.now);
    assert_eq!(poll(&fake).await, Polled::Done(0));
    let again = state(&fake).poll.again.unwrap();
    assert_eq!(again.rows.len(), 2);
    assert_eq!(again.at, soon(&fake));
}

/// With this many, Eploy itself does not work: no application may be passed over.
#[tokio::test]
async fn more_than_can_be_remembered_are_not_passed_over() {
    for (many, polled) in [(20, Polled::Done(0)), (21, Polled::Failed)] {
        let fake = FakePorts::new();
        let rows = |modified| {
            (1..=many).map(move |one: i64| seen(&one.to_string(), at_trigger(), modified))
        };
        fake.data().at_triggers = vec![page(rows(-9000).collect(), false)];
        assert_eq!(poll(&fake).await, Polled::Done(0));
        wait(&fake);
        let cursor = state(&fake).poll.cursor;
        fake.data().changed = vec![page(rows(10).collect(), false)];
        let broken = failing(Phase::Unknown);
        fake.data().fails.insert("stage_info", broken);
        assert_eq!(poll(&fake).await, polled);
        let passed = state(&fake).poll.cursor != cursor;
        assert_eq!(passed, polled != Polled::Failed);
    }
}

#[tokio::test]
async fn those_to_be_looked_at_again_are_kept_if_the_connection_fails() {
    let (fake, _) = changed_since().await;
    let broken = failing(Phase::Unknown);
    fake.data().fails.insert("stage_info", broken.clone());
    assert_eq!(poll(&fake).await, Polled::Done(0));
    fake.pass(3600);
    let refused = CallError {
        scope: ErrorScope::Connection,
        ..broken
    };
    fake.data().fails.insert("stage_info", refused);
    let before = state(&fake).poll.again;
    assert_eq!(poll(&fake).await, Polled::Failed);
    assert_eq!(state(&fake).poll.again, before);
}

/// The row was read before the application entered, and its date does not show the move.
#[tokio::test]
async fn a_remembered_row_ends_no_stay_that_began_since() {
    for (now, left) in [(at_trigger(), false), (at("13", "34"), true)] {
        let fake = FakePorts::new();
        fake.data().tenant.mappings[0].reentry = Reentry::Again;
        poll(&fake).await;
        let key = fake.invited("1", "video");
        let modified = Some(time(5));
        fake.happens(&key, Event::StillThere { modified });
        let remembered = RecheckQueue {
            rows: vec![seen("1", at("13", "34"), 5)],
            times: 1,
            at: start(),
        };
        fake.data().state.as_mut().unwrap().poll.again = Some(remembered);
        fake.data().stage_info = StageInfo::Position(now);
        changes(&fake, Vec::new());
        wait(&fake);
        assert_eq!(poll(&fake).await, Polled::Done(0));
        assert_eq!(fake.row(&key).entry.left_at.is_some(), left);
        assert_eq!(state(&fake).poll.again, None);
    }
}

#[tokio::test]
async fn a_failing_connection_is_no_unreadable_record() {
    let (fake, _) = changed_since().await;
    let broken = CallError {
        scope: ErrorScope::Connection,
        ..failing(Phase::Refused)
    };
    fake.data().fails.insert("stage_info", broken);
    for _ in 0..5 {
        assert_eq!(poll(&fake).await, Polled::Failed);
        wait(&fake);
    }
}

#[tokio::test]
async fn nobody_polls_before_it_is_due() {
    for (due, polls) in [(1, false), (0, true), (-1, true)] {
        let fake = polled().await;
        fake.set(|data| data.state.as_mut().unwrap().due_at = time(due));
        let polled = poll(&fake).await;
        assert_eq!(polled == Polled::NotDue, !polls, "{due}");
        assert_eq!(!calls(&fake).is_empty(), polls, "{due}");
    }
    let fake = FakePorts::new();
    fake.data().tenant.paused = true;
    assert_eq!(poll(&fake).await, Polled::NotDue);
    assert_eq!(calls(&fake), Vec::<&str>::new());
}

#[tokio::test]
async fn the_interval_is_as_wished_unless_the_allowance_is_short() {
    let fake = polled().await;
    poll(&fake).await;
    assert_eq!(state(&fake).due_at, time(60));
    // The rest of the day has to do with the remaining calls.
    wait(&fake);
    fake.data().allowance = 100;
    poll(&fake).await;
    assert_eq!(
        state(&fake).due_at,
        time(60) + (SignedDuration::from_secs(DAY - 60) / 100)
    );
}

/// The stages that Eploy has.
fn stages(fake: &FakePorts, ids: &[&str]) {
    let stage = |id: &&str| NamedId {
        id: (*id).to_owned(),
        name: "Video".to_owned(),
        archived: false,
    };
    fake.data().directory.stages = Some(ids.iter().map(stage).collect());
}

#[tokio::test]
async fn a_mapping_whose_stage_vanished_invites_nobody_and_is_reported_once() {
    let fake = polled().await;
    stages(&fake, &["13"]);
    changes(&fake, vec![seen("1", at_trigger(), 10)]);
    // Checked every six hours.
    fake.data().now = time(6 * 3600 - 1);
    assert_eq!(poll(&fake).await, Polled::Done(1));
    assert_eq!(calls(&fake), ["changed_applications"]);
    // A list can be incomplete once: only a second check with the same outcome counts.
    changes(&fake, vec![]);
    fake.pass(6 * 3600);
    assert_eq!(poll(&fake).await, Polled::Done(0));
    assert_eq!(calls(&fake), ["directory", "changed_applications"]);
    assert_eq!(status(&fake), MappingStatus::Active);
    wait(&fake);
    for published in [1, 0, 0] {
        fake.data().published.clear();
        poll(&fake).await;
        assert_eq!(calls(&fake), ["directory", "changed_applications"]);
        assert_eq!(fake.data().published.len(), published);
        assert!(matches!(status(&fake), MappingStatus::Broken { .. }));
        // While it is broken, it is checked every quarter of an hour.
        fake.pass(900);
    }
    stages(&fake, &["12"]);
    poll(&fake).await;
    assert_eq!(calls(&fake), ["directory", "changed_applications"]);
    assert_eq!(status(&fake), MappingStatus::Active);
}

/// A setup whose mapping is on, and then its stage is missing from the list.
async fn broken() -> FakePorts {
    let fake = polled().await;
    stages(&fake, &["13"]);
    fake.pass(6 * 3600);
    poll(&fake).await;
    wait(&fake);
    poll(&fake).await;
    assert!(matches!(status(&fake), MappingStatus::Broken { .. }));
    wait(&fake);
    calls(&fake);
    fake
}

#[tokio::test]
async fn who_is_seen_at_a_stage_that_the_list_lacks_is_invited_and_proves_that_it_exists() {
    let fake = broken().await;
    changes(&fake, vec![seen("2", at_trigger(), 20)]);
    assert_eq!(poll(&fake).await, Polled::Done(1));
    assert_eq!(row_of(&fake, "2").unwrap().state, State::Detected);
    assert_eq!(status(&fake), MappingStatus::Active);
    // The list lacks it still, which counts for nothing for a day.
    changes(&fake, vec![]);
    let broken_after = |hours: i64| {
        let fake = fake.clone();
        async move {
            let mut broken = false;
            for _ in 0..2 {
                fake.pass(hours * 3600 / 2);
                poll(&fake).await;
                broken = matches!(status(&fake), MappingStatus::Broken { .. });
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
    let fake = broken().await;
    let gone = |modified| seen("1", at("13", "34"), modified);
    let broke_at = (fake.data().now - time(0)).get_seconds();
    let came = seen("2", at("13", "34"), broke_at + 60);
    changes(&fake, vec![gone(0), came.clone()]);
    poll(&fake).await;
    wait(&fake);
    fake.data().tenant.mappings[0].triggers[0].stage = "13".into();
    fake.data().at_triggers = vec![page(vec![gone(0), came], false)];
    changes(&fake, vec![]);
    assert_eq!(poll(&fake).await, Polled::Done(1));
    let state_of = |application| row_of(&fake, application).unwrap().state;
    assert_eq!(state_of("1"), State::Skipped(SkipReason::Baseline));
    assert_eq!(state_of("2"), State::Detected);
    assert_eq!(status(&fake), MappingStatus::Active);
}

/// It was never on: a list was incomplete from the beginning.
#[tokio::test]
async fn who_enters_while_a_new_mapping_counts_as_broken_is_invited() {
    let fake = FakePorts::new();
    stages(&fake, &["13"]);
    poll(&fake).await;
    assert!(matches!(status(&fake), MappingStatus::Broken { .. }));
    wait(&fake);
    let there = seen("1", at_trigger(), -9000);
    changes(&fake, vec![seen("2", at_trigger(), 90)]);
    fake.data().at_triggers = vec![page(vec![there], false)];
    assert_eq!(poll(&fake).await, Polled::Done(1));
    let state_of = |application| row_of(&fake, application).unwrap().state;
    assert_eq!(state_of("1"), State::Skipped(SkipReason::Baseline));
    assert_eq!(state_of("2"), State::Detected);
    assert_eq!(status(&fake), MappingStatus::Active);
}

#[tokio::test]
async fn a_mapping_whose_stage_exists_continues() {
    let fake = polled().await;
    stages(&fake, &["12"]);
    fake.pass(6 * 3600);
    changes(&fake, vec![seen("1", at_trigger(), 10)]);
    assert_eq!(poll(&fake).await, Polled::Done(1));
    assert_eq!(calls(&fake), ["directory", "changed_applications"]);
}

#[tokio::test]
async fn a_list_that_is_short_for_once_breaks_nothing() {
    for shown in [&["13"][..], &[]] {
        let fake = polled().await;
        stages(&fake, shown);
        fake.pass(6 * 3600);
        poll(&fake).await;
        stages(&fake, &["12"]);
        wait(&fake);
        poll(&fake).await;
        stages(&fake, shown);
        fake.pass(6 * 3600);
        changes(&fake, vec![seen("1", at_trigger(), 10)]);
        assert_eq!(poll(&fake).await, Polled::Done(1));
        assert_eq!(status(&fake), MappingStatus::Active);
        let detected = |what: &What| matches!(what, What::Detected { .. });
        assert!(fake.data().published.iter().all(detected));
    }
}

#[tokio::test]
async fn lists_that_cannot_be_read_keep_nobody_from_being_invited() {
    let fake = polled().await;
    fake.pass(6 * 3600);
    changes(&fake, vec![seen("1", at_trigger(), 10)]);
    let down = failing(Phase::Unknown);
    fake.data().fails.insert("directory", down.clone());
    assert_eq!(poll(&fake).await, Polled::Done(1));
    wait(&fake);
    calls(&fake);
    poll(&fake).await;
    assert_eq!(calls(&fake), ["changed_applications"], "not at every poll");
    fake.pass(900);
    poll(&fake).await;
    assert_eq!(calls(&fake), ["directory", "changed_applications"]);
    // An error of the whole connection ends the poll.
    let refused = CallError {
        scope: ErrorScope::Connection,
        ..down
    };
    fake.data().fails.insert("directory", refused);
    fake.pass(900);
    assert_eq!(poll(&fake).await, Polled::Failed);
}

/// By a faulty clock or a migration. Nothing that changes until then would be seen if the cursor followed it.
#[tokio::test]
async fn a_date_in_the_future_does_not_move_the_cursor() {
    let fake = polled().await;
    let now = fake.data().now;
    let ahead = |seconds| (now + SignedDuration::from_secs(seconds) - time(0)).get_seconds();
    // Clocks and time zones differ by no more than this.
    let plausible = ahead(65 * 60);
    let rows = vec![
        seen("1", at_trigger(), plausible),
        seen("2", at_trigger(), plausible + 1),
        seen("3", at_trigger(), 80 * 365 * DAY),
    ];
    fake.data().changed = vec![page(rows, false)];
    assert_eq!(poll(&fake).await, Polled::Done(3));
    assert_eq!(state(&fake).poll.cursor, Some(time(plausible)));

    // Such a record alone counts as changed now.
    let fake = polled().await;
    let now = fake.data().now;
    fake.data().changed = vec![page(vec![seen("3", at_trigger(), 80 * 365 * DAY)], false)];
    poll(&fake).await;
    assert_eq!(state(&fake).poll.cursor, Some(now));
}

#[tokio::test]
async fn that_a_mapping_is_broken_is_an_event_with_the_reason() {
    let fake = FakePorts::new();
    stages(&fake, &["13"]);
    poll(&fake).await;
    let data = fake.data();
    let [
        What::MappingBroken {
            mapping, reason, ..
        },
    ] = data.published.as_slice()
    else {
        panic!("{:?}", data.published);
    };
    assert_eq!(*mapping, "video".into());
    assert!(reason.contains("trigger stage 12"), "{reason}");
}

/// A second mapping is turned on while the first is at work.
#[tokio::test]
async fn a_reading_of_who_is_there_concerns_only_mappings_that_are_being_turned_on() {
    let fake = polled().await;
    let mut second = crate::fake_ports::mapping("second");
    second.vacancies = Vacancies::Only(["4101".into()].into());
    fake.data().tenant.mappings.push(second);
    fake.data().at_triggers = vec![page(vec![seen("1", at_trigger(), 0)], false)];
    assert_eq!(poll(&fake).await, Polled::Done(0));
    let mappings = fake
        .data()
        .rows
        .keys()
        .map(|key| key.mapping.clone())
        .collect::<Vec<_>>();
    assert_eq!(mappings, ["second".into()]);
}
