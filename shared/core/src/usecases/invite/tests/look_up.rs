//! What the platform has: looked up after an unknown outcome, and when it says that it has the candidate already.

use super::*;
use crate::ports::Found;

fn found(reference: &str, client_ref: Option<&str>) -> Found {
    Found {
        reference: reference.into(),
        client_ref: client_ref.map(ToOwned::to_owned),
        link: Some(format!("https://example.com/{reference}")),
    }
}

/// Binds this reference to another invitation.
fn of_another(fake: &FakePorts, reference: &str) -> InvitationKey {
    let key = InvitationKey {
        application: "another".into(),
        ..fake.data().rows.keys().next().unwrap().clone()
    };
    let place = ("acc".into(), reference.into());
    fake.data().references.insert(place, key.clone());
    key
}

/// An invitation whose sender died in the middle of it.
fn abandoned() -> (FakePorts, InvitationKey) {
    let (fake, key) = entered();
    fake.happens(&key, claim(time(60)));
    fake.pass(60);
    (fake, key)
}

#[tokio::test]
async fn whether_it_went_out_is_looked_up_once_it_must_have_arrived() {
    let (fake, key) = entered();
    fails(&fake, "invite", Phase::Unknown);
    let row = invite(&fake, &key).await;
    let settling = State::Sending {
        lease_until: time(60),
    };
    assert_eq!(row.state, settling);
    assert_eq!(row.failure.as_ref().unwrap().attempts, 1);
    fake.data().fails.clear();
    calls(&fake);
    fake.pass(59);
    assert_eq!(invite(&fake, &key).await, row);
    assert_eq!(calls(&fake), NONE);

    fake.pass(1);
    fake.data().found = vec![found("there", Some(&key.name()))];
    let row = invite(&fake, &key).await;
    assert_eq!(calls(&fake), ["candidate", "find"]);
    assert_eq!(fake.data().found_until, Some(until()));
    assert_eq!(row.state, State::Invited);
    assert_eq!(row.reference, Some("there".into()));
    assert_eq!(
        row.invite_link.as_deref(),
        Some("https://example.com/there")
    );
    // The report is left to the worker that dequeues it.
    let work = Work::step(key, Step::WriteBack);
    assert_eq!(fake.data().queued, [work]);
}

#[tokio::test]
async fn what_did_not_arrive_is_sent_again_after_a_while() {
    let (fake, key) = entered();
    fails(&fake, "invite", Phase::Unknown);
    invite(&fake, &key).await;
    fake.data().fails.clear();
    fake.pass(60);
    let row = invite(&fake, &key).await;
    assert_eq!(row.state, State::Detected);
    let wait = row.retry_at.unwrap().duration_since(time(60));
    assert!((20..=30).contains(&wait.as_secs()), "{wait}");
    fake.pass(30);
    let row = invite(&fake, &key).await;
    assert_eq!(row.state, State::Invited);
    assert_eq!(row.attempts, 2);
    assert_eq!(fake.data().orders.len(), 2);
}

#[tokio::test]
async fn what_an_abandoned_sender_did_not_send_is_sent_at_once() {
    let (fake, key) = abandoned();
    let row = invite(&fake, &key).await;
    assert_eq!(row.state, State::Invited);
    assert_eq!(row.attempts, 2);
    assert_eq!(
        calls(&fake),
        ["candidate", "find", "stage_info", "candidate", "invite"]
    );
    assert!(fake.data().queued.is_empty());
}

#[tokio::test]
async fn what_an_abandoned_sender_did_send_is_adopted() {
    let (fake, key) = abandoned();
    fake.data().found = vec![found("there", None)];
    let row = invite(&fake, &key).await;
    assert_eq!(row.reference, Some("there".into()));
    assert_eq!(row.attempts, 1);
    assert!(fake.data().orders.is_empty());
}

/// The address may be corrected in Eploy before the lookup.
#[tokio::test]
async fn the_digest_of_the_address_that_was_sent_to_is_kept_until_it_is_known_to_be_there() {
    let (fake, key) = entered();
    fails(&fake, "invite", Phase::Unknown);
    let row = invite(&fake, &key).await;
    let digest = row.sent_to.clone().unwrap();
    assert!(digest.starts_with("digest of"), "{digest}");
    fake.data().fails.clear();
    fake.pass(60);
    fake.data().found = vec![found("there", None)];
    let row = invite(&fake, &key).await;
    assert_eq!(fake.data().looked_up_by, Some(digest));
    assert_eq!((row.state, row.sent_to), (State::Invited, None));
}

/// A process that dies during each attempt does so less and less often.
#[tokio::test]
async fn a_sender_that_is_gone_again_and_again_is_followed_later_and_later() {
    let (fake, key) = abandoned();
    fake.data().rows.get_mut(&key).unwrap().attempts = 3;
    let row = invite(&fake, &key).await;
    assert_eq!((row.state, row.attempts), (State::Detected, 3));
    let wait = row.retry_at.unwrap().duration_since(time(60)).as_secs();
    assert!((90..=120).contains(&wait), "{wait}");
    assert!(fake.data().orders.is_empty());
}

#[tokio::test]
async fn what_belongs_to_another_invitation_is_not_ours() {
    let (fake, key) = abandoned();
    of_another(&fake, "theirs");
    fake.data().found = vec![found("theirs", None)];
    let row = invite(&fake, &key).await;
    assert_eq!(row.attempts, 2, "ours was not there, and was sent");
    assert_ne!(row.reference, Some("theirs".into()));
}

