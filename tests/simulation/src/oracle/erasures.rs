//! Checks erasures: an erased candidate is not invited any more, and nothing of ours names them in the end.

use stagecall_core::ids::TenantId;

use super::{Oracle, eploy};
use crate::scheduler::Millis;
use crate::world::World;

impl Oracle {
    /// Records that a candidate is erased.
    pub fn erased_now(&self, tenant: &TenantId, candidate: u32) {
        let now = self.scheduler.now();
        let place = (tenant.clone(), candidate.to_string());
        self.seen().erased.entry(place).or_insert(now);
    }

    /// When a candidate was erased, if ever.
    pub(super) fn erased(&self, tenant: &TenantId, candidate: &str) -> Option<Millis> {
        let place = (tenant.clone(), candidate.to_owned());
        self.seen().erased.get(&place).copied()
    }

    /// Nothing names whoever was erased.
    pub(super) fn remains(&self, world: &World, open: &mut Vec<String>) {
        let erased: Vec<_> = self.seen().erased.keys().cloned().collect();
        for (tenant, candidate) in erased {
            let all = eploy(world, &tenant).map_or(&[][..], |eploy| &eploy.applications);
            let theirs = all
                .iter()
                .filter(|one| one.candidate.to_string() == candidate)
                .map(|one| one.id.to_string().as_str().into())
                .collect::<Vec<_>>();
            for named in self.memory.names(&tenant, &candidate, &theirs) {
                open.push(format!(
                    "candidate {candidate} is erased, and {named} is kept"
                ));
            }
        }
    }
}
