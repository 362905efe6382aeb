//! Sending. Tests of what follows an unknown outcome are in `look_up`.

mod look_up;

use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::fake_ports::{FakePorts, FakeState, at, failing, sent, start, throttled, time};
use crate::invitation::Failure;
use crate::invitation::{ActionRecord, Schedule, Step};
use crate::ports::Task;
use crate::ports::{HistoryRow, StageInfo};
use crate::report::Moment;
use crate::tenant::{ActionPlan, MappingKind, Settings, Vacancies};

async fn invite(fake: &FakePorts, key: &InvitationKey) -> Invitation {
    fake.ports().inviter().invite(key, until()).await.unwrap();
    fake.row(key)
}

/// A setup with an invitation that is to be sent.
fn entered() -> (FakePorts, InvitationKey) {
    let fake = FakePorts::new();
    let key = fake.enter("1", "video");
    (fake, key)
}

/// The same, under a mapping that was changed beforehand.
fn entered_under(change: impl FnOnce(&mut Mapping)) -> (FakePorts, InvitationKey) {
    let fake = FakePorts::new();
    change(&mut fake.data().tenant.mappings[0]);
    let key = fake.enter("1", "video");
    (fake, key)
}

/// The deadline of these tests' lookups.
fn until() -> Deadline {
    Deadline::at(time(77))
}

fn claim(lease_until: Timestamp) -> Event {
    Event::Claim {
        lease_until,
        entered_at: None,
        history: None,
        sent_to: None,
    }
}

fn failure(since: Timestamp) -> Failure {
    Failure::from_call(&failing(Phase::NotSent), None, since)
}

fn deferral(until: Timestamp) -> Event {
    Event::Deferred {
        claim: None,
        failure: failure(start()),
        until,
    }
}

/// Applies this event to the invitation during the next call, or save, of this name.
fn on_call(
    fake: &FakePorts,
    call: &'static str,
    happens: impl FnOnce(&mut FakeState) + Send + 'static,
) {
    let mut data = fake.data();
    data.on_call.insert(call, Box::new(happens));
}

fn fails(fake: &FakePorts, call: &'static str, phase: Phase) {
    let mut data = fake.data();
    data.fails.insert(call, failing(phase));
}

fn calls(fake: &FakePorts) -> Vec<&'static str> {
    std::mem::take(&mut fake.data().calls)
}

const NONE: Vec<&str> = Vec::new();

fn due(at: Timestamp) -> Schedule {
    Schedule::At {
        at,
        step: Step::Invite,
    }
}

#[tokio::test]
async fn a_candidate_at_the_stage_is_invited_once() {
    let (fake, key) = entered_under(|mapping| {
        mapping.options.insert("language".to_owned(), "en".into());
    });
    let row = invite(&fake, &key).await;
    assert_eq!(row.state, State::Invited);
    let reference = Reference::new(format!("of-{}", key.name()));
    assert_eq!(row.reference, Some(reference));
    assert_eq!(row.attempts, 1);
    {
        let data = fake.data();
        let [order] = data.orders.as_slice() else {
            panic!("{:?}", data.orders);
        };
        assert_eq!(order.client_ref, key.name());
        assert_eq!(order.assessment, "a1".into());
        assert_eq!(order.person.email.as_deref(), Some("robin@example.com"));
        assert_eq!(order.options["language"], "en");
        let ids = [
            ("applicationId", "1"),
            ("candidateId", "9001"),
            ("invitationId", &key.name()),
        ];
        let metadata = order.metadata.iter();
        assert!(
            metadata
                .map(|(key, value)| (key.as_str(), value.as_str()))
                .eq(ids)
        );
    }
    calls(&fake);
    assert_eq!(invite(&fake, &key).await, row);
    assert_eq!(calls(&fake), NONE);
}

#[tokio::test]
async fn when_the_application_entered_is_kept() {
    let (fake, key) = entered();
    let entry = HistoryRow {
        id: "h1".into(),
        at: Some(time(-300)),
        position: at("12", "34"),
    };
    fake.data().stage_info = StageInfo::History(vec![entry]);
    let entry = invite(&fake, &key).await.entry;
    assert_eq!(entry.entered_at, Some(time(-300)));
    assert_eq!(entry.history, Some("h1".into()));
}

