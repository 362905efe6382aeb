use jiff::SignedDuration;

use super::super::fake_ports::{DeliveryStands, FakePorts, failing, start, time};
use super::*;
use crate::error::Phase;
use crate::ids::Reference;
use crate::invitation::{Event, State};
use crate::ports::{CallbackTokens, Unreadable, WebhookHint};
use crate::result::Status;

const TOKEN: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789ABCDEF";
const PREVIOUS: &str = "1123456789abcdef0123456789abcdef0123456789abcdef0123456789ABCDEF";
const WRONG: &str = "2123456789abcdef0123456789abcdef0123456789abcdef0123456789ABCDEF";

fn token(text: &str) -> CallbackToken {
    CallbackToken(text.to_owned().into())
}

fn tokens(current: &str) -> CallbackTokens {
    CallbackTokens {
        current: token(current),
        previous: None,
    }
}

/// A setup in which the account's callbacks carry `TOKEN`, or temporarily `PREVIOUS`.
fn world() -> FakePorts {
    let world = FakePorts::new();
    let tokens = CallbackTokens {
        previous: Some(token(PREVIOUS)),
        ..tokens(TOKEN)
    };
    world.holds().tokens.insert("acc".into(), tokens);
    world
}

fn receiver(world: &FakePorts) -> Receiver {
    let ports = Arc::new(world.clone());
    Receiver {
        engine: world.engine(),
        deliveries: ports.clone(),
        secrets: ports.clone(),
        platforms: ports,
    }
}

async fn receive(
    world: &FakePorts,
    tenant: &str,
    account: &str,
    token: &str,
    body: &[u8],
) -> Option<ReceiveOutcome> {
    let call = IncomingCall {
        query: &[],
        headers: &[],
        body,
    };
    let (tenant, account) = (tenant.into(), account.into());
    let receiver = receiver(world);
    let caller = receiver.authenticate(&tenant, &account, token).await;
    let caller = caller.unwrap()?;
    Some(receiver.receive(&caller, &call).await.unwrap())
}

async fn call(world: &FakePorts, body: &[u8]) -> Option<ReceiveOutcome> {
    receive(world, "acme", "acc", TOKEN, body).await
}

/// The parsed content of every callback.
fn speaks_of(world: &FakePorts, event: Option<&str>, references: &[&str]) {
    let references = references.iter().map(|one| Reference::new(*one));
    let hint = WebhookHint {
        event: event.map(ToOwned::to_owned),
        references: references.collect(),
    };
    world.holds().reads = Some((SignatureCheck::TokenOnly, Ok(hint)));
}

/// The only delivery.
fn delivery(world: &FakePorts) -> (Delivery, DeliveryStands) {
    let holds = world.holds();
    assert_eq!(holds.deliveries.len(), 1);
    holds.deliveries.values().next().unwrap().clone()
}

#[tokio::test]
async fn an_accepted_callback_is_stored_with_its_references_and_enqueued() {
    let world = world();
    speaks_of(&world, Some("new_response"), &["r-1", "other"]);
    assert_eq!(call(&world, b"{}").await, Some(ReceiveOutcome::Accepted));
    let (delivery, state) = delivery(&world);
    assert_eq!(delivery.tenant, "acme".into());
    assert_eq!(delivery.account, "acc".into());
    assert_eq!(delivery.at, start());
    assert_eq!(delivery.event.as_deref(), Some("new_response"));
    assert_eq!(delivery.references, ["r-1".into(), "other".into()]);
    assert_eq!(delivery.tries, 0);
    assert_eq!(state, DeliveryStands::Stored(Some(start())));
    let work = Work::Delivery {
        tenant: "acme".into(),
        id: delivery.id,
    };
    assert_eq!(world.holds().queued, [work]);
}

#[tokio::test]
async fn a_delivery_is_due_unless_a_queue_that_keeps_it_has_it() {
    for (is_durable, fails, state) in [
        (false, false, DeliveryStands::Stored(Some(start()))),
        (false, true, DeliveryStands::Stored(Some(start()))),
        (true, false, DeliveryStands::Stored(None)),
        (
            true,
            true,
            DeliveryStands::Settled(DeliveryOutcome::Again(start())),
        ),
    ] {
        let world = world();
        world.holds().queue_keeps = is_durable;
        world.holds().queue_fails = fails;
        assert_eq!(call(&world, b"{}").await, Some(ReceiveOutcome::Accepted));
        let (delivery, stood) = delivery(&world);
        assert_eq!(stood, state, "keeps: {is_durable}, fails: {fails}");
        assert_eq!(delivery.tries, 0);
    }
}

#[tokio::test]
async fn the_token_before_is_accepted_as_well_and_no_other() {
    let world = world();
    let given = async |token| receive(&world, "acme", "acc", token, b"{}").await;
    assert_eq!(given(TOKEN).await, Some(ReceiveOutcome::Accepted));
    assert_eq!(given(PREVIOUS).await, Some(ReceiveOutcome::Accepted));
    assert_eq!(given(WRONG).await, None);
    world.holds().tokens.insert("acc".into(), tokens(TOKEN));
    assert_eq!(given(TOKEN).await, Some(ReceiveOutcome::Accepted));
    assert_eq!(given(PREVIOUS).await, None);
    // A secret that was written by hand may have the same token twice.
    let twice = CallbackTokens {
        previous: Some(token(TOKEN)),
        ..tokens(TOKEN)
    };
    world.holds().tokens.insert("acc".into(), twice);
    assert_eq!(given(TOKEN).await, Some(ReceiveOutcome::Accepted));
}

