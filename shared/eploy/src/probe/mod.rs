//! Finds a tenant's dialect by experiments: each asks this Eploy one small question that REFERENCE.md leaves open, and
//! concludes from the answer. Experiments that change something run only on an application that a person named.

mod dates;
mod feed;
mod filters;
mod lists;
mod pages;
mod records;
mod reply;
mod writes;

use std::collections::BTreeSet;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use stagecall_core::error::CallError;
use stagecall_core::ids::{ActionTypeId, ApplicationId, StageId, StatusId};
use stagecall_core::tenant::Settings;
use stagecall_http::Method;

use crate::client::Client;
use crate::errors::Permission;
use crate::wire::Record;
use reply::ProbeReply;

/// How sure a conclusion is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// The response has only one explanation.
    Sure,
    /// The likely explanation; another one is possible.
    Likely,
    /// Not settled; the setting is unchanged.
    Open,
}

impl fmt::Display for Certainty {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(match self {
            Self::Sure => "sure",
            Self::Likely => "likely",
            Self::Open => "open",
        })
    }
}

/// One experiment and its result. Each decides a setting, or finds something that a person has to act on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Experiment {
    pub name: String,
    /// What was concluded, in words.
    pub concluded: String,
    pub certainty: Certainty,
    /// The conclusion, for programs; null if not settled.
    pub reading: Value,
    /// The resulting settings of the dialect; null: the default.
    pub settings: Settings,
}

impl Experiment {
    /// Sets the conclusion for programs, where it is not the value of the first setting.
    fn reading(&mut self, reading: impl Into<Value>) -> &mut Self {
        self.reading = reading.into();
        self
    }

    /// Adds a setting. The first one is the conclusion for programs unless another one is set.
    fn set(&mut self, setting: &str, value: impl Into<Value>) -> &mut Self {
        let value = value.into();
        if self.reading.is_null() {
            self.reading = value.clone();
        }
        self.settings.insert(setting.to_owned(), value);
        self
    }
}

/// What the experiments found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Probed {
    /// Every experiment, in the order in which they ran.
    pub experiments: Vec<Experiment>,
    /// What the experiments that write have left in Eploy.
    pub left_behind: Vec<String>,
    /// Calls made, all counted against the daily allowance.
    pub calls: u32,
}

impl Probed {
    /// The dialect `before` with everything found. What was not settled is unchanged.
    pub fn dialect(&self, before: &Settings) -> Settings {
        let mut dialect = before.clone();
        for experiment in &self.experiments {
            for (key, value) in &experiment.settings {
                if value.is_null() {
                    dialect.remove(key);
                } else {
                    dialect.insert(key.clone(), value.clone());
                }
            }
        }
        dialect
    }
}

/// What the experiments that write may use. They leave data behind and are for an application made for the purpose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Writing {
    /// The application to write to.
    pub application: ApplicationId,
    /// The type of the action to create; without it, none is created.
    pub action_type: Option<ActionTypeId>,
    /// Where to move the application and back from; without it, it is not moved.
    pub move_to: Option<(StageId, Option<StatusId>)>,
}

/// An application to test filters with.
#[derive(Clone)]
struct Sample {
    id: String,
    candidate: String,
    vacancy: String,
    stage: String,
}

/// The running experiments.
struct Probe<'a> {
    client: &'a Client,
    probed: Probed,
    /// The records of the first page of applications.
    applications: Vec<Value>,
    /// One of them that is at a stage.
    sample: Option<Sample>,
    /// Eploy's own clock at its last response.
    server_time: Option<Timestamp>,
}

/// Runs the experiments. An error means that Eploy is not usable at present; what concerns only one experiment is that
/// experiment's conclusion.
pub(crate) async fn probe(client: &Client, writing: Option<&Writing>) -> Result<Probed, CallError> {
    let mut probe = Probe {
        client,
        probed: Probed::default(),
        applications: Vec::new(),
        sample: None,
        server_time: None,
    };
    probe.first_page().await?;
    probe.dates();
    probe.page_size().await?;
    probe.routes().await?;
    probe.lists_and_ids_in_filters().await?;
    probe.feed().await?;
    probe.single_records().await?;
    probe.options_index().await?;
    if let Some(writing) = writing {
        probe.writes(writing).await?;
    }
    Ok(probe.probed)
}

impl Probe<'_> {
    /// How sure a conclusion is that needs applications that differ: if all on the first page are alike, an ignored
    /// filter gives the same result as a working one.
    fn certainty_among(&self, of: impl Fn(&Value) -> Option<String>) -> Certainty {
        let values: BTreeSet<_> = self.applications.iter().filter_map(of).collect();
        if values.len() > 1 {
            Certainty::Sure
        } else {
            Certainty::Likely
        }
    }

    /// Adds a conclusion.
    fn found(
        &mut self,
        name: &str,
        certainty: Certainty,
        concluded: impl Into<String>,
    ) -> &mut Experiment {
        let at = self.probed.experiments.len();
        self.probed.experiments.push(Experiment {
            name: name.to_owned(),
            concluded: concluded.into(),
            certainty,
            reading: Value::Null,
            settings: Settings::new(),
        });
        &mut self.probed.experiments[at]
    }

    /// Adds an experiment that was not settled.
    fn open(&mut self, name: &str, why: impl Into<String>) {
        self.found(name, Certainty::Open, why);
    }

    async fn search(
        &mut self,
        resource: &str,
        filters: Value,
        (size, page): (u32, u32),
        blocks: &[&str],
    ) -> Result<ProbeReply, CallError> {
        let blocks: Vec<String> = blocks
            .iter()
            .map(|name| self.client.connection.dialect.block(name))
            .collect();
        let body = json!({
            "Filters": filters,
            "Paging": {"RecordsPerPage": size, "RequestedPage": page},
            "ResponseBlocks": blocks,
        });
        let permission = match resource {
            "actions" => Permission::view("Actions"),
            _ => Permission::view("Applications"),
        };
        let path = format!("{resource}/search");
        self.ask(Method::Post, &path, Some(body), permission).await
    }
}

fn filter(route: &str, operation: &str, value: &Value) -> Value {
    json!([{"Route": route, "Operation": operation, "Value": value}])
}

/// The stage of an application.
fn stage_of(record: &Value) -> Option<String> {
    Record::of(record)?.record("Workflow")?.id("Stage")
}

#[cfg(test)]
mod tests;
