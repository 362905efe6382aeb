//! WeCP accounts, and what their reviewers and interviewers do.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::wecp;

/// A WeCP account as it is set up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WecpInfo {
    /// Its name.
    pub name: String,
    /// What `/ats/wecp/…` and `/orgs/…` are appended to; without a slash at the end.
    pub base_url: String,
    /// The company-wide API key.
    pub api_key: String,
    /// The key of the partner whom it lets in.
    pub partner_key: String,
    /// The partner's secret.
    pub partner_secret: String,
    /// Its users: addresses and personal access tokens, which stand in the place of the key.
    pub users: Vec<(String, String)>,
    /// Its name in the paths of groups.
    pub org: String,
    /// Its groups: ids and names.
    pub groups: Vec<(String, String)>,
    /// What links for candidates and reviewers begin with.
    pub links: String,
    /// Its tests: ids and names.
    pub tests: Vec<(String, String)>,
    /// Where completions are called back to, if anywhere.
    pub callback_url: Option<String>,
    /// Its switches.
    pub quirks: wecp::Quirks,
}

/// Changes to a WeCP account; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WecpSettings {
    /// The switches to change, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
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
    /// The addresses of all users; who stays keeps the token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub users: Option<Vec<String>>,
    /// What links begin with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub links: Option<String>,
    /// Where completions are called back to, on the loopback; empty: nowhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub callback_url: Option<String>,
}

/// A test to be created.
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
    /// The points that it gives.
    pub points: u32,
    /// The language of a programming question; without it, it has choices.
    #[serde(default)]
    pub language: Option<String>,
}

/// An interview that somebody creates in WeCP itself, in its first group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewWecpInterview {
    /// Its name.
    pub name: String,
    /// Whether it is recorded.
    #[serde(default)]
    pub record: bool,
    /// What the interviewer fills in.
    #[serde(default)]
    pub scorecard: Vec<ScorecardLine>,
}

/// A line of an interview's scorecard, in the words of the API (shared/platforms/REFERENCE.md §15).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScorecardLine {
    /// What is asked.
    pub question: String,
    /// Whether it has to be filled in.
    #[serde(default)]
    pub required: bool,
    /// How it is answered.
    pub type_of_question: LineKind,
    /// What an objective question lets choose from.
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

/// How a line of a scorecard is answered.
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

/// What a reviewer of a test does, or the interviewer of an interview.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WecpReviewerAct {
    /// Lets the programs of a finished test run against other test cases; `retry` goes up.
    Rerun,
    /// Scores an answer of a finished test anew; `retry` goes up.
    Rescore {
        /// The question's title or id.
        question: String,
        /// Its points.
        score: u32,
    },
    /// Holds an interview and fills in its scorecard, or fills it in again.
    Conduct {
        /// One answer for each line; made up if there are none.
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
    /// What the interviewer fills in.
    pub scorecard: Vec<ScorecardLine>,
    /// What the creator wants kept with it.
    pub metadata: Value,
    /// When it was created.
    pub created: Timestamp,
    /// Whether a call of the API created it; otherwise a person did, in WeCP itself.
    pub by_api: bool,
}
