//! The edges of single transitions: what is counted, what is reported, and what is left alone. Found by mutating the
//! state machine and seeing which changes no test noticed.

use super::*;
use crate::events::What;
use crate::ids::ActionId;
use crate::work::Work;

fn seen(status: Status, digest: u8) -> Event {
    Event::Observed {
        snapshot: snapshot(status, digest),
        change_token: None,
        lease_until: None,
        carried: false,
    }
}

fn invited() -> Invitation {
    step(&step(&fresh(), claim(60), 1).next, sent("r"), 2).next
}

fn watched() -> Invitation {
    step(&invited(), reported(&invited()), 3).next
}

/// Not sent yet, and the recruiter was notified that it is late.
fn late() -> Invitation {
    let deferral = Event::Deferred {
        claim: None,
        failure: failure(0),
        until: time(9000),
    };
    step(&fresh(), deferral, 1801).next
}

fn hopeless() -> Failure {
    Failure {
        attempts: 10,
        ..failure(0)
    }
}

fn published(effects: &[Effect]) -> Vec<&What> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Publish(event) => Some(&event.what),
            _ => None,
        })
        .collect()
}

#[test]
fn every_ending_is_a_new_revision() {
    let end = 3 * 86_400;
    let due = Event::Deferred {
        claim: None,
        failure: failure(0),
        until: time(end - 60),
    };
    let waiting = step(&late(), due, 1802).next;
    let given_up = Event::Deferred {
        claim: None,
        failure: hopeless(),
        until: time(end + 30),
    };
    assert_eq!(step(&waiting, given_up, end).next.revision, 2);
    let sending = step(&waiting, claim(end), end - 60).next;
    let unanswered = Event::LookupDeferred {
        failure: hopeless(),
        until: time(end + 30),
    };
    let row = step(&sending, unanswered, end).next;
    assert!(matches!(
        row.state,
        State::Failed(FailReason::OutcomeUnknown(_))
    ));
    assert_eq!(row.revision, 2);
    let unknown = Event::OutcomeUnknown {
        attempt: 1,
        failure: hopeless(),
        look_up_at: time(end),
    };
    let row = step(&sending, unknown, end - 60).next;
    let absent = Event::LookupNotFound { again_at: None };
    assert_eq!(step(&row, absent, end).next.revision, 2);
    let fail = Event::Fail {
        claim: None,
        reason: FailReason::NoEmail,
    };
    assert_eq!(step(&fresh(), fail.clone(), 1).next.revision, 1);
    assert_eq!(step(&late(), fail, 1802).next.revision, 2);
    assert_eq!(step(&invited(), Event::Cancel, 3).next.revision, 2);
    let expiring = invited()
        .apply(reported(&invited()), time(3), &Timing::default(), Some(1))
        .unwrap();
    let expired = step(&expiring.next, Event::WatchExpired, 2 + 86_400).next;
    assert_eq!(expired.revision, 2);
}

#[test]
fn skipping_is_silent_unless_something_was_reported_or_is_new() {
    let skip = |reason| Event::Skip {
        claim: None,
        reason,
    };
    let duplicate = SkipReason::Duplicate(None);
    assert_eq!(step(&fresh(), skip(duplicate), 1).next.revision, 1);
    for silent in [
        skip(SkipReason::MovedOn),
        Event::Left { modified: None },
        Event::Cancel,
    ] {
        let row = step(&fresh(), silent.clone(), 1).next;
        assert_eq!(
            (row.revision, row.schedule),
            (0, Schedule::Never),
            "{silent:?}"
        );
        assert_eq!(
            step(&late(), silent.clone(), 1802).next.revision,
            2,
            "{silent:?}"
        );
    }
}

#[test]
fn there_is_a_moment_once_it_concerns_the_recruiter() {
    let skip = Event::Skip {
        claim: None,
        reason: SkipReason::MovedOn,
    };
    let after = |row: &Invitation, event: &Event| step(row, event.clone(), 1802).next.moment();
    assert_eq!(fresh().moment(), None);
    assert_eq!(late().moment(), Some(Moment::Delayed));
    assert_eq!(after(&fresh(), &skip), None);
    assert_eq!(after(&late(), &skip), Some(Moment::Failed));
    assert_eq!(invited().moment(), Some(Moment::Invited));
    for (status, moment) in [
        (Status::Sent, Moment::Invited),
        (Status::Opened, Moment::Opened),
        (Status::Started, Moment::Started),
    ] {
        assert_eq!(after(&invited(), &seen(status, 1)), Some(moment));
    }
}