/// The sender continues with the report: nothing is read twice, and nothing is enqueued.
#[tokio::test]
async fn what_was_sent_is_reported_in_the_same_breath() {
    let (fake, key) = entered_under(|mapping| {
        mapping.report.action = Some(ActionPlan {
            action_type: "interview".into(),
            outcomes: BTreeMap::new(),
        });
    });
    let row = invite(&fake, &key).await;
    assert!(!row.unreported());
    let action = ActionRecord::Created("action-1".into());
    assert_eq!(row.report.action, Some(action));
    assert_eq!(
        calls(&fake),
        [
            "stage_info",
            "candidate",
            "invite",
            "vacancy",
            "create_action"
        ]
    );
    assert!(fake.data().queued.is_empty());
}

#[tokio::test]
async fn before_its_time_nothing_is_asked() {
    for (until, asks) in [(time(1), false), (time(0), true), (time(-1), true)] {
        let (fake, key) = entered();
        fake.happens(&key, deferral(until));
        let row = invite(&fake, &key).await;
        assert_eq!(row.state == State::Invited, asks, "{until}");
        assert_eq!(!calls(&fake).is_empty(), asks, "{until}");
    }
}

#[tokio::test]
async fn what_is_gone_or_paused_or_over_is_not_asked_about() {
    let (fake, key) = entered();
    fake.data().tenant.paused = true;
    assert_eq!(invite(&fake, &key).await.state, State::Detected);

    fake.data().tenant.paused = false;
    let cancelled = fake.happens(&key, Event::Cancel);
    assert_eq!(invite(&fake, &key).await, cancelled);

    fake.data().rows.clear();
    fake.ports()
        .inviter()
        .invite(&key, Deadline::NONE)
        .await
        .unwrap();
    assert_eq!(calls(&fake), NONE);
}

#[tokio::test]
async fn of_a_removed_mapping_nobody_is_invited() {
    let (fake, key) = entered();
    fake.data().tenant.mappings.clear();
    let row = invite(&fake, &key).await;
    assert_eq!(row.state, State::Skipped(SkipReason::MappingRemoved));
    assert_eq!(calls(&fake), NONE);
}

/// A paused mapping defers its invitations, and then it is changed and resumed.
async fn changed_while_it_waits(change: impl FnOnce(&mut Mapping)) -> (FakePorts, Invitation) {
    let (fake, key) = entered();
    fake.data().tenant.mappings[0].paused = true;
    invite(&fake, &key).await;
    change(&mut fake.data().tenant.mappings[0]);
    fake.data().tenant.mappings[0].paused = false;
    fake.pass(3600);
    let row = invite(&fake, &key).await;
    (fake, row)
}

#[tokio::test]
async fn what_was_taken_out_of_a_mapping_is_not_invited_for() {
    let skipped = State::Skipped(SkipReason::MappingChanged);
    let only = |vacancy: &str| Vacancies::Only([vacancy.into()].into());
    let (fake, row) = changed_while_it_waits(|mapping| mapping.vacancies = only("4102")).await;
    assert_eq!(row.state, skipped);
    assert_eq!(calls(&fake), NONE);

    let (fake, row) =
        changed_while_it_waits(|mapping| mapping.triggers[0].stage = "13".into()).await;
    assert_eq!(row.state, skipped);
    assert!(fake.data().orders.is_empty());

    let (_, row) = changed_while_it_waits(|mapping| mapping.vacancies = only("4101")).await;
    assert_eq!(row.state, State::Invited);
}

#[tokio::test]
async fn an_invitation_is_wholly_under_the_definition_it_was_made_under() {
    let (fake, row) = changed_while_it_waits(|mapping| {
        mapping.assessment.assessment = "a2".into();
        mapping.options.insert("language".to_owned(), "fr".into());
        mapping.kind = MappingKind::Pool(crate::tenant::PoolPlan::default());
        mapping.expires_after_days = Some(1);
        mapping.report.action = Some(ActionPlan {
            action_type: "interview".into(),
            outcomes: BTreeMap::new(),
        });
    })
    .await;
    let data = fake.data();
    assert_eq!(data.orders[0].assessment, "a1".into());
    assert_eq!(data.orders[0].options, Settings::new());
    assert_eq!(data.orders[0].task, Task::Invite);
    assert_eq!(row.assessment.assessment, "a1".into());
    assert!(matches!(row.schedule, Schedule::Sweep { until: None, .. }));
    assert_eq!(data.wrote, []);
}

