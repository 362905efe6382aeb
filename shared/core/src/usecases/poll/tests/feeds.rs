//! The feeds of changes, and the stage scan beside them.

use jiff::SignedDuration;

use super::super::{Polled, scan_calls_a_day};
use super::polling::{calls, changes, page, poll, polled, row_of, seen, state, wait};
use super::*;
use crate::error::Phase;
use crate::fake_ports::{FakePorts, at, at_trigger, failing, time};
use crate::invitation::State;
use crate::ports::{ChangeFeed, Feed, StageChange, StageChangePage, StageInfo};

const FROZEN: i64 = -9000;

/// A setup whose mapping is on, read by this feed.
async fn read_by(by: ChangeFeed, settled: bool) -> FakePorts {
    let fake = FakePorts::new();
    fake.set(|data| data.feed = Feed { by, settled });
    assert_eq!(poll(&fake).await, Polled::Done(0));
    calls(&fake);
    wait(&fake);
    fake
}

/// The applications at the trigger now, in one page, with dates that no change of stage moves.
fn at_the_trigger(fake: &FakePorts, applications: &[&str]) {
    let row = |id: &&str| seen(id, at_trigger(), FROZEN);
    fake.data().at_triggers = vec![page(applications.iter().map(row).collect(), false)];
}

fn scan(fake: &FakePorts) -> crate::ports::StageScan {
    state(fake).poll.scan.unwrap()
}

/// Advances the clock until the scan is due.
fn wait_for_scan(fake: &FakePorts) {
    let due = scan(fake).at.max(state(fake).due_at);
    fake.data().now = due;
}

#[tokio::test]
async fn a_settled_feed_is_not_scanned() {
    let fake = polled().await;
    for _ in 0..3 {
        fake.data().now += SignedDuration::from_hours(24);
        assert_eq!(poll(&fake).await, Polled::Done(0));
        assert_eq!(calls(&fake).last(), Some(&"changed_applications"));
        assert_eq!(state(&fake).poll.scan, None);
    }
}

#[tokio::test]
async fn until_the_feed_is_settled_a_scan_catches_what_it_missed() {
    let fake = read_by(ChangeFeed::ModificationDate, false).await;
    assert_eq!(poll(&fake).await, Polled::Done(0));
    assert_eq!(calls(&fake), ["changed_applications"], "not yet");
    // Moved to the trigger, with its earlier date.
    at_the_trigger(&fake, &["1"]);
    wait_for_scan(&fake);
    assert_eq!(poll(&fake).await, Polled::Done(1));
    assert_eq!(calls(&fake), ["changed_applications", "applications_at"]);
    assert_eq!(row_of(&fake, "1").unwrap().state, State::Detected);
    assert_eq!(scan(&fake).missed, 0, "the feed may yet show it");
    wait(&fake);
    assert_eq!(poll(&fake).await, Polled::Done(0));
    assert_eq!(
        (scan(&fake).missed, scan(&fake).missed_at),
        (1, Some(fake.data().now))
    );
    wait_for_scan(&fake);
    assert_eq!(poll(&fake).await, Polled::Done(0), "once");
    assert_eq!(scan(&fake).missed, 1);
}

#[tokio::test]
async fn what_the_feed_shows_next_it_did_not_miss() {
    let fake = read_by(ChangeFeed::ModificationDate, false).await;
    at_the_trigger(&fake, &["1"]);
    wait_for_scan(&fake);
    assert_eq!(poll(&fake).await, Polled::Done(1));
    changes(&fake, vec![seen("1", at_trigger(), 900)]);
    wait(&fake);
    assert_eq!(poll(&fake).await, Polled::Done(0));
    wait(&fake);
    poll(&fake).await;
    assert_eq!(scan(&fake).missed, 0);
}

