//! Waiting and running work, one lane per tenant. Plain data: no blocking, no tasks.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet, VecDeque};

use stagecall_core::ids::TenantId;
use stagecall_core::work::{Kind, Work};

use super::Limits;

/// The identity of a piece of work: two with the same name are the same work, whatever their other fields.
fn name(work: &Work) -> Work {
    match work {
        Work::WriteBack { key, .. } => Work::WriteBack {
            key: key.clone(),
            news: false,
            change_token: None,
        },
        other => other.clone(),
    }
}

/// Merges the fields of `new` into `before`.
fn merge(before: &mut Work, new: Work) {
    if let (
        Work::WriteBack {
            news, change_token, ..
        },
        Work::WriteBack {
            news: also,
            change_token: newer,
            ..
        },
    ) = (before, new)
    {
        *news |= also;
        if newer.is_some() {
            *change_token = newer;
        }
    }
}

/// The queue has no room.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Full;

pub(super) struct Lanes {
    limits: Limits,
    /// The names of the waiting polls, the oldest first. They have their own workers: a tenant has one poll, and all
    /// other work starts with it.
    polls: VecDeque<Work>,
    polls_running: usize,
    /// Tenants with other work that waits or runs.
    by_tenant: HashMap<TenantId, Lane>,
    /// Tenants with other waiting work, in the order of their turns.
    turns: VecDeque<TenantId>,
    /// The number of running pieces of other work.
    others_running: usize,
    waiting: HashMap<Work, Work>,
    /// The names of the running work.
    running: HashSet<Work>,
}

#[derive(Default)]
struct Lane {
    /// The waiting names of each kind, the oldest first, in the order of the kinds' turns. No kind is empty.
    kinds: VecDeque<(Kind, VecDeque<Work>)>,
    running: usize,
}

impl Lane {
    fn has(&self, kind: Kind) -> bool {
        self.kinds.iter().any(|(of, _)| *of == kind)
    }

    fn push(&mut self, name: Work) {
        let kind = name.kind();
        match self.kinds.iter_mut().find(|(of, _)| *of == kind) {
            Some((_, waiting)) => waiting.push_back(name),
            None => self.kinds.push_back((kind, VecDeque::from([name]))),
        }
    }

    /// The next one that `may` run. Its kind moves to the end.
    fn take(&mut self, may: impl Fn(&Work) -> bool) -> Option<Work> {
        let mut next = self.kinds.iter().enumerate();
        let (kind, at) =
            next.find_map(|(kind, (_, waiting))| Some((kind, waiting.iter().position(&may)?)))?;
        let (kind, mut waiting) = self.kinds.remove(kind)?;
        let name = waiting.remove(at);
        if !waiting.is_empty() {
            self.kinds.push_back((kind, waiting));
        }
        name
    }
}

impl Lanes {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            polls: VecDeque::new(),
            polls_running: 0,
            by_tenant: HashMap::new(),
            turns: VecDeque::new(),
            others_running: 0,
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

    /// Whether `work` waits or runs.
    pub(super) fn has(&self, work: &Work) -> bool {
        let name = name(work);
        self.waiting.contains_key(&name) || self.running.contains(&name)
    }

    /// Enqueues `work`. A full queue still accepts the first of its kind of a tenant, so that one tenant's load does
    /// not block another's.
    pub(super) fn push(&mut self, work: Work) -> Result<(), Full> {
        let full = self.room() == 0;
        let name = name(&work);
        let tenant = work.tenant();
        let place = match self.waiting.entry(name.clone()) {
            Entry::Occupied(before) => {
                merge(before.into_mut(), work);
                return Ok(());
            }
            Entry::Vacant(place) => place,
        };
        if work.kind() == Kind::Poll {
            self.polls.push_back(name);
        } else {
            let lane = self.by_tenant.get(tenant);
            if full && lane.is_some_and(|lane| lane.has(work.kind())) {
                return Err(Full);
            }
            let lane = self.by_tenant.entry(tenant.clone()).or_default();
            if lane.kinds.is_empty() {
                self.turns.push_back(tenant.clone());
            }
            lane.push(name);
        }
        place.insert(work);
        Ok(())
    }

    /// Takes the next piece of work that may run and marks it as running.
    pub(super) fn take(&mut self) -> Option<Work> {
        let name = self.take_poll().or_else(|| self.take_other())?;
        let work = self.waiting.remove(&name);
        self.running.insert(name);
        work
    }

    fn take_poll(&mut self) -> Option<Work> {
        if self.polls_running >= self.limits.max_total {
            return None;
        }
        let mut polls = self.polls.iter();
        let at = polls.position(|name| !self.running.contains(name))?;
        let name = self.polls.remove(at)?;
        self.polls_running += 1;
        Some(name)
    }

    fn take_other(&mut self) -> Option<Work> {
        if self.others_running >= self.limits.max_total {
            return None;
        }
        for _ in 0..self.turns.len() {
            let tenant = self.turns.pop_front()?;
            let lane = self.by_tenant.entry(tenant.clone()).or_default();
            let name = if lane.running < self.limits.max_per_tenant {
                lane.take(|name| !self.running.contains(name))
            } else {
                None
            };
            lane.running += usize::from(name.is_some());
            if !lane.kinds.is_empty() {
                self.turns.push_back(tenant);
            }
            if name.is_some() {
                self.others_running += 1;
                return name;
            }
        }
        None
    }

