//! The use cases. Each is a struct of the ports it needs, so that a function links and is granted no more than that.

mod announce;
mod arrange;
mod definitions;
mod desk;
mod entries;
mod invite;
mod merged;
mod poll;
mod pools;
mod receive;
mod registrar;
mod retain;
mod stay;
mod sweep;
mod tick;
#[cfg(test)]
mod world;
mod write_back;

pub use announce::{Announcer, Redelivery};
pub use definitions::DefinitionCache;
pub use desk::{Changed, Desk, Next};
pub use invite::Inviter;
pub use poll::{
    Case, Decided, Decision, Polled, Poller, Reads, Watched, adopt, broken, decide,
    decide_by_history, is_changed, prove, scan_calls_a_day, switch, turned_on, with_proven,
};
pub use receive::{Answer, Receiver};
pub use registrar::Registrar;
pub use retain::Retention;
pub use stay::{EntryFact, Stay, entry_into};
pub use sweep::{Sweeper, Swept};
pub use tick::{Shares, Ticker};
pub use write_back::{News, WriteBack};
