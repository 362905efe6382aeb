//! What the control API says of Willo accounts, and acts of their reviewers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::quirks::Quirks;

/// The configuration of a Willo account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountInfo {
    /// Its name.
    pub name: String,
    /// The base URL, to which `/api/integrations/v2/…` is appended; without a slash at the end.
    pub base_url: String,
    /// Its API key.
    pub api_key: String,
    /// The prefix of links for candidates and reviewers.
    pub links: String,
    /// Its interviews: keys and titles.
    pub interviews: Vec<(String, String)>,
    /// Its stages: keys and names.
    pub stages: Vec<(String, String)>,
    /// Its switches.
    #[serde(rename = "switches")]
    pub quirks: Quirks,
}

impl AccountInfo {
    /// The address of its API.
    pub fn api_url(&self) -> String {
        format!("{}/api/integrations/v2/", self.base_url)
    }
}

/// Changes to a Willo account; absent fields are unchanged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AccountSettings {
    /// The switches to change, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[serde(rename = "switches")]
    pub quirks: BTreeMap<String, Value>,
    /// The API key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_key: Option<String>,
    /// The prefix of links.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub links: Option<String>,
}

/// An act of a reviewer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReviewerAct {
    /// Scores a line of the scorecard; calls back `new_score`.
    Score {
        /// The line.
        title: String,
        /// Points.
        value: f64,
        /// Points possible.
        max: f64,
    },
    /// Rates the whole; calls back `new_score`.
    Rate {
        /// 1 to 5.
        stars: u8,
    },
    /// Comments; calls back `new_comment`.
    Comment {
        /// The comment.
        text: String,
    },
    /// Moves to a stage; calls back `stage_change`.
    Stage {
        /// The stage's name.
        name: String,
    },
    /// Removes the participant; no callback.
    Remove,
}
