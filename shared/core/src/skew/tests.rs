use serde_json::json;

use super::*;
use crate::announcement::{Hire, HireKey};
use crate::ids::{AssessmentRef, InvitationKey};
use crate::invitation::{Entry, Event, Step};
use crate::ports::{StageScan, Suspension, SweepFailing};

const HOUR: i64 = 3600;
/// How far the clock was ahead.
const AHEAD: i64 = 5 * HOUR;

fn time(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn failure(since: i64) -> Failure {
    Failure {
        code: "test.failed".to_owned(),
        problem: "it did not work".to_owned(),
        remedy: "Wait.".to_owned(),
        first_failed_at: time(since),
        attempts: 1,
    }
}

/// A row that was seen at this second by the clock, and deferred for this long.
fn deferral(at: i64, wait: i64) -> Invitation {
    let row = Invitation::detected(
        InvitationKey {
            tenant: "acme".into(),
            application: "1".into(),
            mapping: "m".into(),
            round: 1,
        },
        "9001".into(),
        "4101".into(),
        AssessmentRef {
            account: "willo".into(),
            assessment: "k".into(),
        },
        Entry {
            not_before: Some(time(at - 60)),
            ..Entry::seen(time(at))
        },
    );
    let event = Event::Deferred {
        claim: None,
        failure: failure(at),
        until: time(at + wait),
    };
    let deferral = row.apply(event, time(at), &Timing::default(), None);
    deferral.unwrap().next
}

#[test]
fn an_invitation_waits_for_its_own_interval_and_no_longer() {
    let timing = Timing::default();
    // A minute later, the clock is right.
    let row = deferral(AHEAD, 30).set_back(time(60), &timing).unwrap();
    assert_eq!(row.version, deferral(AHEAD, 30).version + 1);
    let at = time(60 + 30);
    let step = Step::Invite;
    assert_eq!(row.schedule, Schedule::At { at, step });
    assert_eq!((row.retry_at, row.touched_at()), (Some(at), time(60)));
    assert_eq!(row.failure.as_ref().unwrap().first_failed_at, time(60));
    assert_eq!(
        row.entry.not_before, None,
        "when it was turned on is not known"
    );
    assert_eq!(row.set_back(time(60), &timing), None);
    // While a clock is ahead only within the tolerance, or the wait is long, nothing is changed.
    assert_eq!(deferral(60, 30).set_back(time(0), &timing), None);
    assert_eq!(deferral(0, 30 * HOUR).set_back(time(1), &timing), None);
}

/// As a delivery does: it loads the row without moving its times back.
#[test]
fn times_are_moved_back_although_a_right_clock_wrote_the_row_since() {
    let timing = Timing::default();
    let left = Event::Left { modified: None };
    let row = deferral(AHEAD, 30).apply(left, time(60), &timing, None);
    let row = row.unwrap().next;
    assert_eq!(row.touched_at(), time(60));
    let row = row.set_back(time(90), &timing).unwrap();
    assert_eq!(row.entry.seen_at, time(90));
    assert_eq!(row.set_back(time(90), &timing), None);
}

#[test]
fn a_lease_ends_in_its_time() {
    let timing = Timing::default();
    let claim = Event::Claim {
        lease_until: time(AHEAD + 60),
        entered_at: None,
        history: None,
        sent_to: None,
    };
    let row = deferral(0, 1).apply(claim, time(AHEAD), &timing, None);
    let row = row.unwrap().next.set_back(time(10), &timing).unwrap();
    let lease_until = time(10 + 60);
    assert_eq!(row.state, State::Sending { lease_until });
    assert_eq!(
        row.schedule,
        Schedule::At {
            at: lease_until,
            step: Step::Invite
        }
    );
    // The history does not mention the report's lease.
    let mut row = deferral(0, 1);
    row.report.lease_until = Some(time(AHEAD + 60));
    let row = row.set_back(time(10), &timing).unwrap();
    assert_eq!(row.report.lease_until, Some(time(10 + 60)));
}

#[test]
fn a_tenants_times_are_moved_back_together() {
    let mut state = TenantState::new(time(AHEAD + 900));
    state.saved_at = Some(time(AHEAD));
    state.check_at = Some(time(AHEAD + 6 * HOUR));
    state.poll.cursor = Some(time(AHEAD - 3900));
    state.suspended = Some(Suspension {
        failure: failure(AHEAD),
        until: time(AHEAD + 900),
    });
    state.poll.failure = Some(failure(AHEAD));
    state.poll.scan = Some(StageScan {
        failure: Some(failure(AHEAD)),
        ..StageScan::starting(time(AHEAD + 600))
    });
    let broken = json!({"broken": {"reason": "gone", "at": time(AHEAD)}});
    let part = json!({"definition": "d", "since": time(AHEAD), "on": true});
    let mapping = json!({"status": broken, "since": time(AHEAD), "earlier": [part]});
    let mapping = serde_json::from_value(mapping).unwrap();
    state.mappings.insert("m".into(), mapping);
    assert!(state.set_back(time(60)));
    assert_eq!(state.due_at, time(60 + 900));
    assert_eq!(state.check_at, Some(time(60 + 6 * HOUR)));
    assert_eq!(state.suspended.as_ref().unwrap().until, time(60 + 900));
    assert_eq!(
        state.poll.failure.as_ref().unwrap().first_failed_at,
        time(60)
    );
    let scan = state.poll.scan.as_ref().unwrap();
    assert_eq!(scan.at, time(60 + 600), "a scan comes in its own time");
    assert_eq!(scan.failure.as_ref().unwrap().first_failed_at, time(60));
    // An application that entered meanwhile neither counts as baseline nor is passed by the cursor.
    let early = time(60 - 24 * HOUR);
    // An application that entered since the mapping covered it, or since the mapping broke, does not count as baseline.
    let mapping = &state.mappings[&"m".into()];
    assert_eq!(mapping.since, early);
    assert_eq!(mapping.earlier[0].since, early);
    let MappingStatus::Broken { at, .. } = mapping.status else {
        panic!("{mapping:?}");
    };
    assert_eq!(at, Some(early));
    assert_eq!(state.poll.cursor, Some(early));
    assert!(!state.set_back(time(60)));
}

#[test]
fn what_eploy_asked_for_is_waited_for() {
    let mut state = TenantState::new(time(20 * HOUR));
    state.saved_at = Some(time(0));
    assert!(!state.set_back(time(1)));
    assert_eq!(state.due_at, time(20 * HOUR));
}

#[test]
fn a_sweep_is_due_when_its_clock_was_ahead() {
    let sweep = |last_at: i64, due_at: i64| SweepState {
        due_at: Some(time(due_at)),
        last_at: Some(time(last_at)),
        ..SweepState::default()
    };
    assert!(!sweep(0, 900).is_due(time(899)));
    assert!(sweep(0, 900).is_due(time(900)));
    assert!(sweep(AHEAD, AHEAD + 900).is_due(time(60)));
    // Scheduled by that clock, so that only its time can show it.
    assert!(sweep(0, 26 * HOUR).is_due(time(60)));
    assert!(!sweep(0, 24 * HOUR).is_due(time(60)));
    assert!(!SweepState::default().is_due(time(0)));
}

/// A failed sweep is incomplete, so its last look does not show the clock that it failed by.
#[test]
fn a_sweep_that_failed_while_the_clock_was_ahead_is_due_as_soon_as_the_clock_is_right() {
    let failed = |at: i64| SweepState {
        due_at: Some(time(at + 900)),
        last_at: Some(time(0)),
        failing: Some(SweepFailing {
            failure: failure(0),
            at: Some(time(at)),
            open_after: None,
            ended_after: None,
        }),
        ..SweepState::default()
    };
    assert!(failed(2 * HOUR).is_due(time(60)));
    assert!(!failed(60).is_due(time(60)));
}

#[test]
fn an_announcement_waits_for_its_own_interval() {
    let key = HireKey {
        tenant: "acme".into(),
        hire: Hire::Application("1".into()),
    };
    let seen = |at| Announcement::detected(key.clone(), "1".into(), "2".into(), time(at), time(at));
    let row = seen(AHEAD).set_back(time(60)).unwrap();
    assert_eq!((row.seen_at, row.due_at), (time(60), Some(time(60))));
    assert_eq!(row.set_back(time(60)), None);
    assert_eq!(seen(60).set_back(time(0)), None);
}

#[test]
fn a_part_of_a_report_is_tried_again_in_its_time() {
    let mut row = deferral(AHEAD, 1);
    let failure = row.failure.clone().unwrap();
    let failure = crate::invitation::PartFailure {
        failure,
        next: NextTry::At(time(AHEAD + 7200)),
        mentioned: false,
    };
    let state = crate::invitation::PartState {
        revision: 0,
        failure: Some(failure),
    };
    row.report
        .parts
        .insert(crate::invitation::Part::Export, state);
    let row = row.set_back(time(0), &Timing::default()).unwrap();
    let failure = row.report.failure(crate::invitation::Part::Export).unwrap();
    let NextTry::At(at) = failure.next else {
        panic!("{failure:?}");
    };
    assert!(
        at <= time(7200) && failure.failure.first_failed_at <= time(0),
        "{failure:?}"
    );
}
