use super::*;
use crate::ids::{AssessmentRef, InvitationKey};
use crate::invitation::{Entry, Trouble};
use crate::meeting::Appointment;
use crate::tenant::{EployConnection, PlatformConnection, Settings};

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
        Entry {
            seen_at: at("2026-07-01T12:00:00Z"),
            entered_at: None,
            history: None,
            modified: None,
            left_at: None,
            not_before: None,
        },
    );
    Invitation { state, ..row }
}

fn pooled(state: State) -> Invitation {
    row(state).for_pool()
}

fn trouble() -> Trouble {
    Trouble {
        code: "willo.no_seats".to_owned(),
        problem: "the account has no seats left".to_owned(),
        remedy: "Buy seats in Willo.".to_owned(),
        since: at("2026-07-01T12:00:00Z"),
        times: 1,
    }
}

fn failed(reason: FailReason) -> State {
    State::Failed(reason)
}

fn duplicate(of: Option<&str>) -> State {
    State::Skipped(SkipReason::Duplicate(of.map(key)))
}

/// What a recruiter reads: what happened, and what to do.
fn told(row: &Invitation, moment: Moment) -> (String, Option<String>) {
    (
        headline(row, moment, "Willo"),
        advice(row, moment, "Willo", None),
    )
}

#[test]
fn why_nobody_was_invited_is_said_with_what_to_do() {
    for (row, why, what_to_do) in [
        (
            row(failed(FailReason::NoEmail)),
            "no e-mail address",
            "Add an e-mail address",
        ),
        (
            row(failed(FailReason::Refused(trouble()))),
            "Not invited to Willo: the account has no seats left.",
            "Buy seats in Willo, then move the application out of this stage and back in.",
        ),
        (
            row(failed(FailReason::GaveUp(trouble()))),
            "Not invited to Willo: the account has no seats left.",
            "Buy seats in Willo, then move the application out of this stage and back in.",
        ),
        (
            row(failed(FailReason::OutcomeUnknown(trouble()))),
            "not known whether the invitation to Willo went out",
            "Look in Willo whether the candidate is there",
        ),
        (
            row(duplicate(Some("70001"))),
            "already has this candidate for this assessment",
            "The result will be shown on application 70001.",
        ),
        (
            row(duplicate(None)),
            "already has this candidate for this assessment",
            "Look the candidate up in Willo.",
        ),
        (
            pooled(duplicate(Some("70001"))),
            "is in the Willo talent pool already",
            "They were added for application 70001.",
        ),
        (
            pooled(duplicate(None)),
            "is in the Willo talent pool already",
            "Look the candidate up in Willo.",
        ),
    ] {
        let (headline, advice) = told(&row, Moment::Failed);
        assert!(headline.contains(why), "{headline}");
        let advice = advice.unwrap();
        assert!(advice.starts_with(what_to_do), "{advice}");
    }
}

#[test]
fn where_there_is_nothing_to_do_nothing_is_advised() {
    for (state, why) in [
        (
            failed(FailReason::OnPlatform),
            "Willo gave the invitation up.",
        ),
        (
            State::Skipped(SkipReason::MovedOn),
            "left the stage before the invitation went out",
        ),
        (
            State::Skipped(SkipReason::Cancelled),
            "Not invited to Willo.",
        ),
    ] {
        let (headline, advice) = told(&row(state), Moment::Failed);
        assert!(headline.contains(why), "{headline}");
        assert_eq!(advice, None);
    }
    for moment in [
        Moment::Invited,
        Moment::Opened,
        Moment::Started,
        Moment::Completed,
        Moment::Expired,
        Moment::Declined,
        Moment::Cancelled,
    ] {
        assert_eq!(told(&row(State::Invited), moment).1, None, "{moment:?}");
    }
}

#[test]
fn a_delay_and_a_bounce_say_what_to_do() {
    let late = Invitation {
        trouble: Some(trouble()),
        ..row(State::Detected)
    };
    let (headline, advice) = told(&late, Moment::Delayed);
    assert!(headline.starts_with("Not yet invited to Willo"));
    assert_eq!(
        advice.as_deref(),
        Some("the account has no seats left. Buy seats in Willo.")
    );
    let (headline, advice) = told(&row(State::Bounced), Moment::Bounced);
    assert!(headline.contains("could not be delivered"));
    assert!(
        advice
            .unwrap()
            .starts_with("Correct the candidate's e-mail address")
    );
}