    /// Marks `work` from [`Self::take`] as finished.
    pub(super) fn finish(&mut self, work: &Work) {
        if !self.running.remove(&name(work)) {
            return;
        }
        if work.kind() == Kind::Poll {
            self.polls_running -= 1;
            return;
        }
        self.others_running -= 1;
        if let Entry::Occupied(mut lane) = self.by_tenant.entry(work.tenant().clone()) {
            lane.get_mut().running -= 1;
            if lane.get().running == 0 && lane.get().kinds.is_empty() {
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

    fn poll(tenant: &str) -> Work {
        Work::Poll {
            tenant: tenant.into(),
        }
    }

    fn write_back(news: bool, change_token: Option<&str>) -> Work {
        Work::WriteBack {
            key: key("a", 1),
            news,
            change_token: change_token.map(str::to_owned),
        }
    }

    #[test]
    fn tenants_take_turns_whatever_their_load() {
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
    fn a_tenant_runs_no_more_than_its_share() {
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
    fn waiting_work_is_queued_once_with_merged_fields() {
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
    fn work_pushed_while_it_runs_runs_once_more_afterwards() {
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
    fn blocked_work_is_overtaken() {
        let mut lanes = Lanes::new(LIMITS);
        lanes.push(invite("a", 1)).unwrap();
        lanes.take().unwrap();
        lanes.push(invite("a", 1)).unwrap();
        lanes.push(invite("a", 2)).unwrap();
        assert_eq!(lanes.take(), Some(invite("a", 2)));
    }

    #[test]
    fn a_backlog_of_one_kind_delays_neither_poll_nor_deliveries() {
        let mut lanes = Lanes::new(LIMITS);
        for application in 0..50 {
            lanes.push(invite("a", application)).unwrap();
        }
        let delivery = Work::Delivery {
            tenant: "a".into(),
            id: "d".to_owned(),
        };
        for work in [&delivery, &poll("a")] {
            lanes.push(work.clone()).unwrap();
        }
        let first: Vec<_> = (0..3).map(|_| lanes.take().unwrap()).collect();
        assert_eq!(first, [poll("a"), invite("a", 0), delivery]);
    }

    #[test]
    fn a_poll_runs_although_all_workers_and_its_tenants_share_are_busy() {
        let mut lanes = Lanes::new(Limits {
            max_total: 2,
            ..LIMITS
        });
        for application in 0..5 {
            lanes.push(invite("a", application)).unwrap();
            lanes.push(invite("b", application)).unwrap();
        }
        assert!(lanes.take().is_some() && lanes.take().is_some());
        assert_eq!(lanes.take(), None);
        for tenant in ["a", "b", "c"] {
            lanes.push(poll(tenant)).unwrap();
        }
        assert_eq!(lanes.take(), Some(poll("a")));
        assert_eq!(lanes.take(), Some(poll("b")));
        assert_eq!(lanes.take(), None, "polls have as many workers, no more");
        lanes.finish(&poll("a"));
        assert_eq!(lanes.take(), Some(poll("c")));
    }

    #[test]
    fn a_full_queue_accepts_the_first_of_each_kind_of_a_tenant() {
        let mut lanes = Lanes::new(Limits {
            capacity: 2,
            ..LIMITS
        });
        for application in 0..2 {
            lanes.push(invite("a", application)).unwrap();
        }
        assert_eq!(lanes.push(invite("a", 2)), Err(Full));
        for work in [poll("a"), write_back(false, None), invite("b", 1)] {
            assert_eq!(lanes.push(work.clone()), Ok(()));
            assert!(lanes.has(&work));
        }
        assert_eq!(lanes.push(invite("b", 2)), Err(Full));
        assert!(!lanes.has(&invite("b", 2)));
        assert_eq!((lanes.depth(), lanes.room()), (5, 0));
    }

    #[test]
    fn a_full_queue_drops_new_work_and_merges_known_work() {
        let mut lanes = Lanes::new(Limits {
            capacity: 1,
            ..LIMITS
        });
        let other = Work::WriteBack {
            key: key("a", 2),
            news: false,
            change_token: None,
        };
        lanes.push(write_back(false, None)).unwrap();
        assert_eq!(lanes.push(other), Err(Full));
        assert_eq!(lanes.push(write_back(true, None)), Ok(()));
        assert_eq!((lanes.depth(), lanes.room()), (1, 0));
        assert_eq!(lanes.take(), Some(write_back(true, None)));
        assert_eq!(lanes.room(), 1);
    }

    #[test]
    fn no_state_is_kept_of_a_tenant_without_work() {
        let mut lanes = Lanes::new(LIMITS);
        for work in [invite("a", 1), poll("a")] {
            lanes.push(work).unwrap();
        }
        while let Some(work) = lanes.take() {
            lanes.finish(&work);
        }
        assert!(lanes.by_tenant.is_empty() && lanes.turns.is_empty() && lanes.running.is_empty());
        assert!(lanes.polls.is_empty() && lanes.polls_running == 0 && lanes.others_running == 0);
    }
}
