//! A member of the cast: a customer in the sandbox, and the tenant that connects it.

use std::collections::BTreeMap;

use serde_json::json;
use stagecall_core::invitation::Invitation;
use stagecall_core::ports::{InvitationFilter, OperatorStore as _};
use stagecall_core::tenant::Tenant;
use stagecall_emulator::{Credentials, Stack};
use stagecall_sandbox::control::{NewApplications, NewTest, ParticipantView, SandboxClient};
use stagecall_sandbox::story::{self, VIDEO, connection, mapping};
use stagecall_tests::harness::{Customer, MAPPING, PLATFORM, TRIGGER, TcpProxy};
use url::Url;

/// A member of the cast.
pub struct Member {
    /// The customer.
    pub customer: Customer,
    /// The tenant.
    pub tenant: Tenant,
    /// The tenant's credentials.
    pub credentials: Credentials,
    /// The applications that are to be invited, once each.
    pub invitees: Vec<u64>,
}

impl Member {
    /// A customer with an Eploy system and a Willo account.
    pub async fn new(player: &SandboxClient, name: &str) -> Self {
        let customer = Customer::new(player.clone(), name).await;
        let system = player.eploy(name).await.unwrap();
        let account = player.willo(name).await.unwrap();
        let key = &system.keys[0];
        let calls = json!({"calls_per_second": 1000, "calls_in_flight": 8});
        let tenant = json!({
            "id": name,
            "eploy": story::eploy(&system),
            "platforms": {PLATFORM: connection("willo", &account.api_url(), &calls)},
            "mappings": [
                mapping(MAPPING, [customer.vacancy], &VIDEO, PLATFORM, &customer.interview),
            ],
        });
        let tenant = serde_json::from_value(tenant).unwrap();
        Self {
            customer,
            tenant,
            credentials: Credentials {
                eploy: (key.client_id.clone(), key.client_secret.clone()),
                platforms: api_key(PLATFORM, &account.api_key),
                hrms: None,
            },
            invitees: Vec::new(),
        }
    }

    /// A customer who invites to a test on `WeCP` instead, which calls nobody back.
    pub async fn with_wecp(player: &SandboxClient, name: &str) -> Self {
        let mut member = Self::new(player, name).await;
        let account = player.wecp(name).await.unwrap();
        let new = NewTest {
            name: "Numeracy".to_owned(),
            questions: Vec::new(),
        };
        let test = player.wecp_test(name, &new).await.unwrap();
        let calls = json!({"calls_per_second": 100});
        let vacancies = [member.customer.vacancy];
        member.tenant.platforms = serde_json::from_value(json!({
            "wecp": connection("wecp", &account.api_url(), &calls),
        }))
        .unwrap();
        member.tenant.mappings =
            serde_json::from_value(json!([mapping(MAPPING, vacancies, &VIDEO, "wecp", &test,)]))
                .unwrap();
        member.credentials.platforms = api_key("wecp", &account.api_key);
        member
    }

    /// With an HRMS that gets a webhook for each application that enters the stage of offers.
    pub async fn with_hrms(mut self, player: &SandboxClient) -> Self {
        let hrms = player.hrms(&self.customer.name).await.unwrap();
        self.tenant.hires = serde_json::from_value(story::hires(&hrms.url)).unwrap();
        self.credentials.hrms = Some("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned());
        self
    }

    /// With so many candidates at the trigger stage, who are to be invited when the mapping is turned on.
    pub async fn with_invitees(mut self, player: &SandboxClient, count: u32) -> Self {
        self.tenant.mappings[0].include_current = true;
        self.invitees = self.already_there(player, count).await;
        self
    }

    /// From now on its Eploy is reached over this line.
    pub fn line_to_eploy(&mut self) -> TcpProxy {
        over_a_line(&mut self.tenant.eploy.base_url)
    }

    /// From now on its platform is reached over this line.
    pub fn line_to_platform(&mut self) -> TcpProxy {
        let connection = self.tenant.platforms.values_mut().next().unwrap();
        over_a_line(connection.base_url.as_mut().unwrap())
    }

    /// So many candidates who are at the trigger stage from the beginning.
    pub async fn already_there(&self, player: &SandboxClient, count: u32) -> Vec<u64> {
        let there = NewApplications {
            stage: Some(TRIGGER.0.to_owned()),
            status: Some(TRIGGER.1.to_owned()),
            ..NewApplications::new(self.customer.vacancy, count)
        };
        let created = player.apply(&self.customer.name, &there).await.unwrap();
        created.iter().map(|one| one.application).collect()
    }

    /// A recruiter moves so many new candidates to the trigger stage.
    pub async fn enter(&mut self, count: u32) {
        let created = self.customer.apply(count).await;
        let entered: Vec<u64> = created.iter().map(|one| one.application).collect();
        self.customer.enter(&entered).await;
        self.invitees.extend(entered);
    }

    /// A candidate is hired.
    pub async fn hire(&self, player: &SandboxClient) {
        let hired = self.customer.applicant().await.application;
        player.hire(&self.customer.name, &[hired]).await.unwrap();
    }

    /// Takes the tenant into the stack.
    pub async fn join(&self, stack: &Stack) {
        stack.admit(&self.tenant, &self.credentials).await.unwrap();
    }

    /// The keys of its candidates on `WeCP`.
    pub async fn participants(&self, player: &SandboxClient) -> Vec<String> {
        let all = player.wecp_participants(&self.customer.name, None).await;
        all.unwrap().into_iter().map(|one| one.key).collect()
    }

    /// How many of its applications are invited.
    pub async fn invited(&self) -> usize {
        let all = self.customer.all().await;
        all.iter().filter(|one| !one.invitations.is_empty()).count()
    }

    /// The rows of its invitations.
    pub async fn recorded(&self, stack: &Stack) -> Vec<Invitation> {
        let (all, mut rows, mut next) = (InvitationFilter::default(), Vec::new(), None);
        loop {
            let store = stack.store();
            let page = store.invitations(&self.tenant.id, &all, 100, next.as_deref());
            let page = page.await.unwrap();
            rows.extend(page.rows);
            next = page.next;
            if next.is_none() {
                return rows;
            }
        }
    }

    /// The participants of whom Eploy shows this outcome.
    pub async fn showing(&self, outcome: &str) -> Vec<ParticipantView> {
        let all = self.customer.all().await.into_iter();
        all.filter_map(|judged| {
            let last = judged.application.actions.last()?;
            let shown = last.outcome.as_deref() == Some(outcome);
            judged.participants.into_iter().next().filter(|_| shown)
        })
        .collect()
    }

    /// Whether Eploy shows this outcome of all who are to be invited.
    pub async fn all_show(&self, outcome: &str) -> Option<()> {
        (self.showing(outcome).await.len() >= self.invitees.len()).then_some(())
    }
}

/// Lays a line, and lets the address lead over it.
fn over_a_line(address: &mut Url) -> TcpProxy {
    let there = address.socket_addrs(|| None).unwrap()[0];
    let line = TcpProxy::to(there);
    address.set_port(Some(line.addr().port())).unwrap();
    line
}

fn api_key(account: &str, key: &str) -> BTreeMap<String, BTreeMap<String, String>> {
    let secrets = BTreeMap::from([("api_key".to_owned(), key.to_owned())]);
    BTreeMap::from([(account.to_owned(), secrets)])
}
