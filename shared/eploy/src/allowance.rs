//! The daily call allowance. Every call is taken from it before it is made, token calls too, because Eploy counts them
//! (REFERENCE.md §18). Polls take their calls one by one: they are made by whichever process is free, and what each of
//! them would hold in reserve is lost with it. The others make several calls in a row and take a few at a time, so that
//! counting costs less than calling.
//!
//! Polls stop at their share, so that invitations and reports have the rest. Polls also have a floor: a tenth of the
//! allowance, spread over the rest of the day. Once the day's use is above the polls' share, polls continue slowly
//! within that floor. Otherwise nothing new would be seen until midnight.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use stagecall_core::error::StoreError;
use stagecall_core::ids::TenantId;
use stagecall_core::metrics;
use stagecall_core::ports::{Allowance, AllowanceLeft, Purpose};
use tokio::sync::Mutex;

use crate::dates::day;
use crate::dialect::Zone;

/// The maximum number of calls taken from the store at once.
pub(crate) const MAX_CALLS_PER_TAKE: u32 = 5;

/// In percent of the allowance: the day's use at which polls stop, and at which invitations stop. The rest is for
/// reports.
const POLLS_SHARE: u32 = 80;
const INVITATIONS_SHARE: u32 = 90;
/// In percent of the allowance: what is reserved for the polls of a whole day.
const POLLS_FLOOR: u32 = 10;
/// The calls that polls may make per interval once their share is spent: a token and a page.
const FLOOR_CALLS: u32 = 2;

/// One tenant's allowance, as this process sees it.
pub(crate) struct Budget {
    allowance: Arc<dyn Allowance>,
    tenant: TenantId,
    limits: Limits,
    held: Mutex<[Held; 3]>,
    floor: Mutex<Floor>,
}

/// A tenant's call limits.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    /// Calls per day.
    pub(crate) daily: u32,
    /// The zone whose midnight starts the day.
    pub(crate) zone: Zone,
    /// The maximum number of calls taken from the store at once.
    pub(crate) at_once: u32,
    /// The time between two polls.
    pub(crate) poll_interval: SignedDuration,
}

/// The calls that polls have made beyond their share.
#[derive(Default)]
struct Floor {
    /// Start of the count.
    since: Option<Timestamp>,
    calls: u32,
}

/// Calls taken from the store but not made yet.
#[derive(Default)]
struct Held {
    day: String,
    calls: u32,
}

/// Why no call may be made.
#[derive(Debug)]
pub(crate) enum BudgetExhausted {
    /// The purpose's share is spent until this time, when the next day begins.
    Until(Timestamp),
    /// The store failed.
    Store(StoreError),
}

/// The day's use against each purpose's share, by Stagecall's own count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayShares {
    /// Calls made today, or taken to be made.
    pub used: u32,
    /// Whether polls are limited to their floor.
    pub polls_spent: bool,
    /// Whether invitations have to wait.
    pub invitations_spent: bool,
    /// Whether reports have to wait.
    pub reports_spent: bool,
    /// When the next day begins.
    pub resets_at: Timestamp,
}

impl Budget {
    pub(crate) fn new(allowance: Arc<dyn Allowance>, tenant: TenantId, limits: Limits) -> Self {
        Self {
            allowance,
            tenant,
            limits,
            held: Mutex::default(),
            floor: Mutex::default(),
        }
    }

    /// Takes one call for this purpose.
    pub(crate) async fn take(
        &self,
        purpose: Purpose,
        now: Timestamp,
    ) -> Result<(), BudgetExhausted> {
        let (day, next) = day(now, self.limits.zone);
        let mut held = self.held.lock().await;
        let held = &mut held[place(purpose)];
        if held.day != day {
            *held = Held { day, calls: 0 };
        }
        if held.calls == 0 {
            let day_left = next.duration_since(now);
            let fetched = self.fetch(purpose, &held.day, day_left).await;
            held.calls = fetched.map_err(BudgetExhausted::Store)?;
        }
        if held.calls == 0 && purpose == Purpose::Poll {
            let calls = self.fetch_from_floor(&held.day, now).await;
            held.calls = calls.map_err(BudgetExhausted::Store)?;
        }
        held.calls = held
            .calls
            .checked_sub(1)
            .ok_or(BudgetExhausted::Until(next))?;
        Ok(())
    }

    /// What is left for this purpose.
    pub(crate) async fn left(
        &self,
        purpose: Purpose,
        now: Timestamp,
    ) -> Result<AllowanceLeft, StoreError> {
        let (day, resets_at) = day(now, self.limits.zone);
        let day_left = resets_at.duration_since(now);
        let held = self.held.lock().await;
        let held = &held[place(purpose)];
        let held = if held.day == day { held.calls } else { 0 };
        let taken = self.taken(&day).await?;
        let mut calls = self.ceiling(purpose, day_left).saturating_sub(taken);
        if purpose == Purpose::Poll {
            let all_left = self.limits.daily.saturating_sub(taken);
            calls = calls.max(self.limits.floor(day_left).min(all_left));
        }
        let calls = calls.saturating_add(held);
        Ok(AllowanceLeft { calls, resets_at })
    }

