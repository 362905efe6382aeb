//! What the control API says of WeCP accounts, and acts of their reviewers and interviewers.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::quirks::Quirks;

/// The configuration of a WeCP account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WecpInfo {
    /// Its name.
    pub name: String,
    /// The base URL, to which `/ats/wecp/…` and `/orgs/…` are appended; without a slash at the end.
    pub base_url: String,
    /// The company-wide API key.
    pub api_key: String,
    /// The key of the partner that it accepts.
    pub partner_key: String,
    /// The partner's secret.
    pub partner_secret: String,
    /// Its users: addresses and personal access tokens, which are accepted in place of the key.
    pub users: Vec<(String, String)>,
    /// Its name in the paths of groups.
    pub org: String,
    /// Its groups: ids and names.
    pub groups: Vec<(String, String)>,
    /// The prefix of links for candidates and reviewers.
    pub links: String,
    /// Its tests: ids and names.
    pub tests: Vec<(String, String)>,
    /// The URL for callbacks on completion, if any.
    pub callback_url: Option<String>,
    /// Its switches.
    #[serde(rename = "switches")]
    pub quirks: Quirks,
}

impl WecpInfo {
    /// The address of its API.
    pub fn api_url(&self) -> String {
        format!("{}/", self.base_url)
    }
}

/// Changes to a WeCP account; absent fields are unchanged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WecpSettings {
    /// The switches to change, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[serde(rename = "switches")]
    pub quirks: BTreeMap<String, Value>,
    /// The company-wide API key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_key: Option<String>,
    /// The partner's key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partner_key: Option<String>,
    /// The partner's secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partner_secret: Option<String>,
    /// The addresses of all users; users who are kept keep their tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub users: Option<Vec<String>>,
    /// The prefix of links.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub links: Option<String>,
    /// The URL for callbacks on completion, on the loopback; empty: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub callback_url: Option<String>,
}

/// A test to create.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewTest {
    /// Its name.
    pub name: String,
    /// Its questions; the sandbox chooses some if there are none.
    #[serde(default)]
    pub questions: Vec<TestQuestion>,
}

/// A question of a test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestQuestion {
    /// Its title.
    pub title: String,
    /// Its points.
    pub points: u32,
    /// The language of a programming question; without it, it has choices.
    #[serde(default)]
    pub language: Option<String>,
}

/// An interview created in WeCP itself, in its first group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewWecpInterview {
    /// Its name.
    pub name: String,
    /// Whether it is recorded.
    #[serde(default)]
    pub record: bool,
    /// The scorecard.
    #[serde(default)]
    pub scorecard: Vec<ScorecardLine>,
}

/// A line of an interview's scorecard, in the words of the API (shared/platforms/REFERENCE.md §15).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScorecardLine {
    /// The question.
    pub question: String,
    /// Whether it has to be filled in.
    #[serde(default)]
    pub required: bool,
    /// The type of the answer.
    pub type_of_question: LineKind,
    /// The options of an objective question.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub option: Vec<String>,
}

impl ScorecardLine {
    /// The stars of an answer, if this line is answered with stars.
    pub(crate) fn stars(&self, answer: &Value) -> Option<f64> {
        answer
            .as_f64()
            .filter(|_| self.type_of_question == LineKind::Star)
    }
}

/// The type of an answer on a scorecard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineKind {
    /// One to five stars.
    Star,
    /// One of several options.
    Objective,
    /// A text.
    Text,
}

/// An act of a test's reviewer, or of an interview's interviewer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WecpReviewerAct {
    /// Lets the programs of a finished test run against other test cases; `retry` goes up.
    Rerun,
    /// Scores an answer of a finished test again; `retry` goes up.
    Rescore {
        /// The question's title or id.
        question: String,
        /// Its points.
        score: u32,
    },
    /// Holds an interview and fills in its scorecard, or fills it in again.
    Conduct {
        /// One answer for each line; generated if there are none.
        #[serde(default)]
        answers: Vec<Value>,
    },
    /// Removes the candidate.
    Remove,
}

/// A live interview as WeCP has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WecpInterviewView {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The id of its group.
    pub group: String,
    /// Whether it is recorded.
    pub record: bool,
    /// The scorecard.
    pub scorecard: Vec<ScorecardLine>,
    /// The creator's metadata.
    pub metadata: Value,
    /// When it was created.
    pub created: Timestamp,
    /// Whether a call of the API created it; otherwise a person did, in WeCP itself.
    pub by_api: bool,
}
