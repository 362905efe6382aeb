//! What an operator asks of a store, beyond what the use cases need. Every adapter passes the conformance suite in
//! `tests/`.

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Delivery;
use crate::error::StoreError;
use crate::ids::{ApplicationId, CandidateId, MappingId, TenantId, VacancyId};
use crate::invitation::Invitation;
use crate::tenant::Tenant;

/// Which of a tenant's invitations; `None` for all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InvitationFilter {
    /// In the state of this name, see [`crate::invitation::State::name`].
    pub state: Option<String>,
    /// Of this application.
    pub application: Option<ApplicationId>,
    /// Of this candidate.
    pub candidate: Option<CandidateId>,
    /// For this vacancy.
    pub vacancy: Option<VacancyId>,
    /// Of this mapping.
    pub mapping: Option<MappingId>,
    /// To which something happened at or after this time.
    pub since: Option<Timestamp>,
}

impl InvitationFilter {
    /// Whether it is one of them.
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

/// Some of a tenant's invitations.
#[derive(Clone, Debug, PartialEq)]
pub struct InvitationPage {
    /// They, in an order of the store's own; there may be none although there are more.
    pub rows: Vec<Invitation>,
    /// What to ask for the next page with; `None`: this was the last.
    pub next: Option<String>,
}

/// How many of a tenant's invitations are in a state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StateCount {
    /// The state's name, see [`crate::invitation::State::name`].
    pub state: String,
    /// How many.
    pub count: u64,
}

/// Where a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryStanding {
    /// To be looked into.
    Pending,
    /// Its invitations were brought up to date, or it was discarded.
    Handled,
    /// None of its references is known, or it was [given up](super::Delivery::given_up): parked for a person to see.
    Unmatched,
}

/// Something that an operator did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRecord {
    /// When.
    pub at: Timestamp,
    /// Who: a name that the operator's system or the operator gave.
    pub who: String,
    /// What: the command (`retry`, `tenant pause`).
    pub what: String,
    /// To which tenant; `None`: to the whole installation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<TenantId>,
    /// To what of it: an invitation by its name, else an id or a name; never personal data.
    pub target: String,
    /// Why, in the operator's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

impl AuditRecord {
    /// The target of a record whose target was erased.
    pub const ERASED: &str = "erased";
}

/// All that is left of a candidate who was erased: Eploy's id, which says nothing to anybody without access to that
/// Eploy, so that the candidate is never put on record again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tombstone {
    /// Who.
    pub candidate: CandidateId,
    /// Since when.
    pub at: Timestamp,
}

/// For how many days after it arrived a delivery that was handled is kept: its digest tells when it comes again.
pub const KEPT_DELIVERY_DAYS: i32 = 30;

/// What an erasure removed: the one list of everything in a store that can name a candidate, one of the candidate's
/// invitations or announcements, or a platform's reference of theirs. A new kind of row that can is added here, to
/// `erase` of every store, and to the conformance suite's case, which searches the whole store and not this list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Erased {
    /// The invitations, as they were.
    pub invitations: Vec<Invitation>,
    /// How many of the platforms' references were bound to them, places in a talent pool included.
    pub references: usize,
    /// How many deliveries spoke of them.
    pub deliveries: usize,
    /// How many announcements of a hire.
    pub announcements: usize,
    /// How many rows of others were passed over for one of the invitations, and name it no more.
    pub skipped: usize,
    /// How many audit records named one of the invitations or announcements and name it no more.
    pub audits: usize,
    /// How many applications of the candidate polls remembered: to look at them again, as not readable, or as seen at a
    /// trigger, see [`super::PollState`] and [`super::StageScan`].
    pub poll_rows: usize,
    /// How many sweeps of their assessments had a list to read on, which begins anew: a place in it may be a
    /// participant's.
    pub readings: usize,
}

/// A store, as an operator's command sees it.
#[async_trait]
pub trait OperatorStore: Send + Sync {
    /// Configures a tenant, in place of its earlier configuration if it has one.
    async fn put_tenant(&self, tenant: &Tenant) -> Result<(), StoreError>;

    /// All configured tenants, by id.
    async fn list_tenants(&self) -> Result<Vec<Tenant>, StoreError>;

    /// Removes a tenant's configuration, its definitions and how polling it stood, so that a tenant of that name who comes back starts
    /// with a new baseline. Its invitations stay: whoever was invited is not invited again. Returns whether it was
    /// there.
    async fn remove_tenant(&self, id: &TenantId) -> Result<bool, StoreError>;

    /// A tenant's invitations, page by page, about `limit` at a time.
    async fn invitations(
        &self,
        tenant: &TenantId,
        filter: &InvitationFilter,
        limit: usize,
        next: Option<&str>,
    ) -> Result<InvitationPage, StoreError>;

    /// How many invitations a tenant has, by state; states without one are absent.
    async fn counts(&self, tenant: &TenantId) -> Result<Vec<StateCount>, StoreError>;

    /// Since when the longest due of what is due at `now` has been due; `None` if nothing is. What grows here is what
    /// the installation cannot keep up with. Tenants that wait for their very first poll do not count.
    async fn oldest_due(&self, now: Timestamp) -> Result<Option<Timestamp>, StoreError>;

    /// A tenant's deliveries that arrived at or after `since`, as far as they are kept, oldest first.
    async fn deliveries(
        &self,
        tenant: &TenantId,
        since: Option<Timestamp>,
    ) -> Result<Vec<(Delivery, DeliveryStanding)>, StoreError>;

    /// Forgets the deliveries that were handled and arrived more than [`KEPT_DELIVERY_DAYS`] days before `now`, where the
    /// store does not do so by itself. Returns how many.
    async fn expire_deliveries(&self, _now: Timestamp) -> Result<usize, StoreError> {
        Ok(0)
    }

    /// Puts on record what an operator did.
    async fn audit(&self, record: &AuditRecord) -> Result<(), StoreError>;

    /// What operators did to a tenant (`None`: to the whole installation) at or after `since`, oldest first.
    async fn audits(
        &self,
        tenant: Option<&TenantId>,
        since: Option<Timestamp>,
    ) -> Result<Vec<AuditRecord>, StoreError>;

    /// Removes everything about a candidate that [`Erased`] lists; and keeps a tombstone, so that
    /// [`super::Ledger::insert`] and [`super::Announcements::insert_announcement`] take none in any more. Safe to repeat,
    /// which removes what was left by one that did not finish.
    async fn erase(
        &self,
        tenant: &TenantId,
        candidate: &CandidateId,
        now: Timestamp,
    ) -> Result<Erased, StoreError>;

    /// The tombstones of a tenant, oldest first.
    async fn tombstones(&self, tenant: &TenantId) -> Result<Vec<Tombstone>, StoreError>;
}

#[cfg(test)]
mod tests;
