//! What of that which is due is handed out now. Plain data: no waiting, no I/O.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use jiff::{SignedDuration, Timestamp};

use crate::ids::TenantId;
use crate::ports::{DueSince, Queue};
use crate::timing::after;
use crate::work::Kind;

/// How much of one tenant is handed out, and for how long it is not handed out again.
///
/// * **Polls first**, each of them: they are one per tenant.
/// * **The first of each kind of each tenant**, however much others have, and however full the queue is.
/// * **Then whoever has the least**: room in the queue goes to the tenant and kind with the least in it, up to its share.
/// * **Nothing twice**: what waits or runs is not handed out again; nor is, for the time of the lease, what was handed out
///   and is due since the same time as then. Work that moves on says so in its row, and is due since another time.
#[derive(Clone, Copy, Debug)]
pub struct Shares {
    /// The most of one tenant and kind that is handed out and not done at a time.
    pub share: usize,
    /// How long what was handed out is left to the queue. Where the queue can tell what it has, this begins anew for as
    /// long as it has it, and is how long work waits that failed on our own side.
    pub lease: SignedDuration,
}

impl Shares {
    /// How much is to be read of each tenant and kind: twice a share, so that work which failed on our own side, and is
    /// the longest due, is not all that is ever seen.
    pub(super) fn read(&self) -> usize {
        self.share.saturating_mul(2)
    }
}

/// Remembers what was handed out.
pub(super) struct Selector {
    shares: Shares,
    /// By what was handed out and since when it was due: until when it is not handed out again. A new process begins
    /// without them and hands out once more what waits, which is harmless.
    leases: HashMap<u64, Timestamp>,
}

/// What is due of one tenant and kind.
#[derive(Default)]
struct Group {
    /// How many were handed out and are not done.
    outstanding: usize,
    /// Those that may be handed out, the longest due first.
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

    /// What of `due`, which has the longest due first, is to be handed out to `queue` at `now`, in this order.
    pub(super) fn select(
        &mut self,
        now: Timestamp,
        due: Vec<DueSince>,
        queue: &dyn Queue,
    ) -> Vec<DueSince> {
        let end = after(now, self.shares.lease);
        // One that ends later than a lease can is of a clock that was ahead.
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
                // It ended and changed nothing: something of ours failed.
                (Some(false), Some(_)) => {}
                (_, None) if one.item.kind() == Kind::Poll => picked.push(one),
                (_, None) => groups.entry(group()).or_default().free.push_back(one),
            }
        }
        picked.extend(self.share_out(groups, queue.room().saturating_sub(picked.len())));
        picked
    }

    /// Gives to whoever has the least, again and again; the first of each for certain.
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

    /// The queue took these at `now`.
    pub(super) fn lease(&mut self, taken: &[DueSince], now: Timestamp) {
        let until = after(now, self.shares.lease);
        for one in taken {
            self.leases.insert(name(one), until);
        }
    }
}

/// What tells apart what was handed out: a few bytes, because a clock of many tenants remembers very many.
fn name(one: &DueSince) -> u64 {
    let mut hash = DefaultHasher::new();
    one.hash(&mut hash);
    hash.finish()
}

#[cfg(test)]
mod tests;
