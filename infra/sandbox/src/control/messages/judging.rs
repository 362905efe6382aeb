//! Faults, and the judgement of tests.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ApplicationView, ParticipantView};
use crate::faults::Rule;
use crate::record::Platform;

/// The active faults.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FaultState {
    /// The rules; those for the next calls with their remaining counts.
    pub rules: Vec<Rule>,
    /// How often each kind has been injected since the start.
    pub injected: BTreeMap<String, u64>,
}

/// The state of the callbacks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// The number that are neither delivered nor given up.
    pub pending: usize,
}

/// An entry into a stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The time.
    pub at: Timestamp,
    /// The stage's name.
    pub stage: String,
    /// The status's name.
    pub status: Option<String>,
}

/// An invitation that was sent to a candidate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// The time.
    pub at: Timestamp,
    /// The platform.
    pub platform: Platform,
    /// Its account.
    pub account: String,
    /// The interview or test.
    pub interview: String,
    /// The participant.
    pub participant: String,
    /// The inviter's own id of it.
    pub external_id: Option<String>,
    /// Whether an existing participant was notified again.
    pub again: bool,
    /// Whether the platform notified the candidate; otherwise it only created a link.
    pub mailed: bool,
}

/// The judgement of one application: with it a test finds missing and duplicate invitations, and results that were not
/// reported.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// The application as a recruiter sees it.
    pub application: ApplicationView,
    /// Its entries into stages: one for each change of stage, not of status alone.
    pub entries: Vec<Entry>,
    /// Every invitation to a current or former address or number of the candidate, oldest first. A candidate with several
    /// applications has the same ones at each of them.
    pub invitations: Vec<Sent>,
    /// The participants of these invitations, as they are now.
    pub participants: Vec<ParticipantView>,
}