    /// The day's use against the shares.
    pub(crate) async fn shares(&self, now: Timestamp) -> Result<DayShares, StoreError> {
        let (day, resets_at) = day(now, self.limits.zone);
        let day_left = resets_at.duration_since(now);
        let used = self.taken(&day).await?;
        let is_spent = |purpose| used >= self.ceiling(purpose, day_left);
        Ok(DayShares {
            used,
            polls_spent: is_spent(Purpose::Poll),
            invitations_spent: is_spent(Purpose::Invite),
            reports_spent: is_spent(Purpose::WriteBack),
            resets_at,
        })
    }

    /// The calls taken so far this day, by all processes.
    async fn taken(&self, day: &str) -> Result<u32, StoreError> {
        let taken = self.allowance.taken(&self.tenant, day).await?;
        metrics::allowance_read(taken, self.limits.daily);
        Ok(taken)
    }

    /// Takes calls unless the day's use would exceed `ceiling`. Returns whether it took them.
    async fn take_from_store(
        &self,
        day: &str,
        calls: u32,
        ceiling: u32,
    ) -> Result<bool, StoreError> {
        let allowance = &self.allowance;
        let taken = allowance.take(&self.tenant, day, calls, ceiling).await?;
        if taken {
            metrics::calls_taken(calls, self.limits.daily);
        }
        Ok(taken)
    }

    /// Takes several from the store; close to the ceiling one by one, so that none is left over.
    async fn fetch(
        &self,
        purpose: Purpose,
        day: &str,
        day_left: SignedDuration,
    ) -> Result<u32, StoreError> {
        let ceiling = self.ceiling(purpose, day_left);
        let mut take = match purpose {
            Purpose::Poll => 1,
            Purpose::Invite | Purpose::WriteBack => {
                (self.limits.daily / 500).clamp(1, self.limits.at_once)
            }
        };
        while take > 0 && !self.take_from_store(day, take, ceiling).await? {
            take = u32::from(take > 1);
        }
        Ok(take)
    }

    /// Takes a call for a poll whose share is spent, unless it has used its floor in this interval.
    async fn fetch_from_floor(&self, day: &str, now: Timestamp) -> Result<u32, StoreError> {
        let mut floor = self.floor.lock().await;
        let goes_on = (floor.since).is_some_and(|since| {
            let passed = now.duration_since(since);
            !passed.is_negative() && passed < self.limits.poll_interval
        });
        if !goes_on {
            *floor = Floor {
                since: Some(now),
                calls: 0,
            };
        }
        if floor.calls >= FLOOR_CALLS {
            return Ok(0);
        }
        let taken = self.take_from_store(day, 1, self.limits.daily).await?;
        let calls = u32::from(taken);
        floor.calls += calls;
        Ok(calls)
    }

    /// The day's use at which this purpose stops. Polls leave room for invitations, both leave room for reports, and
    /// these two leave room for the polls still to come.
    fn ceiling(&self, purpose: Purpose, day_left: SignedDuration) -> u32 {
        let limits = &self.limits;
        match purpose {
            Purpose::Poll => limits.percent(POLLS_SHARE),
            Purpose::Invite => limits
                .percent(INVITATIONS_SHARE)
                .saturating_sub(limits.floor(day_left)),
            Purpose::WriteBack => limits.daily.saturating_sub(limits.floor(day_left)),
        }
    }
}

impl Limits {
    fn percent(&self, percent: u32) -> u32 {
        let calls = u64::from(self.daily) * u64::from(percent) / 100;
        u32::try_from(calls).unwrap_or(u32::MAX)
    }

