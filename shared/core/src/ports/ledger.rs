//! The ledger's ports. Every adapter passes the conformance suite in `tests/`.

use std::collections::BTreeSet;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::ids::{
    AccountId, ApplicationId, AssessmentId, AssessmentRef, CandidateId, InvitationKey, Reference,
    TenantId,
};
use crate::invitation::{Failure, Invitation};

/// The outcome of an insert.
#[derive(Clone, Debug, PartialEq)]
pub enum Inserted {
    New,
    /// The key exists; the stored row is unchanged.
    Existed,
    /// Not saved: the candidate was erased.
    Erased,
}

/// The outcome of a save.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Saved {
    Saved,
    /// Another writer changed the row meanwhile: load it and decide again.
    Conflict,
}

/// The owner of a platform's reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bound {
    /// This invitation, now or from an earlier call.
    Ours,
    Other(InvitationKey),
    /// Nobody, and nobody any more: this invitation's candidate was erased.
    Erased,
}

/// An invitation that waits for the platform, as a sweep needs it. Level and time are those of its
/// [`crate::invitation::Schedule::Sweep`].
#[derive(Clone, Debug, PartialEq)]
pub struct WatchedInvitation {
    pub key: InvitationKey,
    pub reference: Reference,
    /// The state's level at the last sweep, see [`crate::invitation::State::level`].
    pub level: u8,
    /// The change token of the last sweep.
    pub change_token: Option<String>,
    /// When the platform accepted the invitation.
    pub invited_at: Option<Timestamp>,
    /// When watching ends.
    pub until: Option<Timestamp>,
}

#[async_trait]
pub trait Ledger: Send + Sync {
    /// Saves a new invitation, unless its key exists or its candidate was erased.
    async fn insert(&self, invitation: &Invitation) -> Result<Inserted, StoreError>;

    /// Saves a change: `next` replaces the row only if the row's version is `next.version - 1`.
    async fn save(&self, next: &Invitation) -> Result<Saved, StoreError>;

    async fn load(&self, key: &InvitationKey) -> Result<Option<Invitation>, StoreError>;

    /// All invitations of these applications, in any order; applications without one are absent.
    async fn of_applications(
        &self,
        tenant: &TenantId,
        applications: &[ApplicationId],
    ) -> Result<Vec<Invitation>, StoreError>;

    /// Binds a platform's reference to this invitation, permanently, unless another owns it; and only if the candidate
    /// was not erased. A worker that binds afterwards, and dies, would leave what names the invitation.
    async fn bind_reference(
        &self,
        account: &AccountId,
        reference: &Reference,
        owner: &Invitation,
    ) -> Result<Bound, StoreError>;

    /// The owner of a platform's reference.
    async fn find_by_reference(
        &self,
        tenant: &TenantId,
        account: &AccountId,
        reference: &Reference,
    ) -> Result<Option<InvitationKey>, StoreError>;

    /// The assessment that was created on a platform account under this name of ours, if it is saved.
    async fn find_created_assessment(
        &self,
        tenant: &TenantId,
        account: &AccountId,
        name: &str,
    ) -> Result<Option<AssessmentId>, StoreError>;

    /// Saves the assessment that was created under that name, unless one is saved. Returns the saved one: of several
    /// writers the first wins, permanently.
    async fn save_created_assessment(
        &self,
        tenant: &TenantId,
        account: &AccountId,
        name: &str,
        made: &AssessmentId,
    ) -> Result<AssessmentId, StoreError>;

    async fn erased(&self, tenant: &TenantId) -> Result<BTreeSet<CandidateId>, StoreError>;

    /// Removes the row of an invitation whose candidate was erased. Returns whether the candidate was erased.
    ///
    /// An erasure saves its tombstone first and then removes what it finds. So a writer that has saved something about
    /// a candidate, or is about to act on it, calls this afterwards: either the erasure finds the row or this call
    /// finds the tombstone.
    async fn purge_if_erased(&self, invitation: &Invitation) -> Result<bool, StoreError>;

    /// The invitations of one assessment whose schedule is [`crate::invitation::Schedule::Sweep`], in any order.
    async fn waiting(
        &self,
        tenant: &TenantId,
        assessment: &AssessmentRef,
    ) -> Result<Vec<WatchedInvitation>, StoreError>;
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SweepState {
    /// When it is due; `None`: nothing is watched, so it is idle.
    pub due_at: Option<Timestamp>,
    /// When the last complete sweep began.
    pub last_at: Option<Timestamp>,
    /// Failures in a row.
    pub failures: u32,
    /// How often it was scheduled, counted by the store alone. With it a save notices a scheduling that left `due_at`
    /// unchanged because the sweep was due earlier anyway.
    #[serde(default)]
    pub armed: u64,
    /// The value of `armed` when a sweep last found nothing to watch. The sweep becomes idle only if the next one finds
    /// the same value: a writer schedules the sweep before it saves the row that is to be watched, and may be between
    /// the two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub empty_at: Option<u64>,
    /// The position in the platform's list, if the list is longer than one sweep can read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reading: Option<SweepReading>,
    /// The failure to read the platform's list to its end, if the last attempt failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing: Option<SweepFailing>,
    /// Lines of the platform's list that could not be read when it was last read to its end.
    #[serde(default)]
    pub set_aside: u32,
}

/// A sweep that keeps failing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SweepFailing {
    /// The last failure, with the time of the first and the number of failed sweeps.
    #[serde(alias = "trouble")]
    pub failure: Failure,
    /// When the last of them failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// The last open invitation that was queried, of those that are queried one by one meanwhile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_after: Option<String>,
    /// The same for ended invitations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_after: Option<String>,
}

