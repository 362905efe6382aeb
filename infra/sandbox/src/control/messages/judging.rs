//! Faults, and what a test judges by.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ApplicationView, ParticipantView};
use crate::faults::Rule;
use crate::record::Platform;

/// The faults in force.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FaultState {
    /// The rules, those for the next calls with what is left of them.
    pub rules: Vec<Rule>,
    /// How often each kind has been injected since the start.
    pub injected: BTreeMap<String, u64>,
}

/// How far the callbacks are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// How many are neither delivered nor given up.
    pub pending: usize,
}

/// An entry into a stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When.
    pub at: Timestamp,
    /// The stage's name.
    pub stage: String,
    /// The status's name.
    pub status: Option<String>,
}

/// An invitation that went to a candidate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// When.
    pub at: Timestamp,
    /// The platform.
    pub platform: Platform,
    /// Its account.
    pub account: String,
    /// The interview or test.
    pub interview: String,
    /// The participant.
    pub participant: String,
    /// What the inviter calls it.
    pub external_id: Option<String>,
    /// Whether an existing participant was written to again.
    pub again: bool,
    /// Whether the platform wrote to the candidate; otherwise it only made a link.
    pub mailed: bool,
}

/// What can be said of one application, for a test to find invitations that are missing or double, and results that
/// were not reported.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// The application as a recruiter sees it.
    pub application: ApplicationView,
    /// When it came to which stage: one entry per change of stage, not of status alone.
    pub entries: Vec<Entry>,
    /// Every invitation that went to an address or number that the candidate has or had, oldest first. A candidate with
    /// several applications has the same ones at each of them.
    pub invitations: Vec<Sent>,
    /// The participants that these invitations made, as they now are.
    pub participants: Vec<ParticipantView>,
}
