//! Where the lists of options are (REFERENCE.md §12).

use serde_json::Value;
use stagecall_core::error::CallError;
use stagecall_core::ports::NamedId;
use stagecall_http::Method;

use super::Certainty::{Likely, Sure};
use super::Probe;
use super::reply::ProbeReply;
use crate::directory::{named, options};
use crate::errors::Permission;

/// Where the list of lists may be (REFERENCE.md §12, inferred).
const INDEXES: [&str; 2] = ["options/dropdown", "options"];
/// A list whose id the vendor publishes (REFERENCE.md §12): an index that has it is the right one.
const KNOWN_LIST: &str = "50";

impl Probe<'_> {
    /// The list of lists, and the lists that are needed.
    pub(super) async fn options_index(&mut self) -> Result<(), CallError> {
        let name = "index of lists";
        let mut found: Option<(&str, Vec<NamedId>)> = None;
        let mut forbidden = None;
        let mut absent = true;
        for path in INDEXES {
            let permission = Permission::view("Options");
            match self.ask(Method::Get, path, None, permission).await? {
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
            match forbidden {
                Some(why) => self.open(name, why),
                None => {
                    let words = "there is none; give stages and outcomes by id, or set the dialect's stages_list and the like";
                    self.found(name, if absent { Sure } else { Likely }, words)
                        .reading("absent")
                        .set("options_index_path", Value::Null);
                }
            }
            return Ok(());
        };
        let is_right = lists.iter().any(|list| list.id == KNOWN_LIST);
        let words = format!("/api/{path} lists {} lists", lists.len());
        self.found(name, if is_right { Sure } else { Likely }, words)
            .set("options_index_path", path);
        let client = self.client;
        let dialect = &client.connection.dialect;
        for (what, list) in [
            ("stages", &dialect.stages_list_name),
            ("statuses", &dialect.statuses_list_name),
            ("action types", &dialect.action_types_list_name),
            ("outcomes", &dialect.outcomes_list_name),
        ] {
            let name = format!("list of {what}");
            let setting = format!("{}_list", what.replace(' ', "_"));
            match named(&lists, list) {
                Some(id) => {
                    self.found(&name, Likely, format!("it is list {id}"))
                        .set(&setting, id);
                }
                None => {
                    let names: Vec<&str> = lists.iter().map(|list| list.name.as_str()).collect();
                    let names = names.join(", ");
                    let words = format!(
                        "there is none named \"{list}\"; set dialect.{setting}. There are: {names}"
                    );
                    self.open(&name, words);
                }
            }
        }
        Ok(())
    }

    fn read_options(&self, answer: Option<&Value>) -> Option<Vec<NamedId>> {
        let now = self.client.connection.clock.now();
        options(answer, &self.client.connection.dialect, now)
    }
}
