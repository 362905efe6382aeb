//! What the control API says of Eploy systems, and what recruiters do and see.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::access::{Key, Role};
use super::model::{AnswerType, Asked, Transition};
use super::quirks::Quirks;

/// The configuration of an Eploy system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SystemInfo {
    /// Its name.
    pub name: String,
    /// The base URL, to which `/api/…` is appended; without a slash at the end.
    pub base_url: String,
    /// Its API keys; the allowance is shared by all of them.
    pub keys: Vec<Key>,
    /// The roles of the user that the keys run as. Only exactly one works (shared/eploy/REFERENCE.md §2).
    pub roles: Vec<Role>,
    /// The addresses that may call the API: CIDR or wildcards. If empty, none may.
    pub ip_ranges: Vec<String>,
    /// Calls a day; no limit if absent.
    pub allowance: Option<u64>,
    /// Calls made today (UTC), token calls included.
    pub calls_today: u64,
    /// The automatic transitions.
    pub transitions: Vec<Transition>,
    /// Its switches.
    #[serde(rename = "switches")]
    pub quirks: Quirks,
}

/// Changes to an Eploy system; absent fields are unchanged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SystemSettings {
    /// The switches to change, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[serde(rename = "switches")]
    pub quirks: BTreeMap<String, Value>,
    /// All API keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keys: Option<Vec<Key>>,
    /// All roles.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub roles: Option<Vec<Role>>,
    /// All IP ranges.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_ranges: Option<Vec<String>>,
    /// Calls a day; 0 removes the limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowance: Option<u64>,
    /// Sets the count of today's calls; 0 starts the day again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calls_today: Option<u64>,
    /// All automatic transitions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transitions: Option<Vec<Transition>>,
    /// Whether to revoke all tokens.
    pub end_tokens: bool,
}

/// A vacancy to create.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewVacancy {
    /// Its title.
    pub title: String,
    /// Its status; live if absent.
    #[serde(default)]
    pub status: Option<u64>,
    /// Its workflow: 1 (the default) has every stage, 2 has none for assessments.
    #[serde(default)]
    pub workflow: Option<u64>,
    /// Whether it has no company.
    #[serde(default)]
    pub without_company: bool,
}

impl NewVacancy {
    /// A live vacancy of this title.
    pub fn called(title: &str) -> Self {
        Self {
            title: title.to_owned(),
            ..Self::default()
        }
    }
}

/// Applications to create, each of a new generated candidate unless one is named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewApplications {
    /// The vacancy.
    pub vacancy: u64,
    /// The number.
    #[serde(default = "one")]
    pub count: u32,
    /// The candidate.
    #[serde(default)]
    pub candidate: Option<u64>,
    /// The stage, by name or id; the first one if absent.
    #[serde(default)]
    pub stage: Option<String>,
    /// The status, by name or id; the stage's first one if absent.
    #[serde(default)]
    pub status: Option<String>,
    /// The creation date; now if absent.
    #[serde(default)]
    pub at: Option<Timestamp>,
}

fn one() -> u32 {
    1
}

impl NewApplications {
    /// This number of applications, of new candidates, at the first stage.
    pub fn new(vacancy: u64, count: u32) -> Self {
        Self {
            vacancy,
            count,
            candidate: None,
            stage: None,
            status: None,
            at: None,
        }
    }
}

/// A created application.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Created {
    /// The application.
    pub application: u64,
    /// Its candidate.
    pub candidate: u64,
}

/// Changes to a candidate; absent fields are unchanged. An empty e-mail address or number removes it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EditCandidate {
    /// First name.
    pub first_name: Option<String>,
    /// Surname.
    pub surname: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// Mobile number.
    pub mobile: Option<String>,
}

/// A custom question to add.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewQuestion {
    /// The record type that has it; applications by default.
    #[serde(default)]
    pub of: Asked,
    /// Its title.
    pub title: String,
    /// The type of its answer.
    pub answer_type: AnswerType,
}

/// A recruiter's answer to a custom question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewAnswer {
    /// The type of the record.
    #[serde(default)]
    pub of: Asked,
    /// The record.
    pub record: u64,
    /// The question.
    pub question: u64,
    /// The answer in the API's format; null removes it.
    pub answer: Value,
}

/// An option to add to a list, or to change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewOption {
    /// The list's number (60: stage names).
    pub list: u64,
    /// The option's id.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// Whether it is archived.
    #[serde(default)]
    pub archived: bool,
}

/// A stage with a status, as a recruiter sees them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PositionView {
    /// The stage's id.
    pub stage_id: u64,
    /// The stage's name.
    pub stage: String,
    /// The status's id.
    pub status_id: Option<u64>,
    /// The status's name.
    pub status: Option<String>,
}

/// A line of an application's history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryView {
    /// Its id.
    pub id: u64,
    /// Its date.
    pub at: Timestamp,
    /// The stage and status.
    pub position: PositionView,
    /// The action that caused it.
    pub action: Option<u64>,
}

/// An action of an application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionView {
    /// Its id.
    pub id: u64,
    /// Its type's id.
    pub type_id: u64,
    /// Its type's name.
    pub type_name: String,
    /// Its outcome's id.
    pub outcome_id: Option<u64>,
    /// Its outcome's name.
    pub outcome: Option<String>,
    /// Its start.
    pub start: Option<Timestamp>,
    /// When it was completed.
    pub completion: Option<Timestamp>,
    /// The comments, as sent.
    pub comments_html: Option<String>,
    /// The link to the provider.
    pub link: Option<String>,
    /// When it was created.
    pub created: Timestamp,
    /// When it was last changed.
    pub modified: Timestamp,
}

/// A note.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoteView {
    /// When it was written.
    pub at: Timestamp,
    /// Its text.
    pub text: String,
}

/// An answered custom question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerView {
    /// The question's id.
    pub question: u64,
    /// Its title.
    pub title: String,
    /// The answer, of the question's kind.
    pub answer: Value,
}

/// An application as a recruiter sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplicationView {
    /// Its id.
    pub id: u64,
    /// Its candidate.
    pub candidate: u64,
    /// Its vacancy.
    pub vacancy: u64,
    /// Its stage and status.
    pub position: PositionView,
    /// Its creation date.
    pub created: Timestamp,
    /// Its modification date.
    pub modified: Timestamp,
    /// Its former stages and statuses, oldest first.
    pub history: Vec<HistoryView>,
    /// Its actions, oldest first.
    pub actions: Vec<ActionView>,
    /// Its notes, oldest first.
    pub notes: Vec<NoteView>,
    /// Its answered questions.
    pub answers: Vec<AnswerView>,
    /// The packages that it is marked as exported with.
    pub exported: Vec<u64>,
    /// The status of its placement, if the candidate was hired.
    pub placement: Option<String>,
}
