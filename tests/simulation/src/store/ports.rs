//! One simulated process's access to the store: every call is an effect that may fail before or after it took effect,
//! stall, or kill the process. The oracle sees every write here, at the moment of the write.

use std::collections::BTreeSet;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use stagecall_core::Timestamp;
use stagecall_core::announcement::{Announcement, HireKey};
use stagecall_core::error::StoreError;
use stagecall_core::ids::{
    AccountId, ApplicationId, AssessmentId, AssessmentRef, CandidateId, DefinitionId,
    InvitationKey, MappingId, Reference, TenantId,
};
use stagecall_core::invitation::Invitation;
use stagecall_core::ports::{
    Allowance, Announcements, Bound, Definitions, Deliveries, Delivery, DeliveryOutcome, Due,
    DueSince, Inserted, Ledger, Saved, SweepState, Sweeps, TenantState, TenantStates, Tenants,
    WatchedInvitation,
};
use stagecall_core::tenant::{Mapping, Tenant};
use stagecall_core::work::Kind;

use super::Memory;
use crate::oracle::Oracle;
use crate::scheduler::Scheduler;

/// The store, as the use cases see it.
pub struct Ports {
    /// The store itself.
    pub memory: Memory,
    /// Decides each call's fate and time.
    pub scheduler: Arc<Scheduler>,
    /// Watches the writes.
    pub oracle: Arc<Oracle>,
}

impl Ports {
    /// A conditional write. If its answer is lost, it is repeated, as by the real stores' clients, and meets itself: it took
    /// effect, whatever the second answer is.
    async fn write<T, F>(
        &self,
        what: &'static str,
        done: T,
        write: impl Fn() -> F + Send + Sync,
    ) -> Result<T, StoreError>
    where
        T: PartialEq + Send + Sync,
        F: Future<Output = Result<T, StoreError>> + Send,
    {
        let act = async {
            let first = write().await?;
            let repeats = self.scheduler.rates().write_repeats;
            if first == done && self.scheduler.chance(repeats) {
                self.scheduler.fault("write made again");
                write().await?;
            }
            Ok(first)
        };
        self.scheduler.effect(what, act).await
    }
}

#[async_trait]
impl Ledger for Ports {
    async fn insert(&self, invitation: &Invitation) -> Result<Inserted, StoreError> {
        let act = || async {
            let inserted = self.memory.insert(invitation).await?;
            if inserted == Inserted::New {
                self.oracle.inserted(invitation);
            }
            Ok(inserted)
        };
        self.write("insert the invitation", Inserted::New, act)
            .await
    }

    async fn save(&self, next: &Invitation) -> Result<Saved, StoreError> {
        let sent = AtomicBool::new(false);
        let act = || async {
            let before = self.memory.row(&next.key);
            let saved = self.memory.save(next).await?;
            if saved == Saved::Saved {
                self.oracle.saved(before.as_ref(), next);
                let is_new = before.is_some_and(|before| before.reference.is_none());
                sent.store(is_new && next.reference.is_some(), Ordering::Relaxed);
            }
            Ok(saved)
        };
        let saved = self.write("save the invitation", Saved::Saved, act).await?;
        if sent.load(Ordering::Relaxed) {
            self.oracle.has_to_publish(&next.key);
        }
        Ok(saved)
    }

    async fn load(&self, key: &InvitationKey) -> Result<Option<Invitation>, StoreError> {
        let act = self.memory.load(key);
        self.scheduler.effect("load the invitation", act).await
    }

    async fn of_applications(
        &self,
        tenant: &TenantId,
        applications: &[ApplicationId],
    ) -> Result<Vec<Invitation>, StoreError> {
        let act = self.memory.of_applications(tenant, applications);
        self.scheduler
            .effect("load the applications' rows", act)
            .await
    }

    async fn bind_reference(
        &self,
        account: &AccountId,
        reference: &Reference,
        owner: &Invitation,
    ) -> Result<Bound, StoreError> {
        let act = self.memory.bind_reference(account, reference, owner);
        self.scheduler.effect("bind the reference", act).await
    }