/// The same mapping under another name still continues what it had begun.
#[tokio::test]
async fn a_renamed_mapping_continues_with_what_waits() {
    let (_, row) = changed_while_it_waits(|mapping| mapping.id = "video-2".into()).await;
    assert_eq!(row.state, State::Invited);
    let (_, row) = changed_while_it_waits(|mapping| {
        mapping.id = "video-2".into();
        mapping.assessment.assessment = "a2".into();
    })
    .await;
    assert_eq!(row.state, State::Skipped(SkipReason::MappingRemoved));
}

#[tokio::test]
async fn a_paused_mapping_holds_its_invitations_back_however_long() {
    let (fake, key) = entered();
    fake.data().tenant.mappings[0].paused = true;
    for hours in 0..100 {
        let row = invite(&fake, &key).await;
        let failure = row.failure.unwrap();
        assert_eq!(
            (failure.code.as_str(), failure.attempts),
            ("mapping.paused", 1)
        );
        assert_eq!(row.schedule, due(time(3600 * (hours + 1))));
        fake.pass(3600);
    }
    assert_eq!(calls(&fake), NONE);
    fake.data().tenant.mappings[0].paused = false;
    assert_eq!(invite(&fake, &key).await.state, State::Invited);
}

#[tokio::test]
async fn a_candidate_that_moved_on_is_not_invited() {
    for stage_info in [
        StageInfo::Gone,
        StageInfo::Position(at("13", "34")),
        StageInfo::Position(at("12", "99")),
    ] {
        let (fake, key) = entered();
        fake.data().stage_info = stage_info;
        let row = invite(&fake, &key).await;
        assert_eq!(row.state, State::Skipped(SkipReason::MovedOn));
        assert!(fake.data().orders.is_empty());
    }
}

/// Such a mapping follows up another one's invitation.
#[tokio::test]
async fn without_triggers_it_does_not_matter_where_the_application_is() {
    let (fake, key) = entered_under(|mapping| mapping.triggers.clear());
    fake.set(|data| {
        // Neither its present position nor its time of entry matters.
        data.stage_info = StageInfo::History(vec![HistoryRow {
            id: "h1".into(),
            at: Some(time(-10_000)),
            position: at("20", "1"),
        }]);
        let entry = &mut data.rows.get_mut(&key).unwrap().entry;
        entry.not_before = Some(start());
    });
    let row = invite(&fake, &key).await;
    assert_eq!(row.state, State::Invited);
    assert_eq!(row.entry.history, None);
}

/// The baseline reading had missed it. Eploy's times may be an hour off.
#[tokio::test]
async fn a_candidate_from_before_the_mapping_is_not_invited() {
    for (entered_at, invited) in [
        (Some(time(-3901)), false),
        (Some(time(-3900)), true),
        (None, true),
    ] {
        let (fake, key) = entered();
        fake.set(|data| {
            data.stage_info = StageInfo::History(vec![HistoryRow {
                id: "h1".into(),
                at: entered_at,
                position: at("12", "34"),
            }]);
            let entry = &mut data.rows.get_mut(&key).unwrap().entry;
            entry.not_before = Some(start());
        });
        let state = if invited {
            State::Invited
        } else {
            State::Skipped(SkipReason::Baseline)
        };
        assert_eq!(invite(&fake, &key).await.state, state, "{entered_at:?}");
    }
}

#[tokio::test]
async fn without_an_address_there_is_nobody_to_invite() {
    for email in [None, Some(""), Some("robin")] {
        let (fake, key) = entered();
        fake.data().person.email = email.map(ToOwned::to_owned);
        let row = invite(&fake, &key).await;
        assert_eq!(row.state, State::Failed(FailReason::NoEmail));
        assert!(row.unreported());
        assert!(fake.data().orders.is_empty());
    }
}

/// The platform would refuse it, or write to somebody else.
#[tokio::test]
async fn an_address_that_cannot_be_one_is_refused_with_the_reason() {
    let (fake, key) = entered();
    fake.data().person.email = Some("robin@example.com; sam@example.com".to_owned());
    let State::Failed(FailReason::Refused(failure)) = invite(&fake, &key).await.state else {
        panic!("{:?}", fake.row(&key).state);
    };
    assert_eq!(failure.code, "candidate.email");
    assert!(!failure.problem.contains("robin"), "{}", failure.problem);
    assert!(fake.data().orders.is_empty());
}

