//! The use cases of production (`shared/core/src/usecases`), cut into the steps between which a worker can be stopped.
//!
//! Every save is on condition that nobody saved since the row was read. So a worker whose row is old, and who has done
//! nothing outside yet, can as well be idle: its save would fail. [`Worker::outdated`] says what is left of whom.

use jiff::Timestamp;
use stagecall_core::invitation::Invitation;

use crate::world::{TICK, now, older_lease};

/// Where a worker is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Worker {
    /// At nothing.
    Idle,
    /// Has read that the claim is over; asks the platform next.
    LookUp,
    /// Has the platform's answer; records it next.
    LookedUp { found: bool },
    /// Has read everything; claims next.
    Claim,
    /// Has claimed; looks at the clock next, and calls. `left`: of its lease.
    Claimed { current: bool, left: u8 },
    /// Has looked at the clock; calls next. Only where that is two steps.
    Sure { current: bool },
    /// Has called. `left`: how long its request may still be on its way.
    Calling {
        current: bool,
        left: u8,
        taken: bool,
    },
    /// Has an answer; records it next.
    Answered(Outcome),
    /// Has read that a report is due; takes the lease next.
    Begin { lease: Timestamp },
    /// Holds the lease; looks at the clock next, and writes.
    Write(Pen),
    /// Has looked at the clock; calls Eploy next. Only where that is two steps.
    SureToWrite(Pen),
    /// Has called Eploy.
    Writing { pen: Pen, left: u8, landed: bool },
    /// Puts on record what came of it.
    Settle { pen: Pen, told: Told },
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

/// The row as it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Read {
    /// It is still so.
    Current,
    /// It was changed since. What it knew of the platform's result.
    Old { known: Option<u32> },
}

/// What the platform answered to an invitation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    /// It has it. The sender's lease on the report.
    Created { lease: Timestamp },
    /// Nobody knows.
    Unknown { look_up_at: Timestamp },
    /// Not now, and certainly not taken.
    NotNow { until: Timestamp },
    /// No.
    Refused,
}

/// Who brings news.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Bringer {
    /// A stored delivery.
    Delivery(u32),
    /// A sweep that saw this mark on the list.
    Sweep(u32),
}

/// A writer's hold on the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pen {
    /// What it writes.
    pub revision: u32,
    /// Its lease.
    pub lease: Timestamp,
    /// The delivery that it works for.
    pub delivery: Option<u32>,
}

/// What came of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Told {
    /// It is in Eploy.
    Shown,
    /// It may not be.
    PutOff { until: Timestamp },
    /// There was no time.
    Late,
}

/// What a worker can be handed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duty {
    /// Send it, or look it up.
    Invite,
    /// Report it.
    WriteBack,
    /// Look into a delivery, or into what a sweep saw.
    News(Bringer),
}

/// What a worker does next, or what becomes of its call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// Takes work from the queue, which loses, doubles, delays: anybody may be handed anything at any time.
    Begin(Duty),
    /// Makes the next step of its own.
    Go,
    /// Its call takes effect.
    Arrives,
    /// Its call is answered with yes.
    Yes,
    /// Its call ends without an answer. The request may be on its way.
    NoAnswer,
    /// It cannot call, or is answered "not now": certainly without effect.
    NotNow,
    /// It is answered with no, for good.
    No,
    /// It sees that the application is no longer at the stage.
    SeesItGone,
    /// Dies.
    Dies,
}

impl Worker {
    /// What is left of a worker when somebody else saves the row, which was `before`.
    pub fn outdated(self, before: &Invitation) -> Self {
        match self {
            Self::LookUp | Self::LookedUp { .. } | Self::Claim | Self::Begin { .. } => Self::Idle,
            // What is known already is no news for the old row either, and its delivery is settled without a save.
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
            // What the platform took is recorded on whatever the row is by then; all else gives way.
            Self::Answered(Outcome::Created { .. }) => self,
            Self::Answered(_) => Self::Idle,
            // The old row may tell that there is nothing new, and the delivery is settled without a save.
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
            Self::Settle { pen, told } => {
                pen.lease = older_lease(pen.lease);
                if let Told::PutOff { until } = told {
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
