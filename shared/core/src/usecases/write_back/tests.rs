//! Fetching results, and reporting them.

mod parts;

use std::collections::BTreeMap;

use jiff::SignedDuration;

use super::*;
use crate::fake_ports::{
    FakePorts, FakeState, Wrote, entered, failing, fully_shown, mapping, sent, start, throttled,
    time,
};
use crate::invitation::{FailReason, Failure, NextTry, Part, PartFailure};
use crate::report::Moment;
use crate::result::{Score, Status};
use crate::tenant::{ActionPlan, MovePlan};
use crate::timing::{Timing, after, seconds};

/// A setup whose invitations are reported as an action, or not at all.
fn world(action: bool) -> FakePorts {
    let world = FakePorts::new();
    if action {
        world.holds().tenant.mappings[0].report.action = Some(plan());
    }
    world
}

fn plan() -> ActionPlan {
    ActionPlan {
        action_type: "interview".into(),
        outcomes: BTreeMap::from([
            (Moment::Invited, "waits".into()),
            (Moment::Completed, "done".into()),
        ]),
    }
}

/// The platform's result for this application's invitation: completed, with this many points of ten.
fn scored(world: &FakePorts, application: &str, points: f64) {
    let reference = Reference::new(format!("r-{application}"));
    let mut result = AssessmentResult::bare(reference.clone(), Status::Completed);
    result.score = Some(Score::of(points, Some(10.0)));
    world.holds().results.insert(reference, result);
}

/// What the ledger knows with that result.
fn snapshot(points: f64) -> crate::result::ResultSnapshot {
    let mut result = AssessmentResult::bare("r-1".into(), Status::Completed);
    result.score = Some(Score::of(points, Some(10.0)));
    result.snapshot()
}

fn observed(points: f64) -> Event {
    Event::Observed {
        snapshot: snapshot(points),
        change_token: None,
        lease_until: None,
        carried: false,
    }
}

fn claim(lease_until: Timestamp) -> Event {
    Event::Claim {
        lease_until,
        entered_at: None,
        history: None,
        sent_to: None,
    }
}

fn begun(lease_until: Timestamp) -> Event {
    Event::ReportBegun(Writer {
        lease_until,
        creates_action: true,
    })
}

async fn bring(world: &FakePorts, key: &InvitationKey, delivered_as: Option<&str>) -> SyncOutcome {
    let delivered_as = delivered_as.map(Reference::from);
    let write_back = world.ports().write_back();
    let news = write_back.sync_result(key, None, delivered_as.as_ref());
    news.await.unwrap()
}

/// Reports what there is. Returns the row afterwards.
async fn write(world: &FakePorts, key: &InvitationKey) -> Invitation {
    world.ports().write_back().write_back(key).await.unwrap();
    world.row(key)
}

fn calls(world: &FakePorts) -> Vec<&'static str> {
    std::mem::take(&mut world.holds().calls)
}

fn asked(world: &FakePorts) -> usize {
    let asked = calls(world);
    asked.iter().filter(|call| **call == "result").count()
}

/// The platform has it, and nothing was reported of it.
fn unreported(world: &FakePorts) -> InvitationKey {
    let key = world.enter("1", "video");
    world.happens(&key, sent("r-1".into()));
    key
}

/// A writer that a delivery had sent died after it had saved its observation. Nothing but the delivery comes back to
/// the row.
#[tokio::test]
async fn an_unfinished_report_is_written_when_its_delivery_comes_back() {
    let world = world(false);
    let key = world.invited("1", "video");
    scored(&world, "1", 9.0);
    let shown = world.row(&key);
    let left = |begun: i64| {
        let seen = Event::Observed {
            snapshot: snapshot(9.0),
            change_token: None,
            lease_until: Some(after(time(begun), seconds(60.0))),
            carried: true,
        };
        let mut holds = world.holds();
        holds.rows.insert(key.clone(), shown.clone());
        holds.happens(&key, seen, time(begun));
    };
    // As far as anybody knows it is still at work.
    left(-59);
    assert_eq!(bring(&world, &key, Some("c1")).await, SyncOutcome::Later);
    assert!(world.row(&key).awaits_delivery());

    left(-60);
    assert_eq!(bring(&world, &key, Some("c1")).await, SyncOutcome::Later);
    assert!(!world.row(&key).unreported());
    assert_eq!(bring(&world, &key, Some("c1")).await, SyncOutcome::Recorded);
}

