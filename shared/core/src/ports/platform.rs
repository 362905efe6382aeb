//! A platform, as the core needs it. `shared/platforms` has one module per platform.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::clock::Deadline;
use crate::error::CallError;
use crate::ids::{AccountId, AssessmentId, Reference};
use crate::meeting::Appointment;
use crate::person::Person;
use crate::result::{AssessmentResult, Status};
use crate::tenant::{Settings, Tenant};

use super::CallbackToken;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capabilities {
    pub callbacks: bool,
    /// From how many watched invitations on a sweep reads the list, one call of which gives the status of many; for
    /// fewer it queries each. 0: always the list.
    pub list_from: usize,
    pub statuses: Vec<Status>,
    pub live_interviews: bool,
    pub pools: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AssessmentKind {
    VideoInterview,
    Test,
    LiveInterview,
}

/// Something candidates can be invited to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assessment {
    pub id: AssessmentId,
    pub name: String,
    pub kind: AssessmentKind,
}

/// An invitation to be sent.
#[derive(Clone, Debug)]
pub struct InviteOrder {
    /// Our reference for the invitation.
    pub client_ref: String,
    /// The assessment that the candidate is invited to.
    pub assessment: AssessmentId,
    pub person: Person,
    /// Ids that the platform may store with the invitation.
    pub metadata: BTreeMap<String, String>,
    /// The mapping's options for the platform; the platform's crate has validated them.
    pub options: Settings,
    /// The kind of order.
    pub task: Task,
}

/// What is done with a candidate on the platform.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Task {
    #[default]
    Invite,
    /// Schedule a live interview.
    Meet {
        /// When it takes place.
        appointment: Appointment,
        /// The interviewers, users of the platform account: their e-mail addresses.
        interviewers: Vec<String>,
    },
    /// Add them to a talent pool, with these tags. Nothing is expected of them.
    Pool { tags: Vec<String> },
}

/// An order to create an assessment.
#[derive(Clone, Debug)]
pub struct AssessmentOrder {
    /// Our name for it: unique, and the same for every attempt.
    pub client_ref: String,
    /// What to create, in the platform's term.
    pub configured: AssessmentId,
    /// The vacancy's title, where the assessment is created for one.
    pub vacancy: Option<String>,
    pub options: Settings,
}

/// The outcome of withdrawing an invitation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Withdrawn {
    /// The platform does not have it any more, or never had it.
    Done,
    /// The platform cannot withdraw it.
    Impossible {
        /// Why, and what a person should do, in whole sentences.
        why: String,
    },
}

/// A platform's answer to an order that it did not refuse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InviteAnswer {
    Created {
        reference: Reference,
        link: Option<String>,
    },
    /// The platform already had the candidate.
    AlreadyThere {
        /// The platform's reference, if it gave one.
        reference: Option<Reference>,
    },
}

/// An invitation that a platform has for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub reference: Reference,
    /// Our reference, if the platform returned it.
    pub client_ref: Option<String>,
    /// The link for the candidate, if the platform returned it.
    pub link: Option<String>,
}

/// One line of a platform's list of invitations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedStatus {
    pub reference: Reference,
    /// The invitation's status, if the list has it.
    pub status: Option<Status>,
    /// Changes whenever anything changes that a result would show.
    pub change_token: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SweepPage {
    pub lines: Vec<ListedStatus>,
    /// The token of the next page; `None`: this was the last. It holds no secret and no personal data, has at most
    /// [`MAX_NEXT_BYTES`](Self::MAX_NEXT_BYTES) bytes, and does not expire: it may be stored, and another process may
    /// continue with it later.
    pub next: Option<String>,
    /// How many lines could not be read.
    pub set_aside: u32,
}

impl SweepPage {
    /// The maximum length of `next`.
    pub const MAX_NEXT_BYTES: usize = 1024;
}

/// The address that a platform calls back.
#[derive(Clone, Debug)]
pub struct CallbackAddress {
    /// The public address of the listener, without the path (`https://hooks.example.com/`).
    pub public_url: Url,
    /// The tenant's and account's part of the path, before the token (`callbacks/acme/willo/`).
    pub path: String,
    pub token: CallbackToken,
}

/// The outcome of registering callbacks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Registration {
    /// Newly created.
    pub created: u32,
    /// Ours, and updated.
    pub changed: u32,
    /// Ours, and already as required.
    pub kept: u32,
}

#[async_trait]
pub trait Platform: Send + Sync {
    fn capabilities(&self) -> Capabilities;

