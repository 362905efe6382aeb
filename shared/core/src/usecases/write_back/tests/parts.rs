//! Which parts of a report are written, and how often.

use super::*;
use crate::fake_ports::{at, at_trigger};
use crate::ids::{QuestionId, StageId, StatusId};
use crate::ports::{ActionUpdate, Answer, ApplicationRow, HistoryRow, NewAction, StageInfo};
use crate::tenant::{Answerable, ReportPlan, Trigger};

/// A setup whose invitations are reported like this.
fn reporting(report: ReportPlan) -> FakePorts {
    let fake = FakePorts::new();
    fake.data().tenant.mappings[0].report = report;
    fake
}

fn wrote(fake: &FakePorts) -> Vec<Wrote> {
    std::mem::take(&mut fake.data().wrote)
}

/// What is written of an invitation that is completed with this many points of ten.
async fn completed(fake: &FakePorts, points: f64) -> (InvitationKey, Vec<Wrote>) {
    let key = fake.invited("1", "video");
    scored(fake, "1", points);
    bring(fake, &key, None).await;
    write(fake, &key).await;
    assert!(!fake.row(&key).unreported());
    (key, wrote(fake))
}

#[tokio::test]
async fn an_action_is_created_once_and_kept_up_to_date() {
    let fake = setup(true);
    let key = unreported(&fake);
    let seen_at = fake.row(&key).entry.seen_at;
    write(&fake, &key).await;
    let all = wrote(&fake);
    let [Wrote::Action(action)] = all.as_slice() else {
        panic!("{all:?}");
    };
    assert_eq!(action.candidate, "9001".into());
    assert_eq!(action.vacancy, "4101".into());
    assert_eq!(action.action_type, "interview".into());
    assert!(action.started_at <= seen_at);
    assert_eq!(action.content.outcome, Some("waits".into()));
    assert_eq!(action.content.completed_at, None);
    assert!(action.content.comments_html.is_some());

    fake.pass(3600);
    scored(&fake, "1", 9.0);
    bring(&fake, &key, None).await;
    let all = wrote(&fake);
    let [Wrote::Update(id, update)] = all.as_slice() else {
        panic!("{all:?}");
    };
    assert_eq!(*id, "action-1".into());
    assert_eq!(update.outcome, Some("done".into()));
    assert_eq!(update.completed_at, Some(time(3600)));
}

/// It is unknown whether the action was created.
#[tokio::test]
async fn an_action_of_unknown_outcome_is_looked_up_before_another_is_created() {
    let fake = setup(true);
    let key = unreported(&fake);
    let unknown = failing(Phase::Unknown);
    fake.data().fails.insert("create_action", unknown);
    let row = write(&fake, &key).await;
    assert_eq!(row.report.action, Some(ActionRecord::Creating));
    fake.data().fails.clear();
    fake.pass(60);
    calls(&fake);
    let row = write(&fake, &key).await;
    assert_eq!(calls(&fake), ["find_action", "update_action"]);
    let created = ActionRecord::Created("action-1".into());
    assert_eq!(row.report.action, Some(created));
    assert!(!row.unreported());
}

/// The call after the lookup failed. The next writer looks it up again, in case the first one's arrives late.
#[tokio::test]
async fn an_unsuccessful_lookup_is_repeated_after_a_failure() {
    let fake = setup(true);
    let key = unreported(&fake);
    fake.happens(&key, begun(start()));
    let down = failing(Phase::NotSent);
    fake.data().fails.insert("vacancy", down);
    let row = write(&fake, &key).await;
    assert_eq!(calls(&fake), ["find_action", "vacancy"]);
    assert_eq!(row.report.action, Some(ActionRecord::Creating));
}

#[tokio::test]
async fn what_was_certainly_not_begun_need_not_be_looked_up() {
    let fake = setup(true);
    let key = unreported(&fake);
    let down = failing(Phase::NotSent);
    fake.data().fails.insert("vacancy", down);
    let row = write(&fake, &key).await;
    assert_eq!(row.report.action, None);
}

