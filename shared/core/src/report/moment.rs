//! What a report can be about.

use serde::{Deserialize, Serialize};

/// A moment in an invitation's life that can be reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Moment {
    /// It could not be sent yet and is being retried.
    Delayed,
    /// It permanently failed: not sent, or broken on the platform.
    Failed,
    /// The platform has it.
    Invited,
    Opened,
    /// The candidate began.
    Started,
    /// The candidate finished.
    Completed,
    /// The time ran out.
    Expired,
    Declined,
    /// The message could not be delivered.
    Bounced,
    /// It was withdrawn.
    Cancelled,
}