    /// The assessments that candidates can be invited to.
    async fn assessments(&self) -> Result<Vec<Assessment>, CallError>;

    /// Sends an invitation. A refusal is a [`CallError`] with the phase `Refused`.
    async fn invite(&self, order: &InviteOrder) -> Result<InviteAnswer, CallError>;

    /// Creates what the order describes, or finds what an earlier call for the same `client_ref` created. Of two racing
    /// calls each may create one; the ledger decides which is used.
    async fn ensure_assessment(&self, order: &AssessmentOrder) -> Result<AssessmentId, CallError>;

    /// Withdraws an invitation, or removes the candidate from their talent pool. Safe to repeat.
    async fn withdraw(
        &self,
        assessment: &AssessmentId,
        reference: &Reference,
    ) -> Result<Withdrawn, CallError>;

    /// A digest of an e-mail address, keyed with a secret of the account, so that a row can tell the address that was
    /// sent to from another without storing it. `None` if the account has no secret to key it with.
    fn address_digest(&self, email: &str) -> Option<String>;

    /// Finds invitations of this person to this assessment: after an unknown outcome, or when the platform says that it
    /// has them already. `sent_to` is the [digest](Self::address_digest) of the address that was sent to, which may
    /// have been corrected since: invitations to either address count. Those with our `client_ref` come first. A list
    /// that cannot be read to its end before the `deadline` is an error.
    async fn find(
        &self,
        assessment: &AssessmentId,
        person: &Person,
        client_ref: &str,
        sent_to: Option<&str>,
        deadline: Deadline,
    ) -> Result<Vec<Found>, CallError>;

    /// The result of an invitation. One that does not exist on the platform any more is [`Status::Cancelled`].
    async fn result(
        &self,
        assessment: &AssessmentId,
        reference: &Reference,
    ) -> Result<AssessmentResult, CallError>;

    /// One page of the platform's list of an assessment's invitations: the first, or the one of `next`, which an
    /// earlier page of the same assessment gave. One call, so a long list can be read in several runs. A line that
    /// moves between two pages can be missed until the list is read from its beginning again. If the list has become
    /// shorter than the position of `next`, it ends there; if continuing keeps failing in another way, the beginning
    /// may still be readable.
    async fn list(
        &self,
        assessment: &AssessmentId,
        next: Option<&str>,
    ) -> Result<SweepPage, CallError>;

    /// Makes the platform call back for these assessments: compares with what is registered, and creates or changes
    /// what is missing. Safe to repeat.
    async fn register_callbacks(
        &self,
        address: &CallbackAddress,
        assessments: &[AssessmentId],
    ) -> Result<Registration, CallError>;
}

/// A platform's callback. Its debug form shows no content.
pub struct IncomingCall<'a> {
    /// The query of the path, decoded, in order.
    pub query: &'a [(String, String)],
    /// The headers, names in lower case.
    pub headers: &'a [(String, String)],
    pub body: &'a [u8],
}

/// What is known of the sender of a callback, beyond the token in its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureCheck {
    /// The signature over the body is valid.
    Authentic,
    /// The platform does not sign: the token is the only proof.
    TokenOnly,
    /// The required signature is missing or wrong.
    Forged,
}

/// What a callback is about, as a hint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WebhookHint {
    /// The event that it claims to be.
    pub event: Option<String>,
    /// Everything in it that may be a reference.
    pub references: Vec<Reference>,
}

/// A callback that cannot be parsed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the delivery cannot be read: {0}")]
pub struct Unreadable(pub String);

/// Parses a platform's callbacks. Pure.
pub trait WebhookParser: Send + Sync {
    /// Whether the platform sent the call.
    fn verify(&self, call: &IncomingCall<'_>) -> SignatureCheck;

    /// What it is about.
    fn read(&self, call: &IncomingCall<'_>) -> Result<WebhookHint, Unreadable>;
}

/// Opens tenants' platform accounts.
#[async_trait]
pub trait PlatformConnections: Send + Sync {
    /// The account, ready to be called.
    async fn platform(
        &self,
        tenant: &Tenant,
        account: &AccountId,
    ) -> Result<Arc<dyn Platform>, CallError>;

    /// The platform's name as people write it, for recruiters' texts.
    fn title(&self, tenant: &Tenant, account: &AccountId) -> String;

    /// The parser of the account's callbacks; `None` if it has none.
    fn reader(&self, tenant: &Tenant, account: &AccountId) -> Option<Arc<dyn WebhookParser>>;
}