/// An earlier writer died after its creation had arrived, and Eploy gave the action to the other candidate, too.
#[tokio::test]
async fn a_report_follows_a_candidate_who_was_merged_into_another() {
    for is_there in [false, true] {
        let fake = setup(true);
        let key = unreported(&fake);
        if is_there {
            fake.happens(&key, begun(start()));
            let row = fake.row(&key);
            fake.data().wrote.push(Wrote::Action(NewAction {
                candidate: "8000".into(),
                vacancy: row.vacancy.clone(),
                company: None,
                action_type: "interview".into(),
                started_at: writer::action::action_start(&row),
                content: ActionUpdate::default(),
            }));
        }
        fake.set(|data| {
            data.merged = ["9001".into()].into();
            let merged = ApplicationRow {
                id: "1".into(),
                candidate: "8000".into(),
                vacancy: "4101".into(),
                position: at_trigger(),
                modified: None,
            };
            data.records.insert("1".into(), merged);
        });
        let row = write(&fake, &key).await;
        assert_eq!(row.candidate, "8000".into());
        assert!(!row.unreported());
        let created = ActionRecord::Created("action-1".into());
        assert_eq!(row.report.action, Some(created));
        let wrote = wrote(&fake);
        let theirs = wrote.iter().filter_map(|one| match one {
            Wrote::Action(action) => Some(&action.candidate),
            _ => None,
        });
        assert!(theirs.eq([&"8000".into()]), "{wrote:?}");
    }
}

/// The action is saved, there is a new revision, and Eploy answers that there is no such action.
async fn missing_action(fake: &FakePorts) -> InvitationKey {
    let key = unreported(fake);
    write(fake, &key).await;
    fake.happens(&key, observed(9.0));
    let gone = CallError {
        code: "eploy.not_found",
        ..failing(Phase::Refused)
    };
    fake.data().fails.insert("update_action", gone);
    calls(fake);
    key
}

#[tokio::test]
async fn a_deleted_action_is_created_again() {
    let fake = setup(true);
    let key = missing_action(&fake).await;
    fake.data().wrote.clear();
    let row = write(&fake, &key).await;
    assert!(!row.unreported());
    let created = ActionRecord::Created("action-1".into());
    assert_eq!(row.report.action, Some(created));
    let made = [
        "result",
        "update_action",
        "find_action",
        "vacancy",
        "create_action",
    ];
    assert_eq!(calls(&fake), made);
}

/// Its address differs from the one that we call, or our role may not see it.
#[tokio::test]
async fn an_existing_but_unreachable_action_is_not_created_again() {
    let fake = setup(true);
    let key = missing_action(&fake).await;
    let row = write(&fake, &key).await;
    let made = ["result", "update_action", "find_action", "position"];
    assert_eq!(calls(&fake), made);
    assert!(row.unreported());
    let code = row.report.problem().map(|failure| failure.code.as_str());
    assert_eq!(code, Some("eploy.not_found"));
    let created = ActionRecord::Created("action-1".into());
    assert_eq!(row.report.action, Some(created));
}

/// The invitation's action is another than the saved one, which is gone.
#[tokio::test]
async fn of_two_actions_the_one_that_is_there_is_kept_up_to_date() {
    let fake = setup(true);
    let key = missing_action(&fake).await;
    fake.set(|data| {
        let report = &mut data.rows.get_mut(&key).unwrap().report;
        report.action = Some(ActionRecord::Created("action-0".into()));
        data.on_call.insert(
            "find_action",
            Box::new(|data: &mut FakeState| data.fails.clear()),
        );
        data.wrote.truncate(1);
    });
    let row = write(&fake, &key).await;
    assert!(!row.unreported());
    let created = ActionRecord::Created("action-1".into());
    assert_eq!(row.report.action, Some(created));
    let all = wrote(&fake);
    assert!(
        matches!(all.as_slice(), [Wrote::Action(_), Wrote::Update(id, _)] if *id == "action-1".into()),
        "{all:?}"
    );
}

