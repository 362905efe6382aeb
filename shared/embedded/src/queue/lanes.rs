//! What waits and what runs, one lane per tenant. Plain data: no waiting, no tasks.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet, VecDeque};

use stagecall_core::ids::TenantId;
use stagecall_core::work::Work;

use super::Limits;

/// What a piece of work is about: two of the same name are the same work, whatever else they say.
fn name(work: &Work) -> Work {
    match work {
        Work::WriteBack { key, .. } => Work::WriteBack {
            key: key.clone(),
            news: false,
            marker: None,
        },
        other => other.clone(),
    }
}

/// `before`, and what `new` says beyond it.
fn merge(before: &mut Work, new: Work) {
    if let (
        Work::WriteBack { news, marker, .. },
        Work::WriteBack {
            news: also,
            marker: newer,
            ..
        },
    ) = (before, new)
    {
        *news |= also;
        if newer.is_some() {
            *marker = newer;
        }
    }
}

/// There was no room.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Full;

pub(super) struct Lanes {
    limits: Limits,
    /// Tenants with something that waits or runs.
    by_tenant: HashMap<TenantId, Lane>,
    /// Tenants with something that waits, in the order of their turns.
    turns: VecDeque<TenantId>,
    /// What waits, in full, by its name.
    waiting: HashMap<Work, Work>,
    /// The names of what runs.
    running: HashSet<Work>,
}

#[derive(Default)]
struct Lane {
    /// Names, the oldest first.
    waiting: VecDeque<Work>,
    running: usize,
}

