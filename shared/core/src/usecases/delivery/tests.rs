use jiff::SignedDuration;

use super::*;
use crate::error::{Phase, StoreError};
use crate::fake_ports::{DeliveryState, FakePorts, failing, start, time};
use crate::ids::Reference;
use crate::invitation::{Event, State};
use crate::result::Status;

/// A setup with a stored delivery with these references.
fn delivered(references: &[&str]) -> FakePorts {
    let fake = FakePorts::new();
    let references = references.iter().map(|one| Reference::new(*one));
    let delivery = Delivery {
        id: "d1".to_owned(),
        tenant: "acme".into(),
        account: "acc".into(),
        at: start(),
        event: None,
        references: references.collect(),
        tries: 0,
        given_up: false,
    };
    let stored = (delivery, DeliveryState::Stored(Some(start())));
    fake.data().deliveries.insert("d1".to_owned(), stored);
    fake
}

/// The only delivery.
fn delivery(fake: &FakePorts) -> (Delivery, DeliveryState) {
    let data = fake.data();
    assert_eq!(data.deliveries.len(), 1);
    data.deliveries.values().next().unwrap().clone()
}

async fn look_at(fake: &FakePorts, id: &str) {
    let work = Work::Delivery {
        tenant: "acme".into(),
        id: id.to_owned(),
    };
    fake.handle(work).await;
}

/// Processes the only delivery. Returns its state then.
async fn look(fake: &FakePorts) -> (Delivery, DeliveryState) {
    let id = delivery(fake).0.id;
    look_at(fake, &id).await;
    delivery(fake)
}

const HANDLED: DeliveryState = DeliveryState::Settled(DeliveryOutcome::Handled);

/// The time from now until it is processed again.
fn again(fake: &FakePorts, state: &DeliveryState) -> SignedDuration {
    match state {
        DeliveryState::Settled(DeliveryOutcome::Again(at)) => at.duration_since(fake.data().now),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_delivery_is_handled_once_its_result_is_saved() {
    let fake = delivered(&["nobodys", "r-1"]);
    let key = fake.invited("1", "video");
    fake.results_in("1", Status::Completed);
    let (delivery, state) = look(&fake).await;
    assert_eq!(state, HANDLED);
    assert_eq!(delivery.tries, 1);
    assert_eq!(fake.row(&key).state, State::Completed);
    assert!(!fake.row(&key).unreported());
}

#[tokio::test]
async fn a_delivery_comes_back_until_the_platform_answers() {
    let fake = delivered(&["r-1"]);
    let key = fake.invited("1", "video");
    fake.results_in("1", Status::Completed);
    let down = failing(Phase::Unknown);
    fake.data().fails.insert("result", down);
    // However often: its invitation is known.
    for tries in 1..=8 {
        let (delivery, state) = look(&fake).await;
        assert_eq!(delivery.tries, tries);
        assert!(again(&fake, &state) > SignedDuration::ZERO);
        assert_eq!(fake.row(&key).state, State::Invited);
    }
    fake.data().fails.clear();
    assert_eq!(look(&fake).await.1, HANDLED);
    assert_eq!(fake.row(&key).state, State::Completed);
}

#[tokio::test]
async fn of_several_invitations_one_that_waits_keeps_the_delivery() {
    for (waits, other) in [("1", "2"), ("2", "1")] {
        let fake = delivered(&["r-1", "r-2"]);
        let other = fake.invited(other, "video");
        fake.results_in("1", Status::Completed);
        fake.results_in("2", Status::Completed);
        // Its sender has bound the reference and is still at work.
        let waiting = fake.enter(waits, "video");
        let place = ("acc".into(), format!("r-{waits}").as_str().into());
        fake.data().references.insert(place, waiting.clone());
        let claim = Event::Claim {
            lease_until: time(60),
            entered_at: None,
            history: None,
            sent_to: None,
        };
        fake.happens(&waiting, claim);
        let state = look(&fake).await.1;
        assert!(again(&fake, &state) > SignedDuration::ZERO, "{waits}");
        assert_eq!(fake.row(&other).state, State::Completed);
    }
}

#[tokio::test]
async fn one_invitation_under_two_references_is_asked_about_once() {
    let fake = delivered(&["r-1", "participant-1"]);
    let key = fake.invited("1", "video");
    let other = ("acc".into(), "participant-1".into());
    fake.data().references.insert(other, key);
    assert_eq!(look(&fake).await.1, HANDLED);
    let asked = |call: &&&str| **call == "result";
    assert_eq!(fake.data().calls.iter().filter(asked).count(), 1);
}

#[tokio::test]
async fn a_delivery_about_nobody_is_looked_into_six_times_and_then_parked() {
    let fake = delivered(&["r-1"]);
    let mut before = SignedDuration::ZERO;
    for tries in 1..=5 {
        let (delivery, state) = look(&fake).await;
        assert_eq!(delivery.tries, tries);
        let wait = again(&fake, &state);
        assert!(wait > before, "the {tries}th wait is {wait}");
        before = wait;
    }
    let (delivery, state) = look(&fake).await;
    assert_eq!(delivery.tries, 6);
    assert_eq!(state, DeliveryState::Settled(DeliveryOutcome::Unmatched));
}

/// The callback arrived before its row was saved.
#[tokio::test]
async fn an_invitation_that_is_saved_by_the_next_try_is_found() {
    let fake = delivered(&["r-1"]);
    look(&fake).await;
    let key = fake.invited("1", "video");
    fake.results_in("1", Status::Started);
    assert_eq!(look(&fake).await.1, HANDLED);
    assert_eq!(fake.row(&key).state, State::Started);
}

#[tokio::test]
async fn a_delivery_that_is_gone_is_none() {
    let fake = FakePorts::new();
    look_at(&fake, "gone").await;
    assert!(fake.data().deliveries.is_empty());
}

/// The invitation is known, and its result cannot be read: it was refused, the row is unreadable, or the tenant was
/// removed.
#[tokio::test]
async fn a_delivery_whose_result_is_never_read_is_given_up_after_days_and_tries() {
    use crate::error::{CallError, ErrorScope};
    let refused = |fake: &FakePorts| {
        let refused = CallError {
            scope: ErrorScope::Record,
            ..failing(Phase::Refused)
        };
        fake.data().fails.insert("result", refused);
    };
    let broken = |fake: &FakePorts| {
        let key = fake.data().rows.keys().next().unwrap().clone();
        let broken = StoreError::new("ledger", "load", "it is not read").permanent();
        fake.data().rows_fail.insert(key, broken);
    };
    for spoil in [refused as fn(&FakePorts), broken] {
        let fake = delivered(&["r-1"]);
        fake.invited("1", "video");
        spoil(&fake);
        let mut tries = 0;
        loop {
            look(&fake).await;
            tries += 1;
            match delivery(&fake).1 {
                DeliveryState::Settled(DeliveryOutcome::Again(at)) => fake.data().now = at,
                DeliveryState::Settled(DeliveryOutcome::Unmatched) => break,
                other => panic!("{other:?}"),
            }
            assert!(tries < 200, "it comes back for ever");
        }
        let days = fake.data().now.duration_since(start()).as_hours() / 24;
        assert_eq!(days, 3, "{tries} tries");
        assert!(delivery(&fake).0.given_up, "a person sees why it is parked");
    }
}
