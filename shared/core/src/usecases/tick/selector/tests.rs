use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;
use proptest::prelude::*;

use super::*;
use crate::error::StoreError;
use crate::ids::{ApplicationId, InvitationKey};
use crate::invitation::Step;
use crate::ports::{DueItem, longest_due};
use crate::timing::seconds;
use crate::work::Work;

const SHARE: usize = 4;
const CAPACITY: usize = 10;

/// A queue that can tell what it has, like that of one process.
#[derive(Default)]
struct Known(Mutex<Vec<Work>>);

impl Known {
    fn has(&self) -> MutexGuard<'_, Vec<Work>> {
        self.0.lock().unwrap()
    }
}

#[async_trait]
impl Queue for Known {
    async fn push(&self, _: Vec<Work>) -> Result<(), StoreError> {
        unimplemented!()
    }

    fn is_durable(&self) -> bool {
        false
    }

    fn has(&self, work: &Work) -> Option<bool> {
        Some(self.0.lock().unwrap().contains(work))
    }

    fn room(&self) -> usize {
        CAPACITY.saturating_sub(self.0.lock().unwrap().len())
    }
}

/// A queue that cannot tell, like SQS.
struct Unknown;

#[async_trait]
impl Queue for Unknown {
    async fn push(&self, _: Vec<Work>) -> Result<(), StoreError> {
        unimplemented!()
    }

    fn is_durable(&self) -> bool {
        true
    }
}

fn selector() -> Selector {
    Selector::new(Shares {
        share: SHARE,
        lease: seconds(30.0),
    })
}

fn now(second: usize) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + i64::try_from(second).unwrap()).unwrap()
}

fn poll(tenant: usize) -> DueItem {
    DueItem::Poll(tenant.to_string().as_str().into())
}

fn step(tenant: usize, application: usize, step: Step) -> DueItem {
    let key = InvitationKey {
        tenant: tenant.to_string().as_str().into(),
        application: ApplicationId::new(application.to_string()),
        mapping: "m".into(),
        round: 1,
    };
    DueItem::Invitation(key, step)
}

fn due(of: &BTreeMap<usize, (DueItem, usize)>, at: usize) -> Vec<DueSince> {
    let due = of.values().filter(|(_, since)| *since <= at);
    let due = due.map(|(item, since)| DueSince {
        since: now(*since),
        item: item.clone(),
    });
    longest_due(due.collect(), 2 * SHARE)
}

fn groups(of: &[DueSince]) -> BTreeSet<(TenantId, Kind)> {
    let group = |one: &DueSince| (one.item.tenant().clone(), one.item.kind());
    of.iter().map(group).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Whatever the backlog of others, and however slow the work: a poll is enqueued at the first tick that finds it
    /// due; so is one item of every kind of every tenant that has none of it in the queue. No tenant has more than its
    /// share, nothing is in the queue twice, and everything is done in the end.
    #[test]
    fn every_tenant_gets_its_turn_whatever_others_have(
        backlog in prop::collection::vec((0..5_usize, 0..3_usize, 0..40_usize), 0..200),
        done_at_each_tick in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        knows in any::<bool>(),
    ) {
        let mut rows: BTreeMap<usize, (DueItem, usize)> = BTreeMap::new();
        for tenant in 0..5 {
            rows.insert(tenant, (poll(tenant), tenant));
        }
        for (n, (tenant, kind, since)) in backlog.into_iter().enumerate() {
            // The first has most of it.
            let tenant = if n % 3 == 0 { tenant } else { 0 };
            let kind = if kind == 0 { Step::WriteBack } else { Step::Invite };
            rows.insert(5 + n, (step(tenant, n, kind), since));
        }
        let (known, mut selector) = (Known::default(), selector());
        for tick in 0..50 {
            let due = due(&rows, tick);
            let before: Vec<DueSince> = due
                .iter()
                .filter(|one| known.has().contains(&one.item.clone().into()))
                .cloned()
                .collect();
            let queue: &dyn Queue = if knows { &known } else { &Unknown };
            let picked = selector.select(now(tick), due.clone(), queue);
            selector.lease(&picked, now(tick));

            let expected: HashSet<_> = groups(&due).difference(&groups(&before)).cloned().collect();
            let got: HashSet<_> = groups(&picked).into_iter().collect();
            prop_assert!(expected.is_subset(&got), "{expected:?} is not in {got:?}");
            let polls = picked.iter().take_while(|one| one.item.kind() == Kind::Poll).count();
            prop_assert!(picked[polls..].iter().all(|one| one.item.kind() != Kind::Poll));
            for one in &picked {
                let work: Work = one.item.clone().into();
                prop_assert!(!known.has().contains(&work), "{work} is there");
                known.has().push(work);
            }
            for (tenant, kind) in groups(&due) {
                let of = |work: &&Work| (work.tenant(), work.kind()) == (&tenant, kind);
                prop_assert!(known.has().iter().filter(of).count() <= SHARE);
            }
            // With each tick, some of it is done.
            for one in &done_at_each_tick {
                let mut has = known.has();
                if has.is_empty() {
                    break;
                }
                let work = { let at = one.index(has.len()); has.remove(at) };
                rows.retain(|_, (item, _)| Work::from(item.clone()) != work);
            }
            // No lease expires: slow work is slow, and not lost.
            selector.leases.values_mut().for_each(|until| *until = now(tick + 31));
        }
        if done_at_each_tick.len() == 5 {
            prop_assert!(rows.is_empty(), "{} are left", rows.len());
        }
    }
}

