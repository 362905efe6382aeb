//! Where the lists of options are (REFERENCE.md §12), and whether workflows can be read.

use serde_json::{Value, json};
use stagecall_core::error::CallError;
use stagecall_core::ports::NamedId;
use stagecall_http::Method;

use super::Certainty::{Likely, Sure};
use super::Probe;
use super::reply::ProbeReply;
use crate::directory::{named, options};
use crate::errors::Permission;
use crate::wire::Record;

/// Where the list of lists may be (REFERENCE.md §12, inferred).
const INDEXES: [&str; 2] = ["options/dropdown", "options"];
/// Lists whose ids the vendor publishes (REFERENCE.md §12); one of them tells whether lists can be read at all.
const KNOWN_LIST: &str = "50";

impl Probe<'_> {
    /// The list of lists, and the lists that are needed.
    pub(super) async fn options_index(&mut self) -> Result<(), CallError> {
        let name = "index of lists";
        let asked = format!("GET /api/{}", INDEXES.join(" and /api/"));
        let mut found: Option<(&str, Vec<NamedId>)> = None;
        let mut forbidden = None;
        let mut absent = true;
        for path in INDEXES {
            let reply = self
                .ask(Method::Get, path, None, Permission::view("Options"))
                .await?;
            match reply {
                ProbeReply::Yes(answer, _) => {
                    absent = false;
                    let lists = self.read_options(answer.as_ref());
                    found = found.or(lists.map(|lists| (path, lists)));
                }
                ProbeReply::Forbidden(why) => forbidden = Some(why),
                ProbeReply::Refused(_) => absent = false,
                ProbeReply::Missing(_) => {}
            }
        }
        let Some((path, lists)) = found else {
            if let Some(why) = forbidden {
                self.open(name, &asked, why);
                return self.one_list().await;
            }
            self.conclude(
                name,
                &asked,
                "there is none; give stages and outcomes by id, or set the dialect's stages_list and the like",
                if absent { Sure } else { Likely },
                json!("absent"),
                &[("options_index_path", Value::Null)],
            );
            return self.one_list().await;
        };
        self.conclude(
            name,
            &asked,
            format!("/api/{path} lists {} lists", lists.len()),
            // An index with the list that the vendor publishes is the right one.
            if lists.iter().any(|list| list.id == KNOWN_LIST) {
                Sure
            } else {
                Likely
            },
            json!(path),
            &[("options_index_path", json!(path))],
        );
        let dialect = &self.client.connection.dialect;
        let named_lists = [
            ("stages", "stages_list", dialect.stages_list_name.clone()),
            (
                "statuses",
                "statuses_list",
                dialect.statuses_list_name.clone(),
            ),
            (
                "action types",
                "action_types_list",
                dialect.action_types_list_name.clone(),
            ),
            (
                "outcomes",
                "outcomes_list",
                dialect.outcomes_list_name.clone(),
            ),
        ];
        for (what, setting, list) in named_lists {
            let name = format!("list of {what}");
            let asked = format!("a list named \"{list}\"");
            match named(&lists, &list) {
                Some(id) => {
                    let words = format!("it is list {id}");
                    self.conclude(
                        &name,
                        &asked,
                        words,
                        Likely,
                        json!(id),
                        &[(setting, json!(id))],
                    );
                }
                None => {
                    let names: Vec<&str> = lists.iter().map(|list| list.name.as_str()).collect();
                    let words = format!(
                        "there is none of this name; set dialect.{setting}. There are: {}",
                        names.join(", ")
                    );
                    self.open(&name, &asked, words);
                }
            }
        }
        Ok(())
    }

    /// Whether lists can be read at all.
    async fn one_list(&mut self) -> Result<(), CallError> {
        let name = "lists of options";
        let asked = "GET /api/options/dropdown/50, the statuses of vacancies";
        let path = self
            .client
            .connection
            .dialect
            .options_path
            .replace("{list}", KNOWN_LIST);
        let reply = self
            .ask(Method::Get, &path, None, Permission::view("Options"))
            .await?;
        match reply {
            ProbeReply::Yes(answer, status) => match self.read_options(answer.as_ref()) {
                Some(options) => self.conclude(
                    name,
                    asked,
                    "lists can be read by id",
                    if options.is_empty() { Likely } else { Sure },
                    json!(true),
                    &[],
                ),
                None => self.open(name, asked, ProbeReply::Yes(None, status).in_words()),
            },
            other => self.open(name, asked, other.in_words()),
        }
        Ok(())
    }

    fn read_options(&self, answer: Option<&Value>) -> Option<Vec<NamedId>> {
        let now = self.client.connection.clock.now();
        options(answer, &self.client.connection.dialect, now)
    }

    /// Whether workflows can be read. Nothing depends on it.
    pub(super) async fn workflows(&mut self) -> Result<(), CallError> {
        let name = "workflows";
        let asked = "one workflow";
        let reply = self
            .search("workflows", json!([]), (1, 1), &["WorkflowId", "Title"])
            .await?;
        match reply {
            ProbeReply::Yes(..) => {
                let records = reply.records(1, 1).unwrap_or_default();
                let is_one = |record| {
                    Record::of(record).is_some_and(|record| record.own_id("WorkflowId").is_ok())
                };
                let certainty = if records.iter().any(is_one) {
                    Sure
                } else {
                    Likely
                };
                self.conclude(name, asked, "they can be read", certainty, json!(true), &[]);
            }
            other => {
                let words = format!("{}; nothing depends on them", other.in_words());
                self.conclude(name, asked, words, Likely, json!(false), &[]);
            }
        }
        Ok(())
    }
}