/// A poll that finds nothing new stays one call, and a scan of many pages is spread over the day.
#[tokio::test]
async fn a_scan_costs_a_bounded_number_of_calls_a_day() {
    for (pages, most) in [(1, 96), (30, 500)] {
        let fake = read_by(ChangeFeed::ModificationDate, false).await;
        let empty = |number| page(Vec::new(), number < pages);
        fake.data().at_triggers = (1..=pages).map(empty).collect();
        fake.data().tenant.eploy.daily_calls = 10_000;
        let (begins, mut polls) = (fake.data().now, 0);
        while fake.data().now < begins + SignedDuration::from_hours(24) {
            poll(&fake).await;
            polls += 1;
            wait(&fake);
        }
        let calls = calls(&fake);
        let count = |name| calls.iter().filter(|call| **call == name).count();
        assert_eq!(count("changed_applications"), polls);
        let scanned = count("applications_at");
        assert!(
            scanned <= most + 10 && scanned >= most / 2,
            "{pages}: {scanned}"
        );
        assert_eq!(scan_calls_a_day(ChangeFeed::ModificationDate, 10_000), 500);
    }
}

#[tokio::test]
async fn a_scan_that_fails_keeps_nobody_waiting() {
    let fake = read_by(ChangeFeed::ModificationDate, false).await;
    fake.data()
        .fails
        .insert("applications_at", failing(Phase::Refused));
    changes(&fake, vec![seen("2", at_trigger(), 10)]);
    wait_for_scan(&fake);
    assert_eq!(poll(&fake).await, Polled::Done(1));
    assert!(scan(&fake).failure.is_some() && scan(&fake).at > fake.data().now);
    assert_eq!(state(&fake).suspended, None);
    fake.data().fails.clear();
    wait_for_scan(&fake);
    assert_eq!(poll(&fake).await, Polled::Done(0));
    assert_eq!(scan(&fake).failure, None);
}

/// Nothing stored is due later than its longest interval, whatever the clock showed when it was stored.
#[tokio::test]
async fn a_scan_is_due_within_a_day() {
    let fake = read_by(ChangeFeed::ModificationDate, false).await;
    fake.set(|data| {
        let far = data.now + SignedDuration::from_hours(9000);
        data.state.as_mut().unwrap().poll.scan.as_mut().unwrap().at = far;
    });
    poll(&fake).await;
    assert_eq!(
        scan(&fake).at,
        fake.data().now + SignedDuration::from_hours(24)
    );
}

/// What is read for one mapping's baseline does not count as known by the others, and exits are noticed.
#[tokio::test]
async fn who_left_and_came_back_between_scans_is_a_new_entry() {
    for by in [ChangeFeed::ModificationDate, ChangeFeed::StageRoute] {
        let fake = FakePorts::new();
        fake.set(|data| {
            data.feed = Feed {
                by,
                settled: by == ChangeFeed::StageRoute,
            }
        });
        at_the_trigger(&fake, &["1", "2"]);
        poll(&fake).await;
        let first = row_of(&fake, "1").unwrap();
        assert_eq!(first.state, State::Skipped(SkipReason::Baseline));
        wait_for_scan(&fake);
        assert_eq!(
            poll(&fake).await,
            Polled::Done(0),
            "{by:?}: they were there before"
        );
        // One leaves, and its own record says so.
        at_the_trigger(&fake, &["2"]);
        let away = seen("1", at("13", "34"), FROZEN);
        fake.data().records.insert("1".into(), away);
        wait_for_scan(&fake);
        calls(&fake);
        assert_eq!(poll(&fake).await, Polled::Done(0));
        assert_eq!(calls(&fake).last(), Some(&"application"));
        assert!(row_of(&fake, "1").unwrap().entry.left_at.is_some());
        // And comes back.
        at_the_trigger(&fake, &["1", "2"]);
        wait_for_scan(&fake);
        assert_eq!(poll(&fake).await, Polled::Done(1), "{by:?}");
        wait_for_scan(&fake);
        assert_eq!(poll(&fake).await, Polled::Done(0));
    }
}

