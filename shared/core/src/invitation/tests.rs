//! The state machine under random histories: whatever the order of events, and with any number of confused workers, its
//! invariants hold.

mod edges;
mod stored;
mod watch;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::ids::ApplicationId;
use crate::tenant::{Answerable, Position};
use crate::timing::Timing;

const START: i64 = 1_800_000_000;

fn time(second: i64) -> Timestamp {
    Timestamp::from_second(START + second).unwrap()
}

fn fresh() -> Invitation {
    Invitation::detected(
        InvitationKey {
            tenant: "acme".into(),
            application: ApplicationId::new("70215"),
            mapping: "m".into(),
            round: 1,
        },
        "9001".into(),
        "4101".into(),
        AssessmentRef {
            account: "willo".into(),
            assessment: "k".into(),
        },
        Entry::seen(time(0)),
    )
}

/// The report, deferred since then.
fn deferred_report(report: &Report, since: i64) -> Report {
    Report {
        failure: Some(failure(since)),
        ..report.clone()
    }
}

fn failure(since: i64) -> Failure {
    Failure {
        code: "platform.down".to_owned(),
        problem: "it does not answer".to_owned(),
        remedy: "Wait".to_owned(),
        first_failed_at: time(since),
        attempts: 1,
    }
}

fn snapshot(status: Status, digest: u8) -> ResultSnapshot {
    ResultSnapshot {
        status,
        started_at: None,
        completed_at: None,
        score: None,
        digest: format!("{status:?}{digest}"),
    }
}

fn sent(reference: &str) -> Event {
    Event::Sent {
        reference: reference.into(),
        link: None,
        adopted: false,
        writer: None,
    }
}

fn claim(until: i64) -> Event {
    Event::Claim {
        lease_until: time(until),
        entered_at: None,
        history: None,
        sent_to: None,
    }
}

fn writer(until: i64) -> Writer {
    Writer {
        lease_until: time(until),
        creates_action: true,
    }
}

fn step(row: &Invitation, event: Event, at: i64) -> Transition {
    row.apply(event, time(at), &Timing::default(), None)
        .unwrap()
}

fn refused(row: &Invitation, event: Event, at: i64) -> NotApplicable {
    row.apply(event, time(at), &Timing::default(), None)
        .unwrap_err()
}

fn reported(row: &Invitation) -> Event {
    Event::Reported(Report {
        revision: row.revision,
        ..row.report.clone()
    })
}

#[test]
fn the_main_road() {
    let row = step(&fresh(), claim(60), 1).next;
    assert_eq!(
        row.schedule,
        Schedule::At {
            at: time(60),
            step: Step::Invite
        }
    );
    let sent = step(&row, sent("r"), 2);
    assert_eq!(sent.next.state, State::Invited);
    assert!(
        sent.effects
            .iter()
            .any(|effect| matches!(effect, Effect::Queue(crate::work::Work::WriteBack { .. })))
    );
    let shown = step(&sent.next, reported(&sent.next), 3);
    assert_eq!(
        shown.next.schedule,
        Schedule::Sweep {
            until: None,
            level: 2
        }
    );
    assert!(
        shown
            .effects
            .iter()
            .any(|effect| matches!(effect, Effect::Watch(_)))
    );
    let seen = Event::Observed {
        snapshot: snapshot(Status::Completed, 1),
        change_token: None,
        lease_until: None,
        carried: false,
    };
    let done = step(&shown.next, seen.clone(), 4).next;
    assert_eq!((done.state.clone(), done.revision), (State::Completed, 2));
    assert!(matches!(
        refused(&done, seen, 5),
        NotApplicable::NothingNew { .. }
    ));
    let rescored = Event::Observed {
        snapshot: snapshot(Status::Graded, 2),
        change_token: None,
        lease_until: None,
        carried: false,
    };
    let done = step(&done, rescored, 6).next;
    assert_eq!((done.state.clone(), done.revision), (State::Completed, 3));
    let written = step(&done, reported(&done), 7).next;
    assert!(matches!(
        written.schedule,
        Schedule::Sweep {
            until: Some(_),
            level: 5
        }
    ));
}

fn arranged(interview: &str, second: i64) -> Event {
    Event::Scheduled {
        assessment: interview.into(),
        appointment: Appointment {
            at: time(second),
            minutes: 45,
        },
    }
}

