//! Shared parts of the tests: a running sandbox, with an Eploy system and a Willo account, called over real HTTP, and a
//! receiver of callbacks.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::routing::post;
use hyper::{HeaderMap, Method};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::client::{Client, ClientError};
use crate::control::{
    AccountInfo, ApplicationView, NewApplications, NewVacancy, SandboxClient, SystemInfo,
};
use crate::{Options, Running, Sandbox, server};

/// The name of the system and of the account.
pub(crate) const ACME: &str = "acme";

/// A response with its body as JSON; `null` if it is not JSON.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Seen {
    pub(crate) fn ids(&self, name: &str) -> Vec<u64> {
        self.body["Records"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row[name].as_u64().unwrap())
            .collect()
    }
}

pub(crate) struct Scene {
    pub(crate) sandbox: Running,
    pub(crate) player: SandboxClient,
    pub(crate) eploy: SystemInfo,
    pub(crate) willo: AccountInfo,
    pub(crate) token: String,
    client: Client,
}

impl Scene {
    pub(crate) async fn new() -> Self {
        let sandbox = Sandbox::start(Options { port: 0, seed: 11 }).await.unwrap();
        let player = sandbox.player();
        let eploy = player.eploy(ACME).await.unwrap();
        let willo = player.willo(ACME).await.unwrap();
        let mut scene = Self {
            sandbox,
            player,
            eploy,
            willo,
            token: String::new(),
            client: Client::new(Duration::from_secs(10)),
        };
        scene.token = scene.new_token().await;
        scene
    }

    pub(crate) fn credentials(&self) -> Value {
        json!({
            "grant_type": "client_credentials",
            "client_id": self.eploy.keys[0].client_id,
            "client_secret": self.eploy.keys[0].client_secret,
        })
    }

    pub(crate) async fn new_token(&self) -> String {
        let answer = self
            .eploy(Method::POST, "token", Some(self.credentials()))
            .await;
        answer.body["access_token"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        url: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<Seen, ClientError> {
        let reply = self.client.send(method, url, headers, body).await?;
        Ok(Seen {
            status: reply.status,
            headers: reply.headers,
            body: serde_json::from_slice(&reply.body).unwrap_or_default(),
        })
    }

    pub(crate) async fn try_eploy(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<Seen, ClientError> {
        let url = format!("{}/api/{path}", self.eploy.base_url);
        let token = format!("Bearer {}", self.token);
        let headers = [
            ("content-type", "application/json"),
            ("authorization", token.as_str()),
        ];
        let body = body.map(|body| body.to_string().into_bytes());
        self.send(method, &url, &headers, body.unwrap_or_default())
            .await
    }

    pub(crate) async fn eploy(&self, method: Method, path: &str, body: Option<Value>) -> Seen {
        self.try_eploy(method, path, body).await.unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> Seen {
        self.eploy(Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Seen {
        self.eploy(Method::POST, path, Some(body)).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Seen {
        self.eploy(Method::PATCH, path, Some(body)).await
    }

    /// Searches with these filters and blocks, and default paging.
    pub(crate) async fn search(&self, records: &str, filters: Value, blocks: &[&str]) -> Seen {
        let body = json!({"Filters": filters, "ResponseBlocks": blocks});
        self.post(&format!("{records}/search"), body).await
    }

    pub(crate) async fn switch(&self, quirks: Value) {
        self.player.switch_eploy(ACME, quirks).await.unwrap();
    }

    /// This number of applications for a new vacancy: the vacancy, then the applications.
    pub(crate) async fn applications(&self, count: u32) -> (u64, Vec<u64>) {
        let new = NewVacancy::called("Support Worker");
        let vacancy = self.player.vacancy(ACME, &new).await.unwrap();
        let created = self
            .player
            .apply(ACME, &NewApplications::new(vacancy, count))
            .await
            .unwrap();
        let ids = created.iter().map(|created| created.application).collect();
        (vacancy, ids)
    }

    /// An application as a recruiter sees it.
    pub(crate) async fn seen(&self, application: u64) -> ApplicationView {
        self.player.application(ACME, application).await.unwrap()
    }

    pub(crate) async fn try_willo(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<Seen, ClientError> {
        let url = format!("{}/api/integrations/v2/{path}", self.willo.base_url);
        let headers = [
            ("content-type", "application/json"),
            ("authorization", self.willo.api_key.as_str()),
        ];
        let body = body.map(|body| body.to_string().into_bytes());
        self.send(method, &url, &headers, body.unwrap_or_default())
            .await
    }

    pub(crate) async fn willo(&self, method: Method, path: &str, body: Option<Value>) -> Seen {
        self.try_willo(method, path, body).await.unwrap()
    }

    /// A new interview on Willo.
    pub(crate) async fn interview(&self) -> String {
        let made = self.player.interview(ACME, "First interview");
        made.await.unwrap()
    }

    /// Invites through the API, and tells the participant's key.
    pub(crate) async fn invite(&self, interview: &str, email: &str) -> Seen {
        let guest = json!({"interview": interview, "name": "Ada Example", "email": email});
        self.willo(Method::POST, "participants/", Some(guest)).await
    }
}

/// A receiver of callbacks.
pub(crate) struct Receiver {
    pub(crate) url: String,
    got: Arc<Mutex<Vec<(String, Value)>>>,
    /// Responses to give before 200 to everything.
    pub(crate) answers: Arc<Mutex<Vec<StatusCode>>>,
    _stop: watch::Sender<bool>,
}

type Inbox = (
    Arc<Mutex<Vec<(String, Value)>>>,
    Arc<Mutex<Vec<StatusCode>>>,
);

impl Receiver {
    pub(crate) async fn new() -> Self {
        let (got, answers) = Inbox::default();
        let router = Router::new()
            .route("/hook", post(Self::receive))
            .with_state((got.clone(), answers.clone()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(server::serve(listener, router, stopped));
        Self {
            url,
            got,
            answers,
            _stop: stop,
        }
    }

    #[expect(clippy::unused_async, reason = "a handler has to be")]
    async fn receive(
        State((got, answers)): State<Inbox>,
        uri: Uri,
        axum::Json(body): axum::Json<Value>,
    ) -> StatusCode {
        let query = uri.query().unwrap_or_default().to_owned();
        got.lock().unwrap().push((query, body));
        answers.lock().unwrap().pop().unwrap_or(StatusCode::OK)
    }

    /// The received calls once no callback is pending.
    pub(crate) async fn all(&self, scene: &Scene) -> Vec<(String, Value)> {
        settle(scene).await;
        self.got.lock().unwrap().clone()
    }
}

pub(crate) async fn settle(scene: &Scene) {
    for _ in 0..500 {
        if scene.player.pending_callbacks().await.unwrap() == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("callbacks are still pending");
}
