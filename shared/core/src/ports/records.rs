//! What operators ask of a store, beyond what the use cases need. Every adapter passes the conformance suite in
//! `tests/`.

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Delivery;
use crate::error::StoreError;
use crate::ids::{ApplicationId, CandidateId, MappingId, TenantId, VacancyId};
use crate::invitation::Invitation;
use crate::tenant::Tenant;

/// A filter over a tenant's invitations; `None` admits all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InvitationFilter {
    /// In the state with this name, see [`crate::invitation::State::name`].
    pub state: Option<String>,
    pub application: Option<ApplicationId>,
    pub candidate: Option<CandidateId>,
    pub vacancy: Option<VacancyId>,
    pub mapping: Option<MappingId>,
    /// Last changed at or after this time.
    pub since: Option<Timestamp>,
}

impl InvitationFilter {
    /// Whether the filter admits this invitation.
    pub fn admits(&self, of: &Invitation) -> bool {
        fn fits<T: PartialEq>(wanted: Option<&T>, is: &T) -> bool {
            wanted.is_none_or(|wanted| wanted == is)
        }
        self.state
            .as_deref()
            .is_none_or(|state| state == of.state.name())
            && fits(self.application.as_ref(), &of.key.application)
            && fits(self.candidate.as_ref(), &of.candidate)
            && fits(self.vacancy.as_ref(), &of.vacancy)
            && fits(self.mapping.as_ref(), &of.key.mapping)
            && self.since.is_none_or(|since| of.touched_at() >= since)
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct InvitationPage {
    /// The invitations, in the store's own order. A page may be empty although more follow.
    pub rows: Vec<Invitation>,
    /// The token of the next page; `None`: this was the last.
    pub next: Option<String>,
}

/// The number of a tenant's invitations in a state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StateCount {
    /// The state's name, see [`crate::invitation::State::name`].
    pub state: String,
    /// The number of invitations.
    pub count: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryStatus {
    /// Not processed yet.
    Pending,
    /// Its invitations were updated, or it was discarded.
    Handled,
    /// None of its references is known, or it was [given up](super::Delivery::given_up): parked for an operator.
    Unmatched,
}

/// An operator's action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRecord {
    pub at: Timestamp,
    /// The operator's name, from the operator's system or as the operator gave it.
    pub who: String,
    /// The command (`retry`, `tenant pause`).
    pub what: String,
    /// The tenant; `None`: the whole installation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<TenantId>,
    /// The object of the command: an invitation by its name, else an id or a name; never personal data.
    pub target: String,
    /// The reason, in the operator's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

impl AuditRecord {
    /// The target of records whose target was erased.
    pub const ERASED: &str = "erased";
}

/// What remains of an erased candidate: Eploy's id, so that the candidate is never stored again. The id identifies
/// nobody without access to that Eploy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tombstone {
    pub candidate: CandidateId,
    /// When the candidate was erased.
    pub at: Timestamp,
}

/// For how many days after its arrival a handled delivery is kept: its digest identifies a repeat.
pub const KEPT_DELIVERY_DAYS: i32 = 30;

/// What an erasure removed. This is the one list of everything in a store that can name a candidate, one of the
/// candidate's invitations or announcements, or a platform's reference of theirs. A new kind of row that can do so is
/// added here, to `erase` of every store, and to the case of the conformance suite, which searches the whole store and
/// not this list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Erased {
    /// The invitations before the erasure.
    pub invitations: Vec<Invitation>,
    /// How many platform references were bound to them, including memberships of talent pools.
    pub references: usize,
    /// How many deliveries referred to them.
    pub deliveries: usize,
    /// How many announcements of hires.
    pub announcements: usize,
    /// How many rows of others were passed over for one of the invitations, and name it no more.
    pub skipped: usize,
    /// How many audit records named one of the invitations or announcements and name it no more.
    pub audits: usize,
    /// How many of the candidate's applications the poll state held: to recheck, as unreadable, or as seen at a
    /// trigger, see [`super::PollState`] and [`super::StageScan`].
    pub poll_rows: usize,
    /// How many sweeps of their assessments had a partly read list, which is read from its beginning again: the
    /// position in it may be a participant's.
    pub readings: usize,
}

/// A store, as the operator's commands see it.
#[async_trait]
pub trait OperatorStore: Send + Sync {
    /// Saves a tenant's configuration, in place of its earlier one if it has one.
    async fn put_tenant(&self, tenant: &Tenant) -> Result<(), StoreError>;

    /// All configured tenants, by id.
    async fn list_tenants(&self) -> Result<Vec<Tenant>, StoreError>;

    /// Removes a tenant's configuration, its definitions and its poll state, so that a tenant added again under that
    /// name starts with a new baseline. Its invitations stay: nobody who was invited is invited again. Returns whether
    /// the tenant existed.
    async fn remove_tenant(&self, id: &TenantId) -> Result<bool, StoreError>;

    /// A tenant's invitations, page by page, about `limit` at a time.
    async fn invitations(
        &self,
        tenant: &TenantId,
        filter: &InvitationFilter,
        limit: usize,
        next: Option<&str>,
    ) -> Result<InvitationPage, StoreError>;

    /// The number of a tenant's invitations by state; states without one are absent.
    async fn counts(&self, tenant: &TenantId) -> Result<Vec<StateCount>, StoreError>;

    /// How long the longest due item at `now` has been due, as the time since when; `None` if nothing is due. A growing
    /// value means that the installation cannot keep up. Tenants that wait for their first poll do not count.
    async fn oldest_due(&self, now: Timestamp) -> Result<Option<Timestamp>, StoreError>;

    /// A tenant's stored deliveries that arrived at or after `since`, oldest first.
    async fn deliveries(
        &self,
        tenant: &TenantId,
        since: Option<Timestamp>,
    ) -> Result<Vec<(Delivery, DeliveryStatus)>, StoreError>;

    /// Removes handled deliveries that arrived more than [`KEPT_DELIVERY_DAYS`] days before `now`, where the store does
    /// not expire them on its own. Returns how many.
    async fn expire_deliveries(&self, _now: Timestamp) -> Result<usize, StoreError> {
        Ok(0)
    }

    async fn audit(&self, record: &AuditRecord) -> Result<(), StoreError>;

    /// The audit records of a tenant (`None`: of the whole installation) at or after `since`, oldest first.
    async fn audits(
        &self,
        tenant: Option<&TenantId>,
        since: Option<Timestamp>,
    ) -> Result<Vec<AuditRecord>, StoreError>;

    /// Removes everything about a candidate that [`Erased`] lists, and saves a tombstone, so that
    /// [`super::Ledger::insert`] and [`super::Announcements::insert_announcement`] accept none any more. Safe to
    /// repeat: a repetition removes what an unfinished one left.
    async fn erase(
        &self,
        tenant: &TenantId,
        candidate: &CandidateId,
        now: Timestamp,
    ) -> Result<Erased, StoreError>;

    /// The tombstones of a tenant, oldest first.
    async fn tombstones(&self, tenant: &TenantId) -> Result<Vec<Tombstone>, StoreError>;

    /// Checks that what is stored is consistent, where the store cannot rely on a service for that.
    async fn verify(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
