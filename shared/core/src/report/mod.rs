//! What is written to Eploy about an invitation.

use serde::{Deserialize, Serialize};

/// A moment in an invitation's life that a report can speak of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Moment {
    /// It could not be sent yet; trying goes on.
    Delayed,
    /// It was not sent, or broke, for good.
    Failed,
    /// The platform has it.
    Invited,
    /// The candidate opened it.
    Opened,
    /// The candidate began.
    Started,
    /// The candidate finished.
    Completed,
    /// The time ran out.
    Expired,
    /// The candidate said no.
    Declined,
    /// The message could not be delivered.
    Bounced,
    /// It was taken back.
    Cancelled,
}
