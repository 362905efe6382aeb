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

/// Whether a new invitation is now on record.
#[derive(Clone, Debug, PartialEq)]
pub enum Inserted {
    /// It is.
    New,
    /// One of that key was there before, and still is as it was.
    Existed,
    /// It is not: the candidate was erased.
    Erased,
}

/// Whether a change is now on record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Saved {
    /// It is.
    Saved,
    /// Somebody else changed the row meanwhile: load it and think again.
    Conflict,
}

/// Whose a platform's reference is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bound {
    /// This invitation's: now, or since before.
    Ours,
    /// Another invitation's.
    Other(InvitationKey),
}

/// An invitation that only the platform can move, as a sweep needs it: level and time are those of its
/// [`crate::invitation::Schedule::Sweep`].
#[derive(Clone, Debug, PartialEq)]
pub struct WatchedInvitation {
    /// Which.
    pub key: InvitationKey,
    /// The platform's reference.
    pub reference: Reference,
    /// The state's level when a sweep last looked, see [`crate::invitation::State::level`].
    pub level: u8,
    /// The mark of the last sweep.
    pub change_token: Option<String>,
    /// When the platform accepted it.
    pub invited_at: Option<Timestamp>,
    /// Until when it is watched.
    pub until: Option<Timestamp>,
}

/// The invitations.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// Puts a new invitation on record, unless its key is there or its candidate was erased.
    async fn insert(&self, invitation: &Invitation) -> Result<Inserted, StoreError>;

    /// Saves a change: `next` replaces the row only if the row's version is `next.version - 1`.
    async fn save(&self, next: &Invitation) -> Result<Saved, StoreError>;

    /// The invitation of this key.
    async fn load(&self, key: &InvitationKey) -> Result<Option<Invitation>, StoreError>;

    /// All invitations of these applications, in any order; applications without one are simply absent.
    async fn of_applications(
        &self,
        tenant: &TenantId,
        applications: &[ApplicationId],
    ) -> Result<Vec<Invitation>, StoreError>;

    /// Says that a platform's reference is this invitation's, for good, unless it is another's.
    async fn bind_reference(
        &self,
        account: &AccountId,
        reference: &Reference,
        key: &InvitationKey,
    ) -> Result<Bound, StoreError>;

    /// Whose a platform's reference is.
    async fn find_by_reference(
        &self,
        tenant: &TenantId,
        account: &AccountId,
        reference: &Reference,
    ) -> Result<Option<InvitationKey>, StoreError>;

    /// What was made on a platform account under this name of ours, if it is on record.
    async fn find_created_assessment(
        &self,
        tenant: &TenantId,
        account: &AccountId,
        name: &str,
    ) -> Result<Option<AssessmentId>, StoreError>;

    /// Says that this was made under that name, unless something is on record. Returns what is on record: of several
    /// writers the first wins, for good.
    async fn save_created_assessment(
        &self,
        tenant: &TenantId,
        account: &AccountId,
        name: &str,
        made: &AssessmentId,
    ) -> Result<AssessmentId, StoreError>;

    /// Who was erased.
    async fn erased(&self, tenant: &TenantId) -> Result<BTreeSet<CandidateId>, StoreError>;

    /// Removes the row of an invitation whose candidate was erased, and this reference if it is bound to it. Returns whether
    /// the candidate was erased.
    ///
    /// An erasure saves its tombstone first and then removes what it finds. So whoever has put something about a candidate
    /// on record, or is about to act on it, asks afterwards: either the erasure finds it or this finds the tombstone.
    async fn purge_if_erased(
        &self,
        invitation: &Invitation,
        reference: Option<&Reference>,
    ) -> Result<bool, StoreError>;

    /// The invitations of one assessment whose wake is [`crate::invitation::Schedule::Sweep`], in any order.
    async fn waiting(
        &self,
        tenant: &TenantId,
        assessment: &AssessmentRef,
    ) -> Result<Vec<WatchedInvitation>, StoreError>;
}

/// The state of an assessment's sweep.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SweepState {
    /// When it is due; `None`: nothing is waiting, it rests.
    pub due_at: Option<Timestamp>,
    /// When the last look began that saw everybody.
    pub last_at: Option<Timestamp>,
    /// How often it failed in a row.
    pub failures: u32,
    /// How often it was armed, counted by the store alone: that is how a save notices an arming that left `due_at` as it
    /// was, because the sweep was due earlier anyway.
    #[serde(default)]
    pub armed: u64,
    /// How often it had been armed when a sweep last found nothing waiting. Only if the next one finds the same does it
    /// rest: whoever arms does so before the row that is to be watched is saved, and may be in between.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub empty_at: Option<u64>,
    /// Where the platform's list is read on, if it is longer than could be read at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reading: Option<SweepReading>,
    /// Why the platform's list could not be read to its end, if it could not when it was last tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing: Option<SweepFailing>,
    /// Lines of the platform's list that could not be read when it was last read to its end.
    #[serde(default)]
    pub set_aside: u32,
}