/// Merged into another after the move: the application names the present candidate.
#[tokio::test]
async fn a_candidate_that_was_merged_meanwhile_is_invited_as_the_one_that_is_left() {
    let (fake, key) = entered();
    fake.set(|data| {
        data.merged = ["9001".into()].into();
        let merged = crate::ports::ApplicationRow {
            id: "1".into(),
            candidate: "8000".into(),
            vacancy: "4101".into(),
            position: crate::fake_ports::at_trigger(),
            modified: None,
        };
        data.records.insert("1".into(), merged);
    });
    let row = invite(&fake, &key).await;
    assert_eq!(
        (row.candidate.as_str(), row.state.name()),
        ("8000", "detected")
    );
    let row = invite(&fake, &key).await;
    assert_eq!(row.state, State::Invited);
    assert_eq!(fake.data().orders[0].metadata["candidateId"], "8000");
}

/// The application's present candidate cannot be read at present: that is no reason to give up.
#[tokio::test]
async fn a_candidate_that_may_have_been_merged_is_looked_for_again() {
    let (fake, key) = entered();
    fake.set(|data| {
        data.merged = ["9001".into()].into();
        data.fails.insert("application", throttled(Some(time(500))));
    });
    let row = invite(&fake, &key).await;
    assert_eq!((row.state, row.schedule), (State::Detected, due(time(500))));
}

/// Deleted, and not merged: there is nobody to invite.
#[tokio::test]
async fn a_candidate_that_is_gone_is_refused() {
    let (fake, key) = entered();
    fake.data().merged = ["9001".into()].into();
    let row = invite(&fake, &key).await;
    assert!(matches!(row.state, State::Failed(FailReason::Refused(_))));
}

#[tokio::test]
async fn what_cannot_be_read_now_puts_the_invitation_off() {
    for call in ["eploy", "stage_info", "candidate", "platform"] {
        let (fake, key) = entered();
        fake.data().fails.insert(call, throttled(Some(time(500))));
        let row = invite(&fake, &key).await;
        assert_eq!(row.state, State::Detected, "{call}");
        assert_eq!(row.schedule, due(time(500)), "{call}");
        assert_eq!(row.attempts, 0);
        assert_eq!(row.failure.unwrap().attempts, 1);
        assert!(fake.data().orders.is_empty());

        fake.data().fails.clear();
        fake.pass(500);
        assert_eq!(invite(&fake, &key).await.state, State::Invited);
    }
}

#[tokio::test]
async fn what_is_refused_for_good_fails_and_says_why() {
    for call in ["eploy", "stage_info", "candidate", "platform", "invite"] {
        let (fake, key) = entered();
        fails(&fake, call, Phase::Refused);
        let row = invite(&fake, &key).await;
        let State::Failed(FailReason::Refused(failure)) = row.state else {
            panic!("{call}: {:?}", row.state);
        };
        assert_eq!(failure.remedy, "Mend it.");
    }
}

#[tokio::test]
async fn a_platform_that_does_not_take_it_now_is_asked_again_later() {
    for phase in [Phase::NotSent, Phase::Throttled] {
        let (fake, key) = entered();
        fails(&fake, "invite", phase);
        let mut waited = SignedDuration::ZERO;
        for times in 1..=4 {
            let row = invite(&fake, &key).await;
            assert_eq!(row.state, State::Detected);
            assert_eq!(row.attempts, times);
            assert_eq!(row.failure.map(|failure| failure.attempts), Some(times));
            let wait = row.retry_at.unwrap().duration_since(fake.data().now);
            assert!(wait > waited, "{wait} after {waited}");
            waited = wait;
            fake.pass(wait.as_secs() + 1);
        }
        fake.data().fails.clear();
        let row = invite(&fake, &key).await;
        assert_eq!(row.state, State::Invited);
        assert!(!calls(&fake).contains(&"find"), "it certainly has none");
    }
}

#[tokio::test]
async fn of_two_who_claim_at_once_one_sends() {
    let (fake, key) = entered();
    fake.data().conflicts = 1;
    assert_eq!(invite(&fake, &key).await.state, State::Detected);
    assert!(fake.data().orders.is_empty());
}

