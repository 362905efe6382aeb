//! A third platform, made of nothing but what this crate offers: it is invited to, read, and called by its name in what
//! recruiters read. Nothing else knows it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "here, a panic is an answer"
)]

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use stagecall_core::clock::Clock;
use stagecall_core::error::{Phase, StoreError};
use stagecall_core::ids::{AccountId, AssessmentId, Reference, TenantId};
use stagecall_core::invitation::{Entry, Event, Invitation};
use stagecall_core::person::Person;
use stagecall_core::ports::{
    Assessment, AssessmentKind, CallbackTokens, Capabilities, Found, InviteAnswer, InviteOrder,
    ListedStatus, PlatformConnections as _, PlatformSecret, Secrets, Task, TenantSecret, Withdrawn,
};
use stagecall_core::report::{Missing, Moment, compose};
use stagecall_core::result::{AssessmentResult, Score, Status};
use stagecall_core::tenant::{Mapping, Settings, Tenant};
use stagecall_core::timing::Timing;
use stagecall_http::{Limits, Method, RateLimit, Request, Response, Transport, TransportError};
use stagecall_platforms::{
    Account, Adapter, Callbacks, Connections, Listed, Page, PlatformError, PlatformSpec, Secret,
    Step,
};

const MOST: NonZeroU32 = NonZeroU32::MAX;

/// The toy's description.
static TOY: PlatformSpec = PlatformSpec {
    name: "toybox",
    title: "Toybox",
    base_url: "https://toybox.example/api/",
    hosts: &["toybox.example"],
    settings: &[],
    secrets: &[Secret {
        key: "token",
        optional: false,
        about: "the account's token",
    }],
    options: &[],
    validate: |_, _| Vec::new(),
    pace: RateLimit {
        in_flight: MOST,
        per_second: MOST,
    },
    back_off: SignedDuration::from_secs(1),
    capabilities: || Capabilities {
        callbacks: false,
        list_from: 0,
        statuses: vec![Status::Sent, Status::Completed],
        live_interviews: false,
        pools: false,
    },
    open: |account| Ok(Arc::new(Toy(account))),
    reader: None,
};

/// An opened account.
struct Toy(Account);

impl Toy {
    fn request(&self, method: Method, path: &str) -> Request {
        let url = self.0.base.join(path).unwrap();
        Request::new(method, url).header("authorization", self.0.secret("token"))
    }
}

fn read(answer: &Response) -> Result<Value, PlatformError> {
    if !answer.is_success() {
        return Err(PlatformError::of_status(TOY.title, answer));
    }
    serde_json::from_slice(&answer.body)
        .map_err(|error| PlatformError::unreadable(error.to_string()))
}

fn rows(answer: &Response) -> Result<Vec<Value>, PlatformError> {
    let all = read(answer)?.as_array().cloned();
    all.ok_or_else(|| PlatformError::unreadable("not a list"))
}

fn status(row: &Value) -> Status {
    match row["points"] {
        Value::Null => Status::Sent,
        _ => Status::Completed,
    }
}

impl Adapter for Toy {
    fn assessments(&self, _: Option<&str>) -> Result<Request, PlatformError> {
        Ok(self.request(Method::Get, "games"))
    }

    fn read_assessments(&self, answer: &Response) -> Result<Page<Assessment>, PlatformError> {
        let game = |row: &Value| {
            Some(Assessment {
                id: row["game"].as_str()?.into(),
                name: row["name"].as_str()?.to_owned(),
                kind: AssessmentKind::Test,
            })
        };
        Ok(Page::read(&rows(answer)?, None, game))
    }

    fn invite(
        &self,
        order: &InviteOrder,
        answers: &[Response],
    ) -> Result<Step<InviteAnswer>, PlatformError> {
        let Some(answer) = answers.first() else {
            let body = json!({"email": order.person.email, "ours": order.client_ref});
            let path = format!("games/{}/players", order.assessment);
            return Ok(Step::Call(self.request(Method::Post, &path).json(&body)));
        };
        let made = read(answer)?;
        let player = made["player"].as_str();
        let player = player.ok_or_else(|| PlatformError::unreadable("no player"))?;
        Ok(Step::Done(InviteAnswer::Created {
            reference: player.into(),
            link: None,
        }))
    }

