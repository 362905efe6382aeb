//! The fate of each candidate, and the injected faults, generated from the seed.

use crate::faults::{Fault, Rule};
use crate::record::Platform;

/// What happens to a candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Answers.
    Completes,
    /// Answers, and a reviewer scores. On Willo only: WeCP scores automatically.
    Scored,
    /// Answers; on Willo a reviewer scores and comments, and later changes the score; on WeCP the answers are evaluated
    /// again.
    Rescored,
    /// Opens the invitation and begins, and no more.
    Starts,
    /// Never opens it.
    Silent,
    /// Declines. On Willo only: no way to decline on WeCP is known.
    Declines,
    /// Has an invalid address. On Willo only: it is not known whether WeCP reports that.
    Bounces,
    /// Lets the invitation expire. On Willo only, for the same reason.
    Expires,
    /// Has no address.
    NoAddress,
    /// Is moved away at once.
    MovesOn,
    /// Is moved away and back after the invitation.
    ComesBack,
    /// Answers, and is hired.
    Hired,
    /// Answers, and is invited to a live interview, which is still to come.
    Meets,
    /// Answers, attends a live interview, and is hired.
    Joins,
}

impl Fate {
    /// Whether the candidate is invited to a live interview.
    pub(super) fn meets(self) -> bool {
        matches!(self, Self::Meets | Self::Joins)
    }

    /// Whether the candidate is hired.
    pub(super) fn is_hired(self) -> bool {
        matches!(self, Self::Hired | Self::Joins)
    }
}

/// Every fate on Willo once, before random ones.
const WILLO: [Fate; 12] = [
    Fate::Completes,
    Fate::Hired,
    Fate::Declines,
    Fate::Rescored,
    Fate::Bounces,
    Fate::Expires,
    Fate::NoAddress,
    Fate::MovesOn,
    Fate::Starts,
    Fate::ComesBack,
    Fate::Scored,
    Fate::Silent,
];

/// Every fate on WeCP once.
const WECP: [Fate; 9] = [
    Fate::Joins,
    Fate::Meets,
    Fate::Rescored,
    Fate::Starts,
    Fate::Completes,
    Fate::NoAddress,
    Fate::ComesBack,
    Fate::MovesOn,
    Fate::Silent,
];

/// The fates of `count` candidates of a platform.
pub(super) fn fates(
    platform: Platform,
    candidates: usize,
    random: &mut fastrand::Rng,
) -> Vec<Fate> {
    let deck: &[Fate] = match platform {
        Platform::Willo => &WILLO,
        Platform::Wecp => &WECP,
    };
    let mut fates: Vec<Fate> = deck
        .iter()
        .copied()
        .chain(std::iter::repeat_with(|| chance(platform, random)))
        .take(candidates)
        .collect();
    if candidates > deck.len() {
        random.shuffle(&mut fates);
    }
    fates
}

fn chance(platform: Platform, random: &mut fastrand::Rng) -> Fate {
    match (random.u32(..100), platform) {
        (0..25, _) => Fate::Completes,
        (25..50, Platform::Willo) => Fate::Scored,
        (25..50, Platform::Wecp) => Fate::Meets,
        (50..60, _) => Fate::Rescored,
        (60..65, Platform::Willo) => Fate::Hired,
        (65..70, Platform::Willo) => Fate::Declines,
        (70..74, Platform::Willo) => Fate::Bounces,
        (74..79, Platform::Willo) => Fate::Expires,
        (60..79, Platform::Wecp) => Fate::Joins,
        (79..85, _) => Fate::Starts,
        (85..91, _) => Fate::Silent,
        (91..94, _) => Fate::NoAddress,
        (94..96, _) => Fate::MovesOn,
        _ => Fate::ComesBack,
    }
}

/// Faults of all kinds, each now and then.
pub fn faults() -> Vec<Rule> {
    let now_and_then = Rule::now_and_then;
    let throttled = |retry_after| Fault::TooMany { retry_after };
    let before = |status| Fault::ErrorBefore { status };
    let after = |status| Fault::ErrorAfter { status };
    let mut rules = vec![
        now_and_then("eploy", 0.03, Fault::Latency { ms: 40 }),
        now_and_then("eploy", 0.002, throttled(Some(1))),
        now_and_then("eploy", 0.01, before(503)),
        now_and_then("eploy", 0.01, Fault::DropBefore),
        now_and_then("eploy.actions", 0.02, after(502)),
        now_and_then("eploy.actions", 0.02, Fault::DropAfter),
        now_and_then("willo.callback", 0.10, Fault::CallbackLost),
        now_and_then("willo.callback", 0.10, Fault::CallbackTwice),
        now_and_then("willo.callback", 0.10, Fault::CallbackLate { ms: 1500 }),
        now_and_then("hrms.webhook", 0.05, before(503)),
        now_and_then("hrms.webhook", 0.05, Fault::DropAfter),
    ];
    // A platform that answers 429 without Retry-After is not called for half a minute. A path over WeCP has three calls.
    for (platform, unsaid) in [("willo", 0.005), ("wecp", 0.001)] {
        rules.extend([
            now_and_then(platform, 0.03, Fault::Latency { ms: 60 }),
            now_and_then(platform, 0.01, throttled(Some(1))),
            now_and_then(platform, unsaid, throttled(None)),
        ]);
    }
    for invitations in [
        "willo.participants",
        "wecp.candidates",
        "wecp.groups",
        "wecp.interviews",
    ] {
        rules.extend([
            now_and_then(invitations, 0.02, before(500)),
            now_and_then(invitations, 0.02, after(502)),
            now_and_then(invitations, 0.02, Fault::DropBefore),
            now_and_then(invitations, 0.03, Fault::DropAfter),
        ]);
    }
    rules
}
