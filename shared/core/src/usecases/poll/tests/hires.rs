//! Hires in what a poll reads.

use super::interrupted::overtaken;
use super::polling::{calls, poll, poll_until, state, wait};
use super::*;
use crate::announcement::{Announcement, Hire, HireKey, SkipReason, State};
use crate::clock::Deadline;
use crate::error::Phase;
use crate::fake_ports::{FakePorts, at, failing, start, time};
use crate::ports::{ApplicationPage, PlacementPage, PlacementRow, UnparsableRecord};
use crate::tenant::{HirePlan, HiredWhen, Trigger};
use crate::work::Work;
use jiff::SignedDuration;

fn hired() -> Position {
    at("90", "1")
}

fn stages() -> HiredWhen {
    HiredWhen::Stages(vec![Trigger {
        stage: "90".into(),
        stage_name: None,
        statuses: Vec::new(),
    }])
}

fn placements() -> HiredWhen {
    HiredWhen::Placements(["placed".into()].into())
}

fn plan(fake: &FakePorts, when: HiredWhen) {
    let endpoint = None;
    fake.data().tenant.hires = Some(HirePlan { when, endpoint });
}

/// A setup without mappings, with a plan for hires.
fn setup(when: HiredWhen) -> FakePorts {
    let fake = FakePorts::new();
    fake.data().tenant.mappings.clear();
    plan(&fake, when);
    fake
}

fn applied(id: &str, position: Position) -> ApplicationRow {
    ApplicationRow {
        id: id.into(),
        candidate: "9001".into(),
        vacancy: "4101".into(),
        position,
        modified: Some(time(10)),
    }
}

fn applications(rows: Vec<ApplicationRow>, more: bool) -> ApplicationPage {
    ApplicationPage {
        rows,
        set_aside: Vec::new(),
        more,
    }
}

fn placed(id: &str, status: Option<&str>, modified: i64) -> PlacementRow {
    PlacementRow {
        id: id.into(),
        candidate: "9001".into(),
        vacancy: "4101".into(),
        status: status.map(Into::into),
        modified: Some(time(modified)),
    }
}

fn page(rows: Vec<PlacementRow>, more: bool) -> PlacementPage {
    PlacementPage {
        rows,
        set_aside: Vec::new(),
        more,
    }
}

fn key(hire: Hire) -> HireKey {
    HireKey {
        tenant: "acme".into(),
        hire,
    }
}

fn by_application(id: &str) -> HireKey {
    key(Hire::Application(id.into()))
}

fn by_placement(id: &str) -> HireKey {
    key(Hire::Placement(id.into()))
}

fn known(fake: &FakePorts, key: &HireKey) -> Option<Announcement> {
    fake.data().announcements.get(key).cloned()
}

fn is_baseline(fake: &FakePorts, key: &HireKey) -> bool {
    known(fake, key).is_some_and(|row| row.state == State::Skipped(SkipReason::Baseline))
}

fn announced(fake: &FakePorts) -> Vec<HireKey> {
    let mut data = fake.data();
    let queued = std::mem::take(&mut data.queued);
    let keys = queued.into_iter().map(|work| match work {
        Work::Announce { key } => key,
        other => panic!("{other:?}"),
    });
    keys.collect()
}

/// Where several stages cannot be asked for at once, each has its search: without one, all applications would be read.
#[tokio::test]
async fn who_was_hired_before_is_read_in_as_many_searches_as_stages_take() {
    let fake = setup(stages());
    fake.set(|data| {
        data.searches = 3;
        data.at_triggers = vec![
            applications(vec![applied("1", hired())], true),
            applications(vec![applied("2", hired())], false),
        ];
    });
    // Time runs out between two pages; it goes on where it was.
    let mut polls = 0;
    let is_on = |fake: &FakePorts| {
        let state = fake.data().state.clone();
        state.is_some_and(|state| state.hires.unwrap().baseline.is_none())
    };
    while !is_on(&fake) {
        polls += 1;
        assert!(polls < 10);
        let now = fake.data().now;
        poll_until(&fake, Deadline::at(now)).await;
    }
    let read = calls(&fake);
    let read = read.iter().filter(|call| **call == "applications_at");
    assert_eq!(read.count(), 6, "two pages of each");
    assert!(is_baseline(&fake, &by_application("1")));
    assert!(is_baseline(&fake, &by_application("2")));
}

