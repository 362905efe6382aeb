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
fn setup(action: bool) -> FakePorts {
    let fake = FakePorts::new();
    if action {
        fake.data().tenant.mappings[0].report.action = Some(plan());
    }
    fake
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
fn scored(fake: &FakePorts, application: &str, points: f64) {
    let reference = Reference::new(format!("r-{application}"));
    let mut result = AssessmentResult::bare(reference.clone(), Status::Completed);
    result.score = Some(Score::of(points, Some(10.0)));
    fake.data().results.insert(reference, result);
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

async fn bring(fake: &FakePorts, key: &InvitationKey, delivered_as: Option<&str>) -> SyncOutcome {
    let delivered_as = delivered_as.map(Reference::from);
    let write_back = fake.ports().write_back();
    let news = write_back.sync_result(key, None, delivered_as.as_ref());
    news.await.unwrap()
}

/// Reports what there is. Returns the row afterwards.
async fn write(fake: &FakePorts, key: &InvitationKey) -> Invitation {
    fake.ports().write_back().write_back(key).await.unwrap();
    fake.row(key)
}

fn calls(fake: &FakePorts) -> Vec<&'static str> {
    std::mem::take(&mut fake.data().calls)
}

fn asked(fake: &FakePorts) -> usize {
    let asked = calls(fake);
    asked.iter().filter(|call| **call == "result").count()
}

/// The platform has it, and nothing was reported of it.
fn unreported(fake: &FakePorts) -> InvitationKey {
    let key = fake.enter("1", "video");
    fake.happens(&key, sent("r-1".into()));
    key
}

/// A writer that a delivery had sent died after it had saved its observation. Nothing but the delivery comes back to
/// the row.
#[tokio::test]
async fn an_unfinished_report_is_written_when_its_delivery_comes_back() {
    let fake = setup(false);
    let key = fake.invited("1", "video");
    scored(&fake, "1", 9.0);
    let shown = fake.row(&key);
    let left = |begun: i64| {
        let seen = Event::Observed {
            snapshot: snapshot(9.0),
            change_token: None,
            lease_until: Some(after(time(begun), seconds(60.0))),
            carried: true,
        };
        let mut data = fake.data();
        data.rows.insert(key.clone(), shown.clone());
        data.happens(&key, seen, time(begun));
    };
    // As far as anybody knows it is still at work.
    left(-59);
    assert_eq!(bring(&fake, &key, Some("c1")).await, SyncOutcome::Later);
    assert!(fake.row(&key).awaits_delivery());

    left(-60);
    assert_eq!(bring(&fake, &key, Some("c1")).await, SyncOutcome::Later);
    assert!(!fake.row(&key).unreported());
    assert_eq!(bring(&fake, &key, Some("c1")).await, SyncOutcome::Recorded);
}

/// Its sender bound the reference and got no further, and the invitation was given up. Then the candidate took part.
#[tokio::test]
async fn a_callback_brings_home_an_invitation_that_was_given_up() {
    let fake = setup(false);
    scored(&fake, "1", 9.0);
    let key = fake.enter("1", "video");
    fake.happens(&key, claim(time(60)));
    let sending = bring(&fake, &key, Some("r-1")).await;
    assert_eq!(sending, SyncOutcome::Later, "its sender may be at work");
    assert_eq!(fake.row(&key).reference, None);

    let given_up = Event::Fail {
        claim: Some(1),
        reason: FailReason::NoEmail,
    };
    for given_up in [None, Some(given_up)] {
        fake.enter("1", "video");
        fake.happens(&key, claim(start()));
        if let Some(event) = given_up {
            fake.happens(&key, event);
        }
        assert_eq!(bring(&fake, &key, Some("r-1")).await, SyncOutcome::Recorded);
        let row = fake.row(&key);
        assert_eq!(row.reference, Some("r-1".into()));
        assert_eq!(row.state, State::Completed);
    }
    // Without a delivery there is nothing to save.
    fake.enter("1", "video");
    fake.happens(&key, claim(start()));
    assert_eq!(bring(&fake, &key, None).await, SyncOutcome::Later);
    assert_eq!(fake.row(&key).reference, None);
}

/// An invitation past its retention time is not touched again, whatever callback comes, and the callback does not come
/// back.
#[tokio::test]
async fn a_callback_about_what_was_forgotten_is_done() {
    for has_reference in [false, true] {
        let fake = setup(false);
        let key = if has_reference {
            fake.invited("1", "video")
        } else {
            fake.enter("1", "video")
        };
        fake.set(|data| {
            data.rows.get_mut(&key).unwrap().forgotten_at = Some(start());
        });
        let before = fake.row(&key);
        assert_eq!(bring(&fake, &key, Some("r-1")).await, SyncOutcome::Recorded);
        assert_eq!(fake.row(&key), before);
        assert_eq!(calls(&fake), Vec::<&str>::new());
    }
}

/// By the time the platform's answer arrives, another worker has fetched and saved the new score.
#[tokio::test]
async fn what_was_asked_for_earlier_never_replaces_what_was_asked_for_later() {
    let fake = setup(false);
    let key = fake.invited("1", "video");
    scored(&fake, "1", 4.0);
    let of = key.clone();
    let other = move |data: &mut FakeState| {
        let mut result = AssessmentResult::bare("r-1".into(), Status::Completed);
        result.score = Some(Score::of(9.0, Some(10.0)));
        data.results.insert("r-1".into(), result);
        data.happens(&of, observed(9.0), start());
    };
    fake.data().on_call.insert("result", Box::new(other));
    assert_eq!(bring(&fake, &key, None).await, SyncOutcome::Recorded);
    assert_eq!(asked(&fake), 2);
    assert_eq!(fake.row(&key).snapshot, Some(snapshot(9.0)));
}

#[tokio::test]
async fn a_row_that_never_rests_is_left_for_later() {
    let fake = setup(false);
    let key = fake.invited("1", "video");
    scored(&fake, "1", 4.0);
    fake.data().conflicts = 5;
    assert_eq!(bring(&fake, &key, None).await, SyncOutcome::Later);
    assert_eq!(asked(&fake), 5);
    assert_eq!(bring(&fake, &key, None).await, SyncOutcome::Recorded);
    assert_eq!(fake.row(&key).snapshot, Some(snapshot(4.0)));
}

#[tokio::test]
async fn a_missing_invitation_has_no_result() {
    let fake = setup(false);
    let key = fake.invited("1", "video");
    fake.data().rows.clear();
    assert_eq!(bring(&fake, &key, Some("r-1")).await, SyncOutcome::Recorded);
    let work = Work::WriteBack {
        key,
        news: true,
        change_token: None,
    };
    fake.handle(work).await;
    assert_eq!(calls(&fake), Vec::<&str>::new());
}

/// A result is fetched, saved and reported in one go, with one read of the platform.
#[tokio::test]
async fn a_result_is_reported_right_away() {
    let fake = setup(true);
    let key = unreported(&fake);
    write(&fake, &key).await;
    scored(&fake, "1", 9.0);
    calls(&fake);
    assert_eq!(bring(&fake, &key, None).await, SyncOutcome::Recorded);
    assert_eq!(calls(&fake), ["result", "update_action"]);
    let row = fake.row(&key);
    assert_eq!(row.state, State::Completed);
    assert!(!row.unreported());
    // And nothing is left for another worker.
    write(&fake, &key).await;
    assert_eq!(calls(&fake), Vec::<&str>::new());
}

/// Before an action is created, that intention has to be saved.
#[tokio::test]
async fn a_result_without_an_action_yet_is_saved_and_enqueued() {
    for tried in [false, true] {
        let fake = setup(true);
        let key = fake.invited("1", "video");
        if tried {
            let mut data = fake.data();
            let report = &mut data.rows.get_mut(&key).unwrap().report;
            report.action = Some(ActionRecord::Creating);
        }
        scored(&fake, "1", 9.0);
        assert_eq!(bring(&fake, &key, Some("r-1")).await, SyncOutcome::Recorded);
        assert_eq!(calls(&fake), ["result"]);
        assert!(fake.row(&key).unreported());
        let work = crate::work::Work::step(key.clone(), Step::WriteBack);
        assert_eq!(fake.data().queued, [work]);
    }
}

#[tokio::test]
async fn a_change_token_and_its_result_are_saved_together() {
    let fake = setup(false);
    let key = fake.invited("1", "video");
    scored(&fake, "1", 9.0);
    let work = Work::WriteBack {
        key: key.clone(),
        news: true,
        change_token: Some("m1".to_owned()),
    };
    fake.handle(work).await;
    let row = fake.row(&key);
    assert_eq!(row.change_token.as_deref(), Some("m1"));
    assert_eq!(row.state, State::Completed);
    assert!(!row.unreported());
}

/// A note without the platform's text is not the last of its moment.
#[tokio::test]
async fn a_note_without_the_platforms_words_is_followed_by_one_with_them() {
    let fake = setup(false);
    fake.data().tenant.mappings[0].report.notes_at = [Moment::Completed].into();
    let key = unreported(&fake);
    fake.happens(&key, observed(9.0));
    scored(&fake, "1", 9.0);
    fake.data().fails.insert("result", failing(Phase::Unknown));
    while fake.row(&key).report.shows(Part::Words) == 0 {
        let Schedule::At { at, .. } = write(&fake, &key).await.schedule else {
            panic!("it is not due");
        };
        fake.data().now = at;
    }
    fake.data().fails.clear();
    fake.pass(3600 * 2);
    assert!(!write(&fake, &key).await.unreported());
    let written = std::mem::take(&mut fake.data().wrote);
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
    let fake = setup(false);
    fake.data().tenant.mappings[0].report.notes_at = [Moment::Completed].into();
    let key = unreported(&fake);
    fake.happens(&key, begun(time(50)));
    scored(&fake, "1", 9.0);
    assert_eq!(bring(&fake, &key, None).await, SyncOutcome::Recorded);
    assert_eq!(calls(&fake), ["result"]);
    let row = fake.row(&key);
    assert_eq!(row.state, State::Completed);
    assert_eq!(row.report.lease_until, Some(time(50)));
    assert!(row.unreported());
}

#[tokio::test]
async fn a_result_that_cannot_be_fetched_comes_later() {
    for call in ["platform", "result"] {
        let fake = setup(false);
        let key = fake.invited("1", "video");
        let down = failing(Phase::Unknown);
        fake.data().fails.insert(call, down);
        let before = fake.row(&key);
        for times in 1..=2 {
            let scope = ErrorScope::Record;
            let news = bring(&fake, &key, Some("r-1")).await;
            assert_eq!(news, SyncOutcome::Unavailable { scope, times });
        }
        let row = fake.row(&key);
        assert_eq!(
            (&row.state, &row.schedule),
            (&before.state, &before.schedule)
        );
        assert_eq!(row.failure.unwrap().attempts, 2);
    }
}

#[tokio::test]
async fn what_is_shown_is_not_written_again() {
    let fake = setup(true);
    let key = unreported(&fake);
    let row = write(&fake, &key).await;
    assert!(!row.unreported());
    assert_eq!(calls(&fake), ["vacancy", "create_action"]);
    let shown = write(&fake, &key).await;
    assert_eq!(shown, row);
    assert_eq!(calls(&fake), Vec::<&str>::new());
}

#[tokio::test]
async fn one_writer_at_a_time() {
    let fake = setup(true);
    let key = unreported(&fake);
    fake.happens(&key, begun(time(60)));
    fake.pass(59);
    write(&fake, &key).await;
    assert_eq!(calls(&fake), Vec::<&str>::new());
    fake.pass(1);
    let row = write(&fake, &key).await;
    assert!(!row.unreported());
    // The other one may have created it.
    assert_eq!(calls(&fake), ["find_action", "vacancy", "create_action"]);
    assert_eq!(row.report.lease_until, None);
}

#[tokio::test]
async fn of_two_concurrent_writers_one_continues() {
    let fake = setup(true);
    let key = unreported(&fake);
    fake.data().conflicts = 1;
    write(&fake, &key).await;
    assert_eq!(calls(&fake), Vec::<&str>::new());
}

#[tokio::test]
async fn what_comes_of_a_removed_mappings_invitation_is_reported_as_it_said() {
    for renamed in [false, true] {
        let fake = setup(true);
        let key = unreported(&fake);
        write(&fake, &key).await;
        if renamed {
            fake.data().tenant.mappings[0].id = "video-2".into();
        } else {
            fake.data().tenant.mappings.clear();
        }
        scored(&fake, "1", 9.0);
        assert_eq!(bring(&fake, &key, None).await, SyncOutcome::Recorded);
        assert!(!fake.row(&key).unreported());
        let data = fake.data();
        let Some(Wrote::Update(_, update)) = data.wrote.last() else {
            panic!("{:?}", data.wrote);
        };
        assert_eq!(update.outcome, Some("done".into()));
    }
}

/// The mapping has other settings by now, for later entries.
#[tokio::test]
async fn a_report_is_written_as_the_definition_says_that_the_invitation_is_under() {
    let fake = setup(true);
    let key = unreported(&fake);
    fake.data().tenant.mappings[0].report = crate::tenant::ReportPlan {
        notes_at: [Moment::Invited].into(),
        ..crate::tenant::ReportPlan::default()
    };
    let row = write(&fake, &key).await;
    assert!(!row.unreported());
    assert!(matches!(fake.data().wrote[..], [Wrote::Action(_)]));
}

/// For an earlier program's row, where to report is unknown once its mapping is gone. The report says so, and nothing
/// counts as shown.
#[tokio::test]
async fn a_report_without_any_definition_waits_for_its_mapping_to_be_configured_again() {
    let fake = setup(true);
    let key = unreported(&fake);
    fake.data().rows.get_mut(&key).unwrap().definition = None;
    let mappings = std::mem::take(&mut fake.data().tenant.mappings);
    let row = write(&fake, &key).await;
    assert!(row.unreported());
    assert_eq!(row.report.failure.unwrap().code, "mapping.unknown");
    assert_eq!(calls(&fake), Vec::<&str>::new());
    fake.data().tenant.mappings = mappings;
    fake.pass(3600);
    assert!(!write(&fake, &key).await.unreported());
}

#[tokio::test]
async fn a_failed_report_is_deferred_and_waits_for_its_time() {
    for call in ["eploy", "vacancy", "create_action"] {
        let fake = setup(true);
        let key = unreported(&fake);
        let busy = throttled(Some(time(500)));
        fake.data().fails.insert(call, busy);
        let row = write(&fake, &key).await;
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

        fake.data().fails.clear();
        calls(&fake);
        fake.pass(499);
        write(&fake, &key).await;
        assert_eq!(calls(&fake), Vec::<&str>::new());
        fake.pass(1);
        let row = write(&fake, &key).await;
        assert!(!row.unreported());
        assert_eq!(row.report.failure, None);
    }
}

#[tokio::test]
async fn a_report_that_needs_the_platforms_words_waits_for_them() {
    let fake = setup(true);
    let key = unreported(&fake);
    fake.happens(&key, observed(9.0));
    let down = failing(Phase::Unknown);
    fake.data().fails.insert("result", down);
    let row = write(&fake, &key).await;
    assert_eq!(calls(&fake), ["result"]);
    assert_eq!(
        row.report.problem().map(|failure| failure.attempts),
        Some(1)
    );
    assert!(fake.row(&key).unreported());
    assert_eq!(fake.row(&key).report.lease_until, None);
}

/// Its key was revoked, say. What the ledger knows is shown once, and the platform's text when it is available.
#[tokio::test]
async fn what_the_ledger_knows_is_reported_where_the_platform_is_unavailable_for_too_long() {
    let fake = setup(true);
    let key = unreported(&fake);
    write(&fake, &key).await;
    scored(&fake, "1", 9.0);
    fake.happens(&key, observed(9.0));
    fake.data().wrote.clear();
    let down = failing(Phase::Unknown);
    fake.data().fails.insert("result", down);
    let shown = |fake: &FakePorts| {
        let written = std::mem::take(&mut fake.data().wrote);
        let comments = |wrote| match wrote {
            Wrote::Update(_, update) => update.comments_html.unwrap(),
            other => panic!("{other:?}"),
        };
        written.into_iter().map(comments).collect::<Vec<_>>()
    };
    let mut notified = Vec::new();
    while fake.data().now < time(4 * 3600) {
        let row = write(&fake, &key).await;
        assert!(row.unreported());
        for comments in shown(&fake) {
            notified.push(fake.data().now);
            assert!(comments.contains("Score: 9 of 10 (90 %)"), "{comments}");
            assert!(comments.contains("cannot be asked for more"), "{comments}");
            // What only an administrator can do is not in the recruiter's text.
            assert!(!comments.contains("Mend it."), "{comments}");
        }
        let Schedule::At { at, .. } = row.schedule else {
            panic!("{:?}", row.schedule);
        };
        fake.data().now = at;
    }
    assert!(
        matches!(notified.as_slice(), [at] if *at >= time(1800)),
        "{notified:?}"
    );

    // There is a new revision, and the platform is still unavailable.
    fake.happens(&key, observed(8.0));
    let row = write(&fake, &key).await;
    assert_eq!(row.report.shows(Part::Action), row.revision);
    assert!(shown(&fake)[0].contains("Score: 8 of 10"));

    fake.data().fails.clear();
    fake.pass(3600 * 2);
    let row = write(&fake, &key).await;
    assert!(!row.unreported());
    assert_eq!(row.report.problem(), None);
    let comments = shown(&fake);
    assert!(!comments[0].contains("cannot be asked"), "{comments:?}");
}

/// The fix is up to a person, and a refused call counts against the customer's allowance.
#[tokio::test]
async fn what_is_refused_for_good_is_tried_again_but_rarely() {
    let fake = setup(true);
    let key = unreported(&fake);
    let refused = failing(Phase::Refused);
    fake.data().fails.insert("vacancy", refused);
    let mut waits = Vec::new();
    while let Schedule::At { at, .. } = write(&fake, &key).await.schedule {
        let wait = at.duration_since(fake.data().now);
        waits.push(wait.as_hours());
        fake.pass(wait.as_secs());
    }
    assert_eq!(waits, [2, 4, 8, 16, 32, 32]);
    let row = fake.row(&key);
    assert!(!row.unreported());
    let failure = row.report.failure(Part::Action).unwrap();
    assert_eq!(
        (failure.failure.attempts, failure.next),
        (7, NextTry::GivenUp(1))
    );
    let published = fake
        .data()
        .published
        .iter()
        .any(|what| what.name() == "report.failed");
    assert!(published);
}

/// Nothing may be lost by a connection that is down for days, and nothing is retried for ever.
#[tokio::test]
async fn an_eploy_that_does_not_answer_is_tried_for_a_month() {
    for call in ["eploy", "vacancy"] {
        let fake = setup(true);
        let key = unreported(&fake);
        fake.data().fails.insert(call, failing(Phase::Unknown));
        let mut tries = 1;
        while let Schedule::At { at, .. } = write(&fake, &key).await.schedule {
            assert!(at < time(32 * 86_400), "{call} {at}");
            fake.data().now = at;
            tries += 1;
        }
        assert!(fake.data().now >= time(30 * 86_400));
        assert!((80..120).contains(&tries), "{tries}");
        let row = fake.row(&key);
        assert!(!row.unreported() && row.report.failure(Part::Action).is_some());
        // An operator has it retried when it is up again.
        fake.data().fails.clear();
        fake.happens(&key, Event::Retry);
        let row = write(&fake, &key).await;
        assert!(!row.unreported() && row.report.problem().is_none());
    }
}

/// The tenant was paused, or no worker was running: that proves nothing.
#[tokio::test]
async fn time_in_which_nobody_tried_does_not_end_a_report() {
    let fake = setup(true);
    let key = unreported(&fake);
    fake.data().fails.insert("vacancy", failing(Phase::Refused));
    for _ in 0..5 {
        let Schedule::At { at, .. } = write(&fake, &key).await.schedule else {
            panic!("{:?}", fake.row(&key).schedule);
        };
        fake.data().now = at;
    }
    fake.pass(10 * 86_400);
    let row = write(&fake, &key).await;
    let failure = row.report.failure(Part::Action).unwrap();
    assert_eq!(failure.failure.attempts, 6);
    assert!(row.unreported() && !failure.is_given_up());
}

/// It was deleted there, by an erasure for example.
#[tokio::test]
async fn the_report_of_an_application_that_eploy_has_no_more_ends() {
    let fake = setup(true);
    let key = unreported(&fake);
    write(&fake, &key).await;
    fake.happens(&key, observed(9.0));
    let gone = CallError {
        code: "eploy.not_found",
        ..failing(Phase::Refused)
    };
    fake.set(|data| {
        data.eploy_fails = Some(gone);
        data.calls.clear();
        data.published.clear();
    });
    let mut tries = 1;
    while let Schedule::At { at, .. } = write(&fake, &key).await.schedule {
        assert!(fake.row(&key).unreported());
        fake.data().now = at;
        tries += 1;
    }
    assert_eq!(tries, 3);
    let calls = calls(&fake).len();
    assert!(calls <= 9, "{calls}");
    let row = fake.row(&key);
    assert!(!row.unreported());
    let failure = row.report.failure(Part::Action).unwrap();
    assert_eq!(failure.failure.code, "eploy.application_gone");
    assert!(failure.is_given_up());
    let published = std::mem::take(&mut fake.data().published);
    assert!(
        published.iter().any(|what| what.name() == "report.failed"),
        "{published:?}"
    );
}

/// Its parts were deferred for longer than the search for the application.
#[tokio::test]
async fn an_application_that_is_gone_is_looked_for_though_no_part_is_due() {
    let fake = setup(true);
    let key = unreported(&fake);
    let gone = CallError {
        code: "eploy.not_found",
        ..failing(Phase::Refused)
    };
    fake.data().eploy_fails = Some(gone);
    let mut tries = 1;
    let mut row = write(&fake, &key).await;
    while let Schedule::At { at, .. } = row.schedule {
        fake.set(|data| {
            data.now = at;
            let report = &mut data.rows.get_mut(&key).unwrap().report;
            let failure = PartFailure {
                failure: report.failure.clone().unwrap(),
                next: NextTry::At(after(at, seconds(86_400.0))),
                mentioned: false,
            };
            report.fail(Part::Action, failure);
        });
        tries += 1;
        row = write(&fake, &key).await;
    }
    assert_eq!(tries, 3);
    assert!(!row.unreported());
}

/// It was a permission that was withdrawn and restored.
#[tokio::test]
async fn an_application_that_is_there_again_is_reported() {
    let fake = setup(true);
    let key = unreported(&fake);
    let gone = CallError {
        code: "eploy.not_found",
        ..failing(Phase::Refused)
    };
    fake.data().eploy_fails = Some(gone);
    for _ in 0..2 {
        let Schedule::At { at, .. } = write(&fake, &key).await.schedule else {
            panic!("{:?}", fake.row(&key).schedule);
        };
        fake.data().now = at;
    }
    fake.data().eploy_fails = None;
    let row = write(&fake, &key).await;
    assert!(!row.unreported() && row.report.problem().is_none());
}

/// The platform is never reachable again.
#[tokio::test]
async fn what_the_platform_is_asked_for_has_an_end() {
    let fake = setup(true);
    let key = unreported(&fake);
    fake.happens(&key, observed(9.0));
    fake.data().fails.insert("result", failing(Phase::Unknown));
    while let Schedule::At { at, .. } = write(&fake, &key).await.schedule {
        assert!(at < time(32 * 86_400), "{at}");
        fake.data().now = at;
    }
    let row = fake.row(&key);
    assert!(!row.unreported());
    assert!(row.report.failure(Part::Words).unwrap().is_given_up());
    let data = fake.data();
    assert!((80..120).contains(&data.calls.iter().filter(|call| **call == "result").count()));
    let Some(Wrote::Action(action)) = data.wrote.first() else {
        panic!("{:?}", data.wrote);
    };
    let comments = action.content.comments_html.as_deref().unwrap();
    assert!(comments.contains("Score: 9 of 10 (90 %)"), "{comments}");
}

#[tokio::test]
async fn a_failure_continues_its_count() {
    let fake = setup(true);
    let key = unreported(&fake);
    let down = failing(Phase::NotSent);
    fake.data().fails.insert("eploy", down);
    let mut waited = SignedDuration::ZERO;
    for times in 1..=4 {
        let row = write(&fake, &key).await;
        let failure = row.report.problem().unwrap();
        assert_eq!(
            (failure.attempts, failure.first_failed_at),
            (times, start())
        );
        let Schedule::At { at, .. } = row.schedule else {
            panic!("{:?}", row.schedule);
        };
        let wait = at.duration_since(fake.data().now);
        assert!(wait > waited);
        waited = wait;
        fake.pass(wait.as_secs() + 1);
    }
}

/// An unsent invitation that is reported as late: its own schedule is for sending, and is left alone.
#[tokio::test]
async fn a_delay_is_reported_while_sending_is_still_retried() {
    let fake = setup(true);
    let key = fake.enter("1", "video");
    let failure = Failure {
        attempts: 4,
        ..Failure::from_call(&failing(Phase::NotSent), None, time(-3600))
    };
    fake.happens(
        &key,
        Event::Deferred {
            claim: None,
            failure,
            until: time(700),
        },
    );
    let row = write(&fake, &key).await;
    assert!(!row.unreported());
    assert_eq!(row.state, State::Detected);
    let due = Schedule::At {
        at: time(700),
        step: Step::Invite,
    };
    assert_eq!(row.schedule, due);
    assert_eq!(calls(&fake), ["vacancy", "create_action"]);
}

/// A writer is suspended during its call, and resumes when its lease is over and another has written.
#[tokio::test]
async fn a_writer_that_wakes_up_late_has_its_report_written_again() {
    let fake = setup(true);
    let key = unreported(&fake);
    write(&fake, &key).await;
    fake.happens(&key, observed(4.0));
    let of = key.clone();
    let other = move |data: &mut FakeState| {
        data.now = time(100);
        data.happens(&of, observed(9.0), time(100));
        data.happens(&of, begun(time(160)), time(100));
        let report = fully_shown(&data.rows[&of]);
        data.happens(&of, Event::Reported(report), time(101));
    };
    fake.set(|data| {
        data.queued.clear();
        data.on_call.insert("update_action", Box::new(other));
    });
    let row = write(&fake, &key).await;
    assert!(row.unreported(), "what was written last may be the older");
    let work = crate::work::Work::step(key.clone(), Step::WriteBack);
    assert_eq!(fake.data().queued, [work]);
    assert!(!write(&fake, &key).await.unreported());
}

#[tokio::test]
async fn a_report_is_done_whatever_else_happened_meanwhile() {
    let fake = setup(true);
    let key = unreported(&fake);
    let of = key.clone();
    let left = move |data: &mut FakeState| {
        data.happens(&of, Event::Left { modified: None }, start());
    };
    fake.data().on_call.insert("create_action", Box::new(left));
    let row = write(&fake, &key).await;
    assert!(!row.unreported());
    assert!(row.entry.left_at.is_some());
    assert_eq!(
        row.report.action,
        Some(ActionRecord::Created("action-1".into()))
    );
}

#[tokio::test]
async fn nothing_is_saved_about_a_candidate_erased_meanwhile() {
    let fake = setup(true);
    let key = unreported(&fake);
    let erased = |data: &mut FakeState| data.rows.clear();
    let on_call = Box::new(erased);
    fake.data().on_call.insert("create_action", on_call);
    fake.ports().write_back().write_back(&key).await.unwrap();
    assert!(fake.data().rows.is_empty());
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
    let start_of = super::writer::action::action_start;
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
        super::writer::action::action_start(&other)
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
