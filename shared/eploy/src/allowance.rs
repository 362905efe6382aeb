//! The daily call allowance. Every call is taken from it before it is made, token calls too, because Eploy counts them
//! (reference eploy §6). Polls take their calls one by one: they are made by whichever process is free, and what each of
//! them would hold in reserve is lost with it. The others make several calls in a row and take a few at a time, so that
//! counting costs less than calling.

use std::sync::Arc;

use jiff::Timestamp;
use stagecall_core::error::StoreError;
use stagecall_core::ids::TenantId;
use stagecall_core::ports::{Allowance, AllowanceLeft, Purpose};
use tokio::sync::Mutex;

use crate::dates::day;
use crate::dialect::Zone;

/// The most calls that are taken from the store at once.
pub(crate) const MOST_AT_ONCE: u32 = 5;

/// One tenant's allowance, as this process sees it.
pub(crate) struct Budget {
    allowance: Arc<dyn Allowance>,
    tenant: TenantId,
    daily: u32,
    zone: Zone,
    at_once: u32,
    held: Mutex<[Held; 3]>,
}

/// Calls taken from the store and not made yet.
#[derive(Default)]
struct Held {
    day: String,
    calls: u32,
}

/// Why no call may be made.
#[derive(Debug)]
pub(crate) enum Spent {
    /// The purpose's share of the day is spent; the next day begins then.
    Until(Timestamp),
    /// The store did not answer.
    Store(StoreError),
}

impl Budget {
    pub(crate) fn new(
        allowance: Arc<dyn Allowance>,
        tenant: TenantId,
        daily: u32,
        zone: Zone,
        at_once: u32,
    ) -> Self {
        Self {
            allowance,
            tenant,
            daily,
            zone,
            at_once,
            held: Mutex::default(),
        }
    }

    /// Takes one call for this purpose.
    pub(crate) async fn take(&self, purpose: Purpose, now: Timestamp) -> Result<(), Spent> {
        let (day, next) = day(now, self.zone);
        let mut held = self.held.lock().await;
        let held = &mut held[place(purpose)];
        if held.day != day {
            *held = Held { day, calls: 0 };
        }
        if held.calls == 0 {
            held.calls = self.fetch(purpose, &held.day).await.map_err(Spent::Store)?;
        }
        held.calls = held.calls.checked_sub(1).ok_or(Spent::Until(next))?;
        Ok(())
    }

    /// What is left for this purpose.
    pub(crate) async fn left(
        &self,
        purpose: Purpose,
        now: Timestamp,
    ) -> Result<AllowanceLeft, StoreError> {
        let (day, resets_at) = day(now, self.zone);
        let held = self.held.lock().await;
        let held = &held[place(purpose)];
        let held = if held.day == day { held.calls } else { 0 };
        let taken = self.allowance.taken(&self.tenant, &day).await?;
        Ok(AllowanceLeft {
            calls: self
                .ceiling(purpose)
                .saturating_sub(taken)
                .saturating_add(held),
            resets_at,
        })
    }

    /// Takes some from the store; close to the ceiling one by one, so that none is left over.
    async fn fetch(&self, purpose: Purpose, day: &str) -> Result<u32, StoreError> {
        let ceiling = self.ceiling(purpose);
        let mut take = match purpose {
            Purpose::Poll => 1,
            Purpose::Invite | Purpose::WriteBack => (self.daily / 500).clamp(1, self.at_once),
        };
        while take > 0
            && !self
                .allowance
                .take(&self.tenant, day, take, ceiling)
                .await?
        {
            take = u32::from(take > 1);
        }
        Ok(take)
    }

    /// How far this purpose may bring the day's use: polls leave room for invitations, and both for writing back.
    fn ceiling(&self, purpose: Purpose) -> u32 {
        let percent = match purpose {
            Purpose::Poll => 80,
            Purpose::Invite => 90,
            Purpose::WriteBack => 100,
        };
        u32::try_from(u64::from(self.daily) * percent / 100).unwrap_or(u32::MAX)
    }
}

fn place(purpose: Purpose) -> usize {
    match purpose {
        Purpose::Poll => 0,
        Purpose::Invite => 1,
        Purpose::WriteBack => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::FakeAllowance;

    fn budget(allowance: &Arc<FakeAllowance>, daily: u32) -> Budget {
        Budget::new(
            allowance.clone(),
            "acme".into(),
            daily,
            Zone::Utc,
            MOST_AT_ONCE,
        )
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// How many calls can be made for a purpose.
    async fn spend(budget: &Budget, purpose: Purpose, now: Timestamp) -> u32 {
        let mut calls = 0;
        while budget.take(purpose, now).await.is_ok() {
            calls += 1;
        }
        calls
    }

    #[tokio::test]
    async fn each_purpose_stops_at_its_ceiling() {
        let allowance = Arc::new(FakeAllowance::default());
        let budget = budget(&allowance, 1000);
        let now = at("2025-01-24T10:00:00Z");
        assert_eq!(spend(&budget, Purpose::Poll, now).await, 800);
        assert_eq!(spend(&budget, Purpose::Invite, now).await, 100);
        assert_eq!(spend(&budget, Purpose::WriteBack, now).await, 100);
        assert_eq!(spend(&budget, Purpose::Poll, now).await, 0);
        let Err(Spent::Until(next)) = budget.take(Purpose::WriteBack, now).await else {
            panic!("not spent");
        };
        assert_eq!(next, at("2025-01-25T00:00:00Z"));
        assert_eq!(
            spend(&budget, Purpose::Poll, next).await,
            800,
            "the next day"
        );
    }

    #[tokio::test]
    async fn the_store_is_asked_for_several_calls_at_once_but_by_polls() {
        let allowance = Arc::new(FakeAllowance::default());
        let budget = budget(&allowance, 10_000);
        let now = at("2025-01-24T10:00:00Z");
        for _ in 0..5 {
            budget.take(Purpose::WriteBack, now).await.unwrap();
        }
        assert_eq!(allowance.takes(), 1);
        budget.take(Purpose::Invite, now).await.unwrap();
        assert_eq!(allowance.takes(), 2, "each purpose has its own");
        for _ in 0..3 {
            budget.take(Purpose::Poll, now).await.unwrap();
        }
        assert_eq!(allowance.takes(), 2 + 3);
        // 13 are taken, 4 of them held for invitations.
        assert_eq!(
            budget.left(Purpose::Invite, now).await.unwrap().calls,
            9000 - 13 + 4
        );
        assert_eq!(
            budget.left(Purpose::Poll, now).await.unwrap().calls,
            8000 - 13
        );
    }

    #[tokio::test]
    async fn a_tiny_allowance_is_spent_to_the_last_call() {
        let allowance = Arc::new(FakeAllowance::default());
        let budget = budget(&allowance, 5);
        let now = at("2025-01-24T10:00:00Z");
        assert_eq!(spend(&budget, Purpose::Poll, now).await, 4);
        assert_eq!(spend(&budget, Purpose::WriteBack, now).await, 1);
    }
}