#[tokio::test]
async fn an_action_that_cannot_be_changed_is_not_created_again() {
    let fake = setup(true);
    let key = unreported(&fake);
    write(&fake, &key).await;
    fake.happens(&key, observed(9.0));
    wrote(&fake);
    let refused = failing(Phase::Refused);
    fake.data().fails.insert("update_action", refused);
    let row = write(&fake, &key).await;
    assert!(row.unreported());
    let created = ActionRecord::Created("action-1".into());
    assert_eq!(row.report.action, Some(created));
    assert_eq!(wrote(&fake), []);
}

fn rejected() -> CallError {
    CallError {
        code: "eploy.rejected",
        ..failing(Phase::Refused)
    }
}

/// Too long, or with something in it that Eploy does not accept.
#[tokio::test]
async fn a_report_that_eploy_refuses_is_written_in_brief() {
    let fake = setup(true);
    fake.set(|data| {
        let texts = &mut data.tenant.mappings[0].report.texts;
        texts.comments = Some("{{ headline }} with words of our own".to_owned());
    });
    let key = unreported(&fake);
    fake.set(|data| {
        data.fails.insert("create_action", rejected());
        let taken = |data: &mut FakeState| data.fails.clear();
        data.on_call.insert("find_action", Box::new(taken));
    });
    let row = write(&fake, &key).await;
    assert!(!row.unreported());
    let created = ActionRecord::Created("action-1".into());
    assert_eq!(row.report.action, Some(created));
    let all = wrote(&fake);
    let [Wrote::Action(action)] = all.as_slice() else {
        panic!("{all:?}");
    };
    let comments = action.content.comments_html.as_deref().unwrap();
    assert!(comments.contains("Invited to Willo."), "{comments}");
    assert!(!comments.contains("words of our own"), "{comments}");
    assert_eq!(action.content.outcome, Some("waits".into()));
}

/// The text is not the cause.
#[tokio::test]
async fn a_report_whose_short_text_is_refused_too_is_deferred() {
    let fake = setup(true);
    let key = unreported(&fake);
    write(&fake, &key).await;
    fake.happens(&key, observed(9.0));
    calls(&fake);
    fake.data().fails.insert("update_action", rejected());
    let row = write(&fake, &key).await;
    assert_eq!(calls(&fake), ["result", "update_action", "update_action"]);
    assert!(row.unreported());
    let code = row.report.problem().map(|failure| failure.code.as_str());
    assert_eq!(code, Some("eploy.rejected"));
}

/// The lease ends before everything is written: the rest is left to the next writer, and nothing is written twice.
#[tokio::test]
async fn a_slow_report_is_finished_by_the_next_writer() {
    for (takes, calls_made) in [
        // At 30 s a call would end with the lease; at 31 s after it.
        (30, vec!["vacancy", "create_action"]),
        (31, vec!["vacancy"]),
        (20, vec!["vacancy", "create_action"]),
        (15, vec!["vacancy", "create_action", "add_note"]),
        (
            10,
            vec!["vacancy", "create_action", "add_note", "mark_exported"],
        ),
    ] {
        let fake = reporting(ReportPlan {
            action: Some(plan()),
            notes_at: [Moment::Invited].into(),
            export_package: Some("package".into()),
            ..ReportPlan::default()
        });
        let key = unreported(&fake);
        fake.data().calls_take = SignedDuration::from_secs(takes);
        let row = write(&fake, &key).await;
        assert_eq!(calls(&fake), calls_made, "{takes} s a call");
        let finished = calls_made.len() == 4;
        assert_eq!(row.unreported(), !finished);
        fake.set(|data| {
            data.calls_take = SignedDuration::ZERO;
            data.now = time(60);
        });
        assert!(!write(&fake, &key).await.unreported());
        let all = wrote(&fake);
        let many = |what: fn(&Wrote) -> bool| all.iter().filter(|one| what(one)).count();
        assert_eq!(many(|one| matches!(one, Wrote::Action(_))), 1);
        assert_eq!(many(|one| matches!(one, Wrote::Note(_))), 1);
        assert_eq!(many(|one| matches!(one, Wrote::Export(_))), 1);
    }
}