/// The order of pages is not known: an application that moves between pages during the reading did not leave.
#[tokio::test]
async fn who_is_not_found_is_asked_about_before_they_count_as_gone() {
    let fake = read_by(ChangeFeed::StageRoute, true).await;
    at_the_trigger(&fake, &["1"]);
    assert_eq!(poll(&fake).await, Polled::Done(1));
    at_the_trigger(&fake, &[]);
    let there = seen("1", at_trigger(), FROZEN);
    fake.data().records.insert("1".into(), there);
    wait(&fake);
    assert_eq!(poll(&fake).await, Polled::Done(0));
    assert_eq!(row_of(&fake, "1").unwrap().entry.left_at, None);
    assert!(scan(&fake).residents.position(&"1".into()).is_some());
}

/// Also if no row of ours said whose application it is when the candidate was erased.
#[tokio::test]
async fn an_erased_candidate_at_a_trigger_is_not_remembered() {
    let fake = read_by(ChangeFeed::ModificationDate, false).await;
    at_the_trigger(&fake, &["1", "2"]);
    let mut erased = seen("2", at_trigger(), FROZEN);
    erased.candidate = "9002".into();
    fake.set(|data| data.at_triggers[0].rows[1] = erased.clone());
    wait_for_scan(&fake);
    assert_eq!(poll(&fake).await, Polled::Done(2));
    assert_eq!(scan(&fake).residents.len(), 2);
    fake.set(|data| {
        data.erased.insert("9002".into());
        data.rows.retain(|_, row| row.candidate != "9002".into());
        data.records.insert("2".into(), erased.clone());
    });
    wait_for_scan(&fake);
    assert_eq!(poll(&fake).await, Polled::Done(0));
    let left = serde_json::to_value(scan(&fake)).unwrap();
    assert_eq!(left["known_at"][0][1], serde_json::json!(["1"]));
    // Nor if the feed shows them.
    erased.modified = Some(fake.data().now);
    fake.set(|data| data.applications = vec![erased.clone()]);
    wait(&fake);
    assert_eq!(poll(&fake).await, Polled::Done(0));
    assert_eq!(scan(&fake).residents.len(), 1);
}

/// Before an invitation goes out, its sender looks where the application stands. What it finds, the scan did not see.
#[tokio::test]
async fn who_was_found_gone_by_a_sender_and_is_back_is_a_new_entry() {
    let fake = read_by(ChangeFeed::ModificationDate, false).await;
    at_the_trigger(&fake, &["1"]);
    wait_for_scan(&fake);
    assert_eq!(poll(&fake).await, Polled::Done(1));
    wait_for_scan(&fake);
    assert_eq!(poll(&fake).await, Polled::Done(0), "it still waits");
    let row = row_of(&fake, "1").unwrap();
    let reason = SkipReason::MovedOn;
    let skipped = then(
        &row,
        Event::Skip {
            claim: None,
            reason,
        },
        1,
    );
    fake.data().rows.insert(row.key.clone(), skipped);
    wait_for_scan(&fake);
    assert_eq!(poll(&fake).await, Polled::Done(1));
}

/// What any reading shows is known to the scan: it may be made long after.
#[tokio::test]
async fn who_was_seen_away_while_a_mapping_was_turned_on_is_an_entry_when_back() {
    let fake = read_by(ChangeFeed::ModificationDate, false).await;
    at_the_trigger(&fake, &["1"]);
    wait_for_scan(&fake);
    assert_eq!(poll(&fake).await, Polled::Done(1));
    let row = row_of(&fake, "1").unwrap();
    let reason = SkipReason::Paused;
    let skipped = then(
        &row,
        Event::Skip {
            claim: None,
            reason,
        },
        1,
    );
    fake.data().rows.insert(row.key.clone(), skipped);
    wait_for_scan(&fake);
    assert_eq!(poll(&fake).await, Polled::Done(0));
    assert!(scan(&fake).waiting.is_empty());
    fake.set(|data| {
        let triggers = &mut data.tenant.mappings[0].triggers;
        triggers[0].statuses.push("36".into());
        data.at_triggers = vec![page(vec![seen("1", at("13", "34"), FROZEN)], false)];
    });
    wait(&fake);
    assert_eq!(poll(&fake).await, Polled::Done(0));
    assert!(row_of(&fake, "1").unwrap().entry.left_at.is_some());
    at_the_trigger(&fake, &["1"]);
    wait_for_scan(&fake);
    assert_eq!(poll(&fake).await, Polled::Done(1));
}