#[test]
fn a_live_interview_is_saved_before_anybody_is_notified_and_stays_due() {
    let row = step(&fresh(), arranged("interview:1", 90_000), 1).next;
    assert_eq!(row.state, State::Detected);
    assert_eq!(row.assessment.assessment.as_str(), "interview:1");
    let at_once = Schedule::At {
        at: time(1),
        step: Step::Invite,
    };
    assert_eq!(row.schedule, at_once);
    let again = refused(&row, arranged("interview:1", 90_000), 2);
    assert!(matches!(again, NotApplicable::NothingNew { .. }));
    // Once it may be with the platform, nothing moves it.
    let claimed = step(&row, claim(60), 3).next;
    let late = refused(&claimed, arranged("interview:2", 95_000), 4);
    assert!(matches!(late, NotApplicable::Past { .. }));
    let sent = step(&claimed, sent("r"), 5).next;
    assert_eq!(sent.assessment.assessment.as_str(), "interview:1");
    assert_eq!(sent.appointment.unwrap().at, time(90_000));
}

#[test]
fn nothing_of_a_pool_is_watched() {
    let row = step(&fresh().for_pool(), claim(60), 1).next;
    let sent = step(&row, sent("r"), 2).next;
    // It is reported in Eploy, and nothing else happens.
    assert!(matches!(
        sent.schedule,
        Schedule::At {
            step: Step::WriteBack,
            ..
        }
    ));
    let written = step(&sent, reported(&sent), 3);
    assert_eq!(written.next.schedule, Schedule::Never);
    let watch = |effect: &Effect| matches!(effect, Effect::Watch(_));
    assert!(!written.effects.iter().any(watch));
}

#[test]
fn a_sender_that_wakes_up_late_cannot_undo_anothers_claim() {
    let first = step(&fresh(), claim(60), 1).next;
    let absent = step(&first, Event::LookupNotFound { again_at: None }, 61).next;
    let second = step(&absent, claim(130), 62).next;
    let late = Event::Deferred {
        claim: Some(1),
        failure: failure(1),
        until: time(90),
    };
    assert!(matches!(
        refused(&second, late, 63),
        NotApplicable::Past { .. }
    ));
    let unknown = Event::OutcomeUnknown {
        attempt: 1,
        failure: failure(1),
        look_up_at: time(70),
    };
    assert!(matches!(
        refused(&second, unknown, 63),
        NotApplicable::Past { .. }
    ));
    // But that the platform has it is true whichever worker says it.
    assert_eq!(step(&second, sent("r"), 63).next.state, State::Invited);
}

#[test]
fn a_call_that_fails_again_and_again_backs_off_and_ends() {
    let again_at = Some(time(1000));
    let mut row = step(&fresh(), claim(60), 1).next;
    let unknown = |times, at: i64| Event::OutcomeUnknown {
        attempt: 1,
        failure: Failure {
            attempts: times,
            ..failure(0)
        },
        look_up_at: time(at),
    };
    row = step(&row, unknown(1, 30), 2).next;
    let waits = step(&row, Event::LookupNotFound { again_at }, 31).next;
    let at = time(1000);
    assert_eq!(
        waits.schedule,
        Schedule::At {
            at,
            step: Step::Invite
        }
    );
    // In the end it is reported as a failure.
    let end = 3 * 86_400;
    row = step(&row, unknown(9, end - 100), 3).next;
    row = step(&row, unknown(10, end), end - 60).next;
    assert_eq!(row.moment(), Some(Moment::Delayed));
    let gone = step(&row, Event::LookupNotFound { again_at }, end).next;
    assert_eq!(gone.moment(), Some(Moment::Failed));
}

/// Nobody can be asked for by then: each look-up costs two calls and says the same.
#[test]
fn what_cannot_be_looked_up_because_the_application_is_gone_ends_after_three_tries() {
    let deferred = |code: &str, times: u32, at: i64| Event::LookupDeferred {
        failure: Failure {
            code: code.to_owned(),
            attempts: times,
            ..failure(at)
        },
        until: time(at),
    };
    let gone = Failure::APPLICATION_GONE;
    let sending = step(&fresh(), claim(60), 1).next;
    let mut row = sending.clone();
    for times in 1..3 {
        row = step(&row, deferred(gone, times, 61), 61).next;
        assert_eq!(row.state.name(), "sending", "{times}");
    }
    let ended = step(&row, deferred(gone, 3, 61), 61).next;
    assert!(matches!(
        ended.state,
        State::Failed(FailReason::OutcomeUnknown(_))
    ));
    // One answer of that kind among others is none.
    let row = step(&sending, deferred("eploy.no_answer", 5, 61), 61).next;
    let row = step(&row, deferred(gone, 6, 61), 61).next;
    assert_eq!(row.state.name(), "sending");
}

#[test]
fn a_deferred_lookup_waits() {
    let row = step(&fresh(), claim(60), 1).next;
    let until = time(500);
    let row = step(
        &row,
        Event::LookupDeferred {
            failure: failure(0),
            until,
        },
        61,
    )
    .next;
    assert_eq!(
        row.schedule,
        Schedule::At {
            at: until,
            step: Step::Invite
        }
    );
}

