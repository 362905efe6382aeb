use super::*;
use crate::ids::{AssessmentRef, InvitationKey};
use crate::invitation::{Entry, Event, FailReason};
use crate::result::{AssessmentResult, Comment, Score, Status};
use crate::tenant::{MappingKind, Reentry, ReportPlan, Settings, Trigger, Vacancies};
use crate::timing::Timing;
use jiff::Timestamp;

fn mapping() -> Mapping {
    Mapping {
        id: "m".into(),
        paused: false,
        vacancies: Vacancies::All,
        triggers: vec![Trigger {
            stage: "12".into(),
            stage_name: None,
            statuses: vec![],
        }],
        assessment: AssessmentRef {
            account: "w".into(),
            assessment: "k".into(),
        },
        kind: MappingKind::Invitation,
        options: Settings::new(),
        reentry: Reentry::Once,
        include_current: false,
        allow_overlap: false,
        expires_after_days: None,
        report: ReportPlan {
            questions: [
                (Answerable::Percent, "276".into()),
                (Answerable::Link, "277".into()),
            ]
            .into(),
            ..ReportPlan::default()
        },
    }
}

fn row() -> Invitation {
    let now: Timestamp = "2026-07-01T12:00:00Z".parse().unwrap();
    Invitation::detected(
        InvitationKey {
            tenant: "acme".into(),
            application: "70215".into(),
            mapping: "m".into(),
            round: 1,
        },
        "9001".into(),
        "4101".into(),
        mapping().assessment,
        Entry::seen(now),
    )
}

fn apply(row: &Invitation, event: Event) -> Invitation {
    row.apply(event, row.entry.seen_at, &Timing::default(), None)
        .unwrap()
        .next
}

#[test]
fn a_result_is_reported_with_score_and_link_and_hostile_text_is_escaped() {
    let row = apply(
        &row(),
        Event::Sent {
            reference: "r".into(),
            link: None,
            adopted: false,
            writer: None,
        },
    );
    let mut result = AssessmentResult::bare("r".into(), Status::Completed);
    result.score = Some(Score::of(41.0, Some(50.0)));
    result.comments.push(Comment {
        by: Some("<b>R</b>".to_owned()),
        text: "<script>alert(1)</script> {{ 7 * 7 }}".to_owned(),
    });
    result.report_link = Some("https://app.willotalent.com/show/abc/?a=\"><i>".to_owned());
    let row = apply(
        &row,
        Event::Observed {
            snapshot: result.snapshot(),
            change_token: None,
            lease_until: None,
            carried: false,
        },
    );
    let written = compose(
        "Willo",
        &mapping(),
        &row,
        Moment::Completed,
        Some(&result),
        &Missing::default(),
    );
    assert!(
        written.comments_html.contains("Score: 41 of 50 (82 %)"),
        "{}",
        written.comments_html
    );
    assert!(!written.comments_html.contains("<script>"));
    assert!(!written.comments_html.contains("<i>"));
    assert!(!written.comments_html.contains("<b>R"));
    assert!(
        written.comments_html.contains("{{ 7 * 7 }}"),
        "{}",
        written.comments_html
    );
    assert!(
        written.comments_html.contains("1 Jul 2026, 13:00"),
        "{}",
        written.comments_html
    );
    assert!(
        written
            .note
            .contains("https://app.willotalent.com/show/abc/")
    );
    let answered = answers(&mapping(), &written);
    assert_eq!(answered[&"276".into()], Answer::Text("82".to_owned()));
    assert!(answered.contains_key(&"277".into()));
}

#[test]
fn a_failure_says_why_and_what_to_do() {
    let row = apply(
        &row(),
        Event::Fail {
            claim: None,
            reason: FailReason::NoEmail,
        },
    );
    let written = compose(
        "Willo",
        &mapping(),
        &row,
        Moment::Failed,
        None,
        &Missing::default(),
    );
    assert!(written.comments_html.contains("no e-mail address in Eploy"));
    assert!(written.comments_html.contains("Add an e-mail address"));
    assert!(written.comments_html.contains("70215.m.1"));
}