/// Both stages are watched, so the application is found in every pass. Its own date does not tell.
#[tokio::test]
async fn a_move_from_one_trigger_to_another_is_an_entry() {
    for slipped in [false, true] {
        let fake = FakePorts::new();
        fake.set(|data| {
            let mut another = data.tenant.mappings[0].clone();
            another.id = "week".into();
            another.assessment.assessment = "another".into();
            another.triggers[0].stage = "13".into();
            another.triggers[0].statuses.clear();
            data.tenant.mappings.push(another);
            data.feed = Feed {
                by: ChangeFeed::ModificationDate,
                settled: false,
            };
        });
        assert_eq!(poll(&fake).await, Polled::Done(0));
        at_the_trigger(&fake, &["1"]);
        wait_for_scan(&fake);
        assert_eq!(poll(&fake).await, Polled::Done(1));
        // Read at the other trigger, or found there by its own record.
        let moved = seen("1", at("13", "1"), FROZEN);
        fake.set(|data| {
            data.at_triggers = vec![page(
                Vec::from_iter((!slipped).then(|| moved.clone())),
                false,
            )];
            data.records.insert("1".into(), moved.clone());
        });
        wait_for_scan(&fake);
        assert_eq!(poll(&fake).await, Polled::Done(1), "slipped: {slipped}");
        assert!(row_of(&fake, "1").unwrap().entry.left_at.is_some());
        // And back again.
        let back = seen("1", at_trigger(), FROZEN);
        fake.set(|data| {
            data.at_triggers = vec![page(vec![back.clone()], false)];
            data.records.insert("1".into(), back.clone());
        });
        wait_for_scan(&fake);
        assert_eq!(poll(&fake).await, Polled::Done(1), "slipped: {slipped}");
        wait_for_scan(&fake);
        assert_eq!(poll(&fake).await, Polled::Done(0));
    }
}

/// Where all applications are read, those elsewhere are seen without a call for each.
#[tokio::test]
async fn a_full_reading_shows_who_left() {
    let fake = read_by(ChangeFeed::SlowFull, true).await;
    at_the_trigger(&fake, &["1"]);
    wait_for_scan(&fake);
    assert_eq!(poll(&fake).await, Polled::Done(1));
    fake.data().at_triggers = vec![page(vec![seen("1", at("13", "34"), FROZEN)], false)];
    wait_for_scan(&fake);
    calls(&fake);
    assert_eq!(poll(&fake).await, Polled::Done(0));
    assert_eq!(calls(&fake), ["changed_applications", "applications_at"]);
    let row = row_of(&fake, "1").unwrap();
    assert_eq!(row.state, State::Skipped(SkipReason::MovedOn));
    assert!(scan_calls_a_day(ChangeFeed::SlowFull, 10_000) == 2500);
}

#[tokio::test]
async fn the_stage_route_is_one_call_when_nothing_is_new() {
    let fake = read_by(ChangeFeed::StageRoute, true).await;
    at_the_trigger(&fake, &["1", "2"]);
    assert_eq!(poll(&fake).await, Polled::Done(2));
    for _ in 0..3 {
        calls(&fake);
        wait(&fake);
        assert_eq!(poll(&fake).await, Polled::Done(0));
        assert_eq!(calls(&fake), ["applications_at"]);
    }
}

/// One row of the history, of an application that came to this position.
fn change(application: &str, position: Position, second: i64) -> StageChange {
    StageChange {
        application: application.into(),
        vacancy: Some("4101".into()),
        position: Some(position),
        at: Some(time(second)),
    }
}