#[tokio::test]
async fn a_reading_of_the_hired_that_takes_fewer_searches_than_before_begins_again() {
    let fake = setup(stages());
    fake.set(|data| {
        data.searches = 2;
        data.at_triggers = vec![applications(vec![applied("1", hired())], false)];
    });
    let now = fake.data().now;
    poll_until(&fake, Deadline::at(now)).await;
    assert_eq!(state(&fake).hires.unwrap().search, 1);
    fake.data().searches = 1;
    wait(&fake);
    poll(&fake).await;
    let hires = state(&fake).hires.unwrap();
    assert_eq!((hires.baseline, hires.search), (None, 0));
    assert!(is_baseline(&fake, &by_application("1")));
}

#[tokio::test]
async fn who_enters_the_stage_of_the_hired_is_announced_once_and_who_was_there_never() {
    let fake = setup(stages());
    fake.data().at_triggers = vec![applications(vec![applied("1", hired())], false)];
    assert_eq!(poll(&fake).await, Polled::Done(0));
    assert!(is_baseline(&fake, &by_application("1")));
    assert_eq!(
        calls(&fake),
        ["directory", "applications_at", "changed_applications"]
    );
    let rows = vec![
        applied("1", hired()),
        applied("2", hired()),
        applied("3", at("12", "34")),
    ];
    fake.data().changed = vec![applications(rows, false)];
    for announces in [vec![by_application("2")], vec![]] {
        wait(&fake);
        assert_eq!(poll(&fake).await, Polled::Done(announces.len()));
        assert_eq!(announced(&fake), announces);
        assert_eq!(calls(&fake), ["changed_applications"]);
    }
    let row = known(&fake, &by_application("2")).unwrap();
    assert_eq!(row.state, State::Detected);
    assert_eq!(row.not_before, start());
    assert_eq!((row.candidate, row.vacancy), ("9001".into(), "4101".into()));
}

#[tokio::test]
async fn a_placement_of_the_status_is_announced_once_and_those_of_before_never() {
    let fake = setup(placements());
    let before = vec![
        placed("1", Some("placed"), 0),
        // More than was requested.
        placed("2", Some("offered"), 0),
    ];
    fake.data().placed = vec![page(before, false)];
    assert_eq!(poll(&fake).await, Polled::Done(0));
    assert!(is_baseline(&fake, &by_placement("1")));
    assert_eq!(known(&fake, &by_placement("2")), None);
    let now = vec![
        placed("1", Some("placed"), 20),
        placed("2", Some("placed"), 20),
        placed("3", Some("offered"), 30),
        placed("4", None, 10),
    ];
    fake.data().placements = vec![page(now, false)];
    for announces in [vec![by_placement("2")], vec![]] {
        wait(&fake);
        calls(&fake);
        assert_eq!(poll(&fake).await, Polled::Done(announces.len()));
        assert_eq!(announced(&fake), announces);
        assert_eq!(calls(&fake), ["changed_applications", "changed_placements"]);
    }
    let hires = state(&fake).hires.unwrap();
    // For as long as nothing newer was seen, by our time.
    assert_eq!(hires.cursor, Some(time(30 + 60)));
    let since: Vec<_> = fake
        .data()
        .asked_since
        .iter()
        .map(|asked| asked.0)
        .collect();
    // Applications and placements in turn, the latter with an hour for an Eploy whose clock differs from ours.
    assert_eq!(since[1], Some(time(-3900)));
    assert_eq!(since[3], Some(time(-3900)));
    assert_eq!(since[5], Some(time(30)));
}

#[tokio::test]
async fn a_hire_that_was_taken_back_and_is_seen_again_is_a_hire() {
    let fake = setup(stages());
    poll(&fake).await;
    let rows = vec![applied("1", hired())];
    fake.data().changed = vec![applications(rows, false)];
    wait(&fake);
    poll(&fake).await;
    announced(&fake);
    fake.set(|data| {
        let row = data.announcements.get_mut(&by_application("1")).unwrap();
        row.state = State::Skipped(SkipReason::MovedOn);
        row.due_at = None;
    });
    wait(&fake);
    // Another poll saw it first.
    fake.data().conflicts = 1;
    poll(&fake).await;
    assert_eq!(announced(&fake), []);
    wait(&fake);
    assert_eq!(poll(&fake).await, Polled::Done(1));
    assert_eq!(announced(&fake), [by_application("1")]);
    let row = known(&fake, &by_application("1")).unwrap();
    assert_eq!(row.state, State::Detected);
}

