//! A store in memory, behind the same ports as the real ones. It passes the conformance suite of `tests/it`, so what
//! the simulation finds over it holds for them too.
//!
//! [`Memory`] is the store itself; [`Ports`] is how one simulated process reaches it: through effects that may fail,
//! stall, or take the process with them.

mod allowance;
mod announcements;
mod deliveries;
mod due;
mod ledger;
mod ports;
mod records;
mod sweeps;
mod tenants;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use stagecall_core::Timestamp;
use stagecall_core::announcement::{Announcement, HireKey};
use stagecall_core::ids::{
    AccountId, AssessmentId, AssessmentRef, CandidateId, DefinitionId, InvitationKey, MappingId,
    Reference, TenantId,
};
use stagecall_core::invitation::Invitation;
use stagecall_core::ports::{AuditRecord, Delivery, SweepState, TenantState};
use stagecall_core::tenant::{Mapping, Tenant};

pub use ports::Ports;

/// The store. Clones are the same store.
#[derive(Clone, Default)]
pub struct Memory(Arc<Mutex<Data>>);

/// Where a delivery stands.
enum Standing {
    /// Nobody has settled it; due at this time, or left to a queue.
    Pending(Option<Timestamp>),
    Handled,
    Unmatched,
}

#[derive(Default)]
struct Data {
    tenants: BTreeMap<TenantId, Tenant>,
    states: BTreeMap<TenantId, TenantState>,
    invitations: BTreeMap<InvitationKey, Invitation>,
    definitions: BTreeMap<(TenantId, MappingId, DefinitionId), Mapping>,
    bindings: BTreeMap<(TenantId, AccountId, Reference), InvitationKey>,
    prepared: BTreeMap<(TenantId, AccountId, String), AssessmentId>,
    announcements: BTreeMap<HireKey, Announcement>,
    sweeps: BTreeMap<(TenantId, AssessmentRef), SweepState>,
    deliveries: BTreeMap<(TenantId, String), (Standing, Delivery)>,
    taken: BTreeMap<(TenantId, String), u32>,
    audits: Vec<AuditRecord>,
    tombstones: BTreeMap<(TenantId, CandidateId), Timestamp>,
}

impl Memory {
    fn data(&self) -> MutexGuard<'_, Data> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