fn history_shows(fake: &FakePorts, changes: Vec<StageChange>) {
    fake.data().stage_changes = vec![StageChangePage {
        changes,
        ..StageChangePage::default()
    }];
}

fn application(fake: &FakePorts, id: &str, position: Position) {
    let row = seen(id, position, FROZEN);
    fake.data().records.insert(id.into(), row);
}

#[tokio::test]
async fn by_the_status_history_an_application_is_read_once() {
    let fake = read_by(ChangeFeed::StatusHistory, true).await;
    application(&fake, "1", at_trigger());
    let rows = vec![
        change("1", at("11", "30"), 10),
        change("1", at_trigger(), 20),
        change("2", at("11", "30"), 30),
    ];
    history_shows(&fake, rows);
    assert_eq!(poll(&fake).await, Polled::Done(1));
    assert_eq!(calls(&fake), ["stage_changes", "application"]);
    assert_eq!(row_of(&fake, "1").unwrap().entry.modified, Some(time(20)));
    assert_eq!(state(&fake).poll.cursor, Some(time(30)));
    // The window overlaps, so it is shown again.
    wait(&fake);
    assert_eq!(poll(&fake).await, Polled::Done(0));
    assert_eq!(calls(&fake), ["stage_changes"]);
}

/// The history is a hint; the application's own record is the truth.
#[tokio::test]
async fn an_application_that_moved_on_since_is_not_saved() {
    let fake = read_by(ChangeFeed::StatusHistory, true).await;
    application(&fake, "1", at("13", "34"));
    history_shows(&fake, vec![change("1", at_trigger(), 20)]);
    assert_eq!(poll(&fake).await, Polled::Done(0));
    assert_eq!(row_of(&fake, "1"), None);
}

#[tokio::test]
async fn leaving_and_coming_back_is_seen_in_the_status_history() {
    let fake = read_by(ChangeFeed::StatusHistory, true).await;
    application(&fake, "1", at_trigger());
    history_shows(&fake, vec![change("1", at_trigger(), 20)]);
    assert_eq!(poll(&fake).await, Polled::Done(1));
    application(&fake, "1", at("13", "34"));
    history_shows(&fake, vec![change("1", at("13", "34"), 30)]);
    wait(&fake);
    assert_eq!(poll(&fake).await, Polled::Done(0));
    let row = row_of(&fake, "1").unwrap();
    assert_eq!(row.state, State::Skipped(SkipReason::MovedOn));
    application(&fake, "1", at_trigger());
    history_shows(&fake, vec![change("1", at_trigger(), 40)]);
    wait(&fake);
    assert_eq!(poll(&fake).await, Polled::Done(1));
    // Both within one interval, for one that was never sent: the application's history decides.
    let line = |id: &str, second, position| HistoryRow {
        id: id.into(),
        at: Some(time(second)),
        position,
    };
    let key = row_of(&fake, "1").unwrap().key;
    assert_eq!(key.round, 1, "the first of them");
    fake.set(|data| {
        for row in data.rows.values_mut() {
            row.state = State::Skipped(SkipReason::Paused);
        }
        data.stage_info = StageInfo::History(vec![
            line("1", 40, at_trigger()),
            line("2", 50, at("13", "34")),
            line("3", 60, at_trigger()),
        ]);
    });
    let back = vec![
        change("1", at("13", "34"), 50),
        change("1", at_trigger(), 60),
    ];
    history_shows(&fake, back);
    wait(&fake);
    assert_eq!(poll(&fake).await, Polled::Done(1));
    wait(&fake);
    calls(&fake);
    assert_eq!(poll(&fake).await, Polled::Done(0));
    assert_eq!(calls(&fake), ["stage_changes"]);
}

/// A row without the deciding fields is no reason to skip an application.
#[tokio::test]
async fn a_change_that_does_not_say_where_to_is_read_from_the_application() {
    let fake = read_by(ChangeFeed::StatusHistory, true).await;
    application(&fake, "1", at_trigger());
    let bare = StageChange {
        vacancy: None,
        position: None,
        ..change("1", at_trigger(), 20)
    };
    history_shows(&fake, vec![bare]);
    assert_eq!(poll(&fake).await, Polled::Done(1));
}

