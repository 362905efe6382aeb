use std::fmt::Write as _;

use super::*;
use crate::ids::{AssessmentRef, InvitationKey};
use crate::invitation::{Entry, Failure};
use crate::meeting::Appointment;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn key(application: &str) -> InvitationKey {
    InvitationKey {
        tenant: "acme".into(),
        application: application.into(),
        mapping: "m".into(),
        round: 1,
    }
}

fn row(state: State) -> Invitation {
    let row = Invitation::detected(
        key("70215"),
        "9001".into(),
        "4101".into(),
        AssessmentRef {
            account: "w".into(),
            assessment: "k".into(),
        },
        Entry::seen(at("2026-07-01T12:00:00Z")),
    );
    Invitation { state, ..row }
}

fn pooled(state: State) -> Invitation {
    row(state).for_pool()
}

fn failure(code: &str) -> Failure {
    Failure {
        code: code.to_owned(),
        problem: "PROBLEM".to_owned(),
        remedy: "REMEDY".to_owned(),
        first_failed_at: at("2026-07-01T12:00:00Z"),
        attempts: 1,
    }
}

fn failed(reason: FailReason) -> State {
    State::Failed(reason)
}

fn duplicate(of: Option<&str>) -> State {
    State::Skipped(SkipReason::Duplicate(of.map(key)))
}

fn mapping(triggers: &serde_json::Value) -> Mapping {
    let mapping = serde_json::json!({
        "id": "m",
        "vacancies": "all",
        "triggers": triggers,
        "assessment": {"account": "w", "assessment": "k"},
    });
    serde_json::from_value(mapping).unwrap()
}

const NOTHING: Missing<'_> = Missing {
    words: None,
    parts: &[],
};

/// One for each way in which a problem can be solved, and each text of its own.
const CODES: [&str; 21] = [
    "candidate.email",
    "eploy.not_found",
    "eploy.server_error",
    "eploy.allowance_ours",
    "eploy.allowance_store",
    "eploy.rejected",
    "eploy.permission",
    "platform.refused_fields",
    "platform.refused",
    "platform.list_too_long",
    "platform.unavailable",
    "platform.throttled",
    "platform.unauthorized",
    "platform.assessment_refused",
    "meeting.no_date",
    "meeting.past",
    "meeting.no_day",
    "meeting.no_interviewer",
    "mapping.paused",
    "invitation.interrupted",
    "something.new",
];

/// Every situation, as a recruiter reads it.
#[expect(
    clippy::too_many_lines,
    reason = "a list of situations, one after the other"
)]
fn situations() -> String {
    let stage = mapping(&serde_json::json!([{"stage": "12"}]));
    let mut all = String::new();
    let mut say = |name: &str, row: &Invitation, of: &Mapping, moment, missing: &Missing<'_>| {
        let advice = advice(row, of, moment, "Willo", missing);
        let headline = headline(row, moment, "Willo");
        let _ = writeln!(all, "{name}\n    {headline}");
        if let Some(advice) = advice {
            let _ = writeln!(all, "    {advice}");
        }
        let _ = writeln!(all);
    };
    for moment in [
        Moment::Invited,
        Moment::Opened,
        Moment::Started,
        Moment::Completed,
        Moment::Expired,
        Moment::Declined,
        Moment::Cancelled,
        Moment::Bounced,
    ] {
        let name = format!("{moment:?}").to_lowercase();
        say(&name, &row(State::Invited), &stage, moment, &NOTHING);
    }
    let met = Invitation {
        appointment: Some(Appointment {
            at: at("2026-07-02T09:00:00Z"),
            minutes: 45,
        }),
        ..row(State::Invited)
    };
    say(
        "invited to a live interview",
        &met,
        &stage,
        Moment::Invited,
        &NOTHING,
    );
    say(
        "put into a talent pool",
        &pooled(State::Invited),
        &stage,
        Moment::Invited,
        &NOTHING,
    );

    for code in CODES {
        let late = Invitation {
            failure: Some(failure(code)),
            ..row(State::Detected)
        };
        say(
            &format!("trying: {code}"),
            &late,
            &stage,
            Moment::Delayed,
            &NOTHING,
        );
        let over = row(failed(FailReason::GaveUp(failure(code))));
        say(
            &format!("given up: {code}"),
            &over,
            &stage,
            Moment::Failed,
            &NOTHING,
        );
    }
    let fed = mapping(&serde_json::json!([]));
    let over = pooled(failed(FailReason::GaveUp(failure("platform.unavailable"))));
    say(
        "given up: a talent pool without a stage",
        &over,
        &fed,
        Moment::Failed,
        &NOTHING,
    );

    for (name, row) in [
        ("no e-mail address", row(failed(FailReason::NoEmail))),
        (
            "outcome unknown",
            row(failed(FailReason::OutcomeUnknown(failure(
                "platform.no_answer",
            )))),
        ),
        (
            "failed on the platform",
            row(failed(FailReason::OnPlatform)),
        ),
        (
            "given up: the result",
            row(failed(FailReason::Unanswered(failure(
                "platform.no_answer",
            )))),
        ),
        (
            "there for another application",
            row(duplicate(Some("70001"))),
        ),
        (
            "there for the same application",
            row(duplicate(Some("70215"))),
        ),
        ("there from elsewhere", row(duplicate(None))),
        (
            "in the pool for another application",
            pooled(duplicate(Some("70001"))),
        ),
        (
            "in the pool for the same application",
            pooled(duplicate(Some("70215"))),
        ),
        ("in the pool from elsewhere", pooled(duplicate(None))),
        ("moved on", row(State::Skipped(SkipReason::MovedOn))),
        (
            "taken out of the mapping",
            row(State::Skipped(SkipReason::MappingChanged)),
        ),
        ("taken back", row(State::Skipped(SkipReason::Cancelled))),
    ] {
        say(name, &row, &stage, Moment::Failed, &NOTHING);
    }

    let mut unread = Invitation {
        failure: Some(failure("platform.no_answer")),
        ..row(State::Started)
    };
    say(
        "not asked for a day",
        &unread,
        &stage,
        Moment::Started,
        &NOTHING,
    );
    unread.result_overdue = true;
    say(
        "trying: the result",
        &unread,
        &stage,
        Moment::Started,
        &NOTHING,
    );
    unread.state = State::Expired;
    say(
        "expired without an answer",
        &unread,
        &stage,
        Moment::Expired,
        &NOTHING,
    );

    let done = row(State::Completed);
    for (for_good, name) in [(false, "trying"), (true, "given up")] {
        let missing = Missing {
            words: Some(for_good),
            parts: &[],
        };
        say(
            &format!("{name}: what the platform says"),
            &done,
            &stage,
            Moment::Completed,
            &missing,
        );
        for part in [
            Part::Note(Moment::Completed),
            Part::Answer(Answerable::Score),
            Part::Answer(Answerable::Percent),
            Part::Answer(Answerable::Status),
            Part::Answer(Answerable::Link),
            Part::Answer(Answerable::CompletedAt),
            Part::Export,
            Part::Move(Moment::Completed),
        ] {
            let missing = Missing {
                words: None,
                parts: &[(part, for_good)],
            };
            say(
                &format!("{name}: {part}"),
                &done,
                &stage,
                Moment::Completed,
                &missing,
            );
        }
    }
    all
}