/// Its sender bound the reference and got no further, and the invitation was given up. Then the candidate took part.
#[tokio::test]
async fn a_callback_brings_home_an_invitation_that_was_given_up() {
    let world = world(false);
    scored(&world, "1", 9.0);
    let key = world.enter("1", "video");
    world.happens(&key, claim(time(60)));
    let sending = bring(&world, &key, Some("r-1")).await;
    assert_eq!(sending, SyncOutcome::Later, "its sender may be at work");
    assert_eq!(world.row(&key).reference, None);

    let given_up = Event::Fail {
        claim: Some(1),
        reason: FailReason::NoEmail,
    };
    for given_up in [None, Some(given_up)] {
        world.enter("1", "video");
        world.happens(&key, claim(start()));
        if let Some(event) = given_up {
            world.happens(&key, event);
        }
        assert_eq!(
            bring(&world, &key, Some("r-1")).await,
            SyncOutcome::Recorded
        );
        let row = world.row(&key);
        assert_eq!(row.reference, Some("r-1".into()));
        assert_eq!(row.state, State::Completed);
    }
    // Without a delivery there is nothing to save.
    world.enter("1", "video");
    world.happens(&key, claim(start()));
    assert_eq!(bring(&world, &key, None).await, SyncOutcome::Later);
    assert_eq!(world.row(&key).reference, None);
}

/// An invitation past its retention time is not touched again, whatever callback comes, and the callback does not come
/// back.
#[tokio::test]
async fn a_callback_about_what_was_forgotten_is_done() {
    for has_reference in [false, true] {
        let world = world(false);
        let key = if has_reference {
            world.invited("1", "video")
        } else {
            world.enter("1", "video")
        };
        world.set(|holds| {
            holds.rows.get_mut(&key).unwrap().forgotten_at = Some(start());
        });
        let before = world.row(&key);
        assert_eq!(
            bring(&world, &key, Some("r-1")).await,
            SyncOutcome::Recorded
        );
        assert_eq!(world.row(&key), before);
        assert_eq!(calls(&world), Vec::<&str>::new());
    }
}

/// By the time the platform's answer arrives, another worker has fetched and saved the new score.
#[tokio::test]
async fn what_was_asked_for_earlier_never_replaces_what_was_asked_for_later() {
    let world = world(false);
    let key = world.invited("1", "video");
    scored(&world, "1", 4.0);
    let of = key.clone();
    let other = move |holds: &mut FakeState| {
        let mut result = AssessmentResult::bare("r-1".into(), Status::Completed);
        result.score = Some(Score::of(9.0, Some(10.0)));
        holds.results.insert("r-1".into(), result);
        holds.happens(&of, observed(9.0), start());
    };
    world.holds().on_call.insert("result", Box::new(other));
    assert_eq!(bring(&world, &key, None).await, SyncOutcome::Recorded);
    assert_eq!(asked(&world), 2);
    assert_eq!(world.row(&key).snapshot, Some(snapshot(9.0)));
}

#[tokio::test]
async fn a_row_that_never_rests_is_left_for_later() {
    let world = world(false);
    let key = world.invited("1", "video");
    scored(&world, "1", 4.0);
    world.holds().conflicts = 5;
    assert_eq!(bring(&world, &key, None).await, SyncOutcome::Later);
    assert_eq!(asked(&world), 5);
    assert_eq!(bring(&world, &key, None).await, SyncOutcome::Recorded);
    assert_eq!(world.row(&key).snapshot, Some(snapshot(4.0)));
}