#[tokio::test]
async fn while_a_claim_runs_nobody_else_sends() {
    let (fake, key) = entered();
    let claimed = fake.happens(&key, claim(time(60)));
    fake.pass(59);
    assert_eq!(invite(&fake, &key).await, claimed);
    assert_eq!(calls(&fake), NONE);
}

/// A worker that looks it up after the lease must be able to rely on no call being under way.
#[tokio::test]
async fn a_call_that_could_outlive_its_lease_is_not_made() {
    for (saving_takes, sends) in [(30, true), (31, false)] {
        let (fake, key) = entered();
        fake.data().saving_takes = SignedDuration::from_secs(saving_takes);
        let row = invite(&fake, &key).await;
        assert_eq!(!fake.data().orders.is_empty(), sends, "{saving_takes} s");
        let sending = State::Sending {
            lease_until: time(60),
        };
        assert_eq!(row.state == sending, !sends, "{saving_takes} s");
    }
}

/// A callback finds its invitation however soon it arrives.
#[tokio::test]
async fn the_reference_is_bound_before_the_invitation_is_saved_as_sent() {
    let (fake, key) = entered();
    on_call(&fake, "invite", |data| {
        let saved = |data: &mut FakeState| {
            assert_eq!(data.references.len(), 1);
            data.made_elsewhere = Some("looked".into());
        };
        data.on_call.insert("save", Box::new(saved));
    });
    assert_eq!(invite(&fake, &key).await.state, State::Invited);
    assert!(fake.data().made_elsewhere.is_some());
}

#[tokio::test]
async fn what_the_platform_accepted_is_saved_whatever_happened_meanwhile() {
    let (fake, key) = entered();
    let of = key.clone();
    on_call(&fake, "invite", move |data| {
        data.happens(&of, Event::Left { modified: None }, start());
    });
    let row = invite(&fake, &key).await;
    assert_eq!(row.state, State::Invited);
    assert!(row.entry.left_at.is_some());
    assert!(!row.unreported());
}

#[tokio::test]
async fn what_the_platform_did_not_take_gives_way_to_what_happened_meanwhile() {
    let (fake, key) = entered();
    let of = key.clone();
    on_call(&fake, "invite", move |data| {
        data.happens(&of, Event::Left { modified: None }, start());
    });
    fails(&fake, "invite", Phase::Refused);
    let row = invite(&fake, &key).await;
    assert!(
        matches!(row.state, State::Sending { .. }),
        "{:?}",
        row.state
    );
    assert!(row.entry.left_at.is_some());
}

#[tokio::test]
async fn nothing_is_saved_about_a_candidate_erased_meanwhile() {
    let (fake, key) = entered();
    on_call(&fake, "invite", |data| data.rows.clear());
    fake.ports()
        .inviter()
        .invite(&key, Deadline::NONE)
        .await
        .unwrap();
    assert!(fake.data().rows.is_empty());
}

/// The lookup of another worker found no trace of this call, and sent it again.
#[tokio::test]
async fn a_second_invitation_on_the_platform_changes_nothing_saved() {
    let (fake, key) = entered();
    let of = key.clone();
    on_call(&fake, "invite", move |data| {
        data.happens(&of, sent("first".into()), start());
    });
    let row = invite(&fake, &key).await;
    assert_eq!(row.reference, Some("first".into()));
    assert!(!calls(&fake).contains(&"create_action"));
}

/// It was late, and a writer is reporting that.
#[tokio::test]
async fn a_sender_does_not_write_beside_another_writer() {
    let notes_at = [Moment::Invited].into();
    let (fake, key) = entered_under(|mapping| mapping.report.notes_at = notes_at);
    let late = Event::Deferred {
        claim: None,
        failure: failure(time(-3600)),
        until: start(),
    };
    fake.happens(&key, late);
    let writer = Writer {
        lease_until: time(50),
        creates_action: false,
    };
    fake.happens(&key, Event::ReportBegun(writer));
    let row = invite(&fake, &key).await;
    assert_eq!(row.state, State::Invited);
    assert_eq!(row.report.lease_until, Some(time(50)));
    assert!(!calls(&fake).contains(&"add_note"));
    // The report of the delay was enqueued before it was sent.
    let work = Work::step(key, Step::WriteBack);
    assert_eq!(fake.data().queued.first(), Some(&work));
}

