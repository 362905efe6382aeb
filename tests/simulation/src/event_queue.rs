//! What can be on the agenda of a history.

use std::cmp::Ordering;

use stagecall_core::work::Work;
use stagecall_http::Request;

use crate::scheduler::{Millis, Outcome};
use crate::world::acts::{Act, Callback};

/// Something that happens.
pub enum Event {
    /// Somebody who waits can go on.
    Wake(u64, Outcome),
    /// A request arrives at its other side.
    Arrive(Box<Sent>),
    /// The queue hands out a piece of work.
    Deliver(Work),
    /// The clock's turn.
    Tick,
    /// Somebody outside does something.
    Act(Act),
    /// A platform calls back.
    Call(Callback),
    /// A process stops for a while, and does not know it.
    Pause(usize),
    /// It goes on.
    Resume(usize),
    /// A process dies, and a new one takes its place.
    Crash(usize),
    /// The clock of a process is set.
    SetClock(usize),
    /// A system outside cannot be reached for a while.
    Outage(&'static str),
    /// It can be reached again.
    OutageOver(&'static str),
    /// From here on, nothing fails any more.
    Calm,
    /// Has everything come to its end?
    Look,
}

/// A request on its way.
pub struct Sent {
    /// Where its sender waits.
    pub slot: u64,
    /// When the work began that sent it.
    pub begun: Millis,
    /// The request.
    pub request: Request,
    /// What becomes of it.
    pub fate: WireFate,
    /// How long the answer takes.
    pub back: Millis,
}

/// What becomes of a request on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WireFate {
    /// It is answered.
    Works,
    /// It is lost on its way.
    Lost,
    /// It takes effect, and its answer is lost.
    AnswerLost,
    /// It is answered with a server error and has no effect.
    Error,
    /// It takes effect and is answered with a server error.
    ErrorAfter,
    /// It is answered with "not now" and has no effect.
    NotNow,
    /// It takes effect and is answered with something that makes no sense.
    Garbled,
}

impl WireFate {
    /// A short name, for counting.
    pub fn name(self) -> &'static str {
        match self {
            Self::Works => "works",
            Self::Lost => "request lost",
            Self::AnswerLost => "answer lost",
            Self::Error => "server error before",
            Self::ErrorAfter => "server error after",
            Self::NotNow => "told to wait",
            Self::Garbled => "answer garbled",
        }
    }
}

/// An event with its time.
pub struct Item {
    /// When.
    pub at: Millis,
    /// In which order, of those due at once.
    pub tie: u32,
    /// In which order it was planned.
    pub count: u64,
    /// What.
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
