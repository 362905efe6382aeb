use jiff::SignedDuration;

use super::*;
use crate::error::{Phase, StoreError};
use crate::fake_ports::{DeliveryStands, FakePorts, failing, start, time};
use crate::ids::Reference;
use crate::invitation::{Event, State};
use crate::result::Status;

/// A setup with a stored delivery with these references.
fn delivered(references: &[&str]) -> FakePorts {
    let world = FakePorts::new();
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
    let stored = (delivery, DeliveryStands::Stored(Some(start())));
    world.holds().deliveries.insert("d1".to_owned(), stored);
    world
}

/// The only delivery.
fn delivery(world: &FakePorts) -> (Delivery, DeliveryStands) {
    let holds = world.holds();
    assert_eq!(holds.deliveries.len(), 1);
    holds.deliveries.values().next().unwrap().clone()
}

async fn look_at(world: &FakePorts, id: &str) {
    let work = Work::Delivery {
        tenant: "acme".into(),
        id: id.to_owned(),
    };
    world.handle(work).await;
}

/// Processes the only delivery. Returns its state then.
async fn look(world: &FakePorts) -> (Delivery, DeliveryStands) {
    let id = delivery(world).0.id;
    look_at(world, &id).await;
    delivery(world)
}

const HANDLED: DeliveryStands = DeliveryStands::Settled(DeliveryOutcome::Handled);

/// The time from now until it is processed again.
fn again(world: &FakePorts, state: &DeliveryStands) -> SignedDuration {
    match state {
        DeliveryStands::Settled(DeliveryOutcome::Again(at)) => at.duration_since(world.holds().now),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_delivery_is_handled_once_its_result_is_saved() {
    let world = delivered(&["nobodys", "r-1"]);
    let key = world.invited("1", "video");
    world.results_in("1", Status::Completed);
    let (delivery, state) = look(&world).await;
    assert_eq!(state, HANDLED);
    assert_eq!(delivery.tries, 1);
    assert_eq!(world.row(&key).state, State::Completed);
    assert!(!world.row(&key).unreported());
}

#[tokio::test]
async fn a_delivery_comes_back_until_the_platform_answers() {
    let world = delivered(&["r-1"]);
    let key = world.invited("1", "video");
    world.results_in("1", Status::Completed);
    let down = failing(Phase::Unknown);
    world.holds().fails.insert("result", down);
    // However often: its invitation is known.
    for tries in 1..=8 {
        let (delivery, state) = look(&world).await;
        assert_eq!(delivery.tries, tries);
        assert!(again(&world, &state) > SignedDuration::ZERO);
        assert_eq!(world.row(&key).state, State::Invited);
    }
    world.holds().fails.clear();
    assert_eq!(look(&world).await.1, HANDLED);
    assert_eq!(world.row(&key).state, State::Completed);
}

#[tokio::test]
async fn of_several_invitations_one_that_waits_keeps_the_delivery() {
    for (waits, other) in [("1", "2"), ("2", "1")] {
        let world = delivered(&["r-1", "r-2"]);
        let other = world.invited(other, "video");
        world.results_in("1", Status::Completed);
        world.results_in("2", Status::Completed);
        // Its sender has bound the reference and is still at work.
        let waiting = world.enter(waits, "video");
        let place = ("acc".into(), format!("r-{waits}").as_str().into());
        world.holds().references.insert(place, waiting.clone());
        let claim = Event::Claim {
            lease_until: time(60),
            entered_at: None,
            history: None,
            sent_to: None,
        };
        world.happens(&waiting, claim);
        let state = look(&world).await.1;
        assert!(again(&world, &state) > SignedDuration::ZERO, "{waits}");
        assert_eq!(world.row(&other).state, State::Completed);
    }
}

#[tokio::test]
async fn one_invitation_under_two_references_is_asked_about_once() {
    let world = delivered(&["r-1", "participant-1"]);
    let key = world.invited("1", "video");
    let other = ("acc".into(), "participant-1".into());
    world.holds().references.insert(other, key);
    assert_eq!(look(&world).await.1, HANDLED);
    let asked = |call: &&&str| **call == "result";
    assert_eq!(world.holds().calls.iter().filter(asked).count(), 1);
}

#[tokio::test]
async fn a_delivery_about_nobody_is_looked_into_six_times_and_then_parked() {
    let world = delivered(&["r-1"]);
    let mut before = SignedDuration::ZERO;
    for tries in 1..=5 {
        let (delivery, state) = look(&world).await;
        assert_eq!(delivery.tries, tries);
        let wait = again(&world, &state);
        assert!(wait > before, "the {tries}th wait is {wait}");
        before = wait;
    }
    let (delivery, state) = look(&world).await;
    assert_eq!(delivery.tries, 6);
    assert_eq!(state, DeliveryStands::Settled(DeliveryOutcome::Unmatched));
}

/// The callback arrived before its row was saved.
#[tokio::test]
async fn an_invitation_that_is_saved_by_the_next_try_is_found() {
    let world = delivered(&["r-1"]);
    look(&world).await;
    let key = world.invited("1", "video");
    world.results_in("1", Status::Started);
    assert_eq!(look(&world).await.1, HANDLED);
    assert_eq!(world.row(&key).state, State::Started);
}

#[tokio::test]
async fn a_delivery_that_is_gone_is_none() {
    let world = FakePorts::new();
    look_at(&world, "gone").await;
    assert!(world.holds().deliveries.is_empty());
}

/// The invitation is known, and its result cannot be read: it was refused, the row is unreadable, or the tenant was
/// removed.
#[tokio::test]
async fn a_delivery_whose_result_is_never_read_is_given_up_after_days_and_tries() {
    use crate::error::{CallError, ErrorScope};
    let refused = |world: &FakePorts| {
        let refused = CallError {
            scope: ErrorScope::Record,
            ..failing(Phase::Refused)
        };
        world.holds().fails.insert("result", refused);
    };
    let broken = |world: &FakePorts| {
        let key = world.holds().rows.keys().next().unwrap().clone();
        let broken = StoreError::new("ledger", "load", "it is not read").permanent();
        world.holds().rows_fail.insert(key, broken);
    };
    for spoil in [refused as fn(&FakePorts), broken] {
        let world = delivered(&["r-1"]);
        world.invited("1", "video");
        spoil(&world);
        let mut tries = 0;
        loop {
            look(&world).await;
            tries += 1;
            match delivery(&world).1 {
                DeliveryStands::Settled(DeliveryOutcome::Again(at)) => world.holds().now = at,
                DeliveryStands::Settled(DeliveryOutcome::Unmatched) => break,
                other => panic!("{other:?}"),
            }
            assert!(tries < 200, "it comes back for ever");
        }
        let days = world.holds().now.duration_since(start()).as_hours() / 24;
        assert_eq!(days, 3, "{tries} tries");
        assert!(
            delivery(&world).0.given_up,
            "a person sees why it is parked"
        );
    }
}