impl Lanes {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            by_tenant: HashMap::new(),
            turns: VecDeque::new(),
            waiting: HashMap::new(),
            running: HashSet::new(),
        }
    }

    pub(super) fn depth(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn room(&self) -> usize {
        self.limits.capacity.saturating_sub(self.waiting.len())
    }

    /// Lets `work` wait.
    pub(super) fn push(&mut self, work: Work) -> Result<(), Full> {
        let room = self.room();
        let name = name(&work);
        match self.waiting.entry(name) {
            Entry::Occupied(before) => merge(before.into_mut(), work),
            Entry::Vacant(_) if room == 0 => return Err(Full),
            Entry::Vacant(place) => {
                let tenant = work.tenant().clone();
                let lane = self.by_tenant.entry(tenant.clone()).or_default();
                if lane.waiting.is_empty() {
                    self.turns.push_back(tenant);
                }
                lane.waiting.push_back(place.key().clone());
                place.insert(work);
            }
        }
        Ok(())
    }

    /// The next piece of work that may run; it counts as running from now on.
    pub(super) fn take(&mut self) -> Option<Work> {
        for _ in 0..self.turns.len() {
            let tenant = self.turns.pop_front()?;
            let lane = self.by_tenant.entry(tenant.clone()).or_default();
            let next = if lane.running < self.limits.max_per_tenant {
                lane.waiting
                    .iter()
                    .position(|name| !self.running.contains(name))
            } else {
                None
            };
            let name = next.and_then(|at| lane.waiting.remove(at));
            if name.is_some() {
                lane.running += 1;
            }
            if !lane.waiting.is_empty() {
                self.turns.push_back(tenant);
            }
            if let Some(name) = name {
                let work = self.waiting.remove(&name);
                self.running.insert(name);
                return work;
            }
        }
        None
    }

    /// `work`, which [`Self::take`] gave, has ended.
    pub(super) fn finish(&mut self, work: &Work) {
        if !self.running.remove(&name(work)) {
            return;
        }
        if let Entry::Occupied(mut lane) = self.by_tenant.entry(work.tenant().clone()) {
            lane.get_mut().running -= 1;
            if lane.get().running == 0 && lane.get().waiting.is_empty() {
                lane.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use stagecall_core::ids::{ApplicationId, InvitationKey, MappingId};

    use super::*;

    const LIMITS: Limits = Limits {
        capacity: 100,
        max_total: 10,
        max_per_tenant: 2,
    };

    fn key(tenant: &str, application: usize) -> InvitationKey {
        InvitationKey {
            tenant: tenant.into(),
            application: ApplicationId::new(application.to_string()),
            mapping: MappingId::new("m"),
            round: 1,
        }
    }

    fn invite(tenant: &str, application: usize) -> Work {
        Work::Invite {
            key: key(tenant, application),
        }
    }

    fn write_back(news: bool, marker: Option<&str>) -> Work {
        Work::WriteBack {
            key: key("a", 1),
            news,
            marker: marker.map(str::to_owned),
        }
    }

    #[test]
    fn tenants_take_turns_however_much_one_has() {
        let mut lanes = Lanes::new(LIMITS);
        for application in 0..50 {
            lanes.push(invite("big", application)).unwrap();
        }
        lanes.push(invite("small", 1)).unwrap();
        lanes.push(invite("other", 1)).unwrap();
        let first: Vec<_> = (0..3).map(|_| lanes.take().unwrap()).collect();
        assert_eq!(
            first,
            [invite("big", 0), invite("small", 1), invite("other", 1)]
        );
    }

    #[test]
    fn a_tenant_runs_no_more_than_its_share_and_goes_on_when_one_ends() {
        let mut lanes = Lanes::new(LIMITS);
        for application in 0..5 {
            lanes.push(invite("a", application)).unwrap();
        }
        assert_eq!(lanes.take(), Some(invite("a", 0)));
        assert_eq!(lanes.take(), Some(invite("a", 1)));
        assert_eq!(lanes.take(), None);
        lanes.finish(&invite("a", 0));
        assert_eq!(lanes.take(), Some(invite("a", 2)));
        assert_eq!(lanes.take(), None);
        assert_eq!(lanes.depth(), 2);
    }

    #[test]
    fn work_that_waits_is_queued_once_with_all_that_was_said() {
        let mut lanes = Lanes::new(LIMITS);
        for work in [
            write_back(false, None),
            write_back(true, Some("m1")),
            write_back(false, None),
        ] {
            lanes.push(work).unwrap();
        }
        assert_eq!(lanes.depth(), 1);
        assert_eq!(lanes.take(), Some(write_back(true, Some("m1"))));
    }

    #[test]
    fn work_pushed_while_it_runs_runs_once_more_afterwards_and_never_beside_itself() {
        let mut lanes = Lanes::new(LIMITS);
        lanes.push(write_back(false, None)).unwrap();
        let running = lanes.take().unwrap();
        lanes.push(write_back(true, None)).unwrap();
        lanes.push(write_back(true, None)).unwrap();
        assert_eq!(lanes.take(), None);
        lanes.finish(&running);
        assert_eq!(lanes.take(), Some(write_back(true, None)));
        assert_eq!(lanes.depth(), 0);
    }

    #[test]
    fn work_behind_one_that_must_wait_goes_first() {
        let mut lanes = Lanes::new(LIMITS);
        lanes.push(invite("a", 1)).unwrap();
        lanes.take().unwrap();
        lanes.push(invite("a", 1)).unwrap();
        lanes.push(invite("a", 2)).unwrap();
        assert_eq!(lanes.take(), Some(invite("a", 2)));
    }

    #[test]
    fn a_full_queue_drops_what_is_new_and_still_takes_in_what_is_known() {
        let mut lanes = Lanes::new(Limits {
            capacity: 1,
            ..LIMITS
        });
        lanes.push(write_back(false, None)).unwrap();
        assert_eq!(lanes.push(invite("a", 2)), Err(Full));
        assert_eq!(lanes.push(write_back(true, None)), Ok(()));
        assert_eq!((lanes.depth(), lanes.room()), (1, 0));
        assert_eq!(lanes.take(), Some(write_back(true, None)));
        assert_eq!(lanes.room(), 1);
    }

    #[test]
    fn nothing_remains_of_a_tenant_whose_work_is_done() {
        let mut lanes = Lanes::new(LIMITS);
        lanes.push(invite("a", 1)).unwrap();
        let work = lanes.take().unwrap();
        lanes.finish(&work);
        assert!(lanes.by_tenant.is_empty() && lanes.turns.is_empty() && lanes.running.is_empty());
    }
}
