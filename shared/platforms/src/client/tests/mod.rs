use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use stagecall_core::error::StoreError;
use stagecall_core::ids::{AccountId, TenantId};
use stagecall_core::ports::{CallbackTokens, PlatformSecret, Secrets, TenantSecret};
use stagecall_core::tenant::Tenant;
use stagecall_core::timing::Timing;
use stagecall_http::{Limits, Method, Request, Response, TransportError};

use super::*;
use crate::Connections;
use crate::client::exchange::MAX_STEPS;

mod callbacks;
mod failures;
mod lists;

const BASE: &str = "https://api.willotalent.com/api/integrations/v2/";
const KEY: &str = "0123456789abcdef0123456789abcdef";
const OTHER: &str = "00000000000000000000000000000002";

type Answer = Result<Response, TransportError>;

#[expect(
    clippy::unnecessary_wraps,
    reason = "it stands beside answers that were lost"
)]
fn answer(status: u16, body: &Value) -> Answer {
    Ok(Response {
        status,
        headers: Vec::new(),
        body: body.to_string().into_bytes(),
    })
}

/// Answers as scripted, and records the requests.
#[derive(Default)]
struct Script {
    answers: Mutex<VecDeque<Answer>>,
    asked: Mutex<Vec<Request>>,
    times: Mutex<Vec<Duration>>,
}

impl Script {
    fn asked(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        let line = |request: &Request| format!("{} {}", request.method, request.url);
        asked
            .iter()
            .map(line)
            .map(|line| line.replace(BASE, ""))
            .collect()
    }

    fn keys(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        asked
            .iter()
            .map(|request| request.headers[0].1.clone())
            .collect()
    }
}

#[async_trait]
impl Transport for Script {
    async fn send(&self, request: Request, limits: Limits) -> Answer {
        self.times.lock().unwrap().push(limits.time);
        self.asked.lock().unwrap().push(request);
        self.answers
            .lock()
            .unwrap()
            .pop_front()
            .expect("a call that was not scripted")
    }
}

/// A stale key in the cache, and perhaps a newer one in the store.
struct Keys {
    cached: &'static str,
    stored: &'static str,
}

#[async_trait]
impl Secrets for Keys {
    async fn secret(&self, _: &TenantId, fresh: bool) -> Result<TenantSecret, StoreError> {
        let key = if fresh { self.stored } else { self.cached };
        let secret = PlatformSecret(BTreeMap::from([("api_key".to_owned(), key.into())]));
        Ok(TenantSecret {
            eploy_client_id: "id".into(),
            eploy_client_secret: "secret".into(),
            platforms: BTreeMap::from([(AccountId::from("willo"), secret)]),
            hrms: None,
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

struct Noon;

impl Clock for Noon {
    fn now(&self) -> Timestamp {
        "2026-11-22T12:00:00Z".parse().unwrap()
    }
}

fn tenant(settings: &Value) -> Tenant {
    serde_json::from_value(json!({
        "id": "acme",
        "eploy": {"base_url": "https://acme.eploy.net/"},
        "platforms": {"willo": {"kind": "willo", "settings": settings}}
    }))
    .unwrap()
}

fn connections(script: &Arc<Script>, cached: &'static str, stored: &'static str) -> Connections {
    Connections::new(
        script.clone(),
        Arc::new(Keys { cached, stored }),
        Arc::new(Noon),
        &Timing::default(),
    )
}

async fn client(answers: impl IntoIterator<Item = Answer>) -> (Client, Arc<Script>) {
    let script = Arc::new(Script {
        answers: Mutex::new(answers.into_iter().collect()),
        ..Script::default()
    });
    let connections = connections(&script, "key-1", "key-1");
    let account = AccountId::from("willo");
    let client = connections
        .open(&tenant(&json!({})), &account)
        .await
        .unwrap();
    (client, script)
}

fn person() -> Person {
    Person {
        first_name: "Ada".to_owned(),
        last_name: "Example".to_owned(),
        email: Some("Ada@Example.com ".to_owned()),
        phone: None,
    }
}

fn order() -> InviteOrder {
    InviteOrder {
        options: serde_json::Map::new(),
        task: stagecall_core::ports::Task::Invite,
        client_ref: "101.video.1".to_owned(),
        assessment: AssessmentId::from("i1"),
        person: person(),
        metadata: BTreeMap::new(),
    }
}

fn page(rows: &[Value], next: Option<&str>) -> Answer {
    let next = next.map(|next| format!("{BASE}{next}"));
    answer(
        200,
        &json!({"count": 99, "next": next, "previous": null, "results": rows}),
    )
}