#[tokio::test]
async fn an_application_that_cannot_be_read_is_looked_for_by_the_scan() {
    let fake = read_by(ChangeFeed::StatusHistory, true).await;
    let mut forbidden = failing(Phase::Refused);
    forbidden.scope = crate::error::ErrorScope::Record;
    fake.data().fails.insert("application", forbidden);
    history_shows(&fake, vec![change("1", at_trigger(), 20)]);
    assert_eq!(poll(&fake).await, Polled::Done(0));
    at_the_trigger(&fake, &["1"]);
    history_shows(&fake, Vec::new());
    wait_for_scan(&fake);
    assert_eq!(poll(&fake).await, Polled::Done(1));
    wait(&fake);
    poll(&fake).await;
    assert_eq!(state(&fake).poll.scan, None, "once is enough");
}

#[tokio::test]
async fn another_feed_begins_with_a_scan_for_what_the_one_before_missed() {
    let fake = polled().await;
    at_the_trigger(&fake, &["1"]);
    fake.set(|data| {
        data.feed = Feed {
            by: ChangeFeed::StatusHistory,
            settled: true,
        };
    });
    wait(&fake);
    assert_eq!(poll(&fake).await, Polled::Done(1));
    assert_eq!(calls(&fake), ["stage_changes", "applications_at"]);
    wait(&fake);
    assert_eq!(poll(&fake).await, Polled::Done(0));
    assert_eq!(calls(&fake), ["stage_changes"]);
}

#[tokio::test]
async fn a_baseline_reads_search_after_search() {
    let fake = FakePorts::new();
    fake.set(|data| {
        data.searches = 3;
        data.at_triggers = vec![
            page(vec![seen("1", at_trigger(), FROZEN)], true),
            page(vec![seen("2", at_trigger(), FROZEN)], false),
        ];
    });
    assert_eq!(poll(&fake).await, Polled::Done(0));
    let calls = calls(&fake);
    let readings = calls.iter().filter(|call| **call == "applications_at");
    assert_eq!(readings.count(), 6);
    assert!(row_of(&fake, "1").is_some() && row_of(&fake, "2").is_some());
}

/// Where a change of stage does not move the date, the saved date can be much older than the stay. A change within the
/// stay must not count as a new one.
#[test]
fn a_frozen_date_makes_no_second_entry_of_one_stay() {
    let line = |id: &str, second, position| HistoryRow {
        id: id.into(),
        at: Some(time(second)),
        position,
    };
    let history = [
        line("1", -90_000, at("10", "30")),
        line("2", -80_000, at("11", "30")),
        line("3", -70_000, at_trigger()),
        line("4", 400, at("12", "35")),
    ];
    let mut paused = known(1).skipped(SkipReason::Paused);
    paused.entry.modified = Some(time(-90_000));
    let decided = decide_by_history(&mapping(), &ACTIVE, &paused, &history);
    assert_eq!(decided, Decision::StillThere);
}

/// State that was stored before there were feeds is read unchanged.
#[test]
fn a_state_of_before_is_read() {
    let mut stored = serde_json::to_value(TenantState::new(time(0))).unwrap();
    stored["mappings"] = serde_json::json!({"m": {"status": {"baseline": {"page": 4}}, "since": time(0), "watches": "w"}});
    let state: TenantState = serde_json::from_value(stored.clone()).unwrap();
    assert_eq!((&state.poll.feed, &state.poll.scan), (&None, &None));
    let reading = MappingStatus::Baseline {
        page: 4,
        again: false,
        after_break: false,
        search: 0,
    };
    assert_eq!(state.mappings[&"m".into()].status, reading);
    let scan = serde_json::json!({"at": time(5)});
    let scan: crate::ports::StageScan = serde_json::from_value(scan).unwrap();
    assert_eq!(scan, crate::ports::StageScan::starting(time(5)));
}
