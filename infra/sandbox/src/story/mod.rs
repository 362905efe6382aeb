//! A story against the simulators: a customer, candidates with a script, what people do, and what must be true in the
//! end. Whatever invites and reports runs beside it; the story sees only the simulators.

mod acts;
mod cast;
mod customer;
mod hires;
mod judge;
mod play;
mod script;
mod shown;
mod stages;
mod tenant;
mod verdict;

use crate::control::PlayerError;

pub use self::cast::{Role, cast};
pub use self::customer::{Customer, Keys, TENANT, Vacancy, WECP, WILLO};
pub use self::judge::Line;
pub use self::play::play;
pub use self::script::{Fate, faults};
pub use self::shown::{misreported, percent_shown};
pub use self::stages::{Entrance, SCORE_QUESTION, VIDEO};
pub use self::tenant::{connection, eploy, hires, mapping};
pub use self::verdict::{PlatformSums, Sums, Verdict, settle};

/// Who watches the story's progress, in numbers of candidates.
pub trait Watcher: Sync {
    /// This many are at the trigger stage.
    fn moved(&self, count: usize);
    /// This many are invited.
    fn invited(&self, count: usize);
    /// This many have done what they do.
    fn ended(&self, count: usize);
    /// This many have their report in Eploy.
    fn reported(&self, count: usize);
}

/// Why the story cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum StoryError {
    /// The sandbox failed.
    #[error("{0}")]
    Player(#[from] PlayerError),
    /// The sandbox lacks something that it has by default.
    #[error("the sandbox lacks {0}")]
    Lacking(&'static str),
    /// The HRMS got something that is not a hire.
    #[error("invalid webhook in the HRMS: {0}")]
    Webhook(String),
    /// The HRMS got a hire of an application that does not exist.
    #[error("the HRMS got a webhook for a hire of an application that does not exist")]
    UnknownHire,
    /// An application of a vacancy that is not the story's.
    #[error("application {0} has no vacancy")]
    UnknownVacancy(u64),
}
