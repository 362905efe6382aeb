//! What connects a customer of the sandbox, in the words of Stagecall's configuration: JSON, since the sandbox shares no
//! code with it.

use serde_json::{Map, Value, json};

use super::stages::{Entrance, HIRED, LINK_QUESTION, SCORE_QUESTION};
use crate::eploy::SystemInfo;

/// The connection to an Eploy, polled as often as possible.
pub fn eploy(system: &SystemInfo) -> Value {
    json!({
        "base_url": format!("{}/", system.base_url),
        // High enough never to slow down polls.
        "daily_calls": 10_000_000,
        "poll_seconds": 1,
        "dialect": {"dates": "utc"},
    })
}

/// The connection to a platform account.
pub fn connection(kind: &str, base_url: &str, settings: &Value) -> Value {
    json!({"kind": kind, "base_url": base_url, "settings": settings})
}

/// Announces candidates who enter the stage of hired candidates.
pub fn hires(url: &str) -> Value {
    json!({"when": {"stages": [{"stage": HIRED}]}, "endpoint": {"url": url}})
}

/// Invites candidates who enter the stage with an application for one of these vacancies, and reports it in full.
pub fn mapping(
    id: &str,
    vacancies: impl IntoIterator<Item = u64>,
    at: &Entrance,
    account: &str,
    assessment: &str,
) -> Value {
    let vacancies = vacancies.into_iter().map(|id| json!(id.to_string()));
    let mut report = report(at);
    report["questions"] = json!({
        "percent": SCORE_QUESTION.to_string(),
        "link": LINK_QUESTION.to_string(),
    });
    json!({
        "id": id,
        "vacancies": {"only": vacancies.collect::<Vec<Value>>()},
        "triggers": [trigger(at)],
        "assessment": {"account": account, "assessment": assessment},
        "report": report,
    })
}

pub(super) fn trigger(at: &Entrance) -> Value {
    let (stage, status) = at.ids;
    json!({
        "stage": stage,
        "stage_name": at.stage,
        "statuses": status.into_iter().collect::<Vec<_>>(),
    })
}

/// Reports with an action of the entrance's type.
pub(super) fn report(at: &Entrance) -> Value {
    json!({"action": {"action_type": at.action.to_string(), "outcomes": outcomes()}})
}

/// The outcome of each moment, by the sandbox's ids.
fn outcomes() -> Map<String, Value> {
    [
        ("invited", "101"),
        ("started", "102"),
        ("completed", "103"),
        ("expired", "105"),
        ("declined", "106"),
        ("bounced", "107"),
        ("cancelled", "108"),
        ("failed", "109"),
    ]
    .into_iter()
    .map(|(moment, id)| (moment.to_owned(), id.into()))
    .collect()
}