#[test]
fn leaving_does_not_take_away_its_own_expiry() {
    let timing = Timing::default();
    let row = step(&step(&fresh(), claim(60), 1).next, sent("r"), 2).next;
    let row = row
        .apply(reported(&row), time(3), &timing, Some(14))
        .unwrap()
        .next;
    let left = row
        .apply(Event::Left { modified: None }, time(4), &timing, Some(14))
        .unwrap()
        .next;
    assert_eq!(left.schedule, row.schedule);
}

#[test]
fn a_lease_that_runs_is_not_looked_up() {
    let row = step(&fresh(), claim(60), 1).next;
    assert!(matches!(
        refused(&row, Event::LookupNotFound { again_at: None }, 59),
        NotApplicable::Past { .. }
    ));
}

#[test]
fn a_second_invitation_on_the_platform_is_never_silent() {
    let row = step(&step(&fresh(), claim(60), 1).next, sent("r"), 2).next;
    assert!(matches!(
        refused(&row, sent("r"), 3),
        NotApplicable::NothingNew { .. }
    ));
    assert!(matches!(
        refused(&row, sent("other"), 3),
        NotApplicable::Double { .. }
    ));
}

#[test]
fn an_invitation_that_was_skipped_and_turns_out_to_be_sent_is_invited() {
    let row = step(&fresh(), claim(60), 1).next;
    let row = step(&row, Event::LookupNotFound { again_at: None }, 61).next;
    let row = step(&row, Event::Left { modified: None }, 62).next;
    assert_eq!(row.state, State::Skipped(SkipReason::MovedOn));
    let row = step(&row, sent("r"), 63).next;
    assert_eq!(row.state, State::Invited);
    assert!(row.unreported());
}

#[test]
fn a_lasting_failure_is_reported_once_and_ends() {
    let timing = Timing::default();
    let deferral = |at: i64| Event::Deferred {
        claim: None,
        failure: failure(0),
        until: time(at + 30),
    };
    let row = step(&fresh(), deferral(10), 10).next;
    assert_eq!(row.moment(), None);
    let late = step(&row, deferral(1801), 1801);
    assert_eq!(late.next.moment(), Some(Moment::Delayed));
    assert!(
        late.effects
            .iter()
            .any(|effect| matches!(effect, Effect::Queue(crate::work::Work::WriteBack { .. })))
    );
    assert_eq!(step(&late.next, deferral(2000), 2000).next.revision, 1);
    let end = 3 * 86_400;
    // Time without attempts proves nothing: giving up needs attempts as well.
    let few = row
        .apply(deferral(end), time(end), &timing, None)
        .unwrap()
        .next;
    assert_eq!(few.state, State::Detected);
    let often = Event::Deferred {
        claim: None,
        failure: Failure {
            attempts: 10,
            ..failure(0)
        },
        until: time(end + 30),
    };
    let due = Event::Deferred {
        claim: None,
        failure: failure(0),
        until: time(end - 60),
    };
    let row = step(&row, due, 11).next;
    let gone = row.apply(often, time(end), &timing, None).unwrap().next;
    assert!(matches!(gone.state, State::Failed(FailReason::GaveUp(_))));
    assert_eq!(gone.moment(), Some(Moment::Failed));
}

#[test]
fn its_own_expiry_ends_it_and_a_late_result_still_counts() {
    let timing = Timing::default();
    let row = step(&step(&fresh(), claim(60), 1).next, sent("r"), 2).next;
    let row = row
        .apply(reported(&row), time(3), &timing, Some(14))
        .unwrap()
        .next;
    let until = 2 + 14 * 86_400;
    assert_eq!(
        row.schedule,
        Schedule::Sweep {
            until: Some(time(until)),
            level: 2
        }
    );
    assert!(matches!(
        refused(&row, Event::WatchExpired, until - 1),
        NotApplicable::Past { .. }
    ));
    let row = step(&row, Event::WatchExpired, until).next;
    assert_eq!(
        (row.state.clone(), row.moment()),
        (State::Expired, Some(Moment::Expired))
    );
    let seen = Event::Observed {
        snapshot: snapshot(Status::Completed, 1),
        change_token: None,
        lease_until: None,
        carried: false,
    };
    assert_eq!(step(&row, seen, until + 5).next.state, State::Completed);
}