#[tokio::test]
async fn without_a_report_nothing_is_enqueued() {
    let (fake, key) = entered();
    fails(&fake, "invite", Phase::NotSent);
    invite(&fake, &key).await;
    assert!(fake.data().queued.is_empty());
}

/// Another entry of the same person may still have to find it, if the platform does not tell whose it is.
#[tokio::test]
async fn a_late_senders_reference_is_not_bound_beside_one_found_meanwhile() {
    for (passed, other, bound) in [
        (59, "other", true),
        (60, "other", false),
        (60, "of-1.video.1", true),
    ] {
        let (fake, key) = entered();
        let row = key.clone();
        let happens = move |data: &mut FakeState| {
            data.now = time(passed);
            data.happens(&row, sent(Reference::new(other)), time(passed));
        };
        on_call(&fake, "invite", happens);
        let row = invite(&fake, &key).await;
        assert_eq!(row.reference, Some(Reference::new(other)));
        let place = ("acc".into(), Reference::new("of-1.video.1"));
        let owner = fake.data().references.get(&place).cloned();
        assert_eq!(owner, bound.then_some(key), "{passed} {other}");
    }
}

/// The erasure looked for rows before this one was saved, or got no further than its tombstone.
#[tokio::test]
async fn nobody_erased_is_invited() {
    let (fake, key) = entered();
    {
        let mut data = fake.data();
        let candidate = data.rows[&key].candidate.clone();
        data.erased.insert(candidate);
    }
    fake.ports()
        .inviter()
        .invite(&key, Deadline::NONE)
        .await
        .unwrap();
    assert!(fake.data().rows.is_empty());
    assert_eq!(calls(&fake), Vec::<&str>::new());
}

/// Nothing of an erased candidate may stay on the platform, and only what no row has is withdrawn.
#[tokio::test]
async fn an_invitation_of_a_candidate_erased_meanwhile_is_withdrawn() {
    for erased in [true, false] {
        let (fake, key) = entered();
        let row = key.clone();
        let happens = move |data: &mut FakeState| {
            if erased {
                let row = data.rows.remove(&row).unwrap();
                data.erased.insert(row.candidate);
            } else {
                // Another sender has saved it.
                data.happens(&row, sent(Reference::new("other")), time(1));
            }
        };
        on_call(&fake, "invite", happens);
        fake.ports()
            .inviter()
            .invite(&key, Deadline::NONE)
            .await
            .unwrap();
        let reference = Reference::new(format!("of-{}", key.name()));
        let taken_back = erased.then_some(reference);
        assert_eq!(fake.data().withdrawn.clone(), Vec::from_iter(taken_back));
        assert_eq!(fake.data().references.is_empty(), erased);
    }
}

/// At an action stage the application's status is the outcome of the action (shared/eploy/REFERENCE.md §5), and a
/// mapping may move the one that has to wait.
#[tokio::test]
async fn a_report_of_the_delay_does_not_end_the_invitation() {
    for (stage, status, invites) in [
        ("12", "10", true),
        ("15", "1", true),
        // Another user did that.
        ("12", "11", false),
        ("16", "1", false),
    ] {
        let fake = FakePorts::new();
        fake.set(|data| {
            let report = &mut data.tenant.mappings[0].report;
            report.action = Some(ActionPlan {
                action_type: "interview".into(),
                outcomes: [(Moment::Delayed, "10".into())].into(),
            });
            report.moves = vec![crate::tenant::MovePlan {
                on: Moment::Delayed,
                min_percent: None,
                from: vec![],
                stage: "15".into(),
                status: None,
            }];
            data.fails.insert("invite", failing(Phase::NotSent));
        });
        let key = fake.enter("1", "video");
        while fake.row(&key).revision == 0 {
            let Schedule::At { at, .. } = invite(&fake, &key).await.schedule else {
                panic!("{:?}", fake.row(&key).schedule);
            };
            fake.data().now = at;
        }
        fake.ports().write_back().write_back(&key).await.unwrap();
        let shown = at(stage, status);
        fake.set(|data| {
            data.stage_info = StageInfo::Position(shown.clone());
            data.position = Some(shown);
            data.fails.clear();
        });
        let row = invite(&fake, &key).await;
        let invited = row.state == State::Invited;
        assert_eq!(invited, invites, "{stage} {status}: {:?}", row.state);
    }
}
