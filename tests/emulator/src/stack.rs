//! A deployed stack: tenants in its table, secrets in Secrets Manager, what waits in its queues.

mod faults;
mod messages;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use aws_config::SdkConfig;
use aws_sdk_dynamodb::types::TimeToLiveSpecification;
use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::{Value, json};
use stagecall_aws::{DeadLetters, ManagedSecrets, Store, layout};
use stagecall_core::clock::SystemClock;
use stagecall_core::ports::{OperatorStore as _, Secrets};
use stagecall_core::tenant::Tenant;
use stagecall_core::timing::Timing;
use stagecall_core::usecases::Registrar;
use stagecall_http::{Guard, Sender};
use stagecall_platforms::Connections;
use url::Url;

pub use faults::Paused;
pub use messages::Taken;

use crate::Error;
use crate::functions::Function;
use crate::secret::Credentials;
use crate::signed::Caller;

/// One of the queues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queue {
    /// Of tenants to be polled.
    Poll,
    /// Of invitations to be sent.
    Invite,
    /// Of results to be fetched and reported.
    Result,
}

impl Queue {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Poll, Self::Invite, Self::Result];

    /// The function that takes from it.
    pub fn function(self) -> Function {
        match self {
            Self::Poll => Function::Poll,
            Self::Invite => Function::Invite,
            Self::Result => Function::WriteBack,
        }
    }
}

/// Its name, as in the outputs of the stack.
impl fmt::Display for Queue {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(match self {
            Self::Poll => "Poll",
            Self::Invite => "Invite",
            Self::Result => "Result",
        })
    }
}

/// An alarm, by what it watches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// Its name.
    pub name: String,
    /// The namespace of its metric.
    pub namespace: String,
    /// The metric's name.
    pub metric: String,
    /// The metric's dimensions.
    pub dimensions: BTreeSet<(String, String)>,
}

/// What a stack is made of.
pub(crate) struct Parts {
    pub(crate) name: String,
    pub(crate) timing: Timing,
    pub(crate) outputs: BTreeMap<String, String>,
    pub(crate) endpoint: Url,
    pub(crate) aws: SdkConfig,
    pub(crate) caller: Caller,
}

/// A deployed stack.
pub struct Stack {
    parts: Parts,
    store: Store,
    sqs: aws_sdk_sqs::Client,
    public_url: Url,
}

impl Stack {
    pub(crate) fn new(parts: Parts) -> Result<Self, Error> {
        let table = output(&parts.outputs, "Table")?;
        let store = Store::new(aws_sdk_dynamodb::Client::new(&parts.aws), table);
        let public_url = public_url(&parts)?;
        Ok(Self {
            store,
            sqs: aws_sdk_sqs::Client::new(&parts.aws),
            public_url,
            parts,
        })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.parts.name
    }

    /// Its table, as the owner of the account sees it.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The name of its table.
    pub fn table(&self) -> Result<&str, Error> {
        output(&self.parts.outputs, "Table")
    }

    /// What clients of the emulator are made from, as the owner of the account.
    pub fn aws(&self) -> &SdkConfig {
        &self.parts.aws
    }

    /// Under which address platforms reach its HTTP API.
    pub fn public_url(&self) -> &Url {
        &self.public_url
    }

    /// Where the emulator answers.
    pub fn endpoint(&self) -> &Url {
        &self.parts.endpoint
    }

    pub(crate) fn caller(&self) -> &Caller {
        &self.parts.caller
    }

    fn address(&self, queue: Queue) -> Result<&str, Error> {
        output(&self.parts.outputs, &format!("{queue}Queue"))
    }

    /// Turns on that rows end by themselves, as the template says.
    pub(crate) async fn expire_rows(&self) -> Result<(), Error> {
        let what = "turn on the table's time to live";
        let ttl = TimeToLiveSpecification::builder()
            .attribute_name(layout::EXPIRES)
            .enabled(true)
            .build()
            .map_err(|problem| Error::refused(what, problem))?;
        aws_sdk_dynamodb::Client::new(&self.parts.aws)
            .update_time_to_live()
            .table_name(self.table()?)
            .time_to_live_specification(ttl)
            .send()
            .await
            .map_err(|problem| Error::refused(what, problem.into_service_error()))?;
        Ok(())
    }

    /// Lets work whose function is dead or asleep come back after so many seconds. The template's visibility is six times a
    /// function's time limit: 18 minutes and more.
    pub async fn shorten_visibility(&self, queue: Queue, seconds: u32) -> Result<(), Error> {
        self.sqs
            .set_queue_attributes()
            .queue_url(self.address(queue)?)
            .attributes(QueueAttributeName::VisibilityTimeout, seconds.to_string())
            .send()
            .await
            .map_err(|problem| Error::refused("set a queue", problem.into_service_error()))?;
        Ok(())
    }

