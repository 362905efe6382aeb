use secrecy::ExposeSecret as _;

use super::*;
use crate::fake_ports::{FakePorts, mapping, tenant};
use crate::ids::AssessmentRef;
use crate::ports::CallbackTokens;
use crate::tenant::Mapping;

fn registrar(fake: &FakePorts) -> Registrar {
    let ports = Arc::new(fake.clone());
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
fn setup() -> (FakePorts, Tenant) {
    let fake = FakePorts::new();
    let tokens = CallbackTokens {
        current: CallbackToken::of([7; 32]),
        previous: Some(CallbackToken::of([6; 32])),
    };
    fake.data().tokens.insert("acc".into(), tokens);
    let mappings = vec![
        to("acc", "b"),
        to("acc", "a"),
        to("other", "c"),
        to("acc", "b"),
    ];
    (fake, tenant(mappings))
}

#[tokio::test]
async fn an_account_calls_back_about_what_its_mappings_use_on_its_present_token() {
    let (fake, tenant) = setup();
    let done = registrar(&fake).register_all(&tenant).await.unwrap();
    let created = Registration {
        created: 2,
        ..Registration::default()
    };
    assert_eq!(done, [("acc".into(), created)]);
    let data = fake.data();
    let [(address, assessments)] = &data.registered[..] else {
        panic!("{:?}", data.registered);
    };
    assert_eq!(address.public_url.as_str(), "https://hooks.example.com/");
    assert_eq!(address.path, "callbacks/acme/acc/");
    assert_eq!(address.token.0.expose_secret(), "07".repeat(32));
    assert_eq!(assessments, &["a".into(), "b".into()]);
}

#[tokio::test]
async fn a_platform_that_does_not_call_back_is_left_alone() {
    let (fake, tenant) = setup();
    fake.data().capabilities.callbacks = false;
    assert_eq!(registrar(&fake).register_all(&tenant).await.unwrap(), []);
    assert!(fake.data().registered.is_empty());
}
