//! The use cases. Each is a struct of the ports it needs, so that a function links and is granted only those. Those that
//! handle work from the queues are [`Handler`](crate::work::Handler)s.

mod announce;
mod delivery;
mod entries;
mod invite;
mod merged;
mod poll;
mod pools;
mod receive;
mod registrar;
mod retain;
mod stage_check;
mod sweep;
mod tick;
mod write_back;

pub use announce::{HireNotifier, Redelivery};
pub use delivery::DeliveryProcessor;
pub use invite::{Inviter, Precheck};
pub use poll::{
    Decided, Decision, Evaluation, Polled, Poller, Reads, Watched, adopt, broken, decide,
    decide_by_history, is_changed, prove, scan_calls_a_day, switch, turned_on, with_proven,
};
pub use receive::{Caller, ReceiveOutcome, Receiver};
pub use registrar::Registrar;
pub use retain::Retention;
pub use stage_check::{StageCheck, StageEntry, entry_into};
pub use sweep::{Sweeper, Swept};
pub use tick::{Scheduler, Shares};
pub use write_back::{SyncOutcome, WriteBack};
