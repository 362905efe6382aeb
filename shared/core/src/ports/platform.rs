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

/// What a platform can do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capabilities {
    /// It calls back.
    pub callbacks: bool,
    /// One call of its list tells the standing of many invitations. Below this many waiting ones, asking for each is
    /// cheaper than the list; 0: always the list.
    pub list_from: usize,
    /// The statuses it can tell.
    pub statuses: Vec<Status>,
    /// It arranges live interviews.
    pub live_interviews: bool,
    /// It keeps talent pools.
    pub pools: bool,
}

/// The kind of an assessment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AssessmentKind {
    /// A recorded video interview.
    VideoInterview,
    /// A test.
    Test,
    /// A live interview.
    LiveInterview,
}

/// Something candidates can be invited to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assessment {
    /// Its id.
    pub id: AssessmentId,
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: AssessmentKind,
}

/// An invitation to be sent.
#[derive(Clone, Debug)]
pub struct InviteOrder {
    /// Our reference.
    pub client_ref: String,
    /// To what.
    pub assessment: AssessmentId,
    /// Whom.
    pub person: Person,
    /// Ids that the platform may keep with it.
    pub metadata: BTreeMap<String, String>,
    /// What the mapping tells the platform; the platform's crate has validated it.
    pub options: Settings,
    /// What is done with the candidate there.
    pub task: Task,
}

/// What is done with a candidate on the platform.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Task {
    /// They are invited.
    #[default]
    Invite,
    /// They are met, live.
    Meet {
        /// When.
        appointment: Appointment,
        /// By these users of the platform account: their e-mail addresses.
        interviewers: Vec<String>,
    },
    /// They are put into a talent pool, with these tags. Nothing is expected of them.
    Pool {
        /// The tags.
        tags: Vec<String>,
    },
}

/// Something candidates can be invited to that is to be made.
#[derive(Clone, Debug)]
pub struct AssessmentOrder {
    /// Our name for it: unlike any other's, and the same whenever it is asked for again.
    pub client_ref: String,
    /// What to make, in the platform's word.
    pub wanted: AssessmentId,
    /// The vacancy's title, where it is made for one.
    pub vacancy: Option<String>,
    /// What the mapping tells the platform.
    pub options: Settings,
}

/// What taking back came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Withdrawn {
    /// It is gone from the platform, or was before.
    Done,
    /// The platform cannot do it here: why, and what a person should do, in whole sentences.
    Impossible {
        /// Why.
        why: String,
    },
}

/// What a platform answered to an invitation that it did not refuse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InviteAnswer {
    /// It has it.
    Created {
        /// Under this reference.
        reference: Reference,
        /// With this link for the candidate.
        link: Option<String>,
    },
    /// It had the candidate before.
    AlreadyThere {
        /// Under this reference, if it said.
        reference: Option<Reference>,
    },
}

/// An invitation that a platform has for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The platform's reference.
    pub reference: Reference,
    /// Our reference, if it gave one back.
    pub client_ref: Option<String>,
    /// The link for the candidate, if it gave one.
    pub link: Option<String>,
}

/// One line of a platform's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedStatus {
    /// Which invitation.
    pub reference: Reference,
    /// Where it stands, if the list tells.
    pub status: Option<Status>,
    /// Changes when anything about it changes that a result would show.
    pub change_token: String,
}

/// A page of a platform's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SweepPage {
    /// The lines.
    pub lines: Vec<ListedStatus>,
    /// Where to go on; `None`: this was the last page. It holds no secret and nobody's data, is at most
    /// [`LONGEST_NEXT`](Self::LONGEST_NEXT) bytes long, and does not wear out: it may be kept, and another process may go
    /// on with it later.
    pub next: Option<String>,
    /// How many lines could not be read.
    pub set_aside: u32,
}

impl SweepPage {
    /// The longest that what leads to the next page can be, in bytes.
    pub const LONGEST_NEXT: usize = 1024;
}

/// Where a platform is to call back.
#[derive(Clone, Debug)]
pub struct CallbackAddress {
    /// The public address of the listener, without the path (`https://hooks.example.com/`).
    pub public_url: Url,
    /// The tenant's and account's part of the path, before the token (`callbacks/acme/willo/`).
    pub path: String,
    /// The token.
    pub token: CallbackToken,
}

/// What registering the callbacks came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Registration {
    /// Newly created.
    pub created: u32,
    /// Ours, and brought up to date.
    pub changed: u32,
    /// Ours, and as wanted.
    pub kept: u32,
}

