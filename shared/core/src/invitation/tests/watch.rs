//! The watch: a delivery's change is reported without touching the state that sweeps compare with, and no change is
//! left without an owner.

use super::*;

/// Reported as invited, and watched.
fn watched() -> Invitation {
    let row = step(&step(&fresh(), claim(60), 1).next, sent("r"), 2).next;
    step(&row, reported(&row), 3).next
}

fn seen(status: Status, digest: u8, carried: bool) -> Event {
    Event::Observed {
        snapshot: snapshot(status, digest),
        change_token: None,
        lease_until: Some(time(64)),
        carried,
    }
}

/// The watch of an end at this second.
fn until(end: i64, level: u8) -> Schedule {
    let follow = i64::from(30 * 86_400);
    Schedule::Sweep {
        until: Some(time(end + follow)),
        level,
    }
}

#[test]
fn a_delivery_leaves_the_watch_as_the_last_sweep_left_it() {
    let open = Schedule::Sweep {
        until: None,
        level: 2,
    };
    let held = step(&watched(), seen(Status::Completed, 1, true), 4).next;
    let written = step(&held, reported(&held), 5).next;
    for row in [&held, &written] {
        assert_eq!((&row.state, &row.schedule), (&State::Completed, &open));
    }
    assert_eq!(
        step(&written, Event::Left { modified: None }, 6)
            .next
            .schedule,
        open
    );
    // Until a worker looks without a delivery: that alone is worth a change, once.
    let looked = step(&written, seen(Status::Completed, 1, false), 7).next;
    assert_eq!(looked.schedule, until(4, 5));
    assert_eq!(looked.revision, written.revision);
    refused(&looked, seen(Status::Completed, 1, false), 8);
    refused(&written, seen(Status::Completed, 1, true), 8);
}

#[test]
fn the_watch_counts_from_the_last_end() {
    let timing = Timing::default();
    let expired = step(&watched(), seen(Status::Expired, 1, false), 4).next;
    let expired = step(&expired, reported(&expired), 5).next;
    assert_eq!(expired.schedule, until(4, 4));
    // Late, by a delivery.
    let late = 20 * 86_400;
    let done = Event::Observed {
        snapshot: snapshot(Status::Completed, 2),
        change_token: None,
        lease_until: Some(time(late + 60)),
        carried: true,
    };
    let done = step(&expired, done, late).next;
    let done = step(&done, reported(&done), late + 1).next;
    assert_eq!(done.schedule, until(4, 4));
    let end = |row: &Invitation, at: i64| row.apply(Event::WatchExpired, time(at), &timing, None);
    let over = 4 + 30 * 86_400;
    assert!(end(&done, over - 1).is_err());
    let on = end(&done, over).unwrap().next;
    assert_eq!(on.schedule, until(late, 5));
    let over = late + 30 * 86_400;
    assert!(end(&on, over - 1).is_err());
    let ended = end(&on, over).unwrap().next;
    assert_eq!(
        (ended.state, ended.schedule),
        (State::Completed, Schedule::Never)
    );
}

#[test]
fn a_report_left_to_a_delivery_stays_off_the_clock_until_its_lease_is_over() {
    let seen = |digest, until: i64, carried| Event::Observed {
        snapshot: snapshot(Status::Completed, digest),
        change_token: None,
        lease_until: Some(time(until)),
        carried,
    };
    let row = step(&step(&fresh(), claim(60), 1).next, sent("r"), 2).next;
    // A row that is due itself keeps its own schedule.
    let due = step(&row, seen(1, 63, true), 3).next;
    assert!(!due.awaits_delivery());
    let watched = step(&row, reported(&row), 3).next;
    let held = step(&watched, seen(1, 64, true), 4);
    assert!(held.next.awaits_delivery());
    assert!(
        !held
            .effects
            .iter()
            .any(|effect| matches!(effect, Effect::Watch(_) | Effect::Queue(_)))
    );
    // Without a delivery it is due when the lease ends.
    let alone = step(&watched, seen(1, 64, false), 4).next;
    let at = time(64);
    let due = Schedule::At {
        at,
        step: Step::WriteBack,
    };
    assert_eq!(alone.schedule, due);
    // A worker that takes it over makes it due itself; so does one that defers it or learns more after the lease.
    let taken_over = step(&held.next, Event::ReportBegun(writer(130)), 65).next;
    assert!(!taken_over.awaits_delivery());
    let deferred = Event::ReportDeferred {
        report: deferred_report(&held.next.report, 5),
        until: time(90),
    };
    assert!(!step(&held.next, deferred, 5).next.awaits_delivery());
    assert!(
        !step(&held.next, Event::Left { modified: None }, 65)
            .next
            .awaits_delivery()
    );
    // The watch may end meanwhile: the report comes first.
    let long_after = 40 * 86_400;
    assert!(matches!(
        refused(&held.next, Event::WatchExpired, long_after),
        NotApplicable::Past { .. }
    ));
    assert!(!step(&held.next, reported(&held.next), 5).next.unreported());
}

#[test]
fn a_report_that_a_sweep_has_marked_is_due_without_its_delivery() {
    let seen = |change_token, carried| Event::Observed {
        snapshot: snapshot(Status::Completed, 1),
        change_token,
        lease_until: Some(time(64)),
        carried,
    };
    let row = step(&step(&fresh(), claim(60), 1).next, sent("r"), 2).next;
    let watched = step(&row, reported(&row), 3).next;
    let held = step(&watched, seen(None, true), 4).next;
    assert!(held.awaits_delivery());
    // Once it has a change token, no list shows it as changed again; and another worker may have settled the delivery.
    let marked = step(&held, seen(Some("7".to_owned()), false), 5).next;
    let at = time(64);
    let due = Schedule::At {
        at,
        step: Step::WriteBack,
    };
    assert_eq!(marked.schedule, due);
}