#[test]
fn who_has_the_least_in_the_queue_comes_first() {
    let rows = (0..50).map(|n| (n, (step(0, n, Step::Invite), 0)));
    let mut rows: BTreeMap<_, _> = rows.collect();
    let (known, mut selector) = (Known::default(), selector());
    let first = selector.select(now(9), due(&rows, 9), &known);
    assert_eq!(first.len(), SHARE);
    known
        .has()
        .extend(first.into_iter().map(|one| one.item.into()));
    rows.extend((50..55).map(|n| (n, (step(1, n, Step::Invite), 9))));
    rows.insert(55, (poll(2), 9));
    let next = selector.select(now(9), due(&rows, 9), &known);
    let items: Vec<_> = next.into_iter().map(|one| one.item).collect();
    let mut expected = vec![poll(2)];
    expected.extend((50..54).map(|n| step(1, n, Step::Invite)));
    assert_eq!(items, expected);
}

#[test]
fn a_queue_that_is_full_still_gets_the_first_of_each() {
    let (known, mut selector) = (Known::default(), selector());
    let others = (0..CAPACITY).map(|n| Work::from(step(9, n, Step::Invite)));
    known.has().extend(others);
    let rows = (0..9).map(|n| (n, (step(n % 3, n, Step::Invite), n)));
    let mut rows: BTreeMap<_, _> = rows.collect();
    rows.insert(9, (poll(3), 0));
    let picked = selector.select(now(9), due(&rows, 9), &known);
    let items: Vec<_> = picked.into_iter().map(|one| one.item).collect();
    let expected = [
        poll(3),
        step(0, 0, Step::Invite),
        step(1, 1, Step::Invite),
        step(2, 2, Step::Invite),
    ];
    assert_eq!(items, expected);
}

#[test]
fn what_ended_and_changed_nothing_waits_for_a_lease_and_holds_up_nobody() {
    let rows: BTreeMap<_, _> = (0..6).map(|n| (n, (step(0, n, Step::Invite), n))).collect();
    let (known, mut selector) = (Known::default(), selector());
    let picks = |selector: &mut Selector, at: usize| {
        let picked = selector.select(now(at), due(&rows, at), &known);
        selector.lease(&picked, now(at));
        picked
    };
    let first = picks(&mut selector, 10);
    assert_eq!(first.len(), SHARE);
    // It waits for long, and its leases are renewed meanwhile.
    known
        .has()
        .extend(first.iter().map(|one| one.item.clone().into()));
    for at in [30, 50, 70] {
        assert_eq!(picks(&mut selector, at), []);
    }
    // It failed. Later items go first.
    known.has().clear();
    let second = picks(&mut selector, 71);
    assert_eq!(second.len(), 2);
    assert_eq!(picks(&mut selector, 99), []);
    assert_eq!(picks(&mut selector, 100), first);
}

#[test]
fn work_that_made_progress_is_enqueued_at_once() {
    let mut rows = BTreeMap::from([(0, (poll(0), 0))]);
    let mut selector = selector();
    let picked = selector.select(now(1), due(&rows, 1), &Unknown);
    selector.lease(&picked, now(1));
    assert_eq!(selector.select(now(2), due(&rows, 2), &Unknown), []);
    rows.insert(0, (poll(0), 2));
    assert_eq!(selector.select(now(2), due(&rows, 2), &Unknown).len(), 1);
}
