//! What happens next, and when. Every await of the code under test that leaves its process stops here; the seed decides
//! how long it takes, whether it works, and who goes on first.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::future::poll_fn;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use stagecall_core::Timestamp;
use stagecall_core::error::StoreError;
use stagecall_core::ports::Purpose;
use stagecall_core::timing::{after, seconds};
use stagecall_http::{Response, TransportError};
use tokio::time::Instant;

use crate::account::Account;
use crate::event_queue::{Event, Item};
use crate::plan::{Rates, SLOW};

/// Milliseconds since a history began.
pub type Millis = u64;

/// What becomes of an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It works.
    Works,
    /// It fails, and nothing happened.
    FailsBefore,
    /// It happened, and whoever asked is told that it failed.
    FailsAfter,
    /// Whoever asked dies, and nothing happened.
    DiesBefore,
    /// It happened, and whoever asked dies before learning of it.
    DiesAfter,
    /// It happened, and whoever asked learns of it late.
    Stalls,
}

/// What somebody who waits is woken with.
pub enum Outcome {
    /// Go on: this is what becomes of it.
    Go(Fate),
    /// The answer to a request.
    Answer(Result<Response, TransportError>),
}

/// A piece of running work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Running {
    /// Which.
    pub job: u64,
    /// On which process.
    pub process: usize,
    /// Since when.
    pub begun: Millis,
    /// What it may call Eploy for: it decides how much of the day's allowance it may use.
    pub purpose: Option<Purpose>,
}

struct Slot {
    waker: Option<Waker>,
    outcome: Option<Outcome>,
}

/// The scheduler of one history.
pub struct Scheduler {
    begun: Instant,
    /// The time, which passes only while everybody waits.
    now: AtomicU64,
    base: Timestamp,
    state: Mutex<State>,
}

struct State {
    rng: fastrand::Rng,
    rates: Rates,
    count: u64,
    event_queue: BinaryHeap<Reverse<Item>>,
    slots: BTreeMap<u64, Slot>,
    running: Running,
    dying: Vec<u64>,
    account: Account,
}