#[tokio::test]
async fn a_missing_invitation_has_no_result() {
    let world = world(false);
    let key = world.invited("1", "video");
    world.holds().rows.clear();
    assert_eq!(
        bring(&world, &key, Some("r-1")).await,
        SyncOutcome::Recorded
    );
    let work = Work::WriteBack {
        key,
        news: true,
        change_token: None,
    };
    world.handle(work).await;
    assert_eq!(calls(&world), Vec::<&str>::new());
}

/// A result is fetched, saved and reported in one go, with one read of the platform.
#[tokio::test]
async fn a_result_is_reported_right_away() {
    let world = world(true);
    let key = unreported(&world);
    write(&world, &key).await;
    scored(&world, "1", 9.0);
    calls(&world);
    assert_eq!(bring(&world, &key, None).await, SyncOutcome::Recorded);
    assert_eq!(calls(&world), ["result", "update_action"]);
    let row = world.row(&key);
    assert_eq!(row.state, State::Completed);
    assert!(!row.unreported());
    // And nothing is left for another worker.
    write(&world, &key).await;
    assert_eq!(calls(&world), Vec::<&str>::new());
}

/// Before an action is created, that intention has to be saved.
#[tokio::test]
async fn a_result_without_an_action_yet_is_saved_and_enqueued() {
    for tried in [false, true] {
        let world = world(true);
        let key = world.invited("1", "video");
        if tried {
            let mut holds = world.holds();
            let report = &mut holds.rows.get_mut(&key).unwrap().report;
            report.action = Some(ActionRecord::Creating);
        }
        scored(&world, "1", 9.0);
        assert_eq!(
            bring(&world, &key, Some("r-1")).await,
            SyncOutcome::Recorded
        );
        assert_eq!(calls(&world), ["result"]);
        assert!(world.row(&key).unreported());
        let work = crate::work::Work::step(key.clone(), Step::WriteBack);
        assert_eq!(world.holds().queued, [work]);
    }
}

#[tokio::test]
async fn a_change_token_and_its_result_are_saved_together() {
    let world = world(false);
    let key = world.invited("1", "video");
    scored(&world, "1", 9.0);
    let work = Work::WriteBack {
        key: key.clone(),
        news: true,
        change_token: Some("m1".to_owned()),
    };
    world.handle(work).await;
    let row = world.row(&key);
    assert_eq!(row.change_token.as_deref(), Some("m1"));
    assert_eq!(row.state, State::Completed);
    assert!(!row.unreported());
}