/// A platform account.
#[async_trait]
pub trait Platform: Send + Sync {
    /// What it can do.
    fn capabilities(&self) -> Capabilities;

    /// What candidates can be invited to.
    async fn assessments(&self) -> Result<Vec<Assessment>, CallError>;

    /// Invites. A refusal is a [`CallError`] with the phase `Refused`.
    async fn invite(&self, order: &InviteOrder) -> Result<InviteAnswer, CallError>;

    /// Makes what the order describes, or finds what an earlier call for the same `client_ref` has made: of two that race
    /// each may make one, and the ledger says which is used.
    async fn ensure_assessment(&self, order: &AssessmentOrder) -> Result<AssessmentId, CallError>;

    /// Takes back an invitation, or takes the candidate out of the pool that they were put into. Safe to repeat.
    async fn withdraw(
        &self,
        assessment: &AssessmentId,
        reference: &Reference,
    ) -> Result<Withdrawn, CallError>;

    /// A digest of an e-mail address, keyed with a secret of the account, so that a row can tell the address that was
    /// sent to from another without having it. `None` if the account has no secret to key it with.
    fn address_digest(&self, email: &str) -> Option<String>;

    /// Looks for invitations of this person to this assessment: after an unknown outcome, or when the platform says
    /// that it has them already. `sent_to` is the [digest](Self::address_digest) of the address that was sent to, which may
    /// have been corrected since: whoever has either address is meant. Those with our `client_ref` come first. A list that
    /// cannot be read to its end before the `deadline` is an error.
    async fn find(
        &self,
        assessment: &AssessmentId,
        person: &Person,
        client_ref: &str,
        sent_to: Option<&str>,
        deadline: Deadline,
    ) -> Result<Vec<Found>, CallError>;

    /// The result of an invitation. An invitation that the platform has no more is [`Status::Cancelled`].
    async fn result(
        &self,
        assessment: &AssessmentId,
        reference: &Reference,
    ) -> Result<AssessmentResult, CallError>;

    /// One page of the platform's list of an assessment's invitations: the first, or the one that `next` leads to, which
    /// an earlier page of the same assessment gave. One call, so a long list can be read in as many goes as it takes. What changed its place between two of them can be
    /// missed until the list is read from the beginning again. A list that has become shorter than where `next` leads
    /// ends there; where going on keeps failing in another way, the beginning may still be readable.
    async fn list(
        &self,
        assessment: &AssessmentId,
        next: Option<&str>,
    ) -> Result<SweepPage, CallError>;

    /// Sees that the platform calls back for these assessments: lists what is registered, compares, creates or changes
    /// what is missing. Safe to repeat.
    async fn register_callbacks(
        &self,
        address: &CallbackAddress,
        assessments: &[AssessmentId],
    ) -> Result<Registration, CallError>;
}

/// A platform's call to us, as it arrived. Its debug form shows no content.
pub struct IncomingCall<'a> {
    /// The query of the path, decoded, in order.
    pub query: &'a [(String, String)],
    /// The headers, names in lower case.
    pub headers: &'a [(String, String)],
    /// The body.
    pub body: &'a [u8],
}

/// What is known of a call's sender, beyond the token in its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureCheck {
    /// A signature over the body is right.
    Authentic,
    /// The platform has no signature: the token is all there is.
    TokenOnly,
    /// A signature was due and is missing or wrong.
    Forged,
}

/// What a delivery is about, as a hint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WebhookHint {
    /// The event that it claims to be.
    pub event: Option<String>,
    /// Whatever in it could be a reference.
    pub references: Vec<Reference>,
}

/// A delivery that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the delivery cannot be read: {0}")]
pub struct Unreadable(pub String);

/// Reads a platform's callbacks. Pure.
pub trait WebhookParser: Send + Sync {
    /// Whether the call is the platform's.
    fn verify(&self, call: &IncomingCall<'_>) -> SignatureCheck;

    /// What it is about.
    fn read(&self, call: &IncomingCall<'_>) -> Result<WebhookHint, Unreadable>;
}

/// Opens a tenant's platform accounts.
#[async_trait]
pub trait PlatformConnections: Send + Sync {
    /// The account, ready to be called.
    async fn platform(
        &self,
        tenant: &Tenant,
        account: &AccountId,
    ) -> Result<Arc<dyn Platform>, CallError>;

    /// The reader of the account's callbacks; `None` if it has none.
    fn reader(&self, tenant: &Tenant, account: &AccountId) -> Option<Arc<dyn WebhookParser>>;
}