#[tokio::test]
async fn a_note_is_written_once_at_each_of_its_moments() {
    let fake = reporting(ReportPlan {
        notes_at: [Moment::Completed].into(),
        ..ReportPlan::default()
    });
    let key = unreported(&fake);
    write(&fake, &key).await;
    assert_eq!(wrote(&fake), []);
    for points in [9.0, 8.0] {
        scored(&fake, "1", points);
        bring(&fake, &key, None).await;
        assert!(!fake.row(&key).unreported());
    }
    let all = wrote(&fake);
    assert!(matches!(all.as_slice(), [Wrote::Note(_)]), "{all:?}");
}

#[tokio::test]
async fn questions_are_answered_with_every_revision() {
    let question = QuestionId::new("application-score");
    let fake = reporting(ReportPlan {
        questions: [(Answerable::Percent, question.clone())].into(),
        ..ReportPlan::default()
    });
    let key = unreported(&fake);
    write(&fake, &key).await;
    // There is no value to answer with.
    assert_eq!(calls(&fake), Vec::<&str>::new());
    for (points, percent) in [(9.0, "90"), (8.0, "80")] {
        scored(&fake, "1", points);
        bring(&fake, &key, None).await;
        let answers = [(question.clone(), Answer::Text(percent.to_owned()))].into();
        assert_eq!(wrote(&fake), [Wrote::Answers(answers)]);
    }
}

#[tokio::test]
async fn an_application_is_marked_as_exported_once_it_is_on_the_platform() {
    let fake = reporting(ReportPlan {
        export_package: Some("package".into()),
        ..ReportPlan::default()
    });
    let (key, all) = completed(&fake, 9.0).await;
    assert_eq!(all, [Wrote::Export("package".into())]);
    scored(&fake, "1", 8.0);
    bring(&fake, &key, None).await;
    assert_eq!(wrote(&fake), []);

    // Never sent.
    let key = fake.enter("2", "video");
    let no_email = Event::Fail {
        claim: None,
        reason: FailReason::NoEmail,
    };
    fake.happens(&key, no_email);
    assert!(!write(&fake, &key).await.unreported());
    assert_eq!(wrote(&fake), []);
}

fn trigger(stage: &str) -> Trigger {
    Trigger {
        stage: stage.into(),
        stage_name: None,
        statuses: Vec::new(),
    }
}

/// A candidate that completes it moves to stage 20.
fn move_plan() -> MovePlan {
    MovePlan {
        on: Moment::Completed,
        min_percent: None,
        from: Vec::new(),
        stage: StageId::new("20"),
        status: None,
    }
}

fn moving(plan: MovePlan) -> FakePorts {
    reporting(ReportPlan {
        moves: vec![plan],
        ..ReportPlan::default()
    })
}

fn to_20() -> Wrote {
    Wrote::Move("20".into(), None)
}

#[tokio::test]
async fn a_candidate_that_completed_it_moves_on_once() {
    let fake = moving(move_plan());
    let key = unreported(&fake);
    write(&fake, &key).await;
    assert_eq!(calls(&fake), Vec::<&str>::new());
    for written in [vec![to_20()], vec![]] {
        scored(&fake, "1", f64::from(u8::try_from(written.len()).unwrap()));
        bring(&fake, &key, None).await;
        assert_eq!(wrote(&fake), written);
    }
}

#[tokio::test]
async fn a_move_that_failed_is_made_later() {
    let fake = moving(move_plan());
    let key = fake.invited("1", "video");
    scored(&fake, "1", 9.0);
    let down = failing(Phase::NotSent);
    fake.data().fails.insert("move_application", down);
    bring(&fake, &key, None).await;
    assert_eq!(wrote(&fake), []);
    fake.data().fails.clear();
    fake.pass(60);
    write(&fake, &key).await;
    assert_eq!(wrote(&fake), [to_20()]);
}

