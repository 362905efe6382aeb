//! The records of an Eploy system.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An option of a list.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) archived: Option<Timestamp>,
}

/// What kind of stage it is (shared/eploy/REFERENCE.md §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StageKind {
    /// Offers a choice of the tenant's statuses.
    Application,
    /// Its status is the outcome of an action.
    Action,
    /// Its status is that of a placement.
    Placement,
}

#[derive(Clone, Debug)]
pub(crate) struct Stage {
    pub(crate) id: u64,
    pub(crate) kind: StageKind,
    /// Its options, the first as the default: statuses, outcomes or placement statuses, by its kind.
    pub(crate) statuses: Vec<u64>,
}

#[derive(Clone, Debug)]
pub(crate) struct Workflow {
    pub(crate) id: u64,
    pub(crate) title: String,
    pub(crate) stages: Vec<u64>,
}

/// The position of an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) stage: u64,
    pub(crate) status: Option<u64>,
}

#[derive(Clone, Debug)]
pub(crate) struct Company {
    pub(crate) id: u64,
    pub(crate) name: String,
    /// Its id in another system.
    pub(crate) import: String,
    pub(crate) created: Timestamp,
}

#[derive(Clone, Debug)]
pub(crate) struct Vacancy {
    pub(crate) id: u64,
    pub(crate) title: String,
    pub(crate) status: u64,
    pub(crate) company: Option<u64>,
    pub(crate) workflow: u64,
    pub(crate) created: Timestamp,
    pub(crate) modified: Timestamp,
}

#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub(crate) id: u64,
    pub(crate) first_name: String,
    pub(crate) surname: String,
    pub(crate) email: Option<String>,
    pub(crate) mobile: Option<String>,
    /// Former addresses and numbers, so that the judge finds invitations that were sent there.
    pub(crate) contacts_before: Vec<String>,
    pub(crate) created: Timestamp,
    pub(crate) modified: Timestamp,
}

#[derive(Clone, Debug)]
pub(crate) struct Note {
    pub(crate) at: Timestamp,
    pub(crate) text: String,
}

#[derive(Clone, Debug)]
pub(crate) struct Application {
    pub(crate) id: u64,
    pub(crate) candidate: u64,
    pub(crate) vacancy: u64,
    pub(crate) position: Position,
    pub(crate) placement: Option<u64>,
    pub(crate) created: Timestamp,
    pub(crate) modified: Timestamp,
    /// The rows of its status history, oldest first.
    pub(crate) history: Vec<u64>,
    /// Its actions, oldest first.
    pub(crate) actions: Vec<u64>,
    pub(crate) notes: Vec<Note>,
    /// The packages that it was exported with.
    pub(crate) exports: Vec<u64>,
}

/// A row of the status history.
#[derive(Clone, Debug)]
pub(crate) struct HistoryRow {
    pub(crate) id: u64,
    pub(crate) application: u64,
    pub(crate) position: Position,
    pub(crate) action: Option<u64>,
    pub(crate) placement: Option<u64>,
    pub(crate) at: Timestamp,
}

#[derive(Clone, Debug)]
pub(crate) struct Action {
    pub(crate) id: u64,
    pub(crate) kind: u64,
    pub(crate) candidate: u64,
    pub(crate) vacancy: u64,
    pub(crate) company: Option<u64>,
    pub(crate) application: Option<u64>,
    pub(crate) outcome: Option<u64>,
    pub(crate) start: Option<Timestamp>,
    pub(crate) end: Option<Timestamp>,
    pub(crate) completion: Option<Timestamp>,
    pub(crate) comments_html: Option<String>,
    pub(crate) provider_url: Option<String>,
    pub(crate) created: Timestamp,
    pub(crate) modified: Timestamp,
}

#[derive(Clone, Debug)]
pub(crate) struct Placement {
    pub(crate) id: u64,
    pub(crate) application: u64,
    pub(crate) candidate: u64,
    pub(crate) vacancy: u64,
    pub(crate) status: u64,
    pub(crate) created: Timestamp,
    pub(crate) modified: Timestamp,
}

/// A record type that can carry custom questions.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Asked {
    /// Applications.
    #[default]
    Applications,
    /// Candidates.
    Candidates,
    /// Vacancies.
    Vacancies,
}

/// What kind of answer a custom question takes. `Date` and `Boolean` are known names, the others inferred
/// (shared/eploy/REFERENCE.md §15).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnswerType {
    /// Text.
    Text,
    /// A number; text with a number is accepted, too.
    Number,
    /// Yes or no; the words `true` and `false` are accepted, too.
    Boolean,
    /// A date.
    Date,
    /// One of these, numbered from 1; answered by number.
    Dropdown(Vec<String>),
}

#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) id: u64,
    pub(crate) of: Asked,
    pub(crate) title: String,
    pub(crate) kind: AnswerType,
}

/// A stored answer: JSON of the question's type, for a dropdown the option's number.
pub(crate) type Answered = Value;

/// An automatic transition (shared/eploy/REFERENCE.md §5). A status that notifies by e-mail is never left by one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transition {
    /// Its trigger.
    pub on: Trigger,
    /// Only for applications at this stage; at any if absent.
    #[serde(default)]
    pub stage: Option<u64>,
    /// The stage that the application goes to.
    pub to_stage: u64,
    /// The status there.
    pub to_status: u64,
}

/// The trigger of an automatic transition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// An action of the application gets this outcome.
    Outcome(u64),
    /// The application gets this status.
    Status(u64),
}
