//! The events for `sam local invoke`, checked against the functions' input. That of `callback` is checked by its own tests.
#![allow(clippy::unwrap_used, reason = "a test")]

use aws_lambda_events::sqs::SqsEvent;
use stagecall_core::work::Work;

/// The work in an event's messages.
fn works(event: &str, queue: &str) -> Vec<Work> {
    let event: SqsEvent = serde_json::from_str(event).unwrap();
    let of = |message: &aws_lambda_events::sqs::SqsMessage| {
        let source = message.event_source_arn.as_deref().unwrap();
        assert!(source.ends_with(queue), "{source}");
        let work: Work = serde_json::from_str(message.body.as_deref().unwrap()).unwrap();
        assert_eq!(message.attributes["MessageGroupId"], work.tenant().as_str());
        work
    };
    let works: Vec<_> = event.records.iter().map(of).collect();
    assert!(!works.is_empty());
    works
}

#[test]
fn each_event_is_work_for_its_function() {
    let polls = works(include_str!("../../../tests/events/poll.json"), "-poll");
    assert!(polls.iter().all(|work| matches!(work, Work::Poll { .. })));

    let invites = works(include_str!("../../../tests/events/invite.json"), "-invite");
    assert!(
        invites
            .iter()
            .all(|work| matches!(work, Work::Invite { .. }))
    );

    let rest = works(
        include_str!("../../../tests/events/writeback.json"),
        "-result",
    );
    assert!(matches!(
        rest[..],
        [
            Work::WriteBack { .. },
            Work::Sweep { .. },
            Work::Delivery { .. }
        ]
    ));

    // The clock reads nothing from a schedule's event.
    let clock: serde_json::Value =
        serde_json::from_str(include_str!("../../../tests/events/clock.json")).unwrap();
    assert!(clock.is_object());
}
