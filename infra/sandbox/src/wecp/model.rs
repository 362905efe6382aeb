//! The records of a WeCP account.

use jiff::Timestamp;
use serde_json::Value;

use super::messages::ScorecardLine;
use crate::participant::{Meeting, Standing};

/// A user of the account.
#[derive(Clone, Debug)]
pub(crate) struct User {
    pub(crate) email: String,
    /// The personal access token.
    pub(crate) token: String,
}

#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) id: String,
    pub(crate) version: String,
    pub(crate) title: String,
    pub(crate) points: u32,
    /// The language of a programming question; a question with choices has none.
    pub(crate) language: Option<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct Test {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) questions: Vec<Question>,
    pub(crate) created: Timestamp,
}

/// A live interview, which candidates are scheduled for.
#[derive(Clone, Debug)]
pub(crate) struct Interview {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) group: String,
    pub(crate) record: bool,
    pub(crate) scorecard: Vec<ScorecardLine>,
    pub(crate) metadata: Value,
    pub(crate) created: Timestamp,
    pub(crate) by_api: bool,
}

/// The answer to one question.
#[derive(Clone, Debug)]
pub(crate) struct Scored {
    pub(crate) question: Question,
    pub(crate) score: u32,
    pub(crate) time_spent_ms: u32,
    pub(crate) attempts: u32,
    pub(crate) testcases_passed: u32,
}

/// Proctoring events of a test.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Noticed {
    pub(crate) pasted: u32,
    pub(crate) left_full_screen: u32,
    pub(crate) stopped_sharing: u32,
    pub(crate) several_faces: u32,
    pub(crate) changed_tab: u32,
    pub(crate) copied: u32,
    pub(crate) no_face: u32,
    pub(crate) second_screen: u32,
}

/// The test or interview of a candidate, and its result.
#[derive(Clone, Debug)]
pub(crate) enum Task {
    Test {
        scored: Vec<Scored>,
        noticed: Noticed,
    },
    Interview {
        meeting: Meeting,
        /// One for each line of the scorecard, once it is filled in.
        marks: Vec<Value>,
    },
}

#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub(crate) id: String,
    /// The id of the test or the interview.
    pub(crate) of: String,
    pub(crate) task: Task,
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) metadata: Value,
    pub(crate) standing: Standing,
    /// Removed for the API; the judge still knows it.
    pub(crate) removed: bool,
    /// The number of re-evaluations.
    pub(crate) retry: u32,
    pub(crate) created: Timestamp,
    pub(crate) started: Option<Timestamp>,
    pub(crate) completed: Option<Timestamp>,
}

impl Candidate {
    pub(crate) fn is_of_test(&self) -> bool {
        matches!(self.task, Task::Test { .. })
    }
}
