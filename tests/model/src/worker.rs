//! Production's use cases (`shared/core/src/usecases`), split into the steps between which a worker can be stopped.
//!
//! Every save requires that the row is unchanged since it was read. So a worker with an old row that has had no effect
//! outside yet is as good as idle: its save would fail. [`Worker::outdated`] maps a worker to what is left of it.

use jiff::Timestamp;
use stagecall_core::invitation::Invitation;

use crate::world::{TICK, now, older_lease};

/// A worker's state.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Worker {
    /// Idle.
    Idle,
    /// Has read that the claim expired; asks the platform next.
    LookUp,
    /// Has the platform's answer; records it next.
    LookedUp { found: bool },
    /// Has read everything; claims next.
    Claim,
    /// Has claimed; checks the clock next, and calls. `left`: of its lease.
    Claimed { current: bool, left: u8 },
    /// Has checked the clock; calls next. Only where that is two steps.
    Sure { current: bool },
    /// Has called. `left`: how long its request may still be in flight.
    Calling {
        current: bool,
        left: u8,
        taken: bool,
    },
    /// Has an answer; records it next.
    Answered(Outcome),
    /// Has read that a report is due; takes the lease next.
    Begin { lease: Timestamp },
    /// Holds the lease; checks the clock next, and writes.
    Write(Pen),
    /// Has checked the clock; calls Eploy next. Only where that is two steps.
    SureToWrite(Pen),
    /// Has called Eploy.
    Writing { pen: Pen, left: u8, landed: bool },
    /// Records the outcome of the report.
    Settle { pen: Pen, outcome: Reporting },
    /// Has read the row; asks the platform for the result next.
    Ask { bringer: Bringer, read: Read },
    /// Has the result; records it next.
    Asked {
        bringer: Bringer,
        version: u32,
        lease: Timestamp,
    },
    /// Settles its delivery next.
    Done { delivery: u32 },
}

/// What a worker's read of the row is worth now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Read {
    /// The row is unchanged.
    Current,
    /// The row was changed since. Holds the version of the result that it knew.
    Old { known: Option<u32> },
}

/// What the platform answered to an invitation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    /// Accepted. Holds the sender's lease on the report.
    Created { lease: Timestamp },
    /// Unknown.
    Unknown { look_up_at: Timestamp },
    /// Rejected for now, certainly without effect.
    NotNow { until: Timestamp },
    /// Rejected for good.
    Refused,
}

/// What makes a worker fetch a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Bringer {
    /// A stored delivery.
    Delivery(u32),
    /// A sweep that saw this change token on the list.
    Sweep(u32),
}

/// A writer's claim on the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pen {
    /// The revision that it writes.
    pub revision: u32,
    /// Its lease.
    pub lease: Timestamp,
    /// The delivery that caused the report.
    pub delivery: Option<u32>,
}

/// The outcome of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reporting {
    /// Eploy has it.
    Shown,
    /// Eploy may not have it.
    Deferred { until: Timestamp },
    /// The lease left no time for it.
    Late,
}

/// A task for a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duty {
    /// Send it, or look it up.
    Invite,
    /// Report it.
    WriteBack,
    /// Process a delivery, or what a sweep saw.
    News(Bringer),
}

/// A worker's next move, or the outcome of its call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// Takes work from the queue, which loses, doubles and delays: any worker may get any task at any time.
    Begin(Duty),
    /// Makes its next step.
    Go,
    /// Its call takes effect.
    Arrives,
    /// Its call succeeds.
    Yes,
    /// Its call ends without an answer. The request may be in flight.
    NoAnswer,
    /// It cannot call, or is rejected for now: certainly without effect.
    NotNow,
    /// Its call is rejected for good.
    No,
    /// It sees that the application is no longer at the stage.
    SeesItGone,
    /// Dies.
    Dies,
}

impl Worker {
    /// What is left of a worker when another one saves the row, which was `before`.
    pub fn outdated(self, before: &Invitation) -> Self {
        match self {
            Self::LookUp | Self::LookedUp { .. } | Self::Claim | Self::Begin { .. } => Self::Idle,
            // A version that the old row knows already changes nothing, and its delivery is settled without a save.
            Self::Asked {
                bringer: Bringer::Delivery(delivery),
                version,
                ..
            } if known(before) == Some(version) && !before.awaits_delivery() => {
                Self::Done { delivery }
            }
            Self::Asked { .. } => Self::Idle,
            Self::Claimed { left, .. } => Self::Claimed {
                current: false,
                left,
            },
            Self::Sure { .. } => Self::Sure { current: false },
            Self::Calling { left, taken, .. } => Self::Calling {
                current: false,
                left,
                taken,
            },
            // What the platform accepted is recorded on the row as it is by then. All else is dropped.
            Self::Answered(Outcome::Created { .. }) => self,
            Self::Answered(_) => Self::Idle,
            // The old row may show that there is nothing new, and the delivery is settled without a save.
            Self::Ask {
                bringer: bringer @ Bringer::Delivery(_),
                read: Read::Current,
            } if !before.awaits_delivery() => Self::Ask {
                bringer,
                read: Read::Old {
                    known: known(before),
                },
            },
            Self::Ask {
                read: Read::Old { .. },
                ..
            } => self,
            Self::Ask { .. } => Self::Idle,
            Self::Idle
            | Self::Write(_)
            | Self::SureToWrite(_)
            | Self::Writing { .. }
            | Self::Settle { .. }
            | Self::Done { .. } => self,
        }
    }

    /// Its lease on the report.
    pub fn lease(&self) -> Option<Timestamp> {
        match self {
            Self::Begin { lease }
            | Self::Asked { lease, .. }
            | Self::Answered(Outcome::Created { lease }) => Some(*lease),
            Self::Write(pen)
            | Self::SureToWrite(pen)
            | Self::Writing { pen, .. }
            | Self::Settle { pen, .. } => Some(pen.lease),
            _ => None,
        }
    }

    /// A tick later.
    pub fn tick(&mut self) {
        match self {
            Self::Claimed { left, .. } | Self::Calling { left, .. } => {
                *left = left.saturating_sub(1);
            }
            Self::Writing { pen, left, .. } => {
                *left = left.saturating_sub(1);
                pen.lease = older_lease(pen.lease);
            }
            Self::Answered(Outcome::Unknown { look_up_at: at } | Outcome::NotNow { until: at }) => {
                *at = (*at - TICK).max(now());
            }
            Self::Begin { lease }
            | Self::Asked { lease, .. }
            | Self::Answered(Outcome::Created { lease }) => *lease = older_lease(*lease),
            Self::Write(pen) | Self::SureToWrite(pen) => pen.lease = older_lease(pen.lease),
            Self::Settle { pen, outcome } => {
                pen.lease = older_lease(pen.lease);
                if let Reporting::Deferred { until } = outcome {
                    *until = (*until - TICK).max(now());
                }
            }
            _ => {}
        }
    }
}

/// The version of the platform's result that the row knows.
pub fn known(row: &Invitation) -> Option<u32> {
    row.snapshot
        .as_ref()
        .and_then(|snapshot| snapshot.digest.parse().ok())
}
