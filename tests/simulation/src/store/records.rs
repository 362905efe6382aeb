//! The operators' queries and changes.

use async_trait::async_trait;
use stagecall_core::Timestamp;
use stagecall_core::announcement::HireKey;
use stagecall_core::error::StoreError;
use stagecall_core::ids::{ApplicationId, CandidateId, InvitationKey, TenantId};
use stagecall_core::ports::{
    AuditRecord, Delivery, DeliveryStatus, Erased, InvitationFilter, InvitationPage,
    KEPT_DELIVERY_DAYS, OperatorStore, StateCount, SweepState, Tombstone,
};
use stagecall_core::tenant::Tenant;
use stagecall_core::timing::{after, seconds};

use super::{Data, DeliveryState, Memory};

#[async_trait]
impl OperatorStore for Memory {
    async fn put_tenant(&self, tenant: &Tenant) -> Result<(), StoreError> {
        self.configure(tenant);
        Ok(())
    }

    async fn list_tenants(&self) -> Result<Vec<Tenant>, StoreError> {
        Ok(self.configured())
    }

    async fn remove_tenant(&self, id: &TenantId) -> Result<bool, StoreError> {
        let mut data = self.data();
        data.states.remove(id);
        data.tokens.remove(id);
        data.definitions.retain(|(tenant, ..), _| tenant != id);
        Ok(data.tenants.remove(id).is_some())
    }

    async fn invitations(
        &self,
        tenant: &TenantId,
        filter: &InvitationFilter,
        limit: usize,
        next: Option<&str>,
    ) -> Result<InvitationPage, StoreError> {
        let from = next.and_then(|next| next.parse().ok()).unwrap_or(0);
        let data = self.data();
        let all = data.invitations.values();
        let theirs = all.filter(|row| row.key.tenant == *tenant && filter.admits(row));
        let mut rows: Vec<_> = theirs.skip(from).take(limit + 1).cloned().collect();
        let more = rows.len() > limit;
        rows.truncate(limit);
        Ok(InvitationPage {
            rows,
            next: more.then(|| (from + limit).to_string()),
        })
    }

    async fn counts(&self, tenant: &TenantId) -> Result<Vec<StateCount>, StoreError> {
        let mut counts: Vec<StateCount> = Vec::new();
        let data = self.data();
        for row in data
            .invitations
            .values()
            .filter(|row| row.key.tenant == *tenant)
        {
            let state = row.state.name();
            match counts.iter_mut().find(|count| count.state == state) {
                Some(count) => count.count += 1,
                None => counts.push(StateCount {
                    state: state.to_owned(),
                    count: 1,
                }),
            }
        }
        counts.sort_by(|one, other| one.state.cmp(&other.state));
        Ok(counts)
    }

    async fn oldest_due(&self, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let due = self.data().due(now);
        let mut times = due.into_iter().map(|(at, _)| at);
        Ok(times.find(|at| *at > Timestamp::UNIX_EPOCH))
    }

    async fn deliveries(
        &self,
        tenant: &TenantId,
        since: Option<Timestamp>,
    ) -> Result<Vec<(Delivery, DeliveryStatus)>, StoreError> {
        let data = self.data();
        let mut found: Vec<_> = data
            .deliveries
            .iter()
            .filter(|((of, _), (_, delivery))| {
                of == tenant && since.is_none_or(|since| delivery.at >= since)
            })
            .map(|(_, (state, delivery))| {
                let state = match state {
                    DeliveryState::Pending(_) => DeliveryStatus::Pending,
                    DeliveryState::Handled => DeliveryStatus::Handled,
                    DeliveryState::Unmatched => DeliveryStatus::Unmatched,
                };
                (delivery.clone(), state)
            })
            .collect();
        found.sort_by_key(|(delivery, _)| delivery.at);
        Ok(found)
    }

    async fn expire_deliveries(&self, now: Timestamp) -> Result<usize, StoreError> {
        let kept = f64::from(KEPT_DELIVERY_DAYS) * 86_400.0;
        let before = after(now, seconds(-kept));
        let mut data = self.data();
        let count = data.deliveries.len();
        data.deliveries
            .retain(|_, (state, one)| !matches!(state, DeliveryState::Handled) || one.at >= before);
        Ok(count - data.deliveries.len())
    }

    async fn audit(&self, record: &AuditRecord) -> Result<(), StoreError> {
        self.data().audits.push(record.clone());
        Ok(())
    }

    async fn audits(
        &self,
        tenant: Option<&TenantId>,
        since: Option<Timestamp>,
    ) -> Result<Vec<AuditRecord>, StoreError> {
        let mut audits = self.data().audits.clone();
        audits.retain(|record| {
            record.tenant.as_ref() == tenant && since.is_none_or(|since| record.at >= since)
        });
        audits.sort_by_key(|record| record.at);
        Ok(audits)
    }

    async fn erase(
        &self,
        tenant: &TenantId,
        candidate: &CandidateId,
        now: Timestamp,
    ) -> Result<Erased, StoreError> {
        Ok(self.erase_candidate(tenant, candidate, now))
    }

