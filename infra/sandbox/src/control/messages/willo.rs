//! Willo accounts and what candidates and reviewers do.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::willo;

/// A Willo account as it is set up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountInfo {
    /// Its name.
    pub name: String,
    /// What `/api/integrations/v2/…` is appended to; without a slash at the end.
    pub base_url: String,
    /// Its API key.
    pub api_key: String,
    /// What links for candidates and reviewers begin with.
    pub links: String,
    /// Its interviews: keys and titles.
    pub interviews: Vec<(String, String)>,
    /// Its stages: keys and names.
    pub stages: Vec<(String, String)>,
    /// Its switches.
    pub switches: willo::Switches,
}

/// Changes to a Willo account; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AccountSettings {
    /// The switches to change, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub switches: BTreeMap<String, Value>,
    /// The API key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_key: Option<String>,
    /// What links begin with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub links: Option<String>,
}

/// An interview to be created.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewInterview {
    /// Its title.
    pub title: String,
}

/// A candidate whom somebody invites in Willo itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ByHand {
    /// The interview's key.
    pub interview: String,
    /// The candidate's name.
    pub name: String,
    /// The candidate's address.
    pub email: String,
}

/// Where a participant stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// The invitation is out.
    Invited,
    /// The candidate has opened it.
    Opened,
    /// The candidate has begun.
    Started,
    /// The candidate has answered.
    Completed,
    /// The candidate does not want to.
    Declined,
    /// The invitation did not arrive.
    Bounced,
    /// The time is over.
    Expired,
}

impl Standing {
    /// Whether the candidate can still do something.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Invited | Self::Opened | Self::Started)
    }
}

/// What a candidate does, or what happens to the invitation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CandidateAct {
    /// Opens the invitation.
    Open,
    /// Begins.
    Start,
    /// Answers every question; calls back `new_response`.
    Answer,
    /// Declines.
    Decline,
    /// The invitation bounces.
    Bounce,
    /// The time runs out.
    Expire,
}

/// What a reviewer does.
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
    /// Removes the participant; calls back nothing.
    Remove,
}

/// Somebody does something with several participants.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acts<A> {
    /// Their keys.
    pub participants: Vec<String>,
    /// What.
    pub act: A,
}

/// A participant as Willo has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ParticipantView {
    /// The account.
    pub account: String,
    /// Its key.
    pub key: String,
    /// The interview's key.
    pub interview: String,
    /// The address, as it was given.
    pub email: String,
    /// The number, as it was given.
    pub phone: String,
    /// What the inviter calls it.
    pub external_id: Option<String>,
    /// Where it stands.
    pub standing: Standing,
    /// Whether it was removed.
    pub removed: bool,
    /// The name of its stage.
    pub stage: String,
    /// Its scores: line, points, points possible.
    pub scores: Vec<(String, f64, f64)>,
    /// Its rating.
    pub stars: Option<u8>,
    /// How many comments it has.
    pub comments: usize,
    /// When it was created.
    pub created: Timestamp,
    /// When the candidate began.
    pub started: Option<Timestamp>,
    /// When the candidate finished.
    pub completed: Option<Timestamp>,
}