    /// What is reserved for the polls of the rest of the day: as many as will run, at most their floor.
    fn floor(&self, day_left: SignedDuration) -> u32 {
        let left = day_left.as_secs().clamp(0, 86_400).unsigned_abs();
        let interval = self.poll_interval.as_secs().max(1).unsigned_abs();
        let share = u64::from(self.percent(POLLS_FLOOR)) * left / 86_400;
        u32::try_from(share.min(left / interval)).unwrap_or(u32::MAX)
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
        let limits = Limits {
            daily,
            zone: Zone::Utc,
            at_once: MAX_CALLS_PER_TAKE,
            poll_interval: SignedDuration::from_secs(60),
        };
        Budget::new(allowance.clone(), "acme".into(), limits)
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

    /// At the end of a day, when there are no polls to come to leave anything for.
    #[tokio::test]
    async fn each_purpose_stops_at_its_ceiling() {
        let allowance = Arc::new(FakeAllowance::default());
        let budget = budget(&allowance, 1000);
        let now = at("2025-01-24T23:59:50Z");
        // Beyond its share, a token and a page.
        assert_eq!(spend(&budget, Purpose::Poll, now).await, 800 + 2);
        assert_eq!(spend(&budget, Purpose::Invite, now).await, 98);
        assert_eq!(spend(&budget, Purpose::WriteBack, now).await, 100);
        assert_eq!(spend(&budget, Purpose::Poll, now).await, 0);
        let Err(BudgetExhausted::Until(next)) = budget.take(Purpose::WriteBack, now).await else {
            panic!("not spent");
        };
        assert_eq!(next, at("2025-01-25T00:00:00Z"));
        assert_eq!(
            spend(&budget, Purpose::Poll, next).await,
            800,
            "the next day, and still within the interval"
        );
    }

    /// 3,000 invitations by ten in the morning, each with its reports: more than there are calls.
    #[tokio::test]
    async fn a_busy_morning_leaves_polls_their_floor_until_midnight() {
        let allowance = Arc::new(FakeAllowance::default());
        let budget = budget(&allowance, 10_000);
        let mut now = at("2025-01-24T10:00:00Z");
        for _ in 0..3000 {
            for purpose in [Purpose::Invite, Purpose::WriteBack] {
                for _ in 0..2 {
                    let _ = budget.take(purpose, now).await;
                }
            }
        }
        // A tenth of the day's, for what is left of the day.
        assert_eq!(budget.left(Purpose::WriteBack, now).await.unwrap().calls, 0);
        let left = budget.left(Purpose::Poll, now).await.unwrap();
        assert_eq!(left.calls, 1000 * 14 / 24);
        // Spread as polls spread what is left, it lasts.
        let mut polls = 0;
        while now < left.resets_at {
            budget.take(Purpose::Poll, now).await.unwrap();
            polls += 1;
            let left = budget.left(Purpose::Poll, now).await.unwrap();
            let spread =
                left.resets_at.duration_since(now) / i32::try_from(left.calls.max(1)).unwrap();
            now += spread.max(SignedDuration::from_secs(60));
        }
        assert!(polls > 500, "{polls}");
    }

    #[tokio::test]
    async fn beyond_their_share_polls_make_two_calls_within_an_interval() {
        let allowance = Arc::new(FakeAllowance::default());
        let budget = budget(&allowance, 1000);
        let now = at("2025-01-24T10:00:00Z");
        spend(&budget, Purpose::Poll, now).await;
        let later = |seconds| now + SignedDuration::from_secs(seconds);
        assert_eq!(spend(&budget, Purpose::Poll, later(59)).await, 0);
        assert_eq!(spend(&budget, Purpose::Poll, later(60)).await, 2);
        // A clock that was set back delays nothing.
        assert_eq!(spend(&budget, Purpose::Poll, now).await, 2);
    }

    #[tokio::test]
    async fn only_polls_take_calls_one_by_one() {
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
        // 13 are taken, 4 of them held for invitations; the floor of polls for fourteen hours is untouched.
        assert_eq!(
            budget.left(Purpose::Invite, now).await.unwrap().calls,
            9000 - 583 - 13 + 4
        );
        assert_eq!(
            budget.left(Purpose::Poll, now).await.unwrap().calls,
            8000 - 13
        );
    }

    #[tokio::test]
    async fn spent_shares_are_reported_for_each_purpose() {
        let allowance = Arc::new(FakeAllowance::default());
        let budget = budget(&allowance, 1000);
        let now = at("2025-01-24T12:00:00Z");
        let spent = async || {
            let shares = budget.shares(now).await.unwrap();
            assert_eq!(shares.resets_at, at("2025-01-25T00:00:00Z"));
            (
                shares.used,
                [
                    shares.polls_spent,
                    shares.invitations_spent,
                    shares.reports_spent,
                ],
            )
        };
        assert_eq!(spent().await, (0, [false, false, false]));
        spend(&budget, Purpose::Poll, now).await;
        // The floor of polls is used up before their own share.
        assert_eq!(spent().await, (802, [true, false, false]));
        spend(&budget, Purpose::Invite, now).await;
        assert_eq!(spent().await, (850, [true, true, false]));
        spend(&budget, Purpose::WriteBack, now).await;
        assert_eq!(spent().await, (950, [true, true, true]));
    }

    #[tokio::test]
    async fn a_tiny_allowance_is_spent_to_the_last_call() {
        let allowance = Arc::new(FakeAllowance::default());
        let budget = budget(&allowance, 5);
        let now = at("2025-01-24T10:00:00Z");
        assert_eq!(spend(&budget, Purpose::WriteBack, now).await, 5);
    }
}