/// A platform's list of several pages, partly read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SweepReading {
    /// The next page, in the platform's own format; `None`: the first.
    pub next: Option<String>,
    /// Pages read so far.
    pub pages: u32,
    /// When the first page was read.
    pub began_at: Timestamp,
    /// Changes found so far.
    pub news: usize,
    /// Unreadable lines so far.
    #[serde(default)]
    pub set_aside: u32,
}

impl SweepState {
    /// Forgets the positions in the platform's list and in the one-by-one queries: a position may be a candidate's.
    /// Returns whether there was one.
    pub fn forget_places(&mut self) -> bool {
        let failing = self.failing.as_mut().is_some_and(|failing| {
            let places = [failing.open_after.take(), failing.ended_after.take()];
            places.iter().any(Option::is_some)
        });
        self.reading.take().is_some() || failing
    }

    /// Whether scheduling it for `at` would change only the count, and is not needed: it is due by then, and its last
    /// run found something to watch. Before it becomes idle it has to find nothing twice, and the second run is at
    /// least a lease after the first: by then the row that is to be watched is saved, or its writer has lost the row to
    /// another.
    pub fn is_armed_for(&self, at: Timestamp) -> bool {
        self.due_at.is_some_and(|due| due <= at) && self.empty_at.is_none()
    }
}

#[async_trait]
pub trait Sweeps: Send + Sync {
    /// Makes the sweep due at `at` at the latest: schedules an idle one, and brings a later one forward. Counted in
    /// [`SweepState::armed`] in either case.
    async fn schedule_sweep(
        &self,
        tenant: &TenantId,
        assessment: &AssessmentRef,
        at: Timestamp,
    ) -> Result<(), StoreError>;

    /// The sweep's state; the default if there never was one.
    async fn load_sweep(
        &self,
        tenant: &TenantId,
        assessment: &AssessmentRef,
    ) -> Result<SweepState, StoreError>;

    /// Saves the state after a sweep, if the stored state is still `expected`. A sweep that was scheduled since then
    /// stays due, and the save returns [`Saved::Conflict`]. The store keeps its own count of [`SweepState::armed`] and
    /// ignores that of `next`.
    async fn save_sweep(
        &self,
        tenant: &TenantId,
        assessment: &AssessmentRef,
        expected: &SweepState,
        next: &SweepState,
    ) -> Result<Saved, StoreError>;
}

/// One callback, reduced to the references that it names: what is needed, and no personal data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// SHA-256 of account, route and body, in hex: a repeated call is the same delivery.
    pub id: String,
    pub tenant: TenantId,
    /// The platform account that it came from.
    pub account: AccountId,
    pub at: Timestamp,
    /// The event that it claims to be (`new_response`); a hint.
    pub event: Option<String>,
    /// Everything in it that may be a platform's reference.
    pub references: Vec<Reference>,
    /// How often processing it failed.
    pub tries: u32,
    /// Whether it was given up although its invitations are known: their results could not be saved.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub given_up: bool,
}

/// The outcome of processing a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeliveryOutcome {
    /// Its invitations are being updated.
    Handled,
    /// None of its references is known. Process it again at this time: the invitation may be saved by then.
    Again(Timestamp),
    /// None of its references is known, or it was [given up](Delivery::given_up): parked for an operator.
    Unmatched,
}

#[async_trait]
pub trait Deliveries: Send + Sync {
    /// Stores a delivery durably, due at `due_at`; `None`: not due, because it goes into a
    /// [durable](super::Queue::is_durable) queue. A repeated delivery is stored once; one that was handled before
    /// becomes pending again, because the platform may mean it.
    async fn store(&self, delivery: &Delivery, due_at: Option<Timestamp>)
    -> Result<(), StoreError>;

    async fn load_delivery(
        &self,
        tenant: &TenantId,
        id: &str,
    ) -> Result<Option<Delivery>, StoreError>;

    /// Saves the outcome, and the delivery as given: the caller counts its `tries`.
    async fn settle(&self, delivery: &Delivery, fate: &DeliveryOutcome) -> Result<(), StoreError>;

    /// The parked deliveries of a tenant, newest first, at most `limit`.
    async fn unmatched(&self, tenant: &TenantId, limit: usize)
    -> Result<Vec<Delivery>, StoreError>;
}
