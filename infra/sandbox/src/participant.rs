//! Participants of any platform, and candidates' acts.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::record::Platform;

/// A candidate invited in the platform itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ByHand {
    /// The key of the interview or test.
    pub interview: String,
    /// The candidate's name.
    pub name: String,
    /// The candidate's address.
    pub email: String,
}

/// The state of a participant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// The invitation was sent.
    Invited,
    /// The candidate has opened it.
    Opened,
    /// The candidate has begun.
    Started,
    /// The candidate has answered.
    Completed,
    /// The candidate has declined.
    Declined,
    /// The invitation did not arrive.
    Bounced,
    /// The invitation has expired.
    Expired,
}

impl Standing {
    /// Whether the candidate can still act.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Invited | Self::Opened | Self::Started)
    }
}

/// An act of a candidate, or an event of the invitation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CandidateAct {
    /// Opens the invitation.
    Open,
    /// Begins.
    Start,
    /// Answers every question, or stays to the end of a live interview; calls back `new_response` or `completed`.
    Answer,
    /// Declines. No way to decline a test of WeCP is known, so there it is rejected.
    Decline,
    /// The invitation bounces.
    Bounce,
    /// The invitation expires.
    Expire,
}

/// The schedule of a live interview.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meeting {
    /// Its start.
    pub at: Timestamp,
    /// Its duration, in minutes.
    pub minutes: u32,
    /// The interviewers, as given.
    pub interviewers: Vec<String>,
}

/// A participant as the platform has it: of a Willo interview, a WeCP test or a WeCP interview.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ParticipantView {
    /// The platform.
    pub platform: Platform,
    /// Its account.
    pub account: String,
    /// Its key.
    pub key: String,
    /// The key of the interview or test.
    pub interview: String,
    /// The address, as given.
    pub email: String,
    /// The number, as given.
    pub phone: String,
    /// The inviter's own id of it.
    pub external_id: Option<String>,
    /// Its state.
    pub standing: Standing,
    /// Whether it was removed.
    pub removed: bool,
    /// The name of its stage; empty on WeCP, which has none.
    pub stage: String,
    /// Its scores: line or question, points, points possible.
    pub scores: Vec<(String, f64, f64)>,
    /// Its rating.
    pub stars: Option<u8>,
    /// The number of comments.
    pub comments: usize,
    /// When it was created.
    pub created: Timestamp,
    /// When the candidate began.
    pub started: Option<Timestamp>,
    /// When the candidate finished.
    pub completed: Option<Timestamp>,
    /// The inviter's metadata; null on Willo, which stores none.
    pub metadata: Value,
    /// How often a finished test was evaluated again.
    pub retry: u32,
    /// The candidate's link.
    pub link: Option<String>,
    /// The schedule of a live interview.
    pub meeting: Option<Meeting>,
}
