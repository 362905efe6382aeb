//! The use cases. Each is a struct of the ports it needs, so that a function links and is granted no more than that.

mod desk;
mod invite;
mod poll;
mod receive;
mod sweep;
mod tick;
mod write_back;

pub use desk::Desk;
pub use invite::Inviter;
pub use poll::{Decision, EntryFact, Polled, Poller, decide, decide_by_history, entry_into};
pub use receive::{Answer, Receiver};
pub use sweep::Sweeper;
pub use tick::Ticker;
pub use write_back::{News, WriteBack};