#[tokio::test]
async fn a_changed_plan_announces_nobody_who_was_hired_by_then() {
    let fake = setup(stages());
    poll(&fake).await;
    assert_eq!(state(&fake).hires.unwrap().baseline, None);
    // Unchanged.
    wait(&fake);
    calls(&fake);
    poll(&fake).await;
    assert_eq!(calls(&fake), ["changed_applications"]);

    plan(&fake, placements());
    fake.data().placed = vec![page(vec![placed("1", Some("placed"), 0)], false)];
    wait(&fake);
    let now = fake.data().now;
    poll(&fake).await;
    let hires = state(&fake).hires.unwrap();
    assert_eq!((hires.baseline, hires.since), (None, now));
    assert!(is_baseline(&fake, &by_placement("1")));

    plan(&fake, HiredWhen::Placements(["started".into()].into()));
    fake.data().placed = vec![page(vec![placed("2", Some("started"), 0)], false)];
    wait(&fake);
    poll(&fake).await;
    assert!(is_baseline(&fake, &by_placement("2")));

    fake.data().tenant.hires = None;
    wait(&fake);
    calls(&fake);
    poll(&fake).await;
    assert_eq!(state(&fake).hires, None);
    assert_eq!(calls(&fake), ["changed_applications"]);
}

#[tokio::test]
async fn a_baseline_of_several_pages_is_gone_on_with_and_announces_nobody() {
    let fake = setup(placements());
    let one = |id| vec![placed(id, Some("placed"), 0)];
    fake.data().placed = vec![
        page(one("1"), true),
        page(one("2"), true),
        page(one("3"), false),
    ];
    fake.data().calls_take = SignedDuration::from_secs(1);
    // The directory and two pages.
    let deadline = Deadline::at(time(3));
    assert_eq!(poll_until(&fake, deadline).await, Polled::Unfinished);
    assert_eq!(state(&fake).hires.unwrap().baseline, Some(3));
    calls(&fake);
    assert_eq!(poll_until(&fake, deadline).await, Polled::Done(0));
    assert_eq!(
        calls(&fake),
        [
            "placements_with",
            "changed_applications",
            "changed_placements"
        ]
    );
    for id in ["1", "2", "3"] {
        assert!(is_baseline(&fake, &by_placement(id)), "{id}");
    }
    assert_eq!(announced(&fake), []);
}

#[tokio::test]
async fn changed_placements_are_gone_on_with_after_the_deadline() {
    let fake = setup(placements());
    poll(&fake).await;
    wait(&fake);
    let one = |id, modified, more| page(vec![placed(id, Some("placed"), modified)], more);
    fake.set(|data| {
        data.placements = vec![one("1", 10, true), one("2", 30, true), one("3", 20, false)];
        data.calls_take = SignedDuration::from_secs(1);
        data.asked_since.clear();
    });
    let second = |second: i64| state(&fake).due_at + SignedDuration::from_secs(second);
    // The applications and two pages.
    let deadline = Deadline::at(second(3));
    assert_eq!(poll_until(&fake, deadline).await, Polled::Unfinished);
    assert_eq!(announced(&fake), [by_placement("1"), by_placement("2")]);
    assert_eq!(state(&fake).hires.unwrap().cursor, Some(time(-3900)));
    assert_eq!(poll(&fake).await, Polled::Done(1));
    assert_eq!(announced(&fake), [by_placement("3")]);
    let pages: Vec<_> = fake
        .data()
        .asked_since
        .iter()
        .map(|asked| asked.1)
        .collect();
    assert_eq!(pages, [1, 1, 2, 1, 3]);
    let hires = state(&fake).hires.unwrap();
    assert_eq!((hires.reached, hires.progress), (Some(time(30)), None));
}

/// An API key may lack the right to read placements: that must not stop the reading of applications.
#[tokio::test]
async fn placements_that_may_not_be_read_announce_nobody_and_hold_nobody_up() {
    for call in ["placements_with", "changed_placements"] {
        let fake = setup(placements());
        if call == "changed_placements" {
            poll(&fake).await;
            wait(&fake);
        }
        let refused = failing(Phase::Refused);
        fake.data().fails.insert(call, refused);
        for times in 1..=2 {
            assert_eq!(poll(&fake).await, Polled::Done(0));
            let failure = state(&fake).hires.unwrap().failure.unwrap();
            assert_eq!(failure.attempts, times, "{call}");
            wait(&fake);
        }
        fake.data().fails.clear();
        assert_eq!(poll(&fake).await, Polled::Done(0));
        assert_eq!(state(&fake).hires.unwrap().failure, None);
    }
}