#[tokio::test]
async fn a_score_moves_on_from_its_percentage_on() {
    for (points, moves) in [(6.9, false), (7.0, true), (9.0, true)] {
        let fake = moving(MovePlan {
            min_percent: Some(70),
            ..move_plan()
        });
        let (_, all) = completed(&fake, points).await;
        assert_eq!(all == [to_20()], moves, "{points}: {all:?}");
    }
    // Without a score no minimum is reached.
    let fake = moving(MovePlan {
        min_percent: Some(0),
        ..move_plan()
    });
    fake.invited("1", "video");
    fake.results_in("1", Status::Completed);
    let key = fake.invited("1", "video");
    bring(&fake, &key, None).await;
    assert_eq!(wrote(&fake), []);
}

#[tokio::test]
async fn a_recruiter_who_moved_the_application_wins() {
    let status = |status: &str| StatusId::new(status);
    for (from, position, moves) in [
        (vec![], at_trigger(), true),
        (vec![], at("13", "34"), false),
        (vec![], at("12", "99"), false),
        (vec![trigger("13")], at("13", "34"), true),
        (vec![trigger("13")], at_trigger(), false),
        // It is there already.
        (vec![trigger("20")], at("20", "1"), false),
        // At the stage, with another status.
        (vec![trigger("20")], at("20", "2"), true),
    ] {
        let plan = MovePlan {
            from: from.clone(),
            status: Some(status("1")),
            ..move_plan()
        };
        let fake = moving(plan);
        fake.data().position = Some(position.clone());
        let (_, all) = completed(&fake, 9.0).await;
        let moved = all == [Wrote::Move("20".into(), Some(status("1")))];
        assert_eq!(moved, moves, "{from:?} {position:?}: {all:?}");
    }
    // Whatever the status, where the plan names none.
    let fake = moving(MovePlan {
        from: vec![trigger("20")],
        ..move_plan()
    });
    fake.data().position = Some(at("20", "2"));
    assert_eq!(completed(&fake, 9.0).await.1, []);
}

/// The history lacks the entry, or is behind a move that the recruiter has just made.
#[tokio::test]
async fn the_applications_own_record_decides_its_position() {
    let line = |position| HistoryRow {
        id: "1".into(),
        at: None,
        position,
    };
    for (history, position, moves) in [
        (vec![], Some(at_trigger()), true),
        (vec![line(at("1", "1"))], Some(at_trigger()), true),
        (vec![line(at_trigger())], Some(at("1", "1")), false),
    ] {
        let fake = moving(move_plan());
        fake.set(|data| {
            data.stage_info = StageInfo::History(history.clone());
            data.position.clone_from(&position);
        });
        let (_, all) = completed(&fake, 9.0).await;
        assert_eq!(all == [to_20()], moves, "{history:?} {position:?}: {all:?}");
    }
}

/// A setup that reports in every way.
fn reporting_everything() -> FakePorts {
    reporting(ReportPlan {
        action: Some(plan()),
        notes_at: [Moment::Completed].into(),
        questions: [
            (Answerable::Status, "276".into()),
            (Answerable::Percent, "277".into()),
        ]
        .into(),
        moves: vec![move_plan()],
        export_package: Some("package".into()),
        ..ReportPlan::default()
    })
}

/// A question was deleted in Eploy, or something else was changed there.
#[tokio::test]
async fn a_refused_part_blocks_no_other_and_is_mentioned_in_the_action() {
    for (call, parts) in [
        (
            "answer_questions",
            vec![
                Part::Answer(Answerable::Percent),
                Part::Answer(Answerable::Status),
            ],
        ),
        ("add_note", vec![Part::Note(Moment::Completed)]),
        ("mark_exported", vec![Part::Export]),
        ("move_application", vec![Part::Move(Moment::Completed)]),
        ("update_action", vec![Part::Action]),
    ] {
        let fake = reporting_everything();
        let key = unreported(&fake);
        fake.data().fails.insert(call, rejected());
        write(&fake, &key).await;
        scored(&fake, "1", 9.0);
        fake.happens(&key, observed(9.0));
        calls(&fake);
        while let Schedule::At { at, .. } = write(&fake, &key).await.schedule {
            fake.data().now = at;
        }
        let row = fake.row(&key);
        assert!(!row.unreported(), "{call}");
        let given_up: Vec<_> = row.report.failures().collect();
        let failed: std::collections::BTreeSet<_> =
            given_up.iter().map(|(part, _)| *part).collect();
        assert_eq!(failed, parts.iter().copied().collect(), "{call}");
        assert!(given_up.iter().all(|(_, failure)| failure.is_given_up()));
        // Every other one is there, once.
        let made = calls(&fake);
        let many = |name: &str| made.iter().filter(|call| **call == name).count();
        for once in ["add_note", "move_application"] {
            assert_eq!(
                many(once),
                if call == once { 7 } else { 1 },
                "{call}: {once}"
            );
        }
        let refused = if call == "update_action" {
            14
        } else {
            many("update_action")
        };
        assert_eq!(many("update_action"), refused);
        // Complete; then mentioning that a part is missing; then that it was given up.
        if call != "update_action" {
            assert_eq!(many("update_action"), 3, "{call}");
            let all = wrote(&fake);
            let last = all.iter().rev().find_map(|wrote| match wrote {
                Wrote::Update(_, update) => update.comments_html.clone(),
                _ => None,
            });
            let last = last.unwrap();
            assert!(last.contains("Eploy did not accept"), "{call}: {last}");
        }
    }
}