    async fn find_by_reference(
        &self,
        tenant: &TenantId,
        account: &AccountId,
        reference: &Reference,
    ) -> Result<Option<InvitationKey>, StoreError> {
        let act = self.memory.find_by_reference(tenant, account, reference);
        self.scheduler.effect("look up the reference", act).await
    }

    async fn erased(&self, tenant: &TenantId) -> Result<BTreeSet<CandidateId>, StoreError> {
        let act = self.memory.erased(tenant);
        self.scheduler.effect("look for tombstones", act).await
    }

    async fn purge_if_erased(&self, invitation: &Invitation) -> Result<bool, StoreError> {
        let act = self.memory.purge_if_erased(invitation);
        self.scheduler.effect("look for a tombstone", act).await
    }

    async fn find_created_assessment(
        &self,
        tenant: &TenantId,
        account: &AccountId,
        name: &str,
    ) -> Result<Option<AssessmentId>, StoreError> {
        let act = self.memory.find_created_assessment(tenant, account, name);
        self.scheduler.effect("look up what was made", act).await
    }

    async fn save_created_assessment(
        &self,
        tenant: &TenantId,
        account: &AccountId,
        name: &str,
        made: &AssessmentId,
    ) -> Result<AssessmentId, StoreError> {
        let act = self
            .memory
            .save_created_assessment(tenant, account, name, made);
        self.scheduler.effect("record what was made", act).await
    }

    async fn waiting(
        &self,
        tenant: &TenantId,
        assessment: &AssessmentRef,
    ) -> Result<Vec<WatchedInvitation>, StoreError> {
        let act = self.memory.waiting(tenant, assessment);
        self.scheduler.effect("list who is watched", act).await
    }
}

#[async_trait]
impl Announcements for Ports {
    async fn insert_announcement(
        &self,
        announcement: &Announcement,
    ) -> Result<Inserted, StoreError> {
        let act = || async {
            let inserted = self.memory.insert_announcement(announcement).await?;
            if inserted == Inserted::New {
                self.oracle.hire_seen(announcement);
            }
            Ok(inserted)
        };
        self.write("insert the announcement", Inserted::New, act)
            .await
    }

    async fn save_announcement(&self, next: &Announcement) -> Result<Saved, StoreError> {
        let act = || async {
            let before = self.memory.announcement_of(&next.key);
            let saved = self.memory.save_announcement(next).await?;
            if saved == Saved::Saved {
                self.oracle.announced(before.as_ref(), next);
            }
            Ok(saved)
        };
        self.write("save the announcement", Saved::Saved, act).await
    }

    async fn load_announcement(&self, key: &HireKey) -> Result<Option<Announcement>, StoreError> {
        let act = self.memory.load_announcement(key);
        self.scheduler.effect("load the announcement", act).await
    }

    async fn purge_announcement_if_erased(
        &self,
        announcement: &Announcement,
    ) -> Result<bool, StoreError> {
        let act = self.memory.purge_announcement_if_erased(announcement);
        self.scheduler.effect("look for a tombstone", act).await
    }

    async fn announcements(
        &self,
        tenant: &TenantId,
        limit: usize,
    ) -> Result<Vec<Announcement>, StoreError> {
        let act = self.memory.announcements(tenant, limit);
        self.scheduler.effect("list the announcements", act).await
    }
}

#[async_trait]
impl Sweeps for Ports {
    async fn schedule_sweep(
        &self,
        tenant: &TenantId,
        assessment: &AssessmentRef,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let act = self.memory.schedule_sweep(tenant, assessment, at);
        self.scheduler.effect("arm the sweep", act).await
    }

    async fn load_sweep(
        &self,
        tenant: &TenantId,
        assessment: &AssessmentRef,
    ) -> Result<SweepState, StoreError> {
        let act = self.memory.load_sweep(tenant, assessment);
        self.scheduler.effect("load the sweep", act).await
    }

    async fn save_sweep(
        &self,
        tenant: &TenantId,
        assessment: &AssessmentRef,
        expected: &SweepState,
        next: &SweepState,
    ) -> Result<Saved, StoreError> {
        let act = || self.memory.save_sweep(tenant, assessment, expected, next);
        self.write("save the sweep", Saved::Saved, act).await
    }
}

