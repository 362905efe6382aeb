//! The stages, outcomes and questions of the story, as every Eploy of the sandbox has them.

use crate::record::Platform;

/// A trigger stage with the status of new entries.
#[derive(Clone, Copy, Debug)]
pub struct Entrance {
    /// The stage's name.
    pub stage: &'static str,
    /// The status's name, if a certain one is required.
    pub status: Option<&'static str>,
    /// The ids of the stage and of the required status.
    pub(super) ids: (&'static str, Option<&'static str>),
    /// The type of the action that reports what happens there.
    pub action: u64,
}

/// The stage for video interviews.
pub const VIDEO: Entrance = Entrance {
    stage: "Video Interview",
    status: Some("To Be Completed"),
    ids: ("12", Some("34")),
    action: 42,
};
/// The stage for tests.
pub(super) const TEST: Entrance = Entrance {
    stage: "Skills Test",
    status: Some("To Be Completed"),
    ids: ("13", Some("34")),
    action: 43,
};
/// The stage for live interviews.
pub(super) const LIVE: Entrance = Entrance {
    stage: "Second Interview",
    status: None,
    ids: ("14", None),
    action: 44,
};

/// The stage before them.
pub(super) const BEFORE: &str = "Shortlist";
/// The id of the stage of hired candidates.
pub(super) const HIRED: &str = "15";

/// The question for the score in percent.
pub const SCORE_QUESTION: u64 = 276;
/// The question for the link to the result.
pub(super) const LINK_QUESTION: u64 = 277;

/// Where candidates of a platform enter.
pub fn entrance(platform: Platform) -> &'static Entrance {
    match platform {
        Platform::Willo => &VIDEO,
        Platform::Wecp => &TEST,
    }
}
