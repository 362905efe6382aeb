//! The sandbox's records of everything that happened, for a test to judge by.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A platform. Account names are unique within one, not across.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Platform {
    /// Willo.
    Willo,
    /// WeCP.
    Wecp,
}

/// A call that a simulator received.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallRecord {
    /// When it had arrived completely.
    pub at: Timestamp,
    /// The Eploy system or the platform account.
    pub system: String,
    /// The operation (`eploy.actions.create`).
    pub operation: Cow<'static, str>,
    /// The method.
    pub method: String,
    /// The path without the query, which may carry personal data.
    pub path: String,
    /// The status of the response; none if the connection was closed instead.
    pub status: Option<u16>,
    /// The fault that was injected (`drop_after`), if any.
    pub fault: Option<Cow<'static, str>>,
}

/// An invitation of a candidate: to a Willo interview, a WeCP test or, at a time, a WeCP interview.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvitationRecord {
    /// The time.
    pub at: Timestamp,
    /// The platform.
    pub platform: Platform,
    /// Its account.
    pub account: String,
    /// The key of the interview or test.
    pub interview: String,
    /// The address that it went to, in lower case; empty if there was none.
    pub email: String,
    /// The number that it went to; empty if there was none.
    pub phone: String,
    /// The participant's key.
    pub participant: String,
    /// The caller's own id of it.
    pub external_id: Option<String>,
    /// Whether the participant existed before, and was notified again.
    pub again: bool,
    /// Whether the platform notified the candidate; otherwise it only created a link.
    pub mailed: bool,
    /// Whether a call of the API caused it; otherwise a person did, in the platform itself.
    pub by_api: bool,
    /// The acting user that the call named, if any.
    pub user: Option<String>,
}

/// An attempt to deliver a callback.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallbackRecord {
    /// When it ended.
    pub at: Timestamp,
    /// The platform.
    pub platform: Platform,
    /// Its account.
    pub account: String,
    /// The webhook's key. Its URL is left out: it holds the receiver's token.
    pub webhook: String,
    /// The event.
    pub event: Cow<'static, str>,
    /// The participant's key.
    pub participant: String,
    /// The number of the attempt, from 1.
    pub attempt: u32,
    /// The status of the response, if any.
    pub status: Option<u16>,
    /// Why there was no response.
    pub problem: Option<String>,
    /// The fault that was injected, if any.
    pub fault: Option<Cow<'static, str>>,
}

/// A change of an application in Eploy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Write {
    /// It got a stage and status.
    Move,
    /// An action was created for it.
    ActionCreated,
    /// An action of it was changed.
    ActionUpdated,
    /// A note was written on it.
    Note,
    /// A custom question of it was answered.
    Answer,
    /// It was marked as exported.
    Export,
}

/// Who changed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// A call of the API.
    Api,
    /// A recruiter, through the control API.
    Recruiter,
    /// An automatic transition.
    Transition,
}

/// A write to an application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WriteRecord {
    /// The time.
    pub at: Timestamp,
    /// The Eploy system.
    pub system: String,
    /// The application.
    pub application: u64,
    /// The change.
    pub write: Write,
    /// Its author.
    pub by: By,
}

/// A webhook that an HRMS received. The sandbox accepts every signature; the test verifies it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookRecord {
    /// The time.
    pub at: Timestamp,
    /// The HRMS.
    pub hrms: String,
    /// Its headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Its body, as received.
    pub body: String,
}

/// All records, oldest first.
#[derive(Default)]
pub(crate) struct Records {
    pub(crate) calls: Vec<CallRecord>,
    pub(crate) invitations: Vec<InvitationRecord>,
    pub(crate) callbacks: Vec<CallbackRecord>,
    pub(crate) writes: Vec<WriteRecord>,
    pub(crate) webhooks: Vec<WebhookRecord>,
}

/// A part of the records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part<T> {
    /// The records, oldest first.
    pub records: Vec<T>,
    /// The value of `since` to continue.
    pub next: usize,
}

impl<T: Clone> Part<T> {
    /// Those after the first `since`.
    pub(crate) fn of(all: &[T], since: usize) -> Self {
        Self {
            records: all.get(since..).unwrap_or_default().to_vec(),
            next: all.len(),
        }
    }
}
