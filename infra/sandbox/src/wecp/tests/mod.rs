//! The simulator of WeCP, over HTTP.

mod access;
mod candidates;
mod interviews;
mod inviting;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::Method;
use serde_json::{Value, json};

use crate::control::{CandidateAct, NewTest, Standing, TestQuestion, WecpInfo};
use crate::testing::{ACME, Scene, Seen};

/// A scene with a WeCP account and a test in it.
struct Wecp {
    scene: Scene,
    info: WecpInfo,
    test: String,
}

impl Wecp {
    async fn new() -> Self {
        let scene = Scene::new().await;
        let info = scene.player.wecp(ACME).await.unwrap();
        let question = |title: &str, points, language: Option<&str>| TestQuestion {
            title: title.to_owned(),
            points,
            language: language.map(str::to_owned),
        };
        let new = NewTest {
            name: "Numbers and words".to_owned(),
            questions: vec![
                question("Sums", 20, None),
                question("Sort a list", 80, Some("java")),
            ],
        };
        let test = scene.player.wecp_test(ACME, &new).await.unwrap();
        Self { scene, info, test }
    }

    async fn switch(&self, quirks: Value) {
        self.scene.player.switch_wecp(ACME, quirks).await.unwrap();
    }

    fn partner(&self) -> String {
        STANDARD.encode(format!(
            "{}:{}",
            self.info.partner_key, self.info.partner_secret
        ))
    }

    /// With only these headers.
    async fn bare(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> Seen {
        let url = format!("{}/{path}", self.info.base_url);
        let body = body.map(|body| body.to_string().into_bytes());
        self.scene
            .send(method, &url, headers, body.unwrap_or_default())
            .await
            .unwrap()
    }

    /// With all headers that the partner guide requires.
    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Seen {
        let headers = [
            ("x-api-key", self.info.api_key.as_str()),
            ("x-wecp-partner-authorization", &self.partner()),
            ("wecp-user-email", &self.info.users[0].0),
        ];
        self.bare(method, path, &headers, body).await
    }

    fn candidates_path(&self) -> String {
        format!("ats/wecp/tests/{}/candidates", self.test)
    }

    async fn list(&self) -> Seen {
        self.call(Method::GET, &self.candidates_path(), None).await
    }

    async fn detail(&self, candidate: &str) -> Value {
        let path = format!("ats/wecp/candidates/{candidate}");
        let seen = self.call(Method::GET, &path, None).await;
        assert_eq!(seen.status, 200);
        seen.body
    }

    async fn invite(&self, email: &str) -> Seen {
        let body =
            json!({"name": "Ada Example", "email": email, "metadata": {"applicationId": "7"}});
        self.call(Method::POST, &self.candidates_path(), Some(body))
            .await
    }

    async fn act(&self, candidate: &str, act: CandidateAct) {
        let who = [candidate.to_owned()];
        self.scene
            .player
            .wecp_candidate(ACME, &who, act)
            .await
            .unwrap();
    }

    /// An invited candidate.
    async fn invited(&self, email: &str) -> String {
        let made = self.invite(email).await;
        assert_eq!(made.status, 200);
        let id = made.body["candidateId"].as_str().unwrap().to_owned();
        assert!(id.len() == 24 && id.bytes().all(|byte| byte.is_ascii_hexdigit()));
        id
    }

    async fn standing(&self, candidate: &str) -> Standing {
        let all = self.scene.player.wecp_participants(ACME, None).await;
        all.unwrap()
            .into_iter()
            .find(|it| it.key == candidate)
            .unwrap()
            .standing
    }
}
