//! The records of a Willo account. Everything has a key of 32 hexadecimal digits.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::register::Invitee;

/// A thing with a key and a name: a stage, a department.
#[derive(Clone, Debug)]
pub(crate) struct Keyed {
    pub(crate) key: String,
    pub(crate) name: String,
}

#[derive(Clone, Debug)]
pub(crate) struct User {
    pub(crate) key: String,
    pub(crate) full_name: String,
    pub(crate) email: String,
}

#[derive(Clone, Debug)]
pub(crate) struct Interview {
    pub(crate) key: String,
    pub(crate) title: String,
    pub(crate) owner: String,
    pub(crate) department: String,
    pub(crate) questions: Vec<String>,
    pub(crate) created: Timestamp,
}

/// A score on a scorecard.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Score {
    pub(crate) by: String,
    pub(crate) title: String,
    pub(crate) value: f64,
    pub(crate) max: f64,
}

/// A reviewer's rating of the whole.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Rating {
    pub(crate) by: String,
    pub(crate) stars: u8,
}

#[derive(Clone, Debug)]
pub(crate) struct Comment {
    pub(crate) key: String,
    pub(crate) by: String,
    pub(crate) text: String,
    pub(crate) at: Timestamp,
}

/// An answer to one question.
#[derive(Clone, Debug)]
pub(crate) struct Response {
    pub(crate) key: String,
    pub(crate) question: String,
    pub(crate) transcript: String,
}

/// A participant: an invited candidate, and what only Willo has of them.
pub(crate) type Participant = Invitee<Own>;

/// What only Willo has of a candidate.
#[derive(Clone, Debug)]
pub(crate) struct Own {
    /// The key of its stage.
    pub(crate) stage: String,
    pub(crate) responses: Vec<Response>,
    pub(crate) scores: Vec<Score>,
    pub(crate) ratings: Vec<Rating>,
    pub(crate) comments: Vec<Comment>,
    /// The six letters of its links.
    pub(crate) code: String,
    pub(crate) updated: Timestamp,
}

/// What a webhook follows (shared/platforms/REFERENCE.md §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Event {
    NewResponse,
    StageChange,
    NewComment,
    NewScore,
}

impl Event {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::NewResponse => "new_response",
            Self::StageChange => "stage_change",
            Self::NewComment => "new_comment",
            Self::NewScore => "new_score",
        }
    }

    /// The operation of its callbacks, for faults.
    pub(crate) fn operation(self) -> &'static str {
        match self {
            Self::NewResponse => "willo.callback.new_response",
            Self::StageChange => "willo.callback.stage_change",
            Self::NewComment => "willo.callback.new_comment",
            Self::NewScore => "willo.callback.new_score",
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Webhook {
    pub(crate) key: String,
    pub(crate) url: String,
    pub(crate) event: Event,
    pub(crate) interviews: Vec<String>,
    pub(crate) follow_all_interviews: bool,
    pub(crate) departments: Vec<String>,
    pub(crate) users: Vec<String>,
    pub(crate) payload_configuration: serde_json::Value,
    pub(crate) status: String,
}
