//! `/webhooks/`: one registration per event (REFERENCE.md §6, seen live).

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use stagecall_core::ids::AssessmentId;
use stagecall_core::ports::CallbackAddress;
use stagecall_http::{Method, Request, Response};
use url::Url;

use super::{Willo, errors, rows};
use crate::adapter::{CallbackPlan, CallbackWrite, Callbacks, Page};
use crate::callback;
use crate::error::PlatformError;
use crate::json::id;

/// The events. The first two names were accepted live; the others are by analogy (REFERENCE.md §6), so their
/// refusal harms nothing: the lists tell the same, later.
const EVENTS: [(&str, bool); 4] = [
    ("new_response", false),
    ("stage_change", false),
    ("new_comment", true),
    ("new_score", true),
];

impl Callbacks for Willo {
    fn registered(&self, next: Option<&str>) -> Result<Request, PlatformError> {
        self.page("webhooks", &[], next)
    }

    fn read_registered(&self, answer: &Response) -> Result<Page<Value>, PlatformError> {
        rows(answer)
    }

    fn plan(
        &self,
        registered: &[Value],
        address: &CallbackAddress,
        assessments: &[AssessmentId],
    ) -> Result<CallbackPlan, PlatformError> {
        let everything = self.options.follow_all_interviews;
        let interviews: BTreeSet<&str> = if everything {
            BTreeSet::new()
        } else {
            assessments.iter().map(AssessmentId::as_str).collect()
        };
        let mut plan = CallbackPlan::default();
        if interviews.is_empty() && !everything {
            return Ok(plan);
        }
        let prefix = callback::prefix(address);
        for (event, optional) in EVENTS {
            let desired = DesiredHook {
                url: callback::whole(address, event),
                event,
                everything,
                interviews: &interviews,
            };
            let ours: Vec<_> = registered
                .iter()
                .filter(|hook| is_ours(hook, &prefix, event))
                .map(|hook| (id(hook), desired.change(hook)))
                .collect();
            if ours.iter().any(|(_, change)| change.is_empty()) {
                plan.kept += 1;
                continue;
            }
            let outdated = ours
                .into_iter()
                .find_map(|(key, change)| Some((key?, change)));
            let changes = outdated.is_some();
            let request = if let Some((key, change)) = outdated {
                let url = self.url(&["webhooks", &key]);
                self.request(Method::Patch, url).json(&change.into())
            } else {
                let url = self.url(&["webhooks"]);
                self.request(Method::Post, url).json(&desired.all().into())
            };
            plan.writes.push(CallbackWrite {
                event,
                request,
                changes,
                optional,
            });
        }
        Ok(plan)
    }

    fn read_written(&self, answer: &Response) -> Result<(), PlatformError> {
        if answer.is_success() {
            Ok(())
        } else {
            Err(errors::fault(answer))
        }
    }
}

/// Ours by the address before the token, and for this event.
fn is_ours(hook: &Value, prefix: &Url, event: &str) -> bool {
    address(hook).is_some_and(|url| url.as_str().starts_with(prefix.as_str()))
        && hook.get("event").and_then(Value::as_str) == Some(event)
}

fn address(hook: &Value) -> Option<Url> {
    Url::parse(hook.get("url")?.as_str()?).ok()
}

struct DesiredHook<'a> {
    url: Url,
    event: &'static str,
    everything: bool,
    interviews: &'a BTreeSet<&'a str>,
}

impl DesiredHook<'_> {
    fn all(&self) -> Map<String, Value> {
        let mut all = Map::new();
        all.insert("url".to_owned(), self.url.as_str().into());
        all.insert("event".to_owned(), self.event.into());
        all.insert("follow_all_interviews".to_owned(), self.everything.into());
        all.insert("interviews".to_owned(), json!(self.interviews));
        all
    }

    /// The changes needed in `hook`; empty if none.
    fn change(&self, hook: &Value) -> Map<String, Value> {
        let everything = hook.get("follow_all_interviews") == Some(&Value::Bool(true));
        let interviews: BTreeSet<String> = hook
            .get("interviews")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(id)
            .collect();
        let same_scope = everything == self.everything
            && (everything
                || interviews
                    .iter()
                    .map(String::as_str)
                    .eq(self.interviews.iter().copied()));
        let same_url = address(hook).as_ref() == Some(&self.url);
        let mut change = self.all();
        change.remove("event");
        if same_url {
            change.remove("url");
        }
        if same_scope {
            change.remove("follow_all_interviews");
            change.remove("interviews");
        }
        change
    }
}