    async fn tombstones(&self, tenant: &TenantId) -> Result<Vec<Tombstone>, StoreError> {
        let data = self.data();
        let theirs = data.tombstones.iter().filter(|((of, _), _)| of == tenant);
        let mut tombstones: Vec<_> = theirs
            .map(|((_, candidate), at)| Tombstone {
                candidate: candidate.clone(),
                at: *at,
            })
            .collect();
        tombstones.sort_by_key(|tombstone| tombstone.at);
        Ok(tombstones)
    }
}

impl Memory {
    /// Erases a candidate, as an operator does.
    pub fn erase_candidate(
        &self,
        tenant: &TenantId,
        candidate: &CandidateId,
        now: Timestamp,
    ) -> Erased {
        let mut data = self.data();
        let place = (tenant.clone(), candidate.clone());
        data.tombstones.entry(place).or_insert(now);
        let keys: Vec<InvitationKey> = data
            .invitations
            .values()
            .filter(|row| row.key.tenant == *tenant && row.candidate == *candidate)
            .map(|row| row.key.clone())
            .collect();
        let hires: Vec<HireKey> = data
            .announcements
            .values()
            .filter(|hire| hire.key.tenant == *tenant && hire.candidate == *candidate)
            .map(|hire| hire.key.clone())
            .collect();
        let mut erased = data.erase(tenant, &keys, &hires);
        if let Some(state) = data.states.get_mut(tenant) {
            erased.poll_rows = state.forget_candidate(candidate, &erased.invitations, &hires);
        }
        for invitation in &erased.invitations {
            let place = (tenant.clone(), invitation.assessment.clone());
            let sweep = data.sweeps.get_mut(&place);
            if sweep.is_some_and(SweepState::forget_places) {
                erased.readings += 1;
            }
        }
        erased
    }

    /// What still names a candidate with these applications, the tombstones apart. A reference that a sender bound after the erasure is not looked
    /// for.
    pub fn names(
        &self,
        tenant: &TenantId,
        candidate: &str,
        applications: &[ApplicationId],
    ) -> Vec<String> {
        let data = self.data();
        let mut named = Vec::new();
        for (key, row) in &data.invitations {
            if key.tenant == *tenant && row.candidate.as_str() == candidate {
                named.push(format!("the invitation {key}"));
            }
        }
        for ((of, account, reference), owner) in &data.bindings {
            if of == tenant && applications.contains(&owner.application) {
                named.push(format!("the reference {reference} on {account}"));
            }
        }
        let theirs = applications.iter().collect();
        for row in data.invitations.values() {
            if row.key.tenant == *tenant && row.without_owner(&theirs).is_some() {
                named.push(format!("whom {} was passed over for", row.key));
            }
        }
        for hire in data.announcements.values() {
            if hire.key.tenant == *tenant && hire.candidate.as_str() == candidate {
                named.push(format!("the announcement {}", hire.key));
            }
        }
        let poll = data.states.get(tenant).map(|state| &state.poll);
        let again = poll.and_then(|poll| poll.again.as_ref());
        for row in again.iter().flat_map(|again| &again.rows) {
            if row.candidate.as_str() == candidate {
                named.push("the state of the tenant's polls".to_owned());
            }
        }
        for scan in poll.iter().filter_map(|poll| poll.scan.as_ref()) {
            for id in applications {
                let at_trigger = [&scan.present, &scan.residents];
                let is_there = at_trigger.iter().any(|those| those.position(id).is_some());
                if is_there || scan.waiting.contains(id) || scan.unconfirmed.contains(id) {
                    named.push(format!("the stage scan's application {id}"));
                }
            }
        }
        named
    }
}

impl Data {
    /// Removes these invitations and announcements, and everything that refers to them.
    fn erase(&mut self, tenant: &TenantId, keys: &[InvitationKey], hires: &[HireKey]) -> Erased {
        let mut erased = Erased::default();
        for key in keys {
            erased.invitations.extend(self.invitations.remove(key));
        }
        let theirs: Vec<_> = self
            .bindings
            .iter()
            .filter(|(_, owner)| keys.contains(owner))
            .map(|(place, _)| place.clone())
            .collect();
        erased.references = theirs.len();
        for place in &theirs {
            self.bindings.remove(place);
        }
        let applications = keys.iter().map(|key| &key.application).collect();
        for row in self.invitations.values_mut() {
            if row.key.tenant == *tenant
                && let Some(next) = row.without_owner(&applications)
            {
                *row = next;
                erased.skipped += 1;
            }
        }
        let before = self.deliveries.len();
        self.deliveries.retain(|_, (_, delivery)| {
            !theirs.iter().any(|(of, account, reference)| {
                *of == delivery.tenant
                    && *account == delivery.account
                    && delivery.references.contains(reference)
            })
        });
        erased.deliveries = before - self.deliveries.len();
        self.announcements.retain(|key, _| !hires.contains(key));
        erased.announcements = hires.len();
        let names: Vec<String> = keys
            .iter()
            .map(InvitationKey::name)
            .chain(hires.iter().map(|key| key.hire.to_string()))
            .collect();
        for audit in &mut self.audits {
            if audit.tenant.as_ref() == Some(tenant) && names.contains(&audit.target) {
                AuditRecord::ERASED.clone_into(&mut audit.target);
                erased.audits += 1;
            }
        }
        erased
    }
}