impl Scheduler {
    /// A scheduler that draws everything from `rng`. To be made within a Tokio runtime whose clock is paused.
    pub fn new(rng: fastrand::Rng, rates: Rates, base: Timestamp, account: Account) -> Self {
        Self {
            begun: Instant::now(),
            now: AtomicU64::new(0),
            base,
            state: Mutex::new(State {
                rng,
                rates,
                count: 0,
                event_queue: BinaryHeap::new(),
                slots: BTreeMap::new(),
                running: Running::default(),
                dying: Vec::new(),
                account,
            }),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The time, in milliseconds since the beginning.
    pub fn now(&self) -> Millis {
        self.now.load(Ordering::Relaxed)
    }

    fn look_at_the_clock(&self) {
        let elapsed = self.begun.elapsed().as_millis();
        let now = u64::try_from(elapsed).unwrap_or(u64::MAX);
        self.now.store(now, Ordering::Relaxed);
    }

    /// The time in the world, `apart` milliseconds from it.
    #[allow(clippy::cast_precision_loss, reason = "a few days in milliseconds")]
    pub fn time(&self, apart: i64) -> Timestamp {
        let now = self.now().cast_signed() + apart;
        after(self.base, seconds(now as f64 / 1000.0))
    }

    /// Waits until something is due or `woken` says that somebody can go on.
    pub async fn wait(&self, woken: impl Future<Output = ()>) {
        let due = self.state().event_queue.peek().map(|Reverse(item)| item.at);
        match due {
            None => woken.await,
            Some(due) => {
                let until = self.begun + std::time::Duration::from_millis(due);
                let _ = tokio::time::timeout_at(until, woken).await;
            }
        }
        self.look_at_the_clock();
    }

    /// Takes what is due next, if anything is.
    pub fn next(&self) -> Option<Event> {
        let now = self.now();
        let mut state = self.state();
        if state
            .event_queue
            .peek()
            .is_none_or(|Reverse(item)| item.at > now)
        {
            return None;
        }
        state.event_queue.pop().map(|Reverse(item)| item.event)
    }

    /// Puts something on the agenda, `later` milliseconds from now. Of things due at once, the seed decides the order.
    pub fn plan(&self, later: Millis, event: Event) {
        let at = self.now() + later;
        let mut state = self.state();
        state.count += 1;
        let item = Item {
            at,
            tie: state.rng.u32(..),
            count: state.count,
            event,
        };
        state.event_queue.push(Reverse(item));
    }

    /// Draws from the seed.
    pub fn draw<T>(&self, how: impl FnOnce(&mut fastrand::Rng) -> T) -> T {
        how(&mut self.state().rng)
    }

    /// Draws from the seed whether something happens that happens `often` in ten thousand.
    pub fn chance(&self, often: u32) -> bool {
        self.state().rng.u32(0..10_000) < often
    }

    /// The rates of faults.
    pub fn rates(&self) -> Rates {
        self.state().rates.clone()
    }

    /// From here on, nothing fails any more.
    pub fn calm(&self) {
        self.state().rates = Rates::CALM;
    }

    /// Says which work is running now.
    pub fn run(&self, running: Running) {
        self.state().running = running;
    }

    /// Which work is running now.
    pub fn running(&self) -> Running {
        self.state().running
    }

    /// Who has died since the last time of asking.
    pub fn dying(&self) -> Vec<u64> {
        std::mem::take(&mut self.state().dying)
    }

    /// Keeps an account of what happened.
    pub fn account<T>(&self, tell: impl FnOnce(&mut Account) -> T) -> T {
        tell(&mut self.state().account)
    }

    /// Counts a fault.
    pub fn fault(&self, kind: &'static str) {
        self.account(|account| account.fault(kind));
    }

    /// Tells of something that happened to the running work.
    pub fn tell(&self, what: &str, detail: impl FnOnce() -> String) {
        let now = self.now();
        let mut state = self.state();
        let running = state.running;
        state.account.tell(now, running, what, detail);
    }

    /// Somewhere to be woken at.
    pub fn slot(&self) -> u64 {
        let mut state = self.state();
        state.count += 1;
        let id = state.count;
        state.slots.insert(
            id,
            Slot {
                waker: None,
                outcome: None,
            },
        );
        id
    }

    /// Wakes whoever waits at `slot`; the first outcome counts.
    pub fn wake(&self, slot: u64, outcome: Outcome) {
        let mut state = self.state();
        if let Some(slot) = state.slots.get_mut(&slot)
            && slot.outcome.is_none()
        {
            slot.outcome = Some(outcome);
            if let Some(waker) = slot.waker.take() {
                waker.wake();
            }
        }
    }

    /// Waits at `slot`.
    pub async fn at(&self, slot: u64) -> Outcome {
        let _leave = Leave(self, slot);
        poll_fn(|context| {
            let mut state = self.state();
            let Some(place) = state.slots.get_mut(&slot) else {
                return Poll::Pending;
            };
            match place.outcome.take() {
                Some(outcome) => Poll::Ready(outcome),
                None => {
                    place.waker = Some(context.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await
    }

    /// Waits for `time` milliseconds.
    pub async fn pass(&self, time: Millis) {
        let slot = self.slot();
        self.plan(time, Event::Wake(slot, Outcome::Go(Fate::Works)));
        self.at(slot).await;
    }

    /// Stops before an effect for as long as the seed says. Returns what is to become of it.
    pub async fn gate(&self, what: &str) -> Fate {
        let slot = self.slot();
        let (fate, later) = {
            let mut state = self.state();
            let State { rng, rates, .. } = &mut *state;
            (rates.fate(rng), rates.latency(rng))
        };
        if later >= SLOW {
            self.fault("effect slow");
        }
        self.plan(later, Event::Wake(slot, Outcome::Go(fate)));
        self.at(slot).await;
        self.account(|account| account.effects += 1);
        self.tell(what, || match fate {
            Fate::Works => String::new(),
            fate => format!("{fate:?}"),
        });
        if fate != Fate::Works {
            self.fault(fate.name());
        }
        fate
    }

    /// The running work comes to its end here: it is dropped as it stands.
    pub async fn die<T>(&self) -> T {
        self.doom();
        std::future::pending().await
    }

    fn doom(&self) {
        let mut state = self.state();
        let job = state.running.job;
        state.dying.push(job);
    }

    /// An effect on a store of ours.
    pub async fn effect<T>(
        &self,
        what: &'static str,
        act: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let fate = self.gate(what).await;
        match fate {
            Fate::FailsBefore => return Err(StoreError::new("store", what, "it is not reached")),
            Fate::DiesBefore => return self.die().await,
            _ => {}
        }
        let outcome = act.await;
        match fate {
            Fate::FailsAfter => Err(StoreError::new("store", what, "the answer is lost")),
            Fate::DiesAfter => self.die().await,
            Fate::Stalls => {
                let long = self.draw(asleep);
                self.pass(long).await;
                outcome
            }
            _ => outcome,
        }
    }
}

/// How long somebody who is stopped sleeps: mostly about as long as a lease, sometimes through several sweeps.
pub fn asleep(rng: &mut fastrand::Rng) -> Millis {
    if rng.u32(0..12) == 0 {
        rng.u64(150_000..3_000_000)
    } else {
        rng.u64(1_000..150_000)
    }
}

/// Frees a slot when whoever waited there goes on or is dropped.
struct Leave<'a>(&'a Scheduler, u64);

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        self.0.state().slots.remove(&self.1);
    }
}

impl Fate {
    /// A short name, for counting.
    pub fn name(self) -> &'static str {
        match self {
            Self::Works => "works",
            Self::FailsBefore => "failed before",
            Self::FailsAfter => "failed after",
            Self::DiesBefore => "died before",
            Self::DiesAfter => "died after",
            Self::Stalls => "stalled after",
        }
    }
}
