//! A store in memory, behind the same ports as the real ones. It passes the conformance suite of `tests/it`, so what the
//! simulation finds with it holds for them, too.
//!
//! [`Memory`] is the store itself. [`Ports`] is one simulated process's access to it: through effects that may fail, stall
//! or kill the process.

mod allowance;
mod announcements;
mod deliveries;
mod due;
mod ledger;
mod ports;
mod records;
mod sweeps;
mod tenants;
mod tokens;

use std::collections::BTreeMap;
use std::fmt::Debug;
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

/// The state of a delivery.
#[derive(Debug)]
enum DeliveryState {
    /// Not settled; due at this time, or left to a queue.
    Pending(Option<Timestamp>),
    Handled,
    Unmatched,
}

#[derive(Default)]
struct Data {
    tenants: BTreeMap<TenantId, Tenant>,
    states: BTreeMap<TenantId, TenantState>,
    tokens: BTreeMap<TenantId, Vec<u8>>,
    invitations: BTreeMap<InvitationKey, Invitation>,
    definitions: BTreeMap<(TenantId, MappingId, DefinitionId), Mapping>,
    bindings: BTreeMap<(TenantId, AccountId, Reference), InvitationKey>,
    prepared: BTreeMap<(TenantId, AccountId, String), AssessmentId>,
    announcements: BTreeMap<HireKey, Announcement>,
    sweeps: BTreeMap<(TenantId, AssessmentRef), SweepState>,
    deliveries: BTreeMap<(TenantId, String), (DeliveryState, Delivery)>,
    taken: BTreeMap<(TenantId, String), u32>,
    audits: Vec<AuditRecord>,
    tombstones: BTreeMap<(TenantId, CandidateId), Timestamp>,
}

impl Memory {
    /// The whole content, each row as text.
    pub fn dump(&self) -> Vec<String> {
        fn all<'a, K: Debug + 'a, V: Debug + 'a>(
            of: &'a BTreeMap<K, V>,
        ) -> impl Iterator<Item = String> + use<'a, K, V> {
            of.iter().map(|row| format!("{row:?}"))
        }
        let data = self.data();
        let audits = data.audits.iter().map(|row| format!("{row:?}"));
        audits
            .chain(all(&data.tenants))
            .chain(all(&data.states))
            .chain(all(&data.invitations))
            .chain(all(&data.bindings))
            .chain(all(&data.prepared))
            .chain(all(&data.announcements))
            .chain(all(&data.sweeps))
            .chain(all(&data.deliveries))
            .chain(all(&data.taken))
            .chain(all(&data.tombstones))
            .collect()
    }

    fn data(&self) -> MutexGuard<'_, Data> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
