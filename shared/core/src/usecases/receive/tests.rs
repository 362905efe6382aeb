use super::*;
use crate::fake_ports::{DeliveryState, FakePorts, start};
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
fn setup() -> FakePorts {
    let fake = FakePorts::new();
    let tokens = CallbackTokens {
        previous: Some(token(PREVIOUS)),
        ..tokens(TOKEN)
    };
    fake.data().tokens.insert("acc".into(), tokens);
    fake
}

async fn receive(
    fake: &FakePorts,
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
    let receiver = fake.ports().receiver();
    let caller = receiver.authenticate(&tenant, &account, token).await;
    let caller = caller.unwrap()?;
    Some(receiver.receive(&caller, &call).await.unwrap())
}

async fn call(fake: &FakePorts, body: &[u8]) -> Option<ReceiveOutcome> {
    receive(fake, "acme", "acc", TOKEN, body).await
}

/// The parsed content of every callback.
fn speaks_of(fake: &FakePorts, event: Option<&str>, references: &[&str]) {
    let references = references.iter().map(|one| Reference::new(*one));
    let hint = WebhookHint {
        event: event.map(ToOwned::to_owned),
        references: references.collect(),
    };
    fake.data().reads = Some((SignatureCheck::TokenOnly, Ok(hint)));
}

/// The only delivery.
fn delivery(fake: &FakePorts) -> (Delivery, DeliveryState) {
    let data = fake.data();
    assert_eq!(data.deliveries.len(), 1);
    data.deliveries.values().next().unwrap().clone()
}

#[tokio::test]
async fn an_accepted_callback_is_stored_with_its_references_and_enqueued() {
    let fake = setup();
    speaks_of(&fake, Some("new_response"), &["r-1", "other"]);
    assert_eq!(call(&fake, b"{}").await, Some(ReceiveOutcome::Accepted));
    let (delivery, state) = delivery(&fake);
    assert_eq!(delivery.tenant, "acme".into());
    assert_eq!(delivery.account, "acc".into());
    assert_eq!(delivery.at, start());
    assert_eq!(delivery.event.as_deref(), Some("new_response"));
    assert_eq!(delivery.references, ["r-1".into(), "other".into()]);
    assert_eq!(delivery.tries, 0);
    assert_eq!(state, DeliveryState::Stored(Some(start())));
    let work = Work::Delivery {
        tenant: "acme".into(),
        id: delivery.id,
    };
    assert_eq!(fake.data().queued, [work]);
}

#[tokio::test]
async fn a_delivery_is_due_unless_a_queue_that_keeps_it_has_it() {
    for (is_durable, fails, state) in [
        (false, false, DeliveryState::Stored(Some(start()))),
        (false, true, DeliveryState::Stored(Some(start()))),
        (true, false, DeliveryState::Stored(None)),
        (
            true,
            true,
            DeliveryState::Settled(DeliveryOutcome::Again(start())),
        ),
    ] {
        let fake = setup();
        fake.data().queue_keeps = is_durable;
        fake.data().queue_fails = fails;
        assert_eq!(call(&fake, b"{}").await, Some(ReceiveOutcome::Accepted));
        let (delivery, stood) = delivery(&fake);
        assert_eq!(stood, state, "keeps: {is_durable}, fails: {fails}");
        assert_eq!(delivery.tries, 0);
    }
}

#[tokio::test]
async fn the_token_before_is_accepted_as_well_and_no_other() {
    let fake = setup();
    let given = async |token| receive(&fake, "acme", "acc", token, b"{}").await;
    assert_eq!(given(TOKEN).await, Some(ReceiveOutcome::Accepted));
    assert_eq!(given(PREVIOUS).await, Some(ReceiveOutcome::Accepted));
    assert_eq!(given(WRONG).await, None);
    fake.data().tokens.insert("acc".into(), tokens(TOKEN));
    assert_eq!(given(TOKEN).await, Some(ReceiveOutcome::Accepted));
    assert_eq!(given(PREVIOUS).await, None);
    // A secret that was written by hand may have the same token twice.
    let twice = CallbackTokens {
        previous: Some(token(TOKEN)),
        ..tokens(TOKEN)
    };
    fake.data().tokens.insert("acc".into(), twice);
    assert_eq!(given(TOKEN).await, Some(ReceiveOutcome::Accepted));
}

#[tokio::test]
async fn unknown_tenants_and_accounts_get_the_answer_of_a_wrong_token() {
    let fake = setup();
    let at = async |tenant, account| receive(&fake, tenant, account, TOKEN, b"{}").await;
    assert_eq!(at("other", "acc").await, None);
    // Strangers must not cause costs in the secret store.
    assert!(!fake.data().calls.contains(&"callback_tokens"));
    assert_eq!(at("acme", "other").await, None);
    // An account without callbacks, for which there is a token all the same.
    fake.data().reads = None;
    assert_eq!(at("acme", "acc").await, None);
    let data = fake.data();
    assert!(data.deliveries.is_empty() && data.queued.is_empty());
}

#[tokio::test]
async fn nothing_is_kept_of_what_is_forged_or_makes_no_sense() {
    let fake = setup();
    fake.data().reads = Some((SignatureCheck::Forged, Ok(WebhookHint::default())));
    assert_eq!(call(&fake, b"{}").await, Some(ReceiveOutcome::Forged));
    let nonsense = Err(Unreadable("no object".to_owned()));
    fake.data().reads = Some((SignatureCheck::Authentic, nonsense));
    assert_eq!(call(&fake, b"{}").await, Some(ReceiveOutcome::Unreadable));
    let data = fake.data();
    assert!(data.deliveries.is_empty() && data.queued.is_empty());
}

#[tokio::test]
async fn what_cannot_be_an_address_is_not_even_looked_up() {
    // Everything else matches: the tenant has that name, the account that token.
    let given = async |tenant: &str, account: &str, token: &str| {
        let fake = FakePorts::new();
        fake.data().tenant.id = tenant.into();
        fake.data().tokens.insert(account.into(), tokens(token));
        let answer = receive(&fake, tenant, account, token, b"{}").await;
        let looked_up = !fake.data().calls.is_empty();
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
    let fake = setup();
    let accounts = ["acc", "acco"];
    fake.data().tokens.insert("acco".into(), tokens(TOKEN));
    let id = async |account, event, body| {
        speaks_of(&fake, event, &[]);
        fake.data().deliveries.clear();
        receive(&fake, "acme", account, TOKEN, body).await;
        delivery(&fake).0.id
    };
    let mut ids = Vec::new();
    for account in accounts {
        for event in [None, Some("o"), Some("other")] {
            for body in [b"{}".as_slice(), b"o{}", b""] {
                let first = id(account, event, body).await;
                fake.pass(5);
                assert_eq!(id(account, event, body).await, first);
                assert!(!ids.contains(&first), "{account} {event:?} {body:?}");
                ids.push(first);
            }
        }
    }
}
