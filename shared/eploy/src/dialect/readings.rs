//! The values that a setting of the dialect can have.

use serde::{Deserialize, Serialize};

/// What Eploy's dates mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dates {
    /// Not known to be UTC or UK time: they are sent back as they came, and windows overlap by 65 minutes.
    Unknown,
    /// UTC, with or without the zone written out.
    Utc,
    /// Those without a zone are UK time, and so are the values of filters.
    Uk,
}

/// A time zone.
#[expect(
    clippy::unsafe_derive_deserialize,
    reason = "what is unsafe is inside the macro that compiles a zone in"
)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Zone {
    /// UTC.
    Utc,
    /// Europe/London.
    Uk,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdValues {
    /// As a number where it is a whole number, else as a text.
    Number,
    Text,
}

/// How an id block's name ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum IdCasing {
    /// `CandidateId`
    Id,
    /// `CandidateID`
    #[serde(rename = "ID")]
    Upper,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum History {
    /// It can. If Eploy refuses, the application is read instead for a while.
    Readable,
    /// It cannot: the application is read.
    Unreadable,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReadBy {
    /// `GET /api/{resource}/{id}`
    Get,
    /// `POST /api/{resource}/search` for that id.
    Search,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenRequest {
    Json,
    Form,
}

/// How an action of unknown outcome is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionLookUpBy {
    /// `POST /api/actions/search`
    Search,
    /// Not at all: this Eploy cannot search actions. The action is created again, so in the worst case there are two. A
    /// second action is better than a missing report.
    Never,
}

/// The body that moves an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MoveBody {
    /// `{"Workflow": {"StageId": 13, "StatusId": 40}}`
    WorkflowIds,
    /// `{"Workflow": {"Stage": {"Id": 13}, "Status": {"Id": 40}}}`
    WorkflowObjects,
    /// `{"StageId": 13, "StatusId": 40}`
    Flat,
}

/// The body that answers custom questions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuestionsBody {
    /// `[{"QuestionId": 276, "Answer": "5"}]`
    Array,
    /// `{"Questions": [{"QuestionId": 276, "Answer": "5"}]}`
    Wrapped,
}

/// How the answer to a custom question is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnswerValues {
    Text,
    /// As a number where it is one, else as a text.
    Number,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoteFormat {
    Text,
    /// HTML: the text is escaped.
    Html,
}
