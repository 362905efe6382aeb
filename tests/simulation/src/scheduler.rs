//! Decides what happens next, and when. Every await of the code under test that leaves its process stops here. The seed
//! decides how long it takes, whether it succeeds, and which task continues first.

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
use crate::plan::{Rates, SLOW_EFFECT};

/// Milliseconds since a history began.
pub type Millis = u64;

/// The fate of an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It succeeds.
    Works,
    /// It fails, and nothing happened.
    FailsBefore,
    /// It happened, and the caller gets an error.
    FailsAfter,
    /// The caller dies, and nothing happened.
    DiesBefore,
    /// It happened, and the caller dies before it gets the answer.
    DiesAfter,
    /// It happened, and the caller gets the answer late.
    Stalls,
}

/// What a waiting task is woken with.
pub enum Outcome {
    /// Continue, with the fate of the effect.
    Go(Fate),
    /// The answer to a request.
    Answer(Result<Response, TransportError>),
}

/// A piece of running work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Running {
    pub job: u64,
    /// Its process.
    pub process: usize,
    /// When it began.
    pub begun: Millis,
    /// The purpose of its calls to Eploy, which decides how much of the day's allowance it may use.
    pub purpose: Option<Purpose>,
}

struct Slot {
    waker: Option<Waker>,
    outcome: Option<Outcome>,
}

/// The scheduler of one history.
pub struct Scheduler {
    begun: Instant,
    /// The time, which passes only while all tasks wait.
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
    /// A scheduler that draws everything from `rng`. It must be created within a Tokio runtime whose clock is paused.
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

    /// Waits until an event is due or `woken` reports that a task can continue.
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

    /// Takes the next due event, if any.
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

    /// Queues an event, `later` milliseconds from now. The seed decides the order of events that are due at the same time.
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

    /// Draws from the seed whether something with this chance, in ten thousand, happens.
    pub fn chance(&self, often: u32) -> bool {
        self.state().rng.u32(0..10_000) < often
    }

    /// The rates of faults.
    pub fn rates(&self) -> Rates {
        self.state().rates.clone()
    }

    /// Stops all faults.
    pub fn calm(&self) {
        self.state().rates = Rates::CALM;
    }

    /// Sets the running work.
    pub fn run(&self, running: Running) {
        self.state().running = running;
    }

    /// The running work.
    pub fn running(&self) -> Running {
        self.state().running
    }

    /// The work that has died since the last call.
    pub fn dying(&self) -> Vec<u64> {
        std::mem::take(&mut self.state().dying)
    }

    /// Gives access to the account.
    pub fn account<T>(&self, act: impl FnOnce(&mut Account) -> T) -> T {
        act(&mut self.state().account)
    }

    /// Counts a fault.
    pub fn fault(&self, kind: &'static str) {
        self.account(|account| account.fault(kind));
    }

    /// Records an event of the running work.
    pub fn record(&self, what: &str, detail: impl FnOnce() -> String) {
        let now = self.now();
        let mut state = self.state();
        let running = state.running;
        state.account.record(now, running, what, detail);
    }

    /// A new slot to wait at.
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

    /// Wakes the task that waits at `slot`. The first outcome counts.
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

    /// Stops before an effect for as long as the seed says. Returns the effect's fate.
    pub async fn gate(&self, what: &str) -> Fate {
        let slot = self.slot();
        let (fate, later) = {
            let mut state = self.state();
            let State { rng, rates, .. } = &mut *state;
            (rates.fate(rng), rates.latency(rng))
        };
        if later >= SLOW_EFFECT {
            self.fault("effect slow");
        }
        self.plan(later, Event::Wake(slot, Outcome::Go(fate)));
        self.at(slot).await;
        self.account(|account| account.effects += 1);
        self.record(what, || match fate {
            Fate::Works => String::new(),
            fate => format!("{fate:?}"),
        });
        if fate != Fate::Works {
            self.fault(fate.name());
        }
        fate
    }

    /// Ends the running work here: it is dropped in its present state.
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

/// How long a stopped process sleeps: mostly about as long as a lease, sometimes through several sweeps.
pub fn asleep(rng: &mut fastrand::Rng) -> Millis {
    if rng.u32(0..12) == 0 {
        rng.u64(150_000..3_000_000)
    } else {
        rng.u64(1_000..150_000)
    }
}

/// Frees a slot when its task continues or is dropped.
struct Leave<'a>(&'a Scheduler, u64);

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        self.0.state().slots.remove(&self.1);
    }
}

impl Fate {
    /// Its name in the counts of faults.
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
