//! The events of a history.

use std::cmp::Ordering;

use stagecall_core::work::Work;
use stagecall_http::Request;

use crate::plan::Ahead;
use crate::scheduler::{Millis, Outcome};
use crate::world::acts::{Act, Callback};

/// An event.
pub enum Event {
    /// A waiting task can continue.
    Wake(u64, Outcome),
    /// A request arrives at its destination.
    Arrive(Box<Sent>),
    /// The queue delivers a piece of work.
    Deliver(Work),
    /// The clock ticks.
    Tick,
    /// A person outside acts.
    Act(Act),
    /// A platform calls back.
    Call(Callback),
    /// A process is suspended for a while, without knowing it.
    Pause(usize),
    /// It resumes.
    Resume(usize),
    /// A process dies, and a new one replaces it.
    Crash(usize),
    /// The clock of a process is set.
    SetClock(usize),
    /// All processes end.
    Down(Ahead),
    /// They start again, with clocks that are ahead.
    Up(Ahead),
    /// These clocks are set right.
    SetRight,
    /// An outside system cannot be reached for a while.
    Outage(&'static str),
    /// It can be reached again.
    OutageOver(&'static str),
    /// All faults stop.
    Calm,
    /// Checks whether everything has completed.
    Look,
}

/// A request in flight.
pub struct Sent {
    /// The slot at which its sender waits.
    pub slot: u64,
    /// When the work that sent it began.
    pub begun: Millis,
    pub request: Request,
    /// Its fate.
    pub fate: WireFate,
    /// The transit time of the answer.
    pub back: Millis,
}

/// The fate of a request on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WireFate {
    /// It is answered.
    Works,
    /// It is lost.
    Lost,
    /// It takes effect, and its answer is lost.
    AnswerLost,
    /// It is answered with a server error and has no effect.
    Error,
    /// It takes effect and is answered with a server error.
    ErrorAfter,
    /// It is rejected for now and has no effect.
    NotNow,
    /// It takes effect and is answered with a malformed body.
    Garbled,
}

impl WireFate {
    /// Its name in the counts of faults.
    pub fn name(self) -> &'static str {
        match self {
            Self::Works => "works",
            Self::Lost => "request lost",
            Self::AnswerLost => "answer lost",
            Self::Error => "server error before",
            Self::ErrorAfter => "server error after",
            Self::NotNow => "throttled",
            Self::Garbled => "answer garbled",
        }
    }
}

/// An event with its time.
pub struct Item {
    pub at: Millis,
    /// Its rank among those due at the same time.
    pub tie: u32,
    /// Its sequence number.
    pub count: u64,
    pub event: Event,
}

impl Item {
    fn place(&self) -> (Millis, u32, u64) {
        (self.at, self.tie, self.count)
    }
}

impl PartialEq for Item {
    fn eq(&self, other: &Self) -> bool {
        self.place() == other.place()
    }
}

impl Eq for Item {}

impl PartialOrd for Item {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Item {
    fn cmp(&self, other: &Self) -> Ordering {
        self.place().cmp(&other.place())
    }
}
