//! Runs many histories in parallel, on every core.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::history::{Ended, run};

/// The sum of all histories.
#[derive(Default)]
pub struct Sum {
    /// The number of histories.
    pub histories: u64,
    /// The number of effects that the code under test had outside its processes.
    pub effects: u64,
    /// The number of invitations that the platforms accepted.
    pub accepted: usize,
    /// Faults, by kind.
    pub faults: BTreeMap<&'static str, u64>,
    /// The violations, by seed.
    pub failed: BTreeMap<u64, Vec<String>>,
}

impl Sum {
    fn add(&mut self, seed: u64, ended: Ended) {
        self.histories += 1;
        self.effects += ended.effects;
        self.accepted += ended.accepted;
        for (kind, count) in ended.faults {
            *self.faults.entry(kind).or_default() += count;
        }
        if !ended.violations.is_empty() {
            self.failed.insert(seed, ended.violations);
        }
    }
}

/// Runs this many histories, the first with this seed. If wished, it stops at the first violation.
pub fn many(first: u64, count: u64, until_violated: bool) -> Sum {
    let sum = Mutex::new(Sum::default());
    let next = AtomicU64::new(0);
    let stop = AtomicBool::new(false);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    if at >= count {
                        break;
                    }
                    let seed = first.wrapping_add(at);
                    let ended = run(seed, false);
                    if until_violated && !ended.violations.is_empty() {
                        stop.store(true, Ordering::Relaxed);
                    }
                    let mut sum = sum.lock().unwrap_or_else(PoisonError::into_inner);
                    sum.add(seed, ended);
                }
            });
        }
    });
    sum.into_inner().unwrap_or_else(PoisonError::into_inner)
}