#[test]
fn only_what_is_new_counts_as_seen() {
    let plain = step(&watched(), seen(Status::Sent, 1), 4).next;
    assert_eq!(plain.revision, 1, "the first plain look tells nothing");
    assert_eq!(
        step(&plain, seen(Status::Sent, 2), 5).next.revision,
        2,
        "but a second one does"
    );
    let opened = step(&watched(), seen(Status::Opened, 1), 4).next;
    assert_eq!(opened.revision, 2);
    let started = step(&watched(), seen(Status::Started, 1), 4).next;
    assert_eq!((started.revision, started.ended_at), (2, None));
    let marked = |change_token: Option<&str>| Event::Observed {
        snapshot: snapshot(Status::Sent, 1),
        change_token: change_token.map(ToOwned::to_owned),
        lease_until: Some(time(90)),
        carried: false,
    };
    let row = step(&plain, marked(Some("7")), 5).next;
    assert_eq!((row.revision, row.change_token.as_deref()), (1, Some("7")));
    assert_eq!(row.report.lease_until, None, "there is nothing to report");
    for known in [Some("7"), None] {
        assert!(matches!(
            refused(&row, marked(known), 6),
            NotApplicable::NothingNew { .. }
        ));
    }
}

#[test]
fn an_ending_is_kept_against_its_like() {
    let done = step(&watched(), seen(Status::Completed, 1), 4).next;
    assert_eq!(done.ended_at, Some(time(4)));
    let rescored = step(&done, seen(Status::Graded, 2), 6).next;
    assert_eq!(rescored.ended_at, Some(time(4)));
    let declined = step(&watched(), seen(Status::Declined, 1), 4).next;
    assert_eq!(declined.ended_at, Some(time(4)));
    let late = step(&declined, seen(Status::Cancelled, 2), 6).next;
    assert_eq!(late.state, State::Declined);
}

#[test]
fn what_is_said_twice_is_not_new() {
    let modified = Some(time(5));
    let there = Event::StillThere { modified };
    let row = step(&watched(), there.clone(), 5).next;
    let nothing_new = |row: &Invitation, event| {
        assert!(matches!(
            refused(row, event, 9),
            NotApplicable::NothingNew { .. }
        ));
    };
    nothing_new(&row, there.clone());
    let left = step(&row, Event::Left { modified: None }, 6).next;
    nothing_new(&left, Event::Left { modified: None });
    assert_eq!(step(&left, there, 7).next.entry.left_at, None);
    nothing_new(&watched(), reported(&watched()));
    nothing_new(&watched(), Event::ReportProgress(watched().report));
    let exported = Report {
        parts: [(Part::Export, PartState::shown(1))].into(),
        ..watched().report
    };
    let row = step(&watched(), Event::ReportProgress(exported), 9).next;
    assert_eq!(row.report.shows(Part::Export), 1);
}

#[test]
fn a_deferred_report_waits_until_there_is_a_new_revision() {
    let deferral = |row: &Invitation| Event::ReportDeferred {
        report: deferred_report(&row.report, 2),
        until: time(9000),
    };
    let waits = step(&invited(), deferral(&invited()), 3).next;
    let at = |second| Schedule::At {
        at: time(second),
        step: Step::WriteBack,
    };
    assert_eq!(waits.schedule, at(9000));
    assert_eq!(
        step(&waits, Event::Left { modified: None }, 4)
            .next
            .schedule,
        at(9000)
    );
    let news = step(&waits, seen(Status::Completed, 1), 5).next;
    assert_eq!(news.schedule, at(5));
    // An unsent invitation is due to be sent, whatever happens to the report of the delay.
    let late = late();
    assert_eq!(
        step(&late, deferral(&late), 1802).next.schedule,
        late.schedule
    );
}