    fn withdraw(
        &self,
        _: &AssessmentId,
        _: &Reference,
        _: &[Response],
    ) -> Result<Step<Withdrawn>, PlatformError> {
        Ok(Step::Done(Withdrawn::Impossible {
            why: "Toybox forgets nobody.".to_owned(),
        }))
    }

    fn list(&self, game: &AssessmentId, _: Option<&str>) -> Result<Request, PlatformError> {
        Ok(self.request(Method::Get, &format!("games/{game}/players")))
    }

    fn read_list(
        &self,
        _: &AssessmentId,
        answer: &Response,
    ) -> Result<Page<Listed>, PlatformError> {
        let player = |row: &Value| {
            let reference: Reference = row["player"].as_str()?.into();
            Some(Listed {
                found: Found {
                    reference: reference.clone(),
                    client_ref: row["ours"].as_str().map(str::to_owned),
                    link: None,
                },
                emails: Vec::new(),
                sighting: ListedStatus {
                    reference,
                    status: Some(status(row)),
                    change_token: row["points"].to_string(),
                },
            })
        };
        Ok(Page::read(&rows(answer)?, None, player))
    }

    fn result(
        &self,
        game: &AssessmentId,
        reference: &Reference,
        answers: &[Response],
    ) -> Result<Step<AssessmentResult>, PlatformError> {
        let Some(answer) = answers.first() else {
            let path = format!("games/{game}/players/{reference}");
            return Ok(Step::Call(self.request(Method::Get, &path)));
        };
        let row = read(answer)?;
        Ok(Step::Done(AssessmentResult {
            score: row["points"]
                .as_f64()
                .map(|points| Score::of(points, Some(10.0))),
            ..AssessmentResult::bare(reference.clone(), status(&row))
        }))
    }

    fn callbacks(&self) -> Option<&dyn Callbacks> {
        None
    }
}

/// The toy's server, which has one game: each candidate who plays gets 7 points.
#[derive(Default)]
struct Server {
    players: Mutex<Vec<Value>>,
}

#[async_trait]
impl Transport for Server {
    async fn send(&self, request: Request, _: Limits) -> Result<Response, TransportError> {
        let mut players = self.players.lock().unwrap();
        let is_ours = request
            .headers
            .contains(&("authorization".to_owned(), "open".to_owned()));
        let path = request.url.path().trim_start_matches("/api/").to_owned();
        let (status, body) = match (request.method, path.as_str()) {
            _ if !is_ours => (401, Value::Null),
            (Method::Post, "games/chess/players") => {
                let guest: Value = serde_json::from_slice(&request.body).unwrap();
                let player = json!({"player": "p1", "ours": guest["ours"], "points": 7});
                players.push(player.clone());
                (201, player)
            }
            (Method::Get, "games") => (200, json!([{"game": "chess", "name": "Chess"}])),
            (Method::Get, "games/chess/players") => (200, json!(*players)),
            (Method::Get, "games/chess/players/p1") => (200, players[0].clone()),
            _ => (404, Value::Null),
        };
        Ok(Response {
            status,
            headers: Vec::new(),
            body: body.to_string().into_bytes(),
        })
    }
}