#[test]
fn what_invited_means_depends_on_what_the_candidate_is_invited_to() {
    let (headline, _) = told(&row(State::Invited), Moment::Invited);
    assert_eq!(headline, "Invited to Willo.");
    let (headline, _) = told(&pooled(State::Invited), Moment::Invited);
    assert_eq!(headline, "Added to the talent pool in Willo.");
    let met = Invitation {
        appointment: Some(Appointment {
            at: at("2026-07-02T09:00:00Z"),
            minutes: 45,
        }),
        ..row(State::Invited)
    };
    let (headline, _) = told(&met, Moment::Invited);
    assert_eq!(headline, "Live interview arranged in Willo.");
}

/// Every moment is told in words of its own, by the status and by the headline.
#[test]
fn no_two_moments_read_the_same() {
    let moments = [
        Moment::Delayed,
        Moment::Failed,
        Moment::Invited,
        Moment::Opened,
        Moment::Started,
        Moment::Completed,
        Moment::Expired,
        Moment::Declined,
        Moment::Bounced,
        Moment::Cancelled,
    ];
    let row = row(State::Invited);
    for (number, moment) in moments.iter().enumerate() {
        let words = |moment| (status(moment), headline(&row, moment, "Willo"));
        let (status, headline) = words(*moment);
        assert!(headline.contains("Willo"), "{headline}");
        assert!(status.len() > 3, "{status}");
        for other in moments[..number].iter().map(|other| words(*other)) {
            assert!(other.0 != status && other.1 != headline, "{moment:?}");
        }
    }
}

#[test]
fn a_platform_is_called_what_people_call_it() {
    let mut tenant = Tenant {
        id: "acme".into(),
        paused: false,
        eploy: EployConnection {
            base_url: "https://acme.eploy.net/".parse().unwrap(),
            daily_calls: 1000,
            poll_seconds: 60,
            dialect: Settings::new(),
        },
        platforms: [].into(),
        mappings: vec![],
        hires: None,
        retention_days: None,
    };
    let row = row(State::Invited);
    // Its account was taken out of the configuration.
    assert_eq!(platform(&tenant, &row), "the platform");
    for (kind, name) in [("willo", "Willo"), ("wecp", "WeCP"), ("other", "other")] {
        let account = PlatformConnection {
            kind: kind.to_owned(),
            base_url: None,
            settings: Settings::new(),
        };
        tenant.platforms.insert("w".into(), account);
        assert_eq!(platform(&tenant, &row), name);
    }
}

#[test]
fn numbers_are_rounded_and_have_no_needless_decimals() {
    for (value, text) in [(41.0, "41"), (41.5, "41.5"), (66.666, "66.7"), (0.04, "0")] {
        assert_eq!(number(value), text);
    }
}

/// What there is to do about the invitation comes first, then what is missing.
#[test]
fn what_the_platform_could_not_be_asked_for_is_said_with_the_mend() {
    let missing = trouble();
    let row = row(State::Expired);
    let said = |moment| advice(&row, moment, "Willo", Some(&missing)).unwrap();
    let not_read = "What else Willo has of it could not be read yet: the account has no seats left. Buy seats in Willo.";
    assert_eq!(said(Moment::Expired), not_read);
    let bounced = said(Moment::Bounced);
    assert!(bounced.starts_with("Correct the candidate's"), "{bounced}");
    assert!(bounced.ends_with(not_read), "{bounced}");
}

#[test]
fn a_result_that_cannot_be_read_is_told_without_blaming_the_recruiter() {
    let trouble = Trouble {
        code: "platform.unreachable".to_owned(),
        problem: "the platform, read a result: no connection".to_owned(),
        remedy: "See whether the platform is up".to_owned(),
        since: at("2026-07-02T08:30:00Z"),
        times: 12,
    };
    let mut open = row(State::Invited);
    open.trouble = Some(trouble.clone());
    assert_eq!(
        advice(&open, Moment::Invited, "Willo", None),
        None,
        "not yet"
    );
    open.result_overdue = true;
    assert_eq!(
        advice(&open, Moment::Invited, "Willo", None).unwrap(),
        "What the candidate has done in Willo could not be read since 2 Jul 2026, 09:30: look the candidate up in Willo. It is shown here as soon as it can be read; the administrator of Stagecall sees the reason."
    );
    let mut expired = row(State::Expired);
    expired.trouble = Some(trouble.clone());
    assert!(
        advice(&expired, Moment::Expired, "Willo", None)
            .unwrap()
            .starts_with("Willo could not be asked for a last time")
    );
    let over = row(State::Failed(FailReason::Unanswered(trouble)));
    assert_eq!(
        headline(&over, Moment::Failed, "Willo"),
        "The result in Willo could not be read since 2 Jul 2026, 09:30."
    );
    assert!(
        advice(&over, Moment::Failed, "Willo", None)
            .unwrap()
            .starts_with("Look the candidate up in Willo.")
    );
}