/// The texts are in the file as people read them: a person who changes one reviews it there.
#[test]
fn every_situation_reads_as_it_was_reviewed() {
    let all = situations();
    let reviewed = include_str!("situations.txt");
    assert!(
        all == reviewed,
        "the texts are others than in situations.txt:\n{all}"
    );
}

/// The kinds that the core itself makes, as its sources have them.
#[test]
fn every_kind_of_problem_of_the_core_has_its_own_text() {
    let sources = [
        include_str!("../../invitation/transition.rs"),
        include_str!("../../usecases/invite/precheck.rs"),
        include_str!("../../usecases/invite/prepare.rs"),
        include_str!("../../usecases/invite.rs"),
        include_str!("../../usecases/sweep.rs"),
        include_str!("../../usecases/write_back.rs"),
    ];
    let is_code = |text: &&str| {
        let kinds = [
            "candidate.",
            "invitation.",
            "mapping.",
            "meeting.",
            "platform.",
        ];
        kinds.iter().any(|kind| text.starts_with(kind))
            && text
                .bytes()
                .all(|byte| byte == b'.' || byte == b'_' || byte.is_ascii_lowercase())
    };
    let texts = sources.iter().flat_map(|source| source.split('"'));
    let mut codes: std::collections::BTreeSet<_> = texts.filter(is_code).collect();
    // Ways to fail, each of which is a situation of its own.
    for reason in [
        "candidate.no_email",
        "platform.failed",
        "platform.unanswered",
    ] {
        codes.remove(reason);
    }
    assert_eq!(codes.len(), 10, "{codes:?}");
    for code in codes {
        assert!(told_of(code).is_some(), "{code}");
    }
    assert_eq!(told_of("something.new"), None);
}

/// Problem and remedy of a failed call are an administrator's: settings, keys, roles, allowances.
#[test]
fn recruiters_get_no_advice_that_only_an_administrator_can_follow() {
    let all = situations();
    for word in [
        "PROBLEM",
        "REMEDY",
        "{platform}",
        "daily_calls",
        "Role",
        "Stagecall",
        "API",
    ] {
        assert!(!all.contains(word), "{word}");
    }
}

#[test]
fn numbers_are_rounded_and_have_no_needless_decimals() {
    for (value, text) in [(41.0, "41"), (41.5, "41.5"), (66.666, "66.7"), (0.04, "0")] {
        assert_eq!(number(value), text);
    }
}
