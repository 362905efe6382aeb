use super::*;
use crate::ids::{AssessmentRef, InvitationKey};
use crate::invitation::Entry;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn row() -> Invitation {
    Invitation::detected(
        InvitationKey {
            tenant: "acme".into(),
            application: "70215".into(),
            mapping: "m".into(),
            round: 1,
        },
        "9001".into(),
        "4101".into(),
        AssessmentRef {
            account: "w".into(),
            assessment: "k".into(),
        },
        Entry::seen(at(0)),
    )
}

/// Every filter, each as the row has it.
fn fitting() -> InvitationFilter {
    InvitationFilter {
        state: Some("detected".to_owned()),
        application: Some("70215".into()),
        candidate: Some("9001".into()),
        vacancy: Some("4101".into()),
        mapping: Some("m".into()),
        since: Some(at(0)),
    }
}

#[test]
fn an_empty_filter_admits_everything_and_a_filter_admits_what_matches() {
    assert!(InvitationFilter::default().admits(&row()));
    assert!(fitting().admits(&row()));
}

#[test]
fn one_thing_that_does_not_fit_is_enough() {
    for filter in [
        InvitationFilter {
            state: Some("invited".to_owned()),
            ..fitting()
        },
        InvitationFilter {
            application: Some("other".into()),
            ..fitting()
        },
        InvitationFilter {
            candidate: Some("other".into()),
            ..fitting()
        },
        InvitationFilter {
            vacancy: Some("other".into()),
            ..fitting()
        },
        InvitationFilter {
            mapping: Some("other".into()),
            ..fitting()
        },
        InvitationFilter {
            since: Some(at(1)),
            ..fitting()
        },
    ] {
        assert!(!filter.admits(&row()), "{filter:?}");
    }
}
