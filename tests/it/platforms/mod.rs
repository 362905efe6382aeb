//! Conformance of the platforms: the same cases for every adapter in the table, through the real driver and real HTTP,
//! against the sandbox. A case that an adapter's capabilities promise is never skipped: if its stand-in cannot play it,
//! the test fails.

mod fixture;
mod found;
mod meetings;
mod pools;
mod refused;
mod results;
mod wecp;
mod willo;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use secrecy::SecretString;
use serde_json::{Value, json};
use stagecall_core::clock::Deadline;
use stagecall_core::clock::SystemClock;
use stagecall_core::error::{CallError, StoreError};
use stagecall_core::ids::{AccountId, AssessmentId, TenantId};
use stagecall_core::person::Person;
use stagecall_core::ports::{
    CallbackTokens, Capabilities, Found, InviteAnswer, InviteOrder, ListedStatus, Platform,
    PlatformConnections, PlatformSecret, Secrets, Task, TenantSecret,
};
use stagecall_core::tenant::{Settings, Tenant};
use stagecall_core::timing::Timing;
use stagecall_http::{Guard, Sender};
use stagecall_platforms::{Connections, KINDS, PlatformSpec};
use stagecall_sandbox::control::{CallRecord, Fault, Profile, Rule};
use stagecall_sandbox::{Options, Running, Sandbox};

use fixture::PlatformFixture;

/// The name of the account, on the sandbox and in the tenant.
const ACCOUNT: &str = "acme";

/// The scene of an adapter's test: an account of its platform on its own sandbox, and the driver that calls it.
struct Scene {
    kind: &'static PlatformSpec,
    capabilities: Capabilities,
    stand: Box<dyn PlatformFixture>,
    sandbox: Running,
    platform: Arc<dyn Platform>,
    /// Two assessments that were created there.
    first: AssessmentId,
    second: AssessmentId,
}

impl Scene {
    async fn new(kind: &'static PlatformSpec) -> Self {
        let sandbox = Sandbox::start(Options { port: 0, seed: 4 }).await.unwrap();
        let stand = fixture::of(kind.name, sandbox.player()).await;
        let first = stand.assessment("Care basics").await;
        let second = stand.assessment("Java").await;
        let platform = open(kind, &stand.base_url(), stand.settings(), stand.secrets()).await;
        Self {
            kind,
            capabilities: (kind.capabilities)(),
            stand,
            sandbox,
            platform,
            first,
            second,
        }
    }

    /// The same account, as another process opens it.
    async fn opened_anew(&self) -> Arc<dyn Platform> {
        let (base_url, secrets) = (self.stand.base_url(), self.stand.secrets());
        open(self.kind, &base_url, self.stand.settings(), secrets).await
    }

    /// The same account, called with wrong secrets.
    async fn with_a_wrong_key(&self) -> Arc<dyn Platform> {
        let wrong = self.stand.secrets().into_keys();
        let wrong = wrong.map(|name| (name, "wrong".into())).collect();
        let base_url = self.stand.base_url();
        open(self.kind, &base_url, self.stand.settings(), wrong).await
    }

    async fn invite(&self, number: u32) -> InviteAnswer {
        self.platform.invite(&self.order(number)).await.unwrap()
    }

    /// Invites a new candidate.
    async fn invited(&self, number: u32) -> stagecall_core::ids::Reference {
        match self.invite(number).await {
            InviteAnswer::Created { reference, .. } => reference,
            there @ InviteAnswer::AlreadyThere { .. } => panic!("{}: {there:?}", self.kind.name),
        }
    }

    fn order(&self, number: u32) -> InviteOrder {
        InviteOrder {
            client_ref: client_ref(number),
            options: Settings::new(),
            task: Task::Invite,
            assessment: self.first.clone(),
            person: person(number),
            metadata: BTreeMap::from([
                ("candidateId".to_owned(), format!("2{number}")),
                ("applicationId".to_owned(), format!("1{number}")),
                ("invitationId".to_owned(), client_ref(number)),
            ]),
        }
    }

    async fn find(&self, number: u32) -> Vec<Found> {
        self.try_find(&*self.platform, number).await.unwrap()
    }

    /// The same, as this opening of the account answers it.
    async fn try_find(
        &self,
        platform: &dyn Platform,
        number: u32,
    ) -> Result<Vec<Found>, CallError> {
        let (person, client_ref) = (person(number), client_ref(number));
        platform
            .find(&self.first, &person, &client_ref, None, Deadline::NONE)
            .await
    }

    /// Every line of the platform's list.
    async fn list(&self) -> Vec<ListedStatus> {
        let mut all = Vec::new();
        let mut next = None;
        loop {
            let page = self.platform.list(&self.first, next.as_deref());
            let page = page.await.unwrap();
            all.extend(page.lines);
            next = page.next;
            if next.is_none() {
                return all;
            }
        }
    }

    async fn fault(&self, operation: &str, fault: Fault) {
        let profile = Profile {
            rules: vec![Rule::next(operation, 1, fault)],
            ..Profile::default()
        };
        self.sandbox.player().set_faults(&profile).await.unwrap();
    }

    async fn calls(&self) -> Vec<CallRecord> {
        let calls = self.sandbox.player().calls(0).await.unwrap();
        calls.records
    }

    async fn done(self) {
        self.sandbox.shutdown().await;
    }
}

/// Every adapter, one after the other.
async fn each(case: impl AsyncFn(&Scene)) {
    for kind in KINDS {
        let scene = Scene::new(kind).await;
        case(&scene).await;
        scene.done().await;
    }
}

fn person(number: u32) -> Person {
    Person {
        first_name: "Ada".to_owned(),
        last_name: format!("Example {number}"),
        email: Some(email(number)),
        phone: Some("+447700900123".to_owned()),
    }
}

fn email(number: u32) -> String {
    format!("ada.{number}@example.com")
}

fn client_ref(number: u32) -> String {
    format!("1{number}.conformance.1")
}

async fn open(
    kind: &PlatformSpec,
    base_url: &str,
    mut settings: Value,
    secrets: BTreeMap<String, SecretString>,
) -> Arc<dyn Platform> {
    // Rate limits have tests of their own.
    settings["calls_per_second"] = json!(1000);
    settings["calls_in_flight"] = json!(10);
    let tenant: Tenant = serde_json::from_value(json!({
        "id": "acme",
        "eploy": {"base_url": "https://acme.eploy.net/"},
        "platforms": {ACCOUNT: {"kind": kind.name, "base_url": base_url, "settings": settings}},
    }))
    .unwrap();
    let timing = Timing {
        call_seconds: 5.0,
        ..Timing::default()
    };
    let connections = Connections::new(
        Arc::new(Sender::new(Guard::Sandbox).unwrap()),
        Arc::new(Given(PlatformSecret(secrets))),
        Arc::new(SystemClock),
        &timing,
    );
    let opened = connections.platform(&tenant, &ACCOUNT.into()).await;
    opened.unwrap_or_else(|error| panic!("{}: {error}", kind.name))
}

/// The account's secrets, which do not change.
struct Given(PlatformSecret);

#[async_trait]
impl Secrets for Given {
    async fn secret(&self, _: &TenantId, _: bool) -> Result<TenantSecret, StoreError> {
        Ok(TenantSecret {
            eploy_client_id: "id".into(),
            eploy_client_secret: "secret".into(),
            platforms: BTreeMap::from([(AccountId::from(ACCOUNT), self.0.clone())]),
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