#[test]
fn a_lease_holds_until_its_end_and_no_longer() {
    let begun = |until| Event::ReportBegun(writer(until));
    let held = step(&invited(), begun(63), 3).next;
    assert_eq!(
        step(&held, begun(130), 63).next.report.lease_until,
        Some(time(130))
    );
    assert!(matches!(
        refused(&held, Event::Retry, 4),
        NotApplicable::Past { .. }
    ));
    let other = Event::Observed {
        snapshot: snapshot(Status::Completed, 1),
        change_token: None,
        lease_until: Some(time(90)),
        carried: true,
    };
    let news = step(&held, other.clone(), 4).next;
    assert_eq!(news.report.lease_until, Some(time(63)));
    let over = step(&watched(), other, 90).next;
    assert!(!over.awaits_delivery());
}

#[test]
fn a_begun_report_keeps_the_action_that_there_is() {
    let created = Some(ActionRecord::Created(ActionId::new("5")));
    let mut row = invited();
    row.report.action.clone_from(&created);
    let begun = step(&row, Event::ReportBegun(writer(63)), 3).next;
    assert_eq!(begun.report.action, created);
    let without = Event::ReportBegun(Writer {
        creates_action: false,
        ..writer(63)
    });
    assert_eq!(step(&invited(), without, 3).next.report.action, None);
}

#[test]
fn what_the_platform_has_is_not_sent_again() {
    let row = step(&watched(), seen(Status::Failed, 1), 4).next;
    assert_eq!(row.state, State::Failed(FailReason::OnPlatform));
    let row = step(&row, Event::Retry, 5).next;
    assert_eq!(row.state, State::Failed(FailReason::OnPlatform));
}

#[test]
fn an_event_is_published_once_and_work_is_enqueued_once() {
    let claimed = step(&fresh(), claim(60), 1);
    assert_eq!(claimed.effects, []);
    let sent = step(&claimed.next, sent("r"), 2);
    assert!(matches!(published(&sent.effects)[..], [What::Sent { .. }]));
    let work = |effects: &[Effect]| {
        let queued = |effect: &&Effect| matches!(effect, Effect::Queue(_));
        effects.iter().filter(queued).count()
    };
    assert_eq!(work(&sent.effects), 1);
    let shown = step(&sent.next, reported(&sent.next), 3);
    assert!(matches!(
        published(&shown.effects)[..],
        [What::Reported { revision: 1, .. }]
    ));
    assert_eq!(
        step(&shown.next, Event::Left { modified: None }, 4).effects,
        []
    );
    let started = step(&shown.next, seen(Status::Started, 1), 4);
    assert!(matches!(
        published(&started.effects)[..],
        [What::Progressed { .. }]
    ));
    let done = step(&started.next, seen(Status::Completed, 2), 5);
    assert!(matches!(
        published(&done.effects)[..],
        [
            What::Progressed { .. },
            What::ResultReceived { revision: 3, .. }
        ]
    ));
    assert_eq!(
        step(&done.next, Event::Left { modified: None }, 6).effects,
        []
    );
    let shown = step(&done.next, reported(&done.next), 6);
    let doubted = step(&shown.next, Event::ReportStale, 7);
    assert!(published(&doubted.effects).is_empty());
    let skipped = step(&fresh(), Event::Cancel, 1);
    assert!(matches!(
        published(&skipped.effects)[..],
        [What::Skipped { .. }]
    ));
}

#[test]
fn the_story_says_what_happened_and_repeats_nothing() {
    let lines = |row: &Invitation| -> Vec<String> {
        let line = |one: &HistoryEntry| {
            let detail = one.detail.as_deref().unwrap_or("-");
            format!("{} {} {detail}", one.at.as_second() - START, one.what)
        };
        row.history.iter().map(line).collect()
    };
    let deferral = |at: i64| Event::Deferred {
        claim: None,
        failure: failure(0),
        until: time(at),
    };
    let row = step(&step(&fresh(), deferral(9), 1).next, deferral(20), 9).next;
    let row = step(&step(&row, claim(80), 20).next, sent("r"), 21).next;
    let row = step(&row, Event::ReportBegun(writer(90)), 22).next;
    let row = step(&row, reported(&row), 23).next;
    let row = step(&row, seen(Status::Completed, 1), 24).next;
    let row = step(&row, reported(&row), 25).next;
    assert_eq!(
        lines(&row),
        [
            "0 detected -",
            "9 deferred platform.down",
            "20 claimed attempt 1",
            "21 sent r",
            "23 reported revision 1",
            "24 observed completed",
            "25 reported revision 2",
        ]
    );
    let failed = |reason| Event::Fail {
        claim: None,
        reason,
    };
    let row = step(&fresh(), failed(FailReason::NoEmail), 1).next;
    assert_eq!(lines(&row)[1], "1 failed candidate.no_email");
    let row = step(&fresh(), failed(FailReason::Refused(failure(0))), 1).next;
    assert_eq!(lines(&row)[1], "1 failed platform.down");
    let skip = Event::Skip {
        claim: None,
        reason: SkipReason::MovedOn,
    };
    assert_eq!(
        lines(&step(&fresh(), skip, 1).next)[1],
        "1 skipped moved_on"
    );
}

