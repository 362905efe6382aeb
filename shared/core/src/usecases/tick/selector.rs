//! Selects which of the due items are enqueued now. Plain data: no waiting, no I/O.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use jiff::{SignedDuration, Timestamp};

use crate::ids::TenantId;
use crate::ports::{DueSince, Queue};
use crate::timing::after;
use crate::work::Kind;

/// How much of one tenant is enqueued, and how long it is not enqueued again.
///
/// * **Polls first**, each of them: there is one per tenant.
/// * **The first of each kind of each tenant**, however much others have, and however full the queue is.
/// * **Then the smallest groups**: room in the queue goes to the tenant and kind with the fewest items in it, up to its
///   share.
/// * **Nothing twice**: an item that is queued or running is not enqueued again. Nor is, during its lease, an item that
///   is still due since the same time. Work that made progress says so in its row, and is due since another time.
#[derive(Clone, Copy, Debug)]
pub struct Shares {
    /// The maximum number of unfinished items of one tenant and kind.
    pub share: usize,
    /// The lease of an enqueued item. Where the queue can tell what it has, the lease is renewed while it has the item,
    /// and is the delay of work that failed on our own side.
    pub lease: SignedDuration,
}

impl Shares {
    /// How many items to read of each tenant and kind: twice a share, so that items that failed on our own side, and
    /// are the longest due, do not hide the rest.
    pub(super) fn read(&self) -> usize {
        self.share.saturating_mul(2)
    }
}

/// Remembers what was enqueued.
pub(super) struct Selector {
    shares: Shares,
    /// The ends of leases, by a hash of the item and its due time. A new process begins without them and enqueues once
    /// more what is queued already, which is harmless.
    leases: HashMap<u64, Timestamp>,
}

/// The due items of one tenant and kind.
#[derive(Default)]
struct Group {
    /// Items that were enqueued and are not done.
    outstanding: usize,
    /// Items that may be enqueued, the longest due first.
    free: VecDeque<DueSince>,
}

impl Selector {
    pub(super) fn new(shares: Shares) -> Self {
        Self {
            shares,
            leases: HashMap::new(),
        }
    }

    pub(super) fn shares(&self) -> Shares {
        self.shares
    }

    /// Selects what of `due`, which is sorted by the longest due, to enqueue in `queue` at `now`, in this order.
    pub(super) fn select(
        &mut self,
        now: Timestamp,
        due: Vec<DueSince>,
        queue: &dyn Queue,
    ) -> Vec<DueSince> {
        let end = after(now, self.shares.lease);
        // A lease that ends later than any can was taken by a clock that was ahead.
        self.leases.retain(|_, until| *until > now && *until <= end);
        let mut picked = Vec::new();
        let mut groups: HashMap<(TenantId, Kind), Group> = HashMap::new();
        for one in due {
            let group = || (one.item.tenant().clone(), one.item.kind());
            let lease = self.leases.get_mut(&name(&one));
            match (queue.has(&one.item.clone().into()), lease) {
                (Some(true), lease) => {
                    if let Some(until) = lease {
                        *until = end;
                    }
                    groups.entry(group()).or_default().outstanding += 1;
                }
                (None, Some(_)) => groups.entry(group()).or_default().outstanding += 1,
                // It ended without progress: something of ours failed.
                (Some(false), Some(_)) => {}
                (_, None) if one.item.kind() == Kind::Poll => picked.push(one),
                (_, None) => groups.entry(group()).or_default().free.push_back(one),
            }
        }
        picked.extend(self.share_out(groups, queue.room().saturating_sub(picked.len())));
        picked
    }

    /// Gives room to the smallest group, repeatedly; the first of each group always gets it.
    fn share_out(
        &self,
        mut groups: HashMap<(TenantId, Kind), Group>,
        mut room: usize,
    ) -> Vec<DueSince> {
        let turn = |key: (TenantId, Kind), group: &Group| {
            let first = group.free.front()?;
            (group.outstanding < self.shares.share).then_some(Reverse((
                group.outstanding,
                first.since,
                key,
            )))
        };
        let mut turns: BinaryHeap<_> = groups
            .iter()
            .filter_map(|(key, group)| turn(key.clone(), group))
            .collect();
        let mut picked = Vec::new();
        while let Some(Reverse((outstanding, _, key))) = turns.pop() {
            if outstanding > 0 && room == 0 {
                break;
            }
            let Some(group) = groups.get_mut(&key) else {
                continue;
            };
            picked.extend(group.free.pop_front());
            group.outstanding += 1;
            room = room.saturating_sub(1);
            turns.extend(turn(key, group));
        }
        picked
    }

    /// Records that the queue took these at `now`.
    pub(super) fn lease(&mut self, taken: &[DueSince], now: Timestamp) {
        let until = after(now, self.shares.lease);
        for one in taken {
            self.leases.insert(name(one), until);
        }
    }
}

/// A hash that identifies an enqueued item: a few bytes, because the clock of many tenants remembers very many.
fn name(one: &DueSince) -> u64 {
    let mut hash = DefaultHasher::new();
    one.hash(&mut hash);
    hash.finish()
}

#[cfg(test)]
mod tests;