/// The token of the account.
struct Token(&'static str);

#[async_trait]
impl Secrets for Token {
    async fn secret(&self, _: &TenantId, _: bool) -> Result<TenantSecret, StoreError> {
        let secret = PlatformSecret(BTreeMap::from([("token".to_owned(), self.0.into())]));
        Ok(TenantSecret {
            eploy_client_id: "id".into(),
            eploy_client_secret: "secret".into(),
            platforms: BTreeMap::from([(AccountId::from("toys"), secret)]),
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

static KINDS: &[&PlatformSpec] = &[&TOY];

fn connections(token: &'static str) -> Connections {
    let (server, timing) = (Arc::new(Server::default()), Timing::default());
    Connections::new(server, Arc::new(Token(token)), Arc::new(Noon), &timing).with_kinds(KINDS)
}

fn tenant() -> Tenant {
    serde_json::from_value(json!({
        "id": "acme",
        "eploy": {"base_url": "https://acme.eploy.net/"},
        "platforms": {"toys": {"kind": "toybox"}},
    }))
    .unwrap()
}

fn order() -> InviteOrder {
    InviteOrder {
        client_ref: "70001.toys.1".to_owned(),
        assessment: "chess".into(),
        person: Person {
            first_name: "Ada".to_owned(),
            last_name: "Example".to_owned(),
            email: Some("ada@example.com".to_owned()),
            phone: None,
        },
        metadata: BTreeMap::new(),
        options: Settings::new(),
        task: Task::Invite,
    }
}

/// Invited, listed, fetched and reported to Eploy in its own name.
#[tokio::test]
async fn a_third_platform_needs_no_other_place() {
    let (connections, tenant, account) = (connections("open"), tenant(), AccountId::from("toys"));
    let platform = connections.platform(&tenant, &account).await.unwrap();
    assert_eq!(platform.assessments().await.unwrap()[0].name, "Chess");
    let InviteAnswer::Created { reference, .. } = platform.invite(&order()).await.unwrap() else {
        panic!("nobody was there before");
    };
    let chess = AssessmentId::from("chess");
    let listed = platform.list(&chess, None).await.unwrap().lines;
    assert_eq!(listed[0].reference, reference);
    assert_eq!(listed[0].status, Some(Status::Completed));
    let result = platform.result(&chess, &reference).await.unwrap();

    let mapping: Mapping = serde_json::from_value(json!({
        "id": "toys",
        "vacancies": "all",
        "triggers": [{"stage": "12"}],
        "assessment": {"account": "toys", "assessment": "chess"},
    }))
    .unwrap();
    let key = json!({"tenant": "acme", "application": "70001", "mapping": "toys", "round": 1});
    let row = Invitation::detected(
        serde_json::from_value(key).unwrap(),
        "9001".into(),
        "4101".into(),
        mapping.assessment.clone(),
        Entry::seen(Noon.now()),
    );
    let row = [
        Event::Claim {
            lease_until: Noon.now(),
            entered_at: None,
            history: None,
            sent_to: None,
        },
        Event::Sent {
            reference,
            link: None,
            adopted: false,
            writer: None,
        },
    ]
    .into_iter()
    .fold(row, |row, event| {
        let applied = row.apply(event, Noon.now(), &Timing::default(), None);
        applied.unwrap().next
    });
    let title = connections.title(&tenant, &account);
    let report = |moment, result| {
        let missing = Missing::default();
        compose(&title, &mapping, &row, moment, result, &missing).note
    };
    assert!(report(Moment::Invited, None).starts_with("Invited to Toybox."));
    let done = report(Moment::Completed, Some(&result));
    assert!(done.starts_with("Completed in Toybox."), "{done}");
    assert!(done.contains("7 of 10 (70 %)"), "{done}");
}

/// The driver treats its refusals like any other platform's.
#[tokio::test]
async fn a_third_platforms_refusal_is_understood() {
    let connections = connections("wrong");
    let platform = connections
        .platform(&tenant(), &"toys".into())
        .await
        .unwrap();
    let refused = platform.invite(&order()).await.unwrap_err();
    assert_eq!(refused.phase, Phase::Refused);
    assert!(refused.to_string().contains("Toybox"), "{refused}");
}

#[test]
fn a_platform_is_called_what_people_call_it() {
    let title = |connections: &Connections, kind: Option<&str>| {
        let platforms = kind.map(|kind| ("toys", json!({"kind": kind})));
        let tenant = json!({
            "id": "acme",
            "eploy": {"base_url": "https://acme.eploy.net/"},
            "platforms": platforms.into_iter().collect::<BTreeMap<_, _>>(),
        });
        let tenant: Tenant = serde_json::from_value(tenant).unwrap();
        connections.title(&tenant, &"toys".into())
    };
    let ours = Connections::new(
        Arc::new(Server::default()),
        Arc::new(Token("open")),
        Arc::new(Noon),
        &Timing::default(),
    );
    for kind in stagecall_platforms::KINDS {
        assert_eq!(title(&ours, Some(kind.name)), kind.title);
    }
    assert_eq!(title(&ours, Some("toybox")), "toybox");
    assert_eq!(title(&connections("open"), Some("toybox")), "Toybox");
    // Its account was removed from the configuration.
    assert_eq!(title(&ours, None), "the platform");
}