#[tokio::test]
async fn an_answer_that_is_refused_is_left_out_and_the_others_are_given() {
    let fake = reporting_everything();
    let key = unreported(&fake);
    write(&fake, &key).await;
    scored(&fake, "1", 9.0);
    fake.happens(&key, observed(9.0));
    wrote(&fake);
    fake.set(|data| {
        data.fails.insert("answer_questions", rejected());
        // Both at once, then the percentage, which is accepted.
        let taken = |data: &mut FakeState| {
            data.fails.clear();
            let refused = |data: &mut FakeState| {
                data.fails.insert("answer_questions", rejected());
            };
            data.on_later_call("answer_questions", 0, Box::new(refused));
        };
        data.on_later_call("answer_questions", 1, Box::new(taken));
    });
    let row = write(&fake, &key).await;
    let percent = [("277".into(), Answer::Text("90".to_owned()))].into();
    let all = wrote(&fake);
    assert!(all.contains(&Wrote::Answers(percent)), "{all:?}");
    assert_eq!(
        row.report.shows(Part::Answer(Answerable::Percent)),
        row.revision
    );
    let failed: Vec<_> = row.report.failures().map(|(part, _)| part).collect();
    assert_eq!(failed, [Part::Answer(Answerable::Status)]);
}

/// The first move took the application to where the second begins.
#[tokio::test]
async fn two_moves_in_a_row_are_both_made() {
    for status in [None, Some(StatusId::new("1"))] {
        let first = MovePlan {
            on: Moment::Invited,
            stage: "13".into(),
            status: status.clone(),
            ..move_plan()
        };
        let fake = reporting(ReportPlan {
            moves: vec![first, move_plan()],
            ..ReportPlan::default()
        });
        let key = unreported(&fake);
        write(&fake, &key).await;
        assert_eq!(wrote(&fake), [Wrote::Move("13".into(), status)]);
        fake.data().position = Some(at("13", "1"));
        scored(&fake, "1", 9.0);
        bring(&fake, &key, None).await;
        assert_eq!(wrote(&fake), [to_20()]);
    }
}

/// At an action stage the application's status is the outcome of the action (shared/eploy/REFERENCE.md §5).
#[tokio::test]
async fn an_outcome_of_ours_does_not_keep_an_application_from_moving() {
    for (now_at, moves) in [
        (at("12", "waits"), true),
        // Another user set that.
        (at("12", "done"), false),
        (at("14", "waits"), false),
    ] {
        let fake = reporting(ReportPlan {
            action: Some(plan()),
            moves: vec![MovePlan {
                on: Moment::Started,
                ..move_plan()
            }],
            ..ReportPlan::default()
        });
        let key = unreported(&fake);
        write(&fake, &key).await;
        wrote(&fake);
        fake.data().position = Some(now_at.clone());
        fake.results_in("1", Status::Started);
        bring(&fake, &key, None).await;
        let moved = wrote(&fake).contains(&to_20());
        assert_eq!(moved, moves, "{now_at:?}");
    }
}