#[tokio::test]
async fn unknown_tenants_and_accounts_get_the_answer_of_a_wrong_token() {
    let world = world();
    let at = async |tenant, account| receive(&world, tenant, account, TOKEN, b"{}").await;
    assert_eq!(at("other", "acc").await, None);
    // Strangers must not cause costs in the secret store.
    assert!(!world.holds().calls.contains(&"callback_tokens"));
    assert_eq!(at("acme", "other").await, None);
    // An account without callbacks, for which there is a token all the same.
    world.holds().reads = None;
    assert_eq!(at("acme", "acc").await, None);
    let holds = world.holds();
    assert!(holds.deliveries.is_empty() && holds.queued.is_empty());
}

#[tokio::test]
async fn nothing_is_kept_of_what_is_forged_or_makes_no_sense() {
    let world = world();
    world.holds().reads = Some((SignatureCheck::Forged, Ok(WebhookHint::default())));
    assert_eq!(call(&world, b"{}").await, Some(ReceiveOutcome::Forged));
    let nonsense = Err(Unreadable("no object".to_owned()));
    world.holds().reads = Some((SignatureCheck::Authentic, nonsense));
    assert_eq!(call(&world, b"{}").await, Some(ReceiveOutcome::Unreadable));
    let holds = world.holds();
    assert!(holds.deliveries.is_empty() && holds.queued.is_empty());
}

#[tokio::test]
async fn what_cannot_be_an_address_is_not_even_looked_up() {
    // Everything else matches: the tenant has that name, the account that token.
    let given = async |tenant: &str, account: &str, token: &str| {
        let world = FakePorts::new();
        world.holds().tenant.id = tenant.into();
        world.holds().tokens.insert(account.into(), tokens(token));
        let answer = receive(&world, tenant, account, token, b"{}").await;
        let looked_up = !world.holds().calls.is_empty();
        assert_eq!(looked_up, answer == Some(ReceiveOutcome::Accepted));
        looked_up
    };
    let (longest, longer) = ("n".repeat(128), "n".repeat(129));
    for tenant in ["a", "Acme-2_b", &longest] {
        assert!(given(tenant, "acc", TOKEN).await, "{tenant}");
    }
    for tenant in ["", "a/b", "a.b", "a b", "ä", "a\n", &longer] {
        assert!(!given(tenant, "acc", TOKEN).await, "{tenant}");
    }
    for account in ["a", "Video accounts (ä)", &longest] {
        assert!(given("acme", account, TOKEN).await, "{account}");
    }
    for account in ["", "a\nb", &longer] {
        assert!(!given("acme", account, TOKEN).await, "{account}");
    }
    for token in ["", &TOKEN[1..], &format!("{TOKEN}0"), &"g".repeat(64)] {
        assert!(!given("acme", "acc", token).await, "{token}");
    }
}

#[tokio::test]
async fn the_same_call_again_is_the_same_delivery_and_no_other_call_is() {
    let world = world();
    let accounts = ["acc", "acco"];
    world.holds().tokens.insert("acco".into(), tokens(TOKEN));
    let id = async |account, event, body| {
        speaks_of(&world, event, &[]);
        world.holds().deliveries.clear();
        receive(&world, "acme", account, TOKEN, body).await;
        delivery(&world).0.id
    };
    let mut ids = Vec::new();
    for account in accounts {
        for event in [None, Some("o"), Some("other")] {
            for body in [b"{}".as_slice(), b"o{}", b""] {
                let first = id(account, event, body).await;
                world.pass(5);
                assert_eq!(id(account, event, body).await, first);
                assert!(!ids.contains(&first), "{account} {event:?} {body:?}");
                ids.push(first);
            }
        }
    }
}

/// A setup with a stored delivery with these references.
async fn delivered(references: &[&str]) -> FakePorts {
    let world = world();
    speaks_of(&world, None, references);
    call(&world, b"{}").await;
    world
}

async fn look_at(world: &FakePorts, id: &str) {
    let (receiver, write_back) = (receiver(world), world.write_back());
    let tenant = "acme".into();
    let looked = receiver.process_delivery(&write_back, &tenant, id);
    looked.await.unwrap();
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
    let world = delivered(&["nobodys", "r-1"]).await;
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
    let world = delivered(&["r-1"]).await;
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
        let world = delivered(&["r-1", "r-2"]).await;
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
    let world = delivered(&["r-1", "participant-1"]).await;
    let key = world.invited("1", "video");
    let other = ("acc".into(), "participant-1".into());
    world.holds().references.insert(other, key);
    assert_eq!(look(&world).await.1, HANDLED);
    let asked = |call: &&&str| **call == "result";
    assert_eq!(world.holds().calls.iter().filter(asked).count(), 1);
}

#[tokio::test]
async fn a_delivery_about_nobody_is_looked_into_six_times_and_then_parked() {
    let world = delivered(&["r-1"]).await;
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
    let world = delivered(&["r-1"]).await;
    look(&world).await;
    let key = world.invited("1", "video");
    world.results_in("1", Status::Started);
    assert_eq!(look(&world).await.1, HANDLED);
    assert_eq!(world.row(&key).state, State::Started);
}

#[tokio::test]
async fn a_delivery_that_is_gone_is_none() {
    let world = world();
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
        let world = world();
        world.invited("1", "video");
        spoil(&world);
        speaks_of(&world, None, &["r-1"]);
        assert_eq!(call(&world, b"body").await, Some(ReceiveOutcome::Accepted));
        let (stored, _) = delivery(&world);
        let receiver = receiver(&world);
        let mut tries = 0;
        loop {
            let write_back = world.write_back();
            let looking = receiver.process_delivery(&write_back, &stored.tenant, &stored.id);
            looking.await.unwrap();
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
