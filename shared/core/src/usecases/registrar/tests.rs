use secrecy::ExposeSecret as _;

use super::*;
use crate::fake_ports::{FakePorts, mapping, tenant};
use crate::ids::AssessmentRef;
use crate::ports::CallbackTokens;
use crate::tenant::Mapping;

fn registrar(world: &FakePorts) -> Registrar {
    let ports = Arc::new(world.clone());
    Registrar {
        public_url: "https://hooks.example.com/".parse().unwrap(),
        platforms: ports.clone(),
        secrets: ports,
    }
}

fn to(account: &str, assessment: &str) -> Mapping {
    Mapping {
        assessment: AssessmentRef {
            account: account.into(),
            assessment: assessment.into(),
        },
        ..mapping("m")
    }
}

/// A setup in which `acc` has a callback token, with mappings to it and to an account without callbacks.
fn world() -> (FakePorts, Tenant) {
    let world = FakePorts::new();
    let tokens = CallbackTokens {
        current: CallbackToken::of([7; 32]),
        previous: Some(CallbackToken::of([6; 32])),
    };
    world.holds().tokens.insert("acc".into(), tokens);
    let mappings = vec![
        to("acc", "b"),
        to("acc", "a"),
        to("other", "c"),
        to("acc", "b"),
    ];
    (world, tenant(mappings))
}

#[tokio::test]
async fn an_account_calls_back_about_what_its_mappings_use_on_its_present_token() {
    let (world, tenant) = world();
    let done = registrar(&world).register_all(&tenant).await.unwrap();
    let created = Registration {
        created: 2,
        ..Registration::default()
    };
    assert_eq!(done, [("acc".into(), created)]);
    let holds = world.holds();
    let [(address, assessments)] = &holds.registered[..] else {
        panic!("{:?}", holds.registered);
    };
    assert_eq!(address.public_url.as_str(), "https://hooks.example.com/");
    assert_eq!(address.path, "callbacks/acme/acc/");
    assert_eq!(address.token.0.expose_secret(), "07".repeat(32));
    assert_eq!(assessments, &["a".into(), "b".into()]);
}

#[tokio::test]
async fn a_platform_that_does_not_call_back_is_left_alone() {
    let (world, tenant) = world();
    world.holds().capabilities.callbacks = false;
    assert_eq!(registrar(&world).register_all(&tenant).await.unwrap(), []);
    assert!(world.holds().registered.is_empty());
}
