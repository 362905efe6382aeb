//! The records of a WeCP account.

use jiff::Timestamp;
use serde_json::Value;

use super::messages::ScorecardLine;
use crate::participant::Meeting;
use crate::register::Invitee;

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

/// An invited candidate, and what only WeCP has of them.
pub(crate) type Candidate = Invitee<Own>;

/// What only WeCP has of a candidate.
#[derive(Clone, Debug)]
pub(crate) struct Own {
    pub(crate) task: Task,
    pub(crate) metadata: Value,
    /// The number of re-evaluations.
    pub(crate) retry: u32,
}

impl Candidate {
    pub(crate) fn is_of_test(&self) -> bool {
        matches!(self.own.task, Task::Test { .. })
    }
}