/// A sweep that keeps failing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SweepFailing {
    /// The last failure, since when it has been going on, and for how many sweeps.
    #[serde(alias = "trouble")]
    pub failure: Failure,
    /// When the last of them was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// The open invitation that was asked for last of those that are asked for one by one meanwhile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_after: Option<String>,
    /// The same of those that have ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_after: Option<String>,
}

/// A platform's list of several pages, partly read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SweepReading {
    /// The next page, in the platform's own words; `None`: the first.
    pub next: Option<String>,
    /// How many pages were read.
    pub pages: u32,
    /// When the first of them was.
    pub began_at: Timestamp,
    /// How many news were found so far.
    pub news: usize,
    /// How many lines could not be read so far.
    #[serde(default)]
    pub set_aside: u32,
}

impl SweepState {
    /// Forgets where the platform's list, or the row of those that are asked for one by one, was to be read on: a place in
    /// it may be a candidate's. Returns whether there was one.
    pub fn forget_places(&mut self) -> bool {
        let failing = self.failing.as_mut().is_some_and(|failing| {
            let places = [failing.open_after.take(), failing.ended_after.take()];
            places.iter().any(Option::is_some)
        });
        self.reading.take().is_some() || failing
    }

    /// Whether arming it for `at` would only be counted and is not needed: it is due by then, and its last look found
    /// something waiting. Before it can rest it has to find nothing twice, and the second look is at least a lease after
    /// the first: by then what was to be watched is on record, or its writer has lost the row to another.
    pub fn is_armed_for(&self, at: Timestamp) -> bool {
        self.due_at.is_some_and(|due| due <= at) && self.empty_at.is_none()
    }
}

/// The sweeps.
#[async_trait]
pub trait Sweeps: Send + Sync {
    /// Makes the sweep due at `at` at the latest: sets it if it rests, brings it forward if it is due later. Counted in
    /// [`SweepState::armed`] in either case.
    async fn schedule_sweep(
        &self,
        tenant: &TenantId,
        assessment: &AssessmentRef,
        at: Timestamp,
    ) -> Result<(), StoreError>;

    /// Its state; the default if there never was one.
    async fn load_sweep(
        &self,
        tenant: &TenantId,
        assessment: &AssessmentRef,
    ) -> Result<SweepState, StoreError>;

    /// Records a sweep that was done, if its state is still `expected`. A sweep that was armed since then stays due, as
    /// [`Saved::Conflict`] says. The store keeps its own count of [`SweepState::armed`], whatever `next` says.
    async fn save_sweep(
        &self,
        tenant: &TenantId,
        assessment: &AssessmentRef,
        expected: &SweepState,
        next: &SweepState,
    ) -> Result<Saved, StoreError>;
}

/// One callback as it arrived, reduced to what is needed and holds no personal data: which references it speaks of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// SHA-256 of account, route and body, in hex: the same call again is the same delivery.
    pub id: String,
    /// Whose.
    pub tenant: TenantId,
    /// From which platform account.
    pub account: AccountId,
    /// When it arrived.
    pub at: Timestamp,
    /// The event that it claims to be (`new_response`); a hint.
    pub event: Option<String>,
    /// Whatever in it could be a platform's reference.
    pub references: Vec<Reference>,
    /// How often it was looked into in vain.
    pub tries: u32,
    /// Whether it was given up although its invitations are known: their results could not be recorded.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub given_up: bool,
}

/// What became of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeliveryOutcome {
    /// Its invitations are being brought up to date.
    Handled,
    /// None of its references is known; look again at this time, because the invitation may be on record by then.
    Again(Timestamp),
    /// None of its references is known, or it was [given up](Delivery::given_up): parked for a person to see.
    Unmatched,
}

/// The deliveries.
#[async_trait]
pub trait Deliveries: Send + Sync {
    /// Stores a delivery durably, due at `due_at`; `None`: not due, because a queue that [keeps](super::Queue::keeps) what
    /// it takes will have it. The same delivery again is stored once; one that was handled before is pending again,
    /// because the platform may mean it.
    async fn store(&self, delivery: &Delivery, due_at: Option<Timestamp>)
    -> Result<(), StoreError>;

    /// The delivery of this id.
    async fn load_delivery(
        &self,
        tenant: &TenantId,
        id: &str,
    ) -> Result<Option<Delivery>, StoreError>;

    /// Records what became of it, and the delivery as it is given: whoever looked into it counts its `tries`.
    async fn settle(&self, delivery: &Delivery, fate: &DeliveryOutcome) -> Result<(), StoreError>;

    /// The parked ones of a tenant, newest first, `limit` at most.
    async fn unmatched(&self, tenant: &TenantId, limit: usize)
    -> Result<Vec<Delivery>, StoreError>;
}
