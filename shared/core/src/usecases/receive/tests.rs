use super::*;
use crate::fake_ports::{DeliveryStands, FakePorts, start};
use crate::ids::Reference;
use crate::ports::{CallbackTokens, Unreadable, WebhookHint};

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
    let receiver = world.ports().receiver();
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
