//! The world in which the functions' memory is measured: customers in a sandbox, their tenants in a table, and what the
//! functions queue for each other.

use std::path::Path;
use std::time::Duration;

use anyhow::ensure;
use serde_json::json;
use stagecall_aws::{Access, Store, layout};
use stagecall_core::ports::OperatorStore as _;
use stagecall_core::work::Work;
use stagecall_sandbox::control::{NewApplications, NewVacancy, SandboxClient};
use stagecall_sandbox::story::{self, VIDEO};
use stagecall_sandbox::{Options, Running, Sandbox};

use crate::aws::Aws;
use crate::process::{Process, STACK};

/// What the tenants call their Willo account.
pub const ACCOUNT: &str = "willo";

/// The token of the tenants' callbacks.
pub const TOKEN: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// The time that an invocation has, as in the template.
const TIME: Duration = Duration::from_mins(3);

/// Between two polls of a tenant, which is polled every second.
const BETWEEN_POLLS: Duration = Duration::from_millis(1100);

/// A sandbox, a table and queues.
pub struct Story {
    /// The stand-in for AWS.
    pub aws: Aws,
    store: Store,
    player: SandboxClient,
    _sandbox: Running,
}

/// A customer in the sandbox.
pub struct Customer {
    /// The name of its tenant, its Eploy and its Willo account.
    pub name: String,
    vacancy: u64,
}

impl Story {
    /// An empty one.
    pub async fn begin(table: &Path) -> anyhow::Result<Self> {
        let aws = Aws::start(table).await?;
        let access = Access {
            region: "eu-west-2".to_owned(),
            credentials: aws_sdk_dynamodb::config::Credentials::new("id", "key", None, None, STACK),
            endpoint: Some(aws.endpoint.clone()),
        };
        let client = aws_sdk_dynamodb::Client::new(&stagecall_aws::connect_with(access)?);
        layout::create_table(&client, STACK).await?;
        let sandbox = Sandbox::start(Options { port: 0, seed: 1 }).await?;
        Ok(Self {
            aws,
            store: Store::new(client, STACK),
            player: sandbox.player(),
            _sandbox: sandbox,
        })
    }

    /// A new customer, whose tenant invites candidates who enter the stage `Video Interview`.
    pub async fn customer(&self, name: &str) -> anyhow::Result<Customer> {
        let system = self.player.eploy(name).await?;
        let account = self.player.willo(name).await?;
        let vacancy = NewVacancy::called("Support Worker");
        let vacancy = self.player.vacancy(name, &vacancy).await?;
        let interview = self.player.interview(name, "Meet the team").await?;
        let key = &system.keys[0];
        self.aws.put_secret(
            &format!("{STACK}/{name}"),
            json!({
                "eploy": {"client_id": key.client_id, "client_secret": key.client_secret},
                "platforms": {ACCOUNT: {"api_key": account.api_key}},
                "callback_tokens": {ACCOUNT: {"current": TOKEN}},
            }),
        );
        let calls = json!({"calls_per_second": 1000, "calls_in_flight": 8});
        let tenant = serde_json::from_value(json!({
            "id": name,
            "eploy": story::eploy(&system),
            "platforms": {ACCOUNT: story::connection("willo", &account.api_url(), &calls)},
            "mappings": [story::mapping("video", [vacancy], &VIDEO, ACCOUNT, &interview)],
        }))?;
        self.store.put_tenant(&tenant).await?;
        Ok(Customer {
            name: name.to_owned(),
            vacancy,
        })
    }

    /// So many new candidates' applications appear at a stage.
    pub async fn apply(&self, customer: &Customer, count: u32, stage: &str) -> anyhow::Result<()> {
        let new = NewApplications {
            stage: Some(stage.to_owned()),
            ..NewApplications::new(customer.vacancy, count)
        };
        self.player.apply(&customer.name, &new).await?;
        Ok(())
    }

    /// How many invitations were sent out so far.
    pub async fn invited(&self) -> anyhow::Result<usize> {
        Ok(self.player.invitations(0).await?.records.len())
    }

    /// How many applications of a customer show an action.
    pub async fn reported(&self, customer: &Customer) -> anyhow::Result<usize> {
        let all = self.player.judgement(&customer.name).await?;
        let shown = all.iter().filter(|one| !one.application.actions.is_empty());
        Ok(shown.count())
    }

    /// Lets `poll` read what changed for these customers, until it has read everything. Returns what it queued.
    pub async fn poll(
        &self,
        poll: &mut Process,
        customers: &[Customer],
    ) -> anyhow::Result<Vec<Work>> {
        tokio::time::sleep(BETWEEN_POLLS).await;
        let mut work: Vec<_> = customers
            .iter()
            .map(|customer| Work::Poll {
                tenant: customer.name.as_str().into(),
            })
            .collect();
        let mut queued = Vec::new();
        while !work.is_empty() {
            hand(poll, &work).await?;
            let (again, other) = self
                .aws
                .take_queued()
                .into_iter()
                .partition(|work| matches!(work, Work::Poll { .. }));
            work = again;
            queued.extend::<Vec<_>>(other);
        }
        Ok(queued)
    }
}

/// Hands a batch to a function, all of which has to be handled.
pub async fn hand(function: &mut Process, work: &[Work]) -> anyhow::Result<()> {
    let records = work.iter().enumerate().map(|(place, work)| {
        Ok(json!({
            "messageId": place.to_string(),
            "body": serde_json::to_string(work)?,
            "attributes": {"ApproximateReceiveCount": "1"},
            "messageAttributes": {},
            "eventSource": "aws:sqs",
        }))
    });
    let records = records.collect::<anyhow::Result<Vec<_>>>()?;
    let answer = function.invoke(&json!({"Records": records}), TIME).await?;
    ensure!(
        answer["batchItemFailures"] == json!([]),
        "records were handed back: {answer}"
    );
    Ok(())
}