#[async_trait]
impl Deliveries for Ports {
    async fn store(
        &self,
        delivery: &Delivery,
        due_at: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let act = async {
            self.oracle.received(delivery);
            self.memory.store(delivery, due_at).await
        };
        self.scheduler.effect("store the delivery", act).await
    }

    async fn load_delivery(
        &self,
        tenant: &TenantId,
        id: &str,
    ) -> Result<Option<Delivery>, StoreError> {
        let act = self.memory.load_delivery(tenant, id);
        self.scheduler.effect("load the delivery", act).await
    }

    async fn settle(&self, delivery: &Delivery, fate: &DeliveryOutcome) -> Result<(), StoreError> {
        let act = async {
            self.memory.settle(delivery, fate).await?;
            self.oracle.settled(delivery, fate);
            Ok(())
        };
        self.scheduler.effect("settle the delivery", act).await
    }

    async fn unmatched(
        &self,
        tenant: &TenantId,
        limit: usize,
    ) -> Result<Vec<Delivery>, StoreError> {
        let act = self.memory.unmatched(tenant, limit);
        self.scheduler
            .effect("list the parked deliveries", act)
            .await
    }
}

#[async_trait]
impl Due for Ports {
    async fn due(
        &self,
        now: Timestamp,
        kinds: &[Kind],
        each: usize,
    ) -> Result<Vec<DueSince>, StoreError> {
        let act = self.memory.due(now, kinds, each);
        self.scheduler.effect("find what is due", act).await
    }
}

#[async_trait]
impl Tenants for Ports {
    async fn tenant(&self, id: &TenantId) -> Result<Option<Tenant>, StoreError> {
        let act = self.memory.tenant(id);
        self.scheduler.effect("read the configuration", act).await
    }
}

#[async_trait]
impl Definitions for Ports {
    async fn save_definition(
        &self,
        tenant: &TenantId,
        mapping: &Mapping,
    ) -> Result<(), StoreError> {
        let act = self.memory.save_definition(tenant, mapping);
        self.scheduler.effect("save the definition", act).await
    }

    async fn load_definition(
        &self,
        tenant: &TenantId,
        mapping: &MappingId,
        version: &DefinitionId,
    ) -> Result<Option<Mapping>, StoreError> {
        let act = self.memory.load_definition(tenant, mapping, version);
        self.scheduler.effect("load the definition", act).await
    }
}

#[async_trait]
impl TenantStates for Ports {
    async fn load_state(&self, tenant: &TenantId) -> Result<Option<TenantState>, StoreError> {
        let act = self.memory.load_state(tenant);
        self.scheduler.effect("load the tenant's state", act).await
    }

    async fn save_state(&self, tenant: &TenantId, next: &TenantState) -> Result<Saved, StoreError> {
        let act = || async {
            let before = self.memory.state(tenant);
            let saved = self.memory.save_state(tenant, next).await?;
            if saved == Saved::Saved {
                self.oracle.moved(tenant, before.as_ref(), next);
            }
            Ok(saved)
        };
        self.write("save the tenant's state", Saved::Saved, act)
            .await
    }
}

#[async_trait]
impl Allowance for Ports {
    async fn take(
        &self,
        tenant: &TenantId,
        day: &str,
        calls: u32,
        ceiling: u32,
    ) -> Result<bool, StoreError> {
        let act = async {
            let granted = self.memory.take(tenant, day, calls, ceiling).await?;
            Ok(granted.then(|| self.oracle.taken(tenant, day)))
        };
        let taken = self
            .scheduler
            .effect("take from the allowance", act)
            .await?;
        // Only work that gets this answer may call.
        match taken {
            Some(used) => self.oracle.may_call(calls, used),
            None => self.scheduler.fault("allowance refused"),
        }
        Ok(taken.is_some())
    }

    async fn taken(&self, tenant: &TenantId, day: &str) -> Result<u32, StoreError> {
        let act = self.memory.taken(tenant, day);
        self.scheduler.effect("read the allowance", act).await
    }
}