/// A note without the platform's text is not the last of its moment.
#[tokio::test]
async fn a_note_without_the_platforms_words_is_followed_by_one_with_them() {
    let world = world(false);
    world.holds().tenant.mappings[0].report.notes_at = [Moment::Completed].into();
    let key = unreported(&world);
    world.happens(&key, observed(9.0));
    scored(&world, "1", 9.0);
    world
        .holds()
        .fails
        .insert("result", failing(Phase::Unknown));
    while world.row(&key).report.shows(Part::Words) == 0 {
        let Schedule::At { at, .. } = write(&world, &key).await.schedule else {
            panic!("it is not due");
        };
        world.holds().now = at;
    }
    world.holds().fails.clear();
    world.pass(3600 * 2);
    assert!(!write(&world, &key).await.unreported());
    let written = std::mem::take(&mut world.holds().wrote);
    let notes: Vec<bool> = written
        .into_iter()
        .map(|wrote| match wrote {
            Wrote::Note(note) => note.contains("cannot be asked for more"),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(notes, [true, false]);
}

/// A report is being written, and meanwhile there is a new revision.
#[tokio::test]
async fn a_change_during_a_report_is_left_to_the_next_writer() {
    let world = world(false);
    world.holds().tenant.mappings[0].report.notes_at = [Moment::Completed].into();
    let key = unreported(&world);
    world.happens(&key, begun(time(50)));
    scored(&world, "1", 9.0);
    assert_eq!(bring(&world, &key, None).await, SyncOutcome::Recorded);
    assert_eq!(calls(&world), ["result"]);
    let row = world.row(&key);
    assert_eq!(row.state, State::Completed);
    assert_eq!(row.report.lease_until, Some(time(50)));
    assert!(row.unreported());
}

#[tokio::test]
async fn a_result_that_cannot_be_fetched_comes_later() {
    for call in ["platform", "result"] {
        let world = world(false);
        let key = world.invited("1", "video");
        let down = failing(Phase::Unknown);
        world.holds().fails.insert(call, down);
        let before = world.row(&key);
        for times in 1..=2 {
            let scope = ErrorScope::Record;
            let news = bring(&world, &key, Some("r-1")).await;
            assert_eq!(news, SyncOutcome::Unavailable { scope, times });
        }
        let row = world.row(&key);
        assert_eq!(
            (&row.state, &row.schedule),
            (&before.state, &before.schedule)
        );
        assert_eq!(row.failure.unwrap().attempts, 2);
    }
}

#[tokio::test]
async fn what_is_shown_is_not_written_again() {
    let world = world(true);
    let key = unreported(&world);
    let row = write(&world, &key).await;
    assert!(!row.unreported());
    assert_eq!(calls(&world), ["vacancy", "create_action"]);
    let shown = write(&world, &key).await;
    assert_eq!(shown, row);
    assert_eq!(calls(&world), Vec::<&str>::new());
}

#[tokio::test]
async fn one_writer_at_a_time() {
    let world = world(true);
    let key = unreported(&world);
    world.happens(&key, begun(time(60)));
    world.pass(59);
    write(&world, &key).await;
    assert_eq!(calls(&world), Vec::<&str>::new());
    world.pass(1);
    let row = write(&world, &key).await;
    assert!(!row.unreported());
    // The other one may have created it.
    assert_eq!(calls(&world), ["find_action", "vacancy", "create_action"]);
    assert_eq!(row.report.lease_until, None);
}

#[tokio::test]
async fn of_two_concurrent_writers_one_continues() {
    let world = world(true);
    let key = unreported(&world);
    world.holds().conflicts = 1;
    write(&world, &key).await;
    assert_eq!(calls(&world), Vec::<&str>::new());
}

#[tokio::test]
async fn what_comes_of_a_removed_mappings_invitation_is_reported_as_it_said() {
    for renamed in [false, true] {
        let world = world(true);
        let key = unreported(&world);
        write(&world, &key).await;
        if renamed {
            world.holds().tenant.mappings[0].id = "video-2".into();
        } else {
            world.holds().tenant.mappings.clear();
        }
        scored(&world, "1", 9.0);
        assert_eq!(bring(&world, &key, None).await, SyncOutcome::Recorded);
        assert!(!world.row(&key).unreported());
        let holds = world.holds();
        let Some(Wrote::Update(_, update)) = holds.wrote.last() else {
            panic!("{:?}", holds.wrote);
        };
        assert_eq!(update.outcome, Some("done".into()));
    }
}

/// The mapping has other settings by now, for later entries.
#[tokio::test]
async fn a_report_is_written_as_the_definition_says_that_the_invitation_is_under() {
    let world = world(true);
    let key = unreported(&world);
    world.holds().tenant.mappings[0].report = crate::tenant::ReportPlan {
        notes_at: [Moment::Invited].into(),
        ..crate::tenant::ReportPlan::default()
    };
    let row = write(&world, &key).await;
    assert!(!row.unreported());
    assert!(matches!(world.holds().wrote[..], [Wrote::Action(_)]));
}

/// For an earlier program's row, where to report is unknown once its mapping is gone. The report says so, and nothing
/// counts as shown.
#[tokio::test]
async fn a_report_without_any_definition_waits_for_its_mapping_to_be_configured_again() {
    let world = world(true);
    let key = unreported(&world);
    world.holds().rows.get_mut(&key).unwrap().definition = None;
    let mappings = std::mem::take(&mut world.holds().tenant.mappings);
    let row = write(&world, &key).await;
    assert!(row.unreported());
    assert_eq!(row.report.failure.unwrap().code, "mapping.unknown");
    assert_eq!(calls(&world), Vec::<&str>::new());
    world.holds().tenant.mappings = mappings;
    world.pass(3600);
    assert!(!write(&world, &key).await.unreported());
}

#[tokio::test]
async fn a_failed_report_is_deferred_and_waits_for_its_time() {
    for call in ["eploy", "vacancy", "create_action"] {
        let world = world(true);
        let key = unreported(&world);
        let busy = throttled(Some(time(500)));
        world.holds().fails.insert(call, busy);
        let row = write(&world, &key).await;
        let failure = row.report.problem().unwrap();
        assert_eq!(
            (failure.code.as_str(), failure.attempts),
            ("test.failed", 1)
        );
        assert_eq!(row.report.lease_until, None);
        let due = Schedule::At {
            at: time(500),
            step: Step::WriteBack,
        };
        assert_eq!(row.schedule, due);

        world.holds().fails.clear();
        calls(&world);
        world.pass(499);
        write(&world, &key).await;
        assert_eq!(calls(&world), Vec::<&str>::new());
        world.pass(1);
        let row = write(&world, &key).await;
        assert!(!row.unreported());
        assert_eq!(row.report.failure, None);
    }
}

#[tokio::test]
async fn a_report_that_needs_the_platforms_words_waits_for_them() {
    let world = world(true);
    let key = unreported(&world);
    world.happens(&key, observed(9.0));
    let down = failing(Phase::Unknown);
    world.holds().fails.insert("result", down);
    let row = write(&world, &key).await;
    assert_eq!(calls(&world), ["result"]);
    assert_eq!(
        row.report.problem().map(|failure| failure.attempts),
        Some(1)
    );
    assert!(world.row(&key).unreported());
    assert_eq!(world.row(&key).report.lease_until, None);
}

/// Its key was revoked, say. What the ledger knows is shown once, and the platform's text when it is available.
#[tokio::test]
async fn what_the_ledger_knows_is_reported_where_the_platform_is_unavailable_for_too_long() {
    let world = world(true);
    let key = unreported(&world);
    write(&world, &key).await;
    scored(&world, "1", 9.0);
    world.happens(&key, observed(9.0));
    world.holds().wrote.clear();
    let down = failing(Phase::Unknown);
    world.holds().fails.insert("result", down);
    let shown = |world: &FakePorts| {
        let written = std::mem::take(&mut world.holds().wrote);
        let comments = |wrote| match wrote {
            Wrote::Update(_, update) => update.comments_html.unwrap(),
            other => panic!("{other:?}"),
        };
        written.into_iter().map(comments).collect::<Vec<_>>()
    };
    let mut notified = Vec::new();
    while world.holds().now < time(4 * 3600) {
        let row = write(&world, &key).await;
        assert!(row.unreported());
        for comments in shown(&world) {
            notified.push(world.holds().now);
            assert!(comments.contains("Score: 9 of 10 (90 %)"), "{comments}");
            assert!(comments.contains("cannot be asked for more"), "{comments}");
            // What only an administrator can do is not in the recruiter's text.
            assert!(!comments.contains("Mend it."), "{comments}");
        }
        let Schedule::At { at, .. } = row.schedule else {
            panic!("{:?}", row.schedule);
        };
        world.holds().now = at;
    }
    assert!(
        matches!(notified.as_slice(), [at] if *at >= time(1800)),
        "{notified:?}"
    );

    // There is a new revision, and the platform is still unavailable.
    world.happens(&key, observed(8.0));
    let row = write(&world, &key).await;
    assert_eq!(row.report.shows(Part::Action), row.revision);
    assert!(shown(&world)[0].contains("Score: 8 of 10"));

    world.holds().fails.clear();
    world.pass(3600 * 2);
    let row = write(&world, &key).await;
    assert!(!row.unreported());
    assert_eq!(row.report.problem(), None);
    let comments = shown(&world);
    assert!(!comments[0].contains("cannot be asked"), "{comments:?}");
}

/// The fix is up to a person, and a refused call counts against the customer's allowance.
#[tokio::test]
async fn what_is_refused_for_good_is_tried_again_but_rarely() {
    let world = world(true);
    let key = unreported(&world);
    let refused = failing(Phase::Refused);
    world.holds().fails.insert("vacancy", refused);
    let mut waits = Vec::new();
    while let Schedule::At { at, .. } = write(&world, &key).await.schedule {
        let wait = at.duration_since(world.holds().now);
        waits.push(wait.as_hours());
        world.pass(wait.as_secs());
    }
    assert_eq!(waits, [2, 4, 8, 16, 32, 32]);
    let row = world.row(&key);
    assert!(!row.unreported());
    let failure = row.report.failure(Part::Action).unwrap();
    assert_eq!(
        (failure.failure.attempts, failure.next),
        (7, NextTry::GivenUp(1))
    );
    let published = world
        .holds()
        .published
        .iter()
        .any(|what| what.name() == "report.failed");
    assert!(published);
}

/// Nothing may be lost by a connection that is down for days, and nothing is retried for ever.
#[tokio::test]
async fn an_eploy_that_does_not_answer_is_tried_for_a_month() {
    for call in ["eploy", "vacancy"] {
        let world = world(true);
        let key = unreported(&world);
        world.holds().fails.insert(call, failing(Phase::Unknown));
        let mut tries = 1;
        while let Schedule::At { at, .. } = write(&world, &key).await.schedule {
            assert!(at < time(32 * 86_400), "{call} {at}");
            world.holds().now = at;
            tries += 1;
        }
        assert!(world.holds().now >= time(30 * 86_400));
        assert!((80..120).contains(&tries), "{tries}");
        let row = world.row(&key);
        assert!(!row.unreported() && row.report.failure(Part::Action).is_some());
        // An operator has it retried when it is up again.
        world.holds().fails.clear();
        world.happens(&key, Event::Retry);
        let row = write(&world, &key).await;
        assert!(!row.unreported() && row.report.problem().is_none());
    }
}

/// The tenant was paused, or no worker was running: that proves nothing.
#[tokio::test]
async fn time_in_which_nobody_tried_does_not_end_a_report() {
    let world = world(true);
    let key = unreported(&world);
    world
        .holds()
        .fails
        .insert("vacancy", failing(Phase::Refused));
    for _ in 0..5 {
        let Schedule::At { at, .. } = write(&world, &key).await.schedule else {
            panic!("{:?}", world.row(&key).schedule);
        };
        world.holds().now = at;
    }
    world.pass(10 * 86_400);
    let row = write(&world, &key).await;
    let failure = row.report.failure(Part::Action).unwrap();
    assert_eq!(failure.failure.attempts, 6);
    assert!(row.unreported() && !failure.is_given_up());
}

/// It was deleted there, by an erasure for example.
#[tokio::test]
async fn the_report_of_an_application_that_eploy_has_no_more_ends() {
    let world = world(true);
    let key = unreported(&world);
    write(&world, &key).await;
    world.happens(&key, observed(9.0));
    let gone = CallError {
        code: "eploy.not_found",
        ..failing(Phase::Refused)
    };
    world.set(|holds| {
        holds.eploy_fails = Some(gone);
        holds.calls.clear();
        holds.published.clear();
    });
    let mut tries = 1;
    while let Schedule::At { at, .. } = write(&world, &key).await.schedule {
        assert!(world.row(&key).unreported());
        world.holds().now = at;
        tries += 1;
    }
    assert_eq!(tries, 3);
    let calls = calls(&world).len();
    assert!(calls <= 9, "{calls}");
    let row = world.row(&key);
    assert!(!row.unreported());
    let failure = row.report.failure(Part::Action).unwrap();
    assert_eq!(failure.failure.code, "eploy.application_gone");
    assert!(failure.is_given_up());
    let published = std::mem::take(&mut world.holds().published);
    assert!(
        published.iter().any(|what| what.name() == "report.failed"),
        "{published:?}"
    );
}

/// Its parts were deferred for longer than the search for the application.
#[tokio::test]
async fn an_application_that_is_gone_is_looked_for_though_no_part_is_due() {
    let world = world(true);
    let key = unreported(&world);
    let gone = CallError {
        code: "eploy.not_found",
        ..failing(Phase::Refused)
    };
    world.holds().eploy_fails = Some(gone);
    let mut tries = 1;
    let mut row = write(&world, &key).await;
    while let Schedule::At { at, .. } = row.schedule {
        world.set(|holds| {
            holds.now = at;
            let report = &mut holds.rows.get_mut(&key).unwrap().report;
            let failure = PartFailure {
                failure: report.failure.clone().unwrap(),
                next: NextTry::At(after(at, seconds(86_400.0))),
                told: false,
            };
            report.fail(Part::Action, failure);
        });
        tries += 1;
        row = write(&world, &key).await;
    }
    assert_eq!(tries, 3);
    assert!(!row.unreported());
}

/// It was a permission that was withdrawn and restored.
#[tokio::test]
async fn an_application_that_is_there_again_is_reported() {
    let world = world(true);
    let key = unreported(&world);
    let gone = CallError {
        code: "eploy.not_found",
        ..failing(Phase::Refused)
    };
    world.holds().eploy_fails = Some(gone);
    for _ in 0..2 {
        let Schedule::At { at, .. } = write(&world, &key).await.schedule else {
            panic!("{:?}", world.row(&key).schedule);
        };
        world.holds().now = at;
    }
    world.holds().eploy_fails = None;
    let row = write(&world, &key).await;
    assert!(!row.unreported() && row.report.problem().is_none());
}

/// The platform is never reachable again.
#[tokio::test]
async fn what_the_platform_is_asked_for_has_an_end() {
    let world = world(true);
    let key = unreported(&world);
    world.happens(&key, observed(9.0));
    world
        .holds()
        .fails
        .insert("result", failing(Phase::Unknown));
    while let Schedule::At { at, .. } = write(&world, &key).await.schedule {
        assert!(at < time(32 * 86_400), "{at}");
        world.holds().now = at;
    }
    let row = world.row(&key);
    assert!(!row.unreported());
    assert!(row.report.failure(Part::Words).unwrap().is_given_up());
    let holds = world.holds();
    assert!((80..120).contains(&holds.calls.iter().filter(|call| **call == "result").count()));
    let Some(Wrote::Action(action)) = holds.wrote.first() else {
        panic!("{:?}", holds.wrote);
    };
    let comments = action.content.comments_html.as_deref().unwrap();
    assert!(comments.contains("Score: 9 of 10 (90 %)"), "{comments}");
}

#[tokio::test]
async fn a_failure_continues_its_count() {
    let world = world(true);
    let key = unreported(&world);
    let down = failing(Phase::NotSent);
    world.holds().fails.insert("eploy", down);
    let mut waited = SignedDuration::ZERO;
    for times in 1..=4 {
        let row = write(&world, &key).await;
        let failure = row.report.problem().unwrap();
        assert_eq!(
            (failure.attempts, failure.first_failed_at),
            (times, start())
        );
        let Schedule::At { at, .. } = row.schedule else {
            panic!("{:?}", row.schedule);
        };
        let wait = at.duration_since(world.holds().now);
        assert!(wait > waited);
        waited = wait;
        world.pass(wait.as_secs() + 1);
    }
}

/// An unsent invitation that is reported as late: its own schedule is for sending, and is left alone.
#[tokio::test]
async fn a_delay_is_reported_while_sending_is_still_retried() {
    let world = world(true);
    let key = world.enter("1", "video");
    let failure = Failure {
        attempts: 4,
        ..Failure::from_call(&failing(Phase::NotSent), None, time(-3600))
    };
    world.happens(
        &key,
        Event::Deferred {
            claim: None,
            failure,
            until: time(700),
        },
    );
    let row = write(&world, &key).await;
    assert!(!row.unreported());
    assert_eq!(row.state, State::Detected);
    let due = Schedule::At {
        at: time(700),
        step: Step::Invite,
    };
    assert_eq!(row.schedule, due);
    assert_eq!(calls(&world), ["vacancy", "create_action"]);
}

/// A writer is suspended during its call, and resumes when its lease is over and another has written.
#[tokio::test]
async fn a_writer_that_wakes_up_late_has_its_report_written_again() {
    let world = world(true);
    let key = unreported(&world);
    write(&world, &key).await;
    world.happens(&key, observed(4.0));
    let of = key.clone();
    let other = move |holds: &mut FakeState| {
        holds.now = time(100);
        holds.happens(&of, observed(9.0), time(100));
        holds.happens(&of, begun(time(160)), time(100));
        let report = fully_shown(&holds.rows[&of]);
        holds.happens(&of, Event::Reported(report), time(101));
    };
    world.set(|holds| {
        holds.queued.clear();
        holds.on_call.insert("update_action", Box::new(other));
    });
    let row = write(&world, &key).await;
    assert!(row.unreported(), "what was written last may be the older");
    let work = crate::work::Work::step(key.clone(), Step::WriteBack);
    assert_eq!(world.holds().queued, [work]);
    assert!(!write(&world, &key).await.unreported());
}

#[tokio::test]
async fn a_report_is_done_whatever_else_happened_meanwhile() {
    let world = world(true);
    let key = unreported(&world);
    let of = key.clone();
    let left = move |holds: &mut FakeState| {
        holds.happens(&of, Event::Left, start());
    };
    world
        .holds()
        .on_call
        .insert("create_action", Box::new(left));
    let row = write(&world, &key).await;
    assert!(!row.unreported());
    assert!(row.entry.left_at.is_some());
    assert_eq!(
        row.report.action,
        Some(ActionRecord::Created("action-1".into()))
    );
}

#[tokio::test]
async fn nothing_is_saved_about_a_candidate_erased_meanwhile() {
    let world = world(true);
    let key = unreported(&world);
    let erased = |holds: &mut FakeState| holds.rows.clear();
    let on_call = Box::new(erased);
    world.holds().on_call.insert("create_action", on_call);
    world.ports().write_back().write_back(&key).await.unwrap();
    assert!(world.holds().rows.is_empty());
}

#[test]
fn an_action_is_found_by_the_same_start_after_the_clock_was_set_right() {
    let row = entered("1", &mapping("m"), start());
    let mut now = start();
    let mut set_right = row.clone();
    for hours in [5, 20] {
        now = now.checked_sub(SignedDuration::from_hours(hours)).unwrap();
        set_right = set_right.set_back(now, &Timing::default()).unwrap();
        assert_eq!(set_right.entry.seen_at, now);
    }
    let start_of = super::writer::action_start;
    assert_eq!(start_of(&set_right), start_of(&row));
}

#[test]
fn no_two_invitations_share_the_start_that_their_action_is_found_by() {
    let one = entered("1", &mapping("m"), start());
    let start_of = |application: &str, mapping: &str, round: u32| {
        let mut other = one.clone();
        other.key.application = application.into();
        other.key.mapping = mapping.into();
        other.key.round = round;
        super::writer::action_start(&other)
    };
    let starts = [
        start_of("1", "m", 1),
        start_of("1", "n", 1),
        start_of("2", "m", 1),
        start_of("1", "m", 2),
    ];
    for (at, start) in starts.iter().enumerate() {
        // Even where only whole seconds are stored.
        let second = |start: &Timestamp| start.as_second();
        let others = starts[..at].iter().map(second);
        assert!(
            others.into_iter().all(|other| other != second(start)),
            "{starts:?}"
        );
        let before = one.entry.seen_at.duration_since(*start);
        assert!((0..60).contains(&before.as_secs()), "{before}");
    }
}
