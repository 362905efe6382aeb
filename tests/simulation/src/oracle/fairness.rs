//! Checks the hand-out of work: whatever backlog others have, and however full the queue is, the first due item of each
//! kind of each tenant is enqueued by the next tick, or an item of that kind and tenant was within the lease before.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use stagecall_core::ids::TenantId;
use stagecall_core::ports::DueSince;
use stagecall_core::work::{Kind, Work};

use super::Oracle;
use crate::scheduler::Millis;

/// A lease ends by the process's clock, which may be set meanwhile.
const MAX_CLOCK_STEP: Millis = 22_000;

/// What the clock function of a process enqueued of each tenant and kind, and when last.
#[derive(Default)]
pub struct HandedOut(Mutex<BTreeMap<(TenantId, Kind), Millis>>);

impl HandedOut {
    /// Records that this work is enqueued.
    pub fn note(&self, work: &[Work], now: Millis) {
        let mut last = self.last();
        for work in work {
            last.insert((work.tenant().clone(), work.kind()), now);
        }
    }

    fn last(&self) -> MutexGuard<'_, BTreeMap<(TenantId, Kind), Millis>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Oracle {
    /// Everything that is certainly due by any of our clocks.
    pub fn certainly_due(&self) -> Vec<DueSince> {
        self.memory
            .all_due(self.scheduler.time(-super::MAX_CLOCK_SKEW))
    }

    /// Checks a tick that succeeded, with what was due when it began.
    pub fn ticked(&self, began: Millis, due: &[DueSince], handed_out: &HandedOut, lease: Millis) {
        let still = self.certainly_due();
        let last = handed_out.last();
        for one in due.iter().filter(|one| still.contains(one)) {
            let group = (one.item.tenant().clone(), one.item.kind());
            let held = last
                .get(&group)
                .is_some_and(|at| at + lease + MAX_CLOCK_STEP >= began);
            self.check(held, || {
                let (tenant, kind) = &group;
                format!(
                    "{tenant}: a due {} was not enqueued, nor any other of its kind before",
                    kind.name()
                )
            });
        }
    }
}