#[test]
fn two_writers_of_one_report_exclude_each_other() {
    let row = step(&step(&fresh(), claim(60), 1).next, sent("r"), 2).next;
    let begun = |until| Event::ReportBegun(writer(until));
    let held = step(&row, begun(63), 3).next;
    assert_eq!(held.report.action, Some(ActionRecord::Creating));
    assert_eq!(
        held.schedule,
        Schedule::At {
            at: time(63),
            step: Step::WriteBack
        }
    );
    assert!(matches!(
        refused(&held, begun(64), 4),
        NotApplicable::Past { .. }
    ));
    let taken_over = step(&held, begun(130), 64).next;
    assert_eq!(taken_over.report.action, Some(ActionRecord::Creating));
    let shown = step(&taken_over, reported(&taken_over), 65).next;
    // The first writer resumes: it may have overwritten the second's report, which is written once more.
    let doubted = step(&shown, Event::ReportStale, 66);
    assert!(doubted.next.unreported());
    assert!(
        doubted
            .effects
            .iter()
            .any(|effect| matches!(effect, Effect::Queue(_)))
    );
}

#[test]
fn a_report_is_read_back_as_it_was_and_what_is_not_there_takes_no_room() {
    let text = |report: &Report| serde_json::to_string(report).unwrap();
    assert_eq!(text(&Report::default()), r#"{"revision":0}"#);
    let full = Report {
        revision: 1,
        action: Some(ActionRecord::Created("7".into())),
        parts: [
            (Part::Words, failing(NextTry::At(time(3)), 1)),
            (Part::Action, PartState::shown(2)),
            (Part::Note(Moment::Invited), PartState::shown(1)),
            (
                Part::Answer(Answerable::CompletedAt),
                failing(NextTry::GivenUp(2), 0),
            ),
            (Part::Export, PartState::shown(1)),
            (Part::Move(Moment::Completed), PartState::shown(1)),
        ]
        .into(),
        positions: vec![Position {
            stage: Some("13".into()),
            status: None,
        }],
        failure: Some(failure(0)),
        lease_until: Some(time(9)),
        doubted: true,
    };
    assert_eq!(full, serde_json::from_str(&text(&full)).unwrap());
}

/// A part that failed, and shows this revision.
fn failing(next: NextTry, revision: u32) -> PartState {
    let failure = failure(0);
    PartState {
        revision,
        failure: Some(PartFailure {
            failure,
            next,
            mentioned: true,
        }),
    }
}

#[test]
fn a_report_from_before_parts_had_a_state_each_is_read() {
    let old = r#"{"revision": 3, "outlined": 4, "action": {"created": "7"}, "notes": ["invited"], "moves": ["completed"], "exported": true}"#;
    let read: Report = serde_json::from_str(old).unwrap();
    let parts = [
        (Part::Words, PartState::shown(4)),
        (Part::Note(Moment::Invited), PartState::shown(3)),
        (Part::Export, PartState::shown(3)),
        (Part::Move(Moment::Completed), PartState::shown(3)),
    ];
    assert_eq!(read.parts, parts.into());
    assert_eq!((read.revision, read.shows(Part::Action)), (3, 3));
    let short = r#"{"revision":3,"action":{"created":"7"},"parts":{"words":4,"note_invited":3,"export":3,"move_completed":3}}"#;
    assert_eq!(serde_json::to_string(&read).unwrap(), short);
}

#[test]
fn a_part_that_is_given_up_is_published_once_and_tried_again_by_an_operator() {
    let row = step(&step(&fresh(), claim(60), 1).next, sent("r"), 2).next;
    let mut report = row.report.clone();
    let part = Part::Answer(Answerable::Status);
    report.parts.insert(part, failing(NextTry::GivenUp(1), 0));
    report.revision = row.revision;
    let ended = step(&row, Event::Reported(report), 3);
    let published = |effects: &[Effect]| {
        let names = effects.iter().filter_map(|effect| match effect {
            Effect::Publish(event) => Some(event.what.name()),
            _ => None,
        });
        names.collect::<Vec<_>>()
    };
    assert_eq!(
        published(&ended.effects),
        ["report.written", "report.failed"]
    );
    let row = ended.next;
    assert!(!row.unreported());
    let last = row.history.last().unwrap().detail.clone().unwrap();
    assert!(
        last.starts_with("revision 1 without answer_status: "),
        "{last}"
    );

    let again = step(&row, Event::Retry, 20).next;
    assert!(again.unreported() && again.report.problem().is_none());
    let shown = step(&again, reported(&again), 21);
    assert_eq!(published(&shown.effects), ["report.written"]);
}

#[test]
fn a_report_that_is_doubted_while_it_is_written_is_written_once_more() {
    let begun = |row: &Invitation, until: i64, at: i64| {
        step(row, Event::ReportBegun(writer(until)), at).next
    };
    let row = step(&step(&fresh(), claim(60), 1).next, sent("r"), 2).next;
    let at_work = begun(&begun(&row, 60, 3), 120, 61);
    let doubted = step(&at_work, Event::ReportStale, 62);
    assert_eq!(doubted.effects, []);
    assert_eq!(doubted.next.schedule, at_work.schedule);
    assert!(matches!(
        refused(&doubted.next, Event::ReportStale, 63),
        NotApplicable::NothingNew { .. }
    ));
    let doubted = doubted.next;

    // However the present writer continues, what it knows of the report is older than the doubt.
    let part = Report {
        parts: [
            (Part::Export, PartState::shown(1)),
            (Part::Action, PartState::shown(1)),
        ]
        .into(),
        ..at_work.report.clone()
    };
    let further = step(&doubted, Event::ReportProgress(part), 64).next;
    assert!(further.report.doubted);
    assert_eq!(further.report.shows(Part::Export), 1);
    // The parts that follow revisions may have been overwritten.
    assert_eq!(further.report.shows(Part::Action), 0);
    for row in [&doubted, &further] {
        let ended = step(row, reported(&at_work), 65);
        assert!(ended.next.unreported() && !ended.next.report.leased(time(65)));
        assert_eq!(
            ended.next.schedule,
            Schedule::At {
                at: time(65),
                step: Step::WriteBack
            }
        );
        // The next writer's outcome counts again.
        let again = begun(&ended.next, 180, 66);
        assert!(!step(&again, reported(&again), 67).next.unreported());
    }
    // An observer that also writes begins after the doubt.
    let seen = Event::Observed {
        snapshot: snapshot(Status::Started, 1),
        change_token: None,
        lease_until: Some(time(200)),
        carried: false,
    };
    let brought = step(&doubted, seen, 121).next;
    assert_eq!(brought.report.lease_until, Some(time(200)));
    assert!(!step(&brought, reported(&brought), 122).next.unreported());
    // A writer that is deferred, or dies, is repeated anyway.
    let deferral = Event::ReportDeferred {
        report: deferred_report(&at_work.report, 0),
        until: time(80),
    };
    assert!(!step(&doubted, deferral, 66).next.report.doubted);
    let after_a_death = begun(&doubted, 180, 121);
    assert!(!after_a_death.report.doubted);
    assert!(
        !step(&after_a_death, reported(&after_a_death), 122)
            .next
            .unreported()
    );
}

#[test]
fn a_retry_continues_at_once_and_looks_up_before_it_sends_again() {
    let deferral = Event::Deferred {
        claim: None,
        failure: failure(0),
        until: time(500),
    };
    let waits = step(&fresh(), deferral, 10).next;
    let now = Schedule::At {
        at: time(20),
        step: Step::Invite,
    };
    assert_eq!(step(&waits, Event::Retry, 20).next.schedule, now);
    assert!(matches!(
        refused(&fresh(), Event::Retry, 20),
        NotApplicable::NothingNew { .. }
    ));
    let failed = |claim| Event::Fail {
        claim,
        reason: FailReason::NoEmail,
    };
    let never_sent = step(&fresh(), failed(None), 10).next;
    let again = step(&never_sent, Event::Retry, 20).next;
    assert_eq!((&again.state, &again.schedule), (&State::Detected, &now));
    let was_sent = step(&step(&fresh(), claim(60), 1).next, failed(Some(1)), 10).next;
    let looked_up = step(&was_sent, Event::Retry, 20).next;
    let lease_until = time(20);
    assert_eq!(looked_up.state, State::Sending { lease_until });
    assert_eq!(looked_up.schedule, now);
}

#[test]
fn a_retry_of_a_report_writes_it_at_once() {
    let row = step(&step(&fresh(), claim(60), 1).next, sent("r"), 2).next;
    let deferral = Event::ReportDeferred {
        report: deferred_report(&row.report, 2),
        until: time(9000),
    };
    let waits = step(&row, deferral, 3).next;
    let retried = step(&waits, Event::Retry, 20).next;
    let now = Schedule::At {
        at: time(20),
        step: Step::WriteBack,
    };
    assert_eq!(retried.schedule, now);
    let shown = step(&retried, reported(&retried), 21).next;
    assert!(matches!(
        refused(&shown, Event::Retry, 22),
        NotApplicable::NothingNew { .. }
    ));
}

#[test]
fn a_cancelled_one_is_not_sent_and_a_late_result_still_counts() {
    let taken_back = step(&fresh(), Event::Cancel, 5).next;
    assert_eq!(taken_back.state, State::Skipped(SkipReason::Cancelled));
    assert_eq!(taken_back.schedule, Schedule::Never);
    assert!(matches!(
        refused(&taken_back, Event::Cancel, 6),
        NotApplicable::NothingNew { .. }
    ));
    let sending = step(&fresh(), claim(60), 1).next;
    assert!(matches!(
        refused(&sending, Event::Cancel, 6),
        NotApplicable::Past { .. }
    ));
    let row = step(&sending, sent("r"), 2).next;
    let cancelled = step(&row, Event::Cancel, 6).next;
    assert_eq!(cancelled.moment(), Some(Moment::Cancelled));
    assert!(cancelled.unreported());
    let seen = Event::Observed {
        snapshot: snapshot(Status::Completed, 1),
        change_token: None,
        lease_until: None,
        carried: false,
    };
    assert_eq!(step(&cancelled, seen, 7).next.state, State::Completed);
}

#[test]
fn a_sender_can_continue_with_the_report() {
    let sent = Event::Sent {
        reference: "r".into(),
        link: None,
        adopted: false,
        writer: Some(writer(62)),
    };
    let sent = step(&step(&fresh(), claim(60), 1).next, sent, 2);
    let at = time(62);
    let step_due = Step::WriteBack;
    assert_eq!(sent.next.schedule, Schedule::At { at, step: step_due });
    assert_eq!(sent.next.report.action, Some(ActionRecord::Creating));
    let queued = |effect: &Effect| matches!(effect, Effect::Queue(_));
    assert!(!sent.effects.iter().any(queued));
    assert!(matches!(
        refused(&sent.next, Event::ReportBegun(writer(64)), 4),
        NotApplicable::Past { .. }
    ));
}

/// After it is purged nothing is done about it, and least of all is anybody invited.
#[test]
fn a_forgotten_one_keeps_what_it_is_and_nothing_else() {
    let row = step(&fresh(), claim(60), 1).next;
    refused(&row, Event::Purge, 2);
    let row = step(&row, sent("r0"), 2).next;
    // The candidate may still take part.
    let open = step(&row, reported(&row), 3).next;
    refused(&open, Event::Purge, 3);
    let seen = Event::Observed {
        snapshot: snapshot(Status::Completed, 1),
        change_token: Some("m".to_owned()),
        lease_until: None,
        carried: false,
    };
    let row = step(&row, seen, 4).next;
    // Whether or not Eploy shows it.
    let shown = step(&row, reported(&row), 6).next;
    assert_eq!(step(&shown, Event::Purge, 7).effects, []);
    let gone = step(&row, Event::Purge, 7);
    assert_eq!(gone.effects, [], "nobody is notified that Eploy shows it");
    let row = gone.next;
    assert!(!row.unreported());
    assert_eq!(
        (&row.state, &row.schedule),
        (&State::Completed, &Schedule::Never)
    );
    assert_eq!((&row.snapshot, &row.change_token), (&None, &None));
    assert_eq!((&row.invite_link, row.history.len()), (&None, 1));
    assert_eq!(row.reference, Some("r0".into()));
    refused(&row, Event::Purge, 8);
}

fn unavailable(since: i64, times: u32) -> Event {
    Event::ResultUnavailable(Failure {
        code: "platform.unreachable".to_owned(),
        problem: "the platform, read a result: it is down".to_owned(),
        remedy: "Wait".to_owned(),
        first_failed_at: time(since),
        attempts: times,
    })
}

fn seen(status: Status) -> Event {
    Event::Observed {
        snapshot: snapshot(status, 1),
        change_token: None,
        lease_until: None,
        carried: false,
    }
}

/// An open invitation that Eploy shows.
fn shown() -> Invitation {
    let row = step(&fresh(), claim(60), 1).next;
    let row = step(&row, sent("r0"), 2).next;
    step(&row, reported(&row), 3).next
}

#[test]
fn an_unreadable_result_is_reported_once_after_a_day() {
    const DAY: i64 = 86_400;
    let row = step(&shown(), unavailable(10, 1), 10).next;
    assert!(!row.unreported(), "it may be over soon");
    assert_eq!(row.schedule, shown().schedule);
    // A day without attempts proves nothing.
    let row = step(&row, unavailable(10, 2), DAY + 10).next;
    assert!(!row.unreported());
    let row = step(&row, unavailable(10, 3), DAY + 20).next;
    assert!(row.unreported() && row.result_overdue);
    assert!(matches!(
        row.schedule,
        Schedule::At {
            step: Step::WriteBack,
            ..
        }
    ));
    let row = step(&row, reported(&row), DAY + 21).next;
    assert!(matches!(row.schedule, Schedule::Sweep { .. }));
    let row = step(&row, unavailable(10, 4), DAY + 30).next;
    assert!(!row.unreported());

    // A successful read clears it, also if it shows nothing new.
    let read = step(&row, seen(Status::Sent), DAY + 40).next;
    assert!(read.unreported() && !read.result_overdue);
    assert_eq!(
        (read.failure.as_ref(), read.moment()),
        (None, Some(Moment::Invited))
    );
    let never_told = step(&shown(), unavailable(10, 1), 10).next;
    let read = step(&never_told, seen(Status::Sent), 20).next;
    assert_eq!((read.failure.as_ref(), read.unreported()), (None, false));
}

#[test]
fn a_result_that_cannot_be_read_for_a_month_ends_the_invitation_and_a_late_one_counts() {
    const MONTH: i64 = 30 * 86_400;
    // With nine attempts, or in less time, it continues.
    let row = step(&shown(), unavailable(10, 9), MONTH + 10).next;
    assert_eq!(row.state, State::Invited);
    let row = step(&row, unavailable(10, 10), MONTH + 9).next;
    assert_eq!(row.state, State::Invited);
    let row = step(&row, unavailable(10, 11), MONTH + 10).next;
    assert!(
        matches!(&row.state, State::Failed(FailReason::Unanswered(failure)) if failure.attempts == 11)
    );
    assert_eq!(row.moment(), Some(Moment::Failed));
    assert!(row.unreported() && row.failure.is_none());
    let row = step(&row, seen(Status::Completed), MONTH + 20).next;
    assert_eq!(row.state, State::Completed);
    // It ends neither what has ended nor what was never sent.
    let row = step(&row, unavailable(10, 99), 3 * MONTH).next;
    assert_eq!(row.state, State::Completed);
    refused(&fresh(), unavailable(10, 1), 20);
}

#[test]
fn an_open_invitation_without_an_end_of_its_own_is_watched_for_a_year() {
    const YEAR: i64 = 365 * 86_400;
    refused(&shown(), Event::WatchExpired, YEAR + 1);
    let row = step(&shown(), Event::WatchExpired, YEAR + 2).next;
    assert_eq!(row.state, State::Expired);
}

/// Its sender dies each time, and reports no cause.
#[test]
fn sending_that_never_comes_to_an_end_is_given_up() {
    let mut row = fresh();
    let mut at = 0;
    for attempt in 1..=50 {
        row = step(&row, claim(at + 60), at).next;
        assert_eq!(row.attempts, attempt);
        at += 60;
        row = step(&row, Event::LookupNotFound { again_at: None }, at).next;
    }
    assert!(
        matches!(&row.state, State::Failed(FailReason::GaveUp(failure)) if failure.code == "invitation.interrupted")
    );
    assert!(row.unreported());
}

/// Any event, as some worker might apply it at some time.
fn any_event() -> impl Strategy<Value = Event> {
    let status = prop_oneof![
        Just(Status::Queued),
        Just(Status::Sent),
        Just(Status::Bounced),
        Just(Status::Opened),
        Just(Status::Started),
        Just(Status::Completed),
        Just(Status::Graded),
        Just(Status::Expired),
        Just(Status::Cancelled),
        Just(Status::Declined),
        Just(Status::Failed),
    ];
    let held = prop_oneof![Just(None), (0..4u32).prop_map(Some)];
    prop_oneof![
        3 => (0..400_000i64).prop_map(claim),
        1 => (0..3u8, 0..400_000i64).prop_map(|(which, at)| arranged(&format!("interview:{which}"), at)),
        1 => (held.clone(), 0..400_000i64).prop_map(|(claim, at)| Event::Deferred { claim, failure: failure(at / 2), until: time(at) }),
        1 => (0..4u32, 0..400_000i64).prop_map(|(attempt, at)| Event::OutcomeUnknown { attempt, failure: failure(at / 2), look_up_at: time(at) }),
        1 => (0..400_000i64).prop_map(|at| Event::LookupDeferred { failure: failure(at / 2), until: time(at) }),
        2 => Just(Event::LookupNotFound { again_at: None }),
        3 => (0..2u8).prop_map(|which| sent(&format!("r{which}"))),
        2 => (0..400_000i64).prop_map(|at| Event::Sent { reference: "r0".into(), link: None, adopted: false, writer: Some(writer(at)) }),
        1 => held.clone().prop_map(|claim| Event::Skip { claim, reason: SkipReason::Duplicate(None) }),
        1 => held.prop_map(|claim| Event::Fail { claim, reason: FailReason::NoEmail }),
        4 => (status, 0..3u8, proptest::option::of(0..400_000i64), any::<bool>()).prop_map(|(status, digest, at, carried)| Event::Observed { snapshot: snapshot(status, digest), change_token: Some(format!("{digest}")), lease_until: at.map(time), carried }),
        1 => Just(Event::WatchExpired),
        1 => Just(Event::Left { modified: None }),
        1 => (0..400_000i64).prop_map(|at| Event::StillThere { modified: Some(time(at)) }),
        2 => (0..400_000i64, any::<bool>()).prop_map(|(at, creates_action)| Event::ReportBegun(Writer { lease_until: time(at), creates_action })),
        3 => (0..6u32).prop_map(|revision| Event::Reported(Report { revision, ..Report::default() })),
        2 => Just(Event::ReportStale),
        1 => (0..400_000i64).prop_map(|at| Event::ReportDeferred { report: deferred_report(&Report::default(), at / 2), until: time(at) }),
        1 => Just(Event::Retry),
        1 => Just(Event::Cancel),
        1 => Just(Event::Purge),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_what_must_hold_holds(history in vec((any_event(), 0..20_000i64), 1..60), pooled: bool) {
        let timing = Timing::default();
        let mut row = if pooled { fresh().for_pool() } else { fresh() };
        let mut now = 0;
        for (event, passes) in history {
            now += passes;
            let at = time(now);
            let Ok(Transition { next, effects }) = row.apply(event.clone(), at, &timing, Some(3)) else {
                continue;
            };
            prop_assert_eq!(next.version, row.version + 1);
            // Only an operator's retry takes a failure back, and only while the platform has nothing.
            let taken_back = event == Event::Retry && matches!(row.state, State::Failed(_)) && row.reference.is_none();
            prop_assert!(taken_back || next.state.level() >= row.state.level(), "{:?} moved {:?} back to {:?}", event, row.state, next.state);
            prop_assert!(next.revision >= row.revision);
            prop_assert!(next.report.revision <= next.revision);
            prop_assert!(row.reference.is_none() || next.reference == row.reference, "the reference changed");
            prop_assert!(next.state.level() < 2 || next.reference.is_some(), "on the platform without a reference");
            prop_assert!(next.history.len() <= Invitation::MAX_HISTORY_ENTRIES);
            if row.state != State::Detected {
                let met = |row: &Invitation| (row.assessment.clone(), row.appointment);
                prop_assert_eq!(met(&row), met(&next), "moved while the platform may have it");
            }
            // A second attempt begins only after a lookup found nothing of the first.
            if next.attempts > row.attempts {
                prop_assert_eq!(&row.state, &State::Detected);
            }
            // Only a delivery takes over a report from the clock, and never beyond the writer's lease.
            if next.awaits_delivery() && !row.awaits_delivery() {
                prop_assert!(matches!(event, Event::Observed { carried: true, .. }), "{event:?} left it to nobody");
                prop_assert!(next.report.leased(at));
            }
            if next.awaits_delivery() && next.report.lease_until > row.report.lease_until {
                prop_assert!(matches!(event, Event::Observed { .. }), "{event:?} stretched it");
            }
            // Nothing is ever forgotten: an unfinished row is due, and a due row has a time.
            let unsent = next.state.level() == 0;
            match &next.schedule {
                Schedule::Never => prop_assert!(!unsent && !next.unreported()),
                Schedule::Sweep { .. } => prop_assert!(!unsent && !pooled && next.reference.is_some()),
                Schedule::At { step: Step::Invite, .. } => prop_assert!(unsent),
                Schedule::At { step: Step::WriteBack, .. } => prop_assert!(!unsent && next.unreported()),
            }
            // Its retention time is over: it is idle, in its state, without its result.
            if row.forgotten_at.is_some() {
                prop_assert_eq!((&next.state, next.attempts, &next.schedule), (&row.state, row.attempts, &Schedule::Never));
                prop_assert_eq!((&next.snapshot, &next.invite_link), (&None, &None));
                prop_assert_eq!(&effects, &[]);
            }
            // Effects are hints about the saved row and nothing else.
            for effect in effects {
                if let Effect::Queue(work) = effect {
                    prop_assert_eq!(work.tenant(), &next.key.tenant);
                }
            }
            let text = serde_json::to_string(&next).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Invitation>(&text).unwrap(), &next);
            row = next;
        }
        // However confused the history was, it can be brought to an end from here.
        let mut guard = 0;
        while row.schedule != Schedule::Never {
            guard += 1;
            prop_assert!(guard < 30, "it never comes to rest: {:?} {:?}", row.state, row.schedule);
            now += 40 * 86_400;
            let event = match (&row.state, &row.schedule) {
                (State::Sending { .. }, _) => Event::LookupNotFound { again_at: None },
                (State::Detected, _) => Event::Skip { claim: None, reason: SkipReason::MovedOn },
                (_, Schedule::At { .. }) => reported(&row),
                (_, Schedule::Sweep { .. }) if row.unreported() => reported(&row),
                (_, Schedule::Sweep { until: None, .. }) => Event::Observed { snapshot: snapshot(Status::Completed, 9), change_token: None, lease_until: None, carried: false },
                (_, Schedule::Sweep { .. }) => Event::WatchExpired,
                (_, Schedule::Never) => unreachable!(),
            };
            row = row.apply(event, time(now), &timing, Some(3)).unwrap().next;
        }
    }
}
