mod edits;
mod feeds;
mod hires;
mod interrupted;
mod merged;
mod overlap;
mod polling;

use super::decide::*;
use super::*;
use crate::error::ErrorScope;
use crate::events::What;
use crate::ids::{AssessmentRef, InvitationKey};
use crate::invitation::{Entry, Event, FailReason, Invitation, SkipReason};
use crate::ports::{ApplicationRow, Directory, HistoryRow, MappingStatus, NamedId};
use crate::tenant::{
    Mapping, MappingKind, Position, Reentry, ReportPlan, Settings, Trigger, Vacancies,
};
use crate::timing::Timing;
use crate::usecases::entry_into;
use jiff::Timestamp;

const ACTIVE: MappingStatus = MappingStatus::Active;

fn time(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

pub(super) fn mapping() -> Mapping {
    Mapping {
        id: "m".into(),
        paused: false,
        vacancies: Vacancies::Only(["4101".into()].into()),
        triggers: vec![Trigger {
            stage: "12".into(),
            stage_name: Some("Video Interview".to_owned()),
            statuses: vec!["34".into(), "35".into()],
        }],
        assessment: AssessmentRef {
            account: "willo".into(),
            assessment: "k".into(),
        },
        kind: MappingKind::Invitation,
        options: Settings::new(),
        reentry: Reentry::Once,
        include_current: false,
        allow_overlap: false,
        expires_after_days: None,
        report: ReportPlan::default(),
    }
}

fn at(stage: &str, status: &str) -> Position {
    Position {
        stage: Some(stage.into()),
        status: Some(status.into()),
    }
}

fn row(position: Position, modified: i64) -> ApplicationRow {
    ApplicationRow {
        id: "70215".into(),
        candidate: "9001".into(),
        vacancy: "4101".into(),
        position,
        modified: Some(time(modified)),
    }
}

fn known(round: u32) -> Invitation {
    Invitation::detected(
        InvitationKey {
            tenant: "acme".into(),
            application: "70215".into(),
            mapping: "m".into(),
            round,
        },
        "9001".into(),
        "4101".into(),
        mapping().assessment,
        Entry {
            modified: Some(time(100)),
            ..Entry::seen(time(100))
        },
    )
}

fn then(row: &Invitation, event: Event, at: i64) -> Invitation {
    row.apply(event, time(at), &Timing::default(), None)
        .unwrap()
        .next
}

fn invited(round: u32) -> Invitation {
    let claim = Event::Claim {
        lease_until: time(200),
        entered_at: Some(time(90)),
        history: Some("h1".into()),
        sent_to: None,
    };
    let sent = Event::Sent {
        reference: "r".into(),
        link: None,
        adopted: false,
        writer: None,
    };
    then(&then(&known(round), claim, 101), sent, 102)
}

#[test]
fn an_entry_is_invited_once() {
    let trigger = row(at("12", "34"), 100);
    assert_eq!(
        decide(&mapping(), &ACTIVE, &trigger, None),
        Decision::Invite { round: 1 }
    );
    assert_eq!(
        decide(&mapping(), &ACTIVE, &trigger, Some(&known(1))),
        Decision::Known
    );
    assert_eq!(
        decide(
            &mapping(),
            &ACTIVE,
            &row(at("12", "34"), 900),
            Some(&invited(1))
        ),
        Decision::Known
    );
}

#[test]
fn other_stages_statuses_and_vacancies_are_not_concerned() {
    for position in [
        at("13", "34"),
        at("12", "36"),
        Position {
            stage: Some("12".into()),
            status: None,
        },
        Position::default(),
    ] {
        assert_eq!(
            decide(&mapping(), &ACTIVE, &row(position, 100), None),
            Decision::NotMatched
        );
    }
    let mut other = row(at("12", "34"), 100);
    other.vacancy = "4102".into();
    assert_eq!(
        decide(&mapping(), &ACTIVE, &other, None),
        Decision::NotMatched
    );
}

#[test]
fn turning_a_mapping_on_invites_nobody_who_was_there_unless_asked_to() {
    let baseline = MappingStatus::Baseline {
        page: 1,
        again: false,
        after_break: false,
        search: 0,
    };
    let trigger = row(at("12", "34"), 100);
    let reason = SkipReason::Baseline;
    assert_eq!(
        decide(&mapping(), &baseline, &trigger, None),
        Decision::Skip { round: 1, reason }
    );
    let asked = Mapping {
        include_current: true,
        ..mapping()
    };
    assert_eq!(
        decide(&asked, &baseline, &trigger, None),
        Decision::Invite { round: 1 }
    );
}

#[test]
fn a_paused_mapping_saves_the_entries_that_it_skips() {
    let paused = Mapping {
        paused: true,
        ..mapping()
    };
    let reason = SkipReason::Paused;
    assert_eq!(
        decide(&paused, &ACTIVE, &row(at("12", "34"), 100), None),
        Decision::Skip { round: 1, reason }
    );
}

#[test]
fn leaving_and_coming_back_is_a_new_entry_where_it_counts() {
    let gone = row(at("13", "34"), 300);
    let back = row(at("12", "34"), 400);
    let once = mapping();
    let again = Mapping {
        reentry: Reentry::Again,
        ..mapping()
    };
    // Invited: a further entry counts only where the mapping says so.
    assert_eq!(
        decide(&once, &ACTIVE, &gone, Some(&invited(1))),
        Decision::NotMatched
    );
    assert_eq!(
        decide(&again, &ACTIVE, &gone, Some(&invited(1))),
        Decision::NoteLeft
    );
    let left = then(&invited(1), Event::Left { modified: None }, 300);
    assert_eq!(
        decide(&again, &ACTIVE, &back, Some(&left)),
        Decision::Invite { round: 2 }
    );
    assert_eq!(decide(&once, &ACTIVE, &back, Some(&left)), Decision::Known);
    assert_eq!(
        decide(&again, &ACTIVE, &gone, Some(&left)),
        Decision::NotMatched
    );
    // Skipped: a further entry always counts.
    let baseline = known(1).skipped(SkipReason::Baseline);
    assert_eq!(
        decide(&once, &ACTIVE, &gone, Some(&baseline)),
        Decision::NoteLeft
    );
    let left = then(&baseline, Event::Left { modified: None }, 300);
    assert_eq!(
        decide(&once, &ACTIVE, &back, Some(&left)),
        Decision::Invite { round: 2 }
    );
    // Not yet sent: leaving is recorded, and skips it.
    assert_eq!(
        decide(&once, &ACTIVE, &gone, Some(&known(1))),
        Decision::NoteLeft
    );
}

/// Our own outcomes and moves are not the recruiter's.
#[test]
fn what_a_report_of_ours_did_is_no_leaving() {
    let again = Mapping {
        reentry: Reentry::Again,
        ..mapping()
    };
    let with = |row: Invitation| {
        let mut row = row;
        row.report.positions = vec![
            Position {
                stage: None,
                status: Some("10".into()),
            },
            Position {
                stage: Some("15".into()),
                status: None,
            },
        ];
        row
    };
    for (position, waits, shown) in [
        (at("12", "10"), Decision::Known, Decision::Known),
        // A move of ours ends the stay of an invited candidate: coming back to the stage is a new entry.
        (at("15", "1"), Decision::Known, Decision::NoteLeft),
        (at("12", "11"), Decision::NoteLeft, Decision::NoteLeft),
        (at("16", "10"), Decision::NoteLeft, Decision::NoteLeft),
    ] {
        let decided = |of: Invitation| {
            let row = row(position.clone(), 100);
            decide(&again, &ACTIVE, &row, Some(&with(of)))
        };
        assert_eq!(decided(known(1)), waits, "{position:?}");
        assert_eq!(decided(invited(1)), shown, "{position:?}");
    }
}

/// It never arrived, so a further entry is invited, whatever the mapping says of second entries.
#[test]
fn an_invitation_that_never_arrived_is_sent_again_on_reentry() {
    let mut bounced = invited(1);
    bounced.state = crate::invitation::State::Bounced;
    let gone = row(at("13", "1"), 100);
    assert_eq!(
        decide(&mapping(), &ACTIVE, &gone, Some(&bounced)),
        Decision::NoteLeft
    );
    bounced.entry.left_at = Some(time(100));
    let back = row(at("12", "34"), 200);
    assert_eq!(
        decide(&mapping(), &ACTIVE, &back, Some(&bounced)),
        Decision::Invite { round: 2 }
    );
}

/// Two polls may read at once, and the one that acts last may have read first.
#[test]
fn a_row_from_before_the_departure_is_no_return_unless_it_is_back_by_now() {
    let again = Mapping {
        reentry: Reentry::Again,
        ..mapping()
    };
    let modified = Some(time(300));
    let left = then(&invited(1), Event::Left { modified }, 310);
    let decided = |modified| decide(&again, &ACTIVE, &row(at("12", "34"), modified), Some(&left));
    assert_eq!(decided(299), Decision::AskHistory);
    assert_eq!(decided(300), Decision::Invite { round: 2 });
    let line = |id: &str, second, position| HistoryRow {
        id: id.into(),
        at: Some(time(second)),
        position,
    };
    let mut history = vec![
        line("h1", 90, at("12", "34")),
        line("h2", 300, at("13", "34")),
    ];
    assert_eq!(
        decide_by_history(&again, &ACTIVE, &left, &history),
        Decision::Known
    );
    history.push(line("h3", 320, at("12", "34")));
    assert_eq!(
        decide_by_history(&again, &ACTIVE, &left, &history),
        Decision::Invite { round: 2 }
    );
    let by_position = |position| decide_by_position(&again, &ACTIVE, &left, &position);
    assert_eq!(by_position(at("13", "34")), Decision::Known);
    assert_eq!(by_position(at("12", "34")), Decision::Invite { round: 2 });
}

#[test]
fn leaving_and_coming_back_between_two_polls_is_found_in_the_history() {
    let again = Mapping {
        reentry: Reentry::Again,
        ..mapping()
    };
    let latest = invited(1);
    assert_eq!(
        decide(&again, &ACTIVE, &row(at("12", "34"), 400), Some(&latest)),
        Decision::AskHistory
    );
    assert_eq!(
        decide(&again, &ACTIVE, &row(at("12", "34"), 100), Some(&latest)),
        Decision::Known
    );
    let line = |id: &str, second, position| HistoryRow {
        id: id.into(),
        at: Some(time(second)),
        position,
    };
    let same = [
        line("h1", 90, at("12", "34")),
        line("h2", 300, at("12", "35")),
    ];
    assert_eq!(
        decide_by_history(&again, &ACTIVE, &latest, &same),
        Decision::StillThere
    );
    let came_back = [
        line("h1", 90, at("12", "34")),
        line("h2", 300, at("13", "34")),
        line("h3", 310, at("12", "34")),
    ];
    assert_eq!(
        decide_by_history(&again, &ACTIVE, &latest, &came_back),
        Decision::Invite { round: 2 }
    );
    // A change as old as the known one is not newer.
    let unmoved = [
        line("h2", 50, at("13", "34")),
        line("h3", 100, at("12", "34")),
    ];
    assert_eq!(
        decide_by_history(&again, &ACTIVE, &latest, &unmoved),
        Decision::StillThere
    );
    // A row and its history can be dated a moment apart: it never left.
    let a_moment_later = [
        line("h2", 50, at("13", "34")),
        line("h3", 101, at("12", "34")),
    ];
    let from_the_beginning = [line("h3", 101, at("12", "34"))];
    let at_that_moment = [
        line("h2", 100, at("13", "34")),
        line("h3", 101, at("12", "34")),
    ];
    let mut unclaimed = latest.clone();
    unclaimed.entry.history = None;
    // It had come back by the time that it was invited, after its row was read.
    let mut claimed_since = latest.clone();
    claimed_since.entry.history = Some("h3".into());
    for (history, of, decision) in [
        (&a_moment_later[..], &latest, Decision::StillThere),
        (&a_moment_later, &unclaimed, Decision::StillThere),
        (&from_the_beginning, &unclaimed, Decision::StillThere),
        (&at_that_moment, &latest, Decision::StillThere),
        (&came_back, &claimed_since, Decision::StillThere),
        // Known by its history, which begins with another stay by now.
        (&from_the_beginning, &latest, Decision::Invite { round: 2 }),
        (&came_back, &unclaimed, Decision::Invite { round: 2 }),
    ] {
        assert_eq!(
            decide_by_history(&again, &ACTIVE, of, history),
            decision,
            "{history:?}"
        );
    }
    // An invitation that is being sent is not checked.
    assert_eq!(
        decide(&again, &ACTIVE, &row(at("12", "34"), 400), Some(&known(1))),
        Decision::Known
    );
    // The mapping was changed after that entry, and the baseline noted its position: a change never fires for the past.
    let baseline = MappingStatus::Baseline {
        page: 1,
        again: false,
        after_break: false,
        search: 0,
    };
    assert_eq!(
        decide(&again, &baseline, &row(at("12", "34"), 400), Some(&latest)),
        Decision::StillThere
    );
    let modified = Some(time(400));
    let noted = then(&latest, Event::StillThere { modified }, 401);
    assert_eq!(
        decide_by_history(&again, &ACTIVE, &noted, &came_back),
        Decision::StillThere
    );
    let left = [
        line("h1", 90, at("12", "34")),
        line("h2", 300, at("13", "34")),
    ];
    // The history is behind the search: nothing is concluded, least of all that it left.
    assert_eq!(
        decide_by_history(&again, &ACTIVE, &latest, &left),
        Decision::Known
    );
}

/// The baseline reading takes several polls, and meanwhile an application leaves and comes back.
#[test]
fn a_return_during_the_baseline_reading_belongs_to_the_baseline() {
    let baseline = MappingStatus::Baseline {
        page: 2,
        again: false,
        after_break: false,
        search: 0,
    };
    let moved_on = Event::Skip {
        claim: None,
        reason: SkipReason::MovedOn,
    };
    let left = then(&known(1), moved_on, 150);
    let back = row(at("12", "34"), 200);
    let decided = |include_current, latest| {
        let mapping = Mapping {
            include_current,
            ..mapping()
        };
        decide(&mapping, &baseline, &back, Some(latest))
    };
    assert_eq!(decided(true, &left), Decision::Invite { round: 2 });
    assert_eq!(decided(false, &left), Decision::StillThere);
    // An application that was not seen away is in the same stay.
    let failed = Event::Fail {
        claim: None,
        reason: FailReason::NoEmail,
    };
    let stayed = then(&known(1), failed, 150);
    assert_eq!(decided(true, &stayed), Decision::StillThere);
}

/// A poll read its page before the entry, and was suspended until the entry was saved.
#[test]
fn an_old_page_does_not_say_that_somebody_left() {
    let again = Mapping {
        reentry: Reentry::Again,
        ..mapping()
    };
    let elsewhere = |modified| row(at("13", "34"), modified);
    let decided = |modified| decide(&again, &ACTIVE, &elsewhere(modified), Some(&invited(1)));
    assert_eq!(decided(99), Decision::Known);
    assert_eq!(decided(100), Decision::NoteLeft);
    assert_eq!(decided(101), Decision::NoteLeft);
    // Without times from Eploy this cannot be detected.
    let mut timeless = elsewhere(0);
    timeless.modified = None;
    assert_eq!(
        decide(&again, &ACTIVE, &timeless, Some(&invited(1))),
        Decision::NoteLeft
    );
}

#[test]
fn a_stay_begins_where_the_run_of_trigger_rows_begins() {
    let line = |id: &str, position| HistoryRow {
        id: id.into(),
        at: None,
        position,
    };
    let rows = [
        line("1", at("12", "34")),
        line("2", at("9", "1")),
        line("3", at("12", "35")),
        line("4", at("12", "34")),
    ];
    assert_eq!(entry_into(&mapping(), &rows).unwrap().history.as_str(), "3");
    assert_eq!(entry_into(&mapping(), &rows[..2]), None);
    assert_eq!(entry_into(&mapping(), &[]), None);
}

#[test]
fn the_interval_spreads_what_is_left_of_the_day() {
    assert!((interval(60.0, 86_400.0, 8000.0) - 60.0).abs() < 1e-9);
    assert!((interval(60.0, 36_000.0, 100.0) - 360.0).abs() < 1e-9);
    assert!((interval(60.0, 3600.0, 0.0) - 3600.0).abs() < 1e-9);
}

#[test]
fn the_average_of_pages_forgets_one_large_reading_and_keeps_many() {
    assert_eq!(average(0, 1), 100);
    assert_eq!(average(0, 0), 100);
    assert!(average(100, 30) < 500);
    let many = (0..40).fold(0, |before, _| average(before, 30));
    assert!((2900..=3000).contains(&many), "{many}");
}

#[test]
fn a_stage_that_vanished_breaks_the_mapping() {
    let option = |id: &str, archived| NamedId {
        id: id.to_owned(),
        name: "Video".to_owned(),
        archived,
    };
    let whole = Directory {
        stages: Some(vec![option("12", false)]),
        statuses: Some(vec![option("34", false), option("35", false)]),
    };
    assert_eq!(mappings::broken(&mapping(), &whole), None);
    assert_eq!(mappings::broken(&mapping(), &Directory::default()), None);
    let gone = Directory {
        stages: Some(vec![option("13", false)]),
        ..whole.clone()
    };
    assert!(
        mappings::broken(&mapping(), &gone)
            .unwrap()
            .contains("no longer there")
    );
    let archived = Directory {
        statuses: Some(vec![option("34", true), option("35", false)]),
        ..whole
    };
    assert!(
        mappings::broken(&mapping(), &archived)
            .unwrap()
            .contains("archived")
    );
}

pub(super) fn tenant(mappings: Vec<Mapping>) -> crate::tenant::Tenant {
    crate::tenant::Tenant {
        id: "acme".into(),
        paused: false,
        eploy: crate::tenant::EployConnection {
            base_url: "https://acme.eploy.net/".parse().unwrap(),
            daily_calls: 1000,
            poll_seconds: 60,
            dialect: serde_json::Map::default(),
        },
        platforms: std::collections::BTreeMap::default(),
        mappings,
        hires: None,
        retention_days: None,
    }
}

/// The watched form of a mapping that is on.
fn watched_on(mapping: &Mapping, state: &mut TenantState) -> Watched {
    let known = state.mappings.get_mut(&mapping.id).unwrap();
    known.status = MappingStatus::Active;
    Watched::new(mapping.clone(), known.clone())
}

#[test]
fn only_what_a_change_adds_starts_with_a_baseline() {
    let before = mapping();
    let switched = |change: fn(&mut Mapping)| {
        let mut tenant = tenant(vec![before.clone()]);
        let mut state = TenantState::new(time(0));
        assert_eq!(mappings::adopt(&tenant, &mut state, time(1)).len(), 1);
        assert!(!mappings::is_changed(&tenant, &state));
        let watched = watched_on(&before, &mut state);
        change(&mut tenant.mappings[0]);
        let changed = mappings::is_changed(&tenant, &state);
        let kept = mappings::switch(&tenant, &mut state, &[watched], time(9));
        assert_eq!(kept.len(), usize::from(changed));
        assert!(!mappings::is_changed(&tenant, &state));
        let known = state.mappings.remove(&before.id).unwrap();
        (changed, known.status, known.earlier.len(), known.since)
    };
    let nothing = (false, MappingStatus::Active, 0, time(1));
    let quietly = (true, MappingStatus::Active, 0, time(1));
    let reading = mappings::first_reading(&before);
    // Texts and pauses do not matter.
    let renamed = switched(|one| one.triggers[0].stage_name = Some("Renamed".to_owned()));
    assert_eq!(renamed, nothing);
    assert_eq!(switched(|one| one.paused = true), nothing);
    // What matters only after an entry.
    assert_eq!(switched(|one| one.reentry = Reentry::Again), quietly);
    assert_eq!(
        switched(|one| one.assessment.assessment = "k2".into()),
        quietly
    );
    // The applications that were there before the addition.
    let wider = switched(|one| one.triggers[0].statuses.clear());
    assert_eq!(wider, (true, reading.clone(), 1, time(9)));
    let all = switched(|one| one.vacancies = Vacancies::All);
    assert_eq!(all, (true, reading, 1, time(9)));
    let narrower = switched(|one| drop(one.triggers[0].statuses.pop()));
    assert_eq!(narrower, (true, MappingStatus::Active, 1, time(9)));
}

#[test]
fn a_removed_mapping_is_forgotten_and_one_of_an_earlier_program_is_known_again() {
    let mut tenant = tenant(vec![mapping()]);
    let mut state = TenantState::new(time(0));
    mappings::adopt(&tenant, &mut state, time(1));
    // As an earlier program left it.
    let known = state.mappings.get_mut(&mapping().id).unwrap();
    known.definition = None;
    known.watches = mappings::watches(&mapping());
    known.status = MappingStatus::Active;
    assert_eq!(mappings::adopt(&tenant, &mut state, time(2)).len(), 1);
    assert_eq!(state.mappings[&mapping().id].status, MappingStatus::Active);
    tenant.mappings.clear();
    assert!(mappings::is_changed(&tenant, &state));
    mappings::switch(&tenant, &mut state, &[], time(3));
    assert!(state.mappings.is_empty());
}
