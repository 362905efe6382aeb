//! Participants of any platform, and what candidates do.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::record::Platform;

/// A candidate whom somebody invites in the platform itself.
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
    /// Answers every question, or stays to the end of a live interview; calls back `new_response` or `completed`.
    Answer,
    /// Declines. Nothing is known of a way to decline a test of WeCP, so there it is refused.
    Decline,
    /// The invitation bounces.
    Bounce,
    /// The time runs out.
    Expire,
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

/// When a live interview is to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meeting {
    /// When it begins.
    pub at: Timestamp,
    /// How long it is to last, in minutes.
    pub minutes: u32,
    /// The interviewers, as they were given.
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
    /// The name of its stage; empty on WeCP, which has none.
    pub stage: String,
    /// Its scores: line or question, points, points possible.
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
    /// What the inviter wants kept with it; null on Willo, which keeps nothing.
    pub metadata: Value,
    /// How often a finished test was evaluated again.
    pub retry: u32,
    /// The candidate's link.
    pub link: Option<String>,
    /// When a live interview is to be.
    pub meeting: Option<Meeting>,
}