    /// Takes a tenant in: its secret, its callbacks, its configuration.
    pub async fn admit(&self, tenant: &Tenant, credentials: &Credentials) -> Result<(), Error> {
        let what = "create a secret";
        let text = credentials
            .text()
            .map_err(|problem| Error::refused(what, problem))?;
        aws_sdk_secretsmanager::Client::new(&self.parts.aws)
            .create_secret()
            .name(format!("{}/{}", self.name(), tenant.id))
            .secret_string(text)
            .send()
            .await
            .map_err(|problem| Error::refused(what, problem.into_service_error()))?;
        self.register_callbacks(tenant).await?;
        self.store.put_tenant(tenant).await?;
        Ok(())
    }

    /// The tenants' secrets, as the functions read them.
    pub fn secrets(&self) -> ManagedSecrets {
        let client = aws_sdk_secretsmanager::Client::new(&self.parts.aws);
        ManagedSecrets::new(client, self.name(), Arc::new(SystemClock))
    }

    /// Sees that the tenant's platforms call the stack's HTTP API.
    async fn register_callbacks(&self, tenant: &Tenant) -> Result<(), Error> {
        let secrets: Arc<dyn Secrets> = Arc::new(self.secrets());
        let sender = Sender::new(Guard::Sandbox)
            .map_err(|problem| Error::refused("set up calls", problem))?;
        let platforms = Connections::new(
            Arc::new(sender),
            secrets.clone(),
            Arc::new(SystemClock),
            &self.parts.timing,
        );
        let registrar = Registrar {
            public_url: self.public_url.clone(),
            platforms: Arc::new(platforms),
            secrets,
        };
        registrar.register_all(tenant).await?;
        Ok(())
    }

    /// How many messages wait in a queue or are being worked on.
    pub async fn depth(&self, queue: Queue) -> Result<usize, Error> {
        let attributes = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        ];
        let answer = self
            .sqs
            .get_queue_attributes()
            .queue_url(self.address(queue)?)
            .set_attribute_names(Some(attributes.to_vec()))
            .send()
            .await
            .map_err(|problem| Error::refused("look at a queue", problem.into_service_error()))?;
        let counted = answer.attributes.unwrap_or_default();
        Ok(counted
            .values()
            .filter_map(|count| count.parse::<usize>().ok())
            .sum())
    }

    /// A queue's dead letters.
    pub fn dead_letters(&self, queue: Queue) -> Result<DeadLetters, Error> {
        let dead = output(&self.parts.outputs, &format!("{queue}DeadLetters"))?;
        Ok(DeadLetters::new(
            self.sqs.clone(),
            dead,
            self.address(queue)?,
        ))
    }

    /// How many dead letters there are in all.
    pub async fn all_dead_letters(&self) -> Result<usize, Error> {
        let mut count = 0;
        for queue in Queue::ALL {
            count += self.dead_letters(queue)?.count().await?;
        }
        Ok(count)
    }

    /// The alarms that watch this stack.
    pub async fn alarms(&self) -> Result<Vec<Alarm>, Error> {
        let target = "GraniteServiceVersion20100801.DescribeAlarms";
        let prefix = json!({"AlarmNamePrefix": format!("{}-", self.name())});
        let answer = self
            .caller()
            .operation("monitoring", target, &prefix)
            .await?;
        let text = |of: &Value, name: &str| of[name].as_str().unwrap_or_default().to_owned();
        let items = |of: &Value| of.as_array().cloned().unwrap_or_default();
        Ok(items(&answer["MetricAlarms"])
            .iter()
            .map(|alarm| Alarm {
                name: text(alarm, "AlarmName"),
                namespace: text(alarm, "Namespace"),
                metric: text(alarm, "MetricName"),
                dimensions: items(&alarm["Dimensions"])
                    .iter()
                    .map(|one| (text(one, "Name"), text(one, "Value")))
                    .collect(),
            })
            .collect())
    }
}

fn output<'a>(outputs: &'a BTreeMap<String, String>, name: &str) -> Result<&'a str, Error> {
    let value = outputs.get(name).map(String::as_str);
    value.ok_or_else(|| Error::refused("read the stack's outputs", format!("{name} is missing")))
}

/// The HTTP API's address by a path: the host name that the stack puts out (`{api}.execute-api.…`) is one that only some
/// machines find.
fn public_url(parts: &Parts) -> Result<Url, Error> {
    let what = "find the HTTP API";
    let address = output(&parts.outputs, "CallbackAddress")?;
    let api = address
        .split_once("://")
        .and_then(|(_, host)| host.split('.').next())
        .ok_or_else(|| Error::refused(what, address))?;
    let path = format!("_aws/execute-api/{api}/$default/");
    parts
        .endpoint
        .join(&path)
        .map_err(|problem| Error::refused(what, problem))
}
