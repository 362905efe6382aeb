use std::collections::BTreeMap;
use std::sync::Mutex;

use serde_json::json;
use stagecall_core::error::StoreError;
use stagecall_core::ids::{AccountId, TenantId};
use stagecall_core::ports::{CallbackTokens, SigningSecrets, TenantSecret};
use stagecall_core::tenant::EployConnection;

use super::*;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OLDER: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// Fakes of the receiver and of the secret store.
struct Scene {
    answer: Result<Response, TransportError>,
    secrets: Option<SigningSecrets>,
    seen: Mutex<Vec<Request>>,
    fresh: Mutex<Vec<bool>>,
}

#[async_trait]
impl Transport for Scene {
    async fn send(&self, request: Request, _: Limits) -> Result<Response, TransportError> {
        self.seen.lock().unwrap().push(request);
        self.answer.clone()
    }
}

#[async_trait]
impl Secrets for Scene {
    async fn secret(&self, _: &TenantId, fresh: bool) -> Result<TenantSecret, StoreError> {
        self.fresh.lock().unwrap().push(fresh);
        Ok(TenantSecret {
            eploy_client_id: "id".into(),
            eploy_client_secret: "secret".into(),
            platforms: BTreeMap::new(),
            hrms: self.secrets.clone(),
        })
    }

    async fn callback_tokens(
        &self,
        _: &TenantId,
        _: &AccountId,
    ) -> Result<Option<CallbackTokens>, StoreError> {
        Ok(None)
    }
}

fn signing(current: &str, previous: Option<&str>) -> SigningSecrets {
    SigningSecrets {
        current: current.into(),
        previous: previous.map(Into::into),
    }
}

fn answer(status: u16, headers: &[(&str, &str)]) -> Response {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Response {
        status,
        headers: headers.iter().map(owned).collect(),
        body: Vec::new(),
    }
}

async fn deliver(
    answer: Result<Response, TransportError>,
    secrets: Option<SigningSecrets>,
    again: bool,
) -> (Result<HrmsAnswer, CallError>, Arc<Scene>) {
    let scene = Arc::new(Scene {
        answer,
        secrets,
        seen: Mutex::default(),
        fresh: Mutex::default(),
    });
    let outlet = HrmsClient::new(scene.clone(), scene.clone(), &Timing::default());
    let tenant = Tenant {
        id: "acme".into(),
        paused: false,
        eploy: EployConnection {
            base_url: "https://acme.eploy.net/".parse().unwrap(),
            daily_calls: 1000,
            poll_seconds: 60,
            dialect: serde_json::Map::new(),
        },
        platforms: BTreeMap::new(),
        mappings: Vec::new(),
        hires: None,
        retention_days: None,
    };
    let endpoint = HrmsEndpoint {
        url: "https://hrms.example.com/hooks".parse().unwrap(),
        person: [].into(),
    };
    let notice = Webhook {
        id: "hire_1".to_owned(),
        at: Timestamp::from_second(1_800_000_000).unwrap(),
        again,
        body: json!({"type": "candidate.hired", "data": {"person": {"email": "ada@example.com"}}}),
    };
    assert!(!format!("{notice:?}").contains("ada"));
    let answered = outlet.deliver(&tenant, &endpoint, &notice).await;
    (answered, scene)
}

#[tokio::test]
async fn a_webhook_has_its_three_headers_and_is_signed_over_what_is_sent() {
    let secrets = signing(SECRET, Some(OLDER));
    let (answered, scene) = deliver(Ok(answer(204, &[])), Some(secrets.clone()), false).await;
    assert_eq!(
        answered.unwrap(),
        HrmsAnswer {
            status: 204,
            retry_after: None
        }
    );
    let sent = scene.seen.lock().unwrap()[0].clone();
    assert_eq!(
        (sent.method, sent.url.as_str()),
        (Method::Post, "https://hrms.example.com/hooks")
    );
    let header = |name: &str| {
        let found = sent.headers.iter().find(|(key, _)| key == name);
        found.unwrap().1.clone()
    };
    assert_eq!(header("content-type"), "application/json");
    assert_eq!(header("webhook-id"), "hire_1");
    assert_eq!(header("webhook-timestamp"), "1800000000");
    let at = Timestamp::from_second(1_800_000_000).unwrap();
    let keys = [
        SigningKey::read(&secrets.current).unwrap(),
        SigningKey::read(&secrets.previous.unwrap()).unwrap(),
    ];
    let expected = signatures(&keys, "hire_1", at, &sent.body);
    assert_eq!(expected.split(' ').count(), 2);
    assert_eq!(header("webhook-signature"), expected);
    // Only a further attempt reads the secret anew.
    assert_eq!(*scene.fresh.lock().unwrap(), [false]);
    let (_, scene) = deliver(Ok(answer(204, &[])), Some(signing(SECRET, None)), true).await;
    assert_eq!(*scene.fresh.lock().unwrap(), [true]);
}

#[tokio::test]
async fn a_previous_secret_that_cannot_be_used_is_left_out() {
    let secrets = signing(SECRET, Some("whsec_AAAA"));
    let (answered, scene) = deliver(Ok(answer(204, &[])), Some(secrets), false).await;
    assert_eq!(answered.unwrap().status, 204);
    let sent = scene.seen.lock().unwrap()[0].clone();
    let mut headers = sent.headers.iter();
    let signed = headers.find(|(name, _)| name == "webhook-signature");
    assert_eq!(signed.unwrap().1.split(' ').count(), 1);
}

#[tokio::test]
async fn without_a_valid_secret_nothing_is_sent() {
    for (secrets, named) in [
        (None, "hrms.current"),
        (Some(signing("", None)), "hrms.current"),
        (Some(signing("whsec_", None)), "hrms.current"),
    ] {
        let (answered, scene) = deliver(Ok(answer(204, &[])), secrets, false).await;
        let error = answered.unwrap_err();
        assert_eq!(error.code, "hrms.secret_unusable");
        assert!(error.to_string().contains(named), "{error}");
        assert!(scene.seen.lock().unwrap().is_empty());
    }
}

#[tokio::test]
async fn any_status_is_returned_with_its_retry_after() {
    for (value, expected) in [
        ("7", Some(7)),
        ("Fri, 15 Jan 2027 08:01:00 GMT", Some(60)),
        ("Fri, 15 Jan 2027 07:00:00 GMT", Some(0)),
        ("soon", None),
    ] {
        let answer = answer(503, &[("retry-after", value)]);
        let (answered, _) = deliver(Ok(answer), Some(signing(SECRET, None)), false).await;
        let answered = answered.unwrap();
        assert_eq!(answered.status, 503);
        let expected = expected.map(SignedDuration::from_secs);
        assert_eq!(answered.retry_after, expected, "{value}");
    }
}

#[tokio::test]
async fn a_missing_answer_is_reported_by_its_kind() {
    for (error, code) in [
        (
            TransportError::NotSent("hrms.example.com: no connection".to_owned()),
            "hrms.no_connection",
        ),
        (
            TransportError::Guarded("10.0.0.1: not on the public internet".to_owned()),
            "hrms.address_refused",
        ),
        (
            TransportError::Lost("hrms.example.com: broke".to_owned()),
            "hrms.no_answer",
        ),
        (TransportError::TooLarge(65_536), "hrms.answer_too_large"),
    ] {
        let (answered, _) = deliver(Err(error), Some(signing(SECRET, None)), false).await;
        assert_eq!(answered.unwrap_err().code, code);
    }
}