#[test]
fn a_text_of_the_tenants_own_is_used_and_a_broken_one_gives_way() {
    let note = |mapping: &Mapping| {
        let nothing = Missing::default();
        let written = compose("Willo", mapping, &row(), Moment::Invited, None, &nothing);
        written.note
    };
    let mut mapping = mapping();
    mapping.report.texts.note = Some("{{ platform }} says {{ moment }}".to_owned());
    assert_eq!(note(&mapping), "Willo says invited");
    mapping.report.texts.note = Some("{{ 1 / 0 }}".to_owned());
    assert!(note(&mapping).starts_with("Invited to Willo."));
    for endless in [
        "{% for a in range(9999) %}{% for b in range(9999) %}{% for c in range(9999) %}{% endfor %}{% endfor %}{% endfor %}",
        "{% for a in range(9999) %}{{ 'long and longer'|upper * 99 }}{% endfor %}",
    ] {
        mapping.report.texts.note = Some(endless.to_owned());
        assert!(note(&mapping).starts_with("Invited to Willo."), "{endless}");
    }
    mapping.report.texts.comments = Some("{% if".to_owned());
    assert_eq!(text_problems(&mapping.report.texts).len(), 1);
}

#[test]
fn when_the_candidate_finished_is_answered_only_where_they_did() {
    let ended: Timestamp = "2026-07-02T09:30:00Z".parse().unwrap();
    let row = Invitation {
        ended_at: Some(ended),
        ..row()
    };
    let answer = |moment| {
        let mut written = compose("Willo", &mapping(), &row, moment, None, &Missing::default());
        written.answers.remove(&Answerable::CompletedAt)
    };
    assert_eq!(answer(Moment::Completed), Some(Answer::At(ended)));
    assert_eq!(answer(Moment::Expired), None);
}

#[test]
fn what_is_wrong_with_a_text_is_said_with_its_place() {
    let problems = |comments: Option<&str>, note: Option<&str>| {
        text_problems(&Texts {
            comments: comments.map(str::to_owned),
            note: note.map(str::to_owned),
        })
    };
    assert_eq!(problems(None, Some("{{ headline }}")), Vec::<String>::new());
    let both = problems(Some("{% if"), Some("{{ headline"));
    assert_eq!(both.len(), 2, "{both:#?}");
    assert!(both[0].starts_with("texts.comments is not"), "{both:#?}");
    assert!(both[1].starts_with("texts.note is not"), "{both:#?}");
}

#[test]
fn a_text_may_become_as_long_as_it_may_and_no_longer() {
    let longest = "x".repeat(256 * 1024);
    let mut mapping = mapping();
    let mut note = |text: String| {
        mapping.report.texts.note = Some(text);
        compose(
            "Willo",
            &mapping,
            &row(),
            Moment::Invited,
            None,
            &Missing::default(),
        )
        .note
    };
    assert_eq!(note(longest.clone()), longest);
    // In one piece, and in two.
    for too_long in [format!("{longest}x"), format!("{longest}{{{{ 'x' }}}}")] {
        assert!(note(too_long).starts_with("Invited to Willo."));
    }
}

/// Any text of a platform, of any length, with every character escaped.
#[test]
fn a_report_has_an_end_and_the_brief_one_says_the_least() {
    let long = "\"'/&".repeat(20_000);
    let mut result = AssessmentResult::bare("r".into(), Status::Completed);
    result.score = Some(Score {
        band: Some(long.clone()),
        ..Score::of(41.0, Some(50.0))
    });
    result.stage = Some(long.clone());
    result.summary = Some(long.clone());
    result.transcript = Some(long.clone());
    let comment = Comment {
        by: Some(long.clone()),
        text: long,
    };
    result.comments = vec![comment; 60];
    result.report_link = Some("https://app.willotalent.com/show/abc/".to_owned());
    let row = Invitation {
        snapshot: Some(result.snapshot()),
        ..row()
    };
    let written = compose(
        "Willo",
        &mapping(),
        &row,
        Moment::Completed,
        Some(&result),
        &Missing::default(),
    );
    let length = written.comments_html.len();
    assert!((20_000..160_000).contains(&length), "{length}");
    for expected in [
        "Completed in Willo.",
        "Score: 41 of 50 (82 %)<",
        "show",
        "70215.m.1",
    ] {
        assert!(
            written.brief_html.contains(expected),
            "{}",
            written.brief_html
        );
    }
    assert!(written.brief_html.len() < 500, "{}", written.brief_html);
}