#[test]
fn a_long_story_keeps_its_beginning_and_its_end() {
    let mut row = watched();
    for at in 0..100 {
        let event = if at % 2 == 0 {
            Event::Left { modified: None }
        } else {
            Event::StillThere { modified: None }
        };
        row = step(&row, event, 10 + at).next;
        let back = seen(Status::Completed, u8::try_from(at).unwrap());
        row = step(&row, back, 10 + at).next;
    }
    assert_eq!(row.history.len(), Invitation::MAX_HISTORY_ENTRIES);
    assert_eq!(row.history[0].what, "detected");
    assert_eq!(row.history[2].what, "sent");
    assert_eq!(row.history.last().map(|last| last.at), Some(time(109)));
    // Dropped from the middle: the newest half is complete.
    let half = &row.history[Invitation::MAX_HISTORY_ENTRIES / 2..];
    assert!(half.iter().all(|one| one.at > time(60)));
}

/// The tenant was paused, or the host was off, for longer than any failure is retried.
#[test]
fn time_in_which_nobody_tried_is_left_out_of_a_failures_age() {
    let days = |days: i64| days * 86_400;
    let deferral = |at: i64, since: i64, times| Event::Deferred {
        claim: None,
        failure: Failure {
            attempts: times,
            ..failure(since)
        },
        until: time(at + 3600),
    };
    let failing = step(&fresh(), deferral(3600, 0, 10), 3600).next;
    // Due after two hours, attempted after ten days.
    let after_pause = step(&failing, deferral(days(10), 0, 11), days(10)).next;
    assert_eq!(after_pause.state, State::Detected);
    let since = after_pause.failure.as_ref().unwrap().first_failed_at;
    assert_eq!(since, time(days(10) - 7200));
    // From then on time counts again.
    let since = days(10) - 7200;
    let given_up = (days(10)..days(14))
        .step_by(3600)
        .try_fold(after_pause, |row, at| {
            let next = step(&row, deferral(at, since, 12), at).next;
            if matches!(next.state, State::Failed(FailReason::GaveUp(_))) {
                return Err(at);
            }
            Ok(next)
        });
    assert_eq!(given_up.unwrap_err(), days(13) - 7200);
    // The same for a claim, a lookup and a report.
    let claimed = step(&failing, claim(days(10) + 60), days(10)).next;
    assert_eq!(
        claimed.failure.as_ref().unwrap().first_failed_at,
        time(days(10) - 7200)
    );
    let looked_up = Event::LookupDeferred {
        failure: Failure {
            attempts: 11,
            ..failure(0)
        },
        until: time(days(20)),
    };
    let sending = step(&step(&fresh(), claim(60), 1).next, looked_up, days(10)).next;
    assert!(matches!(sending.state, State::Sending { .. }));
}

/// There is no attempt before midnight: the recruiter is notified now, and not after the next attempt.
#[test]
fn a_wait_that_is_known_to_be_long_is_reported_at_once() {
    let deferral = |until| Event::Deferred {
        claim: None,
        failure: failure(0),
        until: time(until),
    };
    assert_eq!(step(&fresh(), deferral(1799), 0).next.revision, 0);
    let late = step(&fresh(), deferral(1800), 0);
    assert_eq!(late.next.revision, 1);
    let work = Work::step(late.next.key.clone(), Step::WriteBack);
    assert!(
        late.effects.contains(&Effect::Queue(work)),
        "{:?}",
        late.effects
    );
}