#[tokio::test]
async fn of_several_found_the_one_that_names_ours_comes_first_and_that_of_another_is_none() {
    let (fake, key) = abandoned();
    fake.data().found = vec![
        found("nameless", None),
        found("another", Some("another:m:1")),
        found("ours", Some(&key.name())),
    ];
    assert_eq!(invite(&fake, &key).await.reference, Some("ours".into()));

    let (fake, key) = abandoned();
    fake.data().found = vec![found("another", Some("another:m:1"))];
    assert_eq!(invite(&fake, &key).await.attempts, 2);
}

#[tokio::test]
async fn a_look_up_that_does_not_work_is_made_later() {
    for call in ["platform", "eploy", "candidate", "find"] {
        let (fake, key) = abandoned();
        fake.data().fails.insert(call, throttled(Some(time(500))));
        let row = invite(&fake, &key).await;
        assert!(matches!(row.state, State::Sending { .. }), "{call}");
        assert_eq!(row.schedule, due(time(500)), "{call}");
        assert_eq!(row.failure.map(|failure| failure.attempts), Some(1));
        assert!(fake.data().orders.is_empty());

        fake.data().fails.clear();
        fake.data().found = vec![found("there", None)];
        calls(&fake);
        fake.data().now = time(499);
        assert_eq!(invite(&fake, &key).await.state, row.state, "{call}");
        assert_eq!(calls(&fake), NONE);
        fake.pass(1);
        assert_eq!(invite(&fake, &key).await.state, State::Invited);
    }
}

#[tokio::test]
async fn of_two_concurrent_lookups_one_continues() {
    let (fake, key) = abandoned();
    fake.data().conflicts = 1;
    let row = invite(&fake, &key).await;
    assert!(matches!(row.state, State::Sending { .. }));
    assert!(fake.data().orders.is_empty());
}

/// The platform answers that it has the candidate, and under this reference if it gives one.
async fn already_there(
    reference: Option<&str>,
    prepare: impl FnOnce(&FakePorts),
) -> (FakePorts, Invitation) {
    let (fake, key) = entered();
    let reference = reference.map(Reference::from);
    let there = InviteAnswer::AlreadyThere { reference };
    fake.data().invited.push_back(Ok(there));
    prepare(&fake);
    let row = invite(&fake, &key).await;
    (fake, row)
}

#[tokio::test]
async fn an_invitation_that_was_there_is_adopted() {
    let (fake, row) = already_there(Some("r"), |_| {}).await;
    assert_eq!(row.state, State::Invited);
    assert_eq!(row.reference, Some("r".into()));
    assert!(!row.unreported());
    assert!(!calls(&fake).contains(&"find"));

    // It does not give the reference.
    let there = |fake: &FakePorts| fake.data().found = vec![found("r", None)];
    let (fake, row) = already_there(None, there).await;
    assert_eq!(row.reference, Some("r".into()));
    assert_eq!(fake.data().found_until, Some(until()));
}

#[tokio::test]
async fn an_invitation_of_another_application_is_a_duplicate() {
    for reference in [Some("r"), None] {
        let prepare = |fake: &FakePorts| {
            of_another(fake, "r");
            fake.data().found = vec![found("r", None)];
        };
        let (fake, row) = already_there(reference, prepare).await;
        let State::Skipped(SkipReason::Duplicate(Some(owner))) = &row.state else {
            panic!("{:?}", row.state);
        };
        assert_eq!(owner.application, "another".into());
        assert!(row.unreported(), "the recruiter is notified");
        assert_eq!(fake.data().orders.len(), 1);
    }
}

#[tokio::test]
async fn one_of_ours_is_found_behind_those_of_others() {
    let prepare = |fake: &FakePorts| {
        of_another(fake, "theirs");
        fake.data().found = vec![found("theirs", None), found("free", None)];
    };
    let (_, row) = already_there(None, prepare).await;
    assert_eq!(row.reference, Some("free".into()));
}

#[tokio::test]
async fn what_is_there_and_cannot_be_found_is_a_duplicate_from_elsewhere() {
    let (_, row) = already_there(None, |_| {}).await;
    assert_eq!(row.state, State::Skipped(SkipReason::Duplicate(None)));
}

#[tokio::test]
async fn what_is_there_and_cannot_be_looked_for_now_is_tried_later() {
    let prepare = |fake: &FakePorts| fails(fake, "find", Phase::Unknown);
    let (_, row) = already_there(None, prepare).await;
    assert_eq!(row.state, State::Detected);
    assert_eq!(row.failure.map(|failure| failure.attempts), Some(1));
}

/// It may be another person's: an operator has to decide.
#[tokio::test]
async fn what_a_lookup_finds_of_an_erased_candidate_is_not_withdrawn() {
    for fail in [false, true] {
        let (fake, key) = abandoned();
        fake.data().found = vec![found("there", None)];
        if fail {
            fails(&fake, "find", Phase::Unknown);
        }
        on_call(&fake, "find", |data: &mut FakeState| data.rows.clear());
        let inviter = fake.ports().inviter();
        inviter.invite(&key, until()).await.unwrap();
        assert!(fake.data().rows.is_empty());
        assert!(fake.data().withdrawn.is_empty());
        assert!(fake.data().orders.is_empty(), "nor sent again");
    }
}