/// Whatever is wrong with the reading of hires alone, candidates are invited all the same, and the failure is saved
/// until it is over.
#[tokio::test]
async fn that_hires_cannot_be_read_keeps_nobody_from_being_invited() {
    for (when, call, phase) in [
        (placements(), "placements_with", Phase::Unknown),
        (placements(), "changed_placements", Phase::NotSent),
        (stages(), "applications_at", Phase::Refused),
    ] {
        let fake = setup(when);
        fake.data().fails.insert(call, failing(phase));
        assert_eq!(poll(&fake).await, Polled::Done(0), "{call}");
        assert!(calls(&fake).contains(&"changed_applications"), "{call}");
        assert!(state(&fake).hires.unwrap().failure.is_some(), "{call}");
        fake.data().fails.clear();
        wait(&fake);
        assert_eq!(poll(&fake).await, Polled::Done(0));
        assert_eq!(state(&fake).hires.unwrap().failure, None, "{call}");
    }
}

#[tokio::test]
async fn what_concerns_the_whole_connection_ends_the_poll_also_while_hires_are_read() {
    for (call, phase) in [
        ("placements_with", Phase::NotSent),
        ("changed_placements", Phase::Throttled),
    ] {
        let fake = setup(placements());
        let error = CallError {
            scope: ErrorScope::Connection,
            ..failing(phase)
        };
        fake.data().fails.insert(call, error);
        assert_eq!(poll(&fake).await, Polled::Failed, "{call}");
        assert_eq!(state(&fake).hires.unwrap().failure, None);
    }
}

#[tokio::test]
async fn who_was_hired_since_another_poll_was_quicker_is_not_taken_for_the_baseline() {
    let fake = setup(placements());
    fake.data().placed = vec![page(vec![placed("1", Some("placed"), 0)], false)];
    overtaken(&fake, "placements_with");
    assert_eq!(poll(&fake).await, Polled::NotDue);
    assert_eq!(known(&fake, &by_placement("1")), None);
}

/// While placements are unreadable, the baseline is not complete, and no hire that is seen is announced.
#[tokio::test]
async fn nobody_is_announced_before_the_baseline_is_complete() {
    let fake = setup(placements());
    fake.data().placements = vec![page(vec![placed("1", Some("placed"), 0)], false)];
    let refused = failing(Phase::Refused);
    fake.data().fails.insert("placements_with", refused);
    poll(&fake).await;
    assert_eq!(announced(&fake), []);
    assert!(!calls(&fake).contains(&"changed_placements"));
}

#[tokio::test]
async fn a_placement_that_cannot_be_read_hides_no_other() {
    let fake = setup(placements());
    poll(&fake).await;
    wait(&fake);
    let mut read = page(vec![placed("1", Some("placed"), 0)], false);
    read.set_aside.push(UnparsableRecord {
        id: None,
        reason: "no candidate".to_owned(),
    });
    fake.data().placements = vec![read];
    assert_eq!(poll(&fake).await, Polled::Done(1));
    // Only the outcomes of applications are counted.
    assert_eq!(state(&fake).poll.set_aside, 0);
}

#[tokio::test]
async fn an_announcement_follows_a_candidate_who_was_merged_into_another() {
    for (when, by) in [
        (stages(), by_application("1")),
        (placements(), by_placement("1")),
    ] {
        let fake = setup(when);
        poll(&fake).await;
        for candidate in ["9001", "8000"] {
            let mut application = applied("1", hired());
            application.candidate = candidate.into();
            let mut placement = placed("1", Some("placed"), 10);
            placement.candidate = candidate.into();
            fake.set(|data| {
                data.changed = vec![applications(vec![application.clone()], false)];
                data.placements = vec![page(vec![placement.clone()], false)];
            });
            wait(&fake);
            poll(&fake).await;
            let row = known(&fake, &by).unwrap();
            assert_eq!(row.candidate, candidate.into());
            assert_eq!(row.state, State::Detected);
        }
        assert_eq!(announced(&fake), [by]);
    }
}
