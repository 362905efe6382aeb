//! What becomes of each candidate, and what goes wrong on the way: made up from the seed.

use stagecall_sandbox::control::{Fault, Rule};

/// What becomes of a candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Answers.
    Completes,
    /// Answers, and a reviewer scores.
    Scored,
    /// Answers, a reviewer scores and comments, and later scores once more.
    Rescored,
    /// Opens and begins, and no more.
    Starts,
    /// Never looks at it.
    Silent,
    /// Says no.
    Declines,
    /// Has an address that does not work.
    Bounces,
    /// Lets the time run out.
    Expires,
    /// Has no address at all.
    NoAddress,
    /// Is moved on in the same moment as in.
    MovesOn,
    /// Is moved out and in again after the invitation.
    ComesBack,
}

/// Every ending once, before chance decides.
const DECK: [Fate; 12] = [
    Fate::Completes,
    Fate::Scored,
    Fate::Declines,
    Fate::Rescored,
    Fate::Bounces,
    Fate::Expires,
    Fate::NoAddress,
    Fate::Starts,
    Fate::ComesBack,
    Fate::MovesOn,
    Fate::Silent,
    Fate::Completes,
];

/// The fates of so many candidates.
pub(crate) fn deal(candidates: usize, random: &mut fastrand::Rng) -> Vec<Fate> {
    let mut fates: Vec<Fate> = DECK
        .into_iter()
        .chain(std::iter::repeat_with(|| match random.u32(..100) {
            0..30 => Fate::Completes,
            30..55 => Fate::Scored,
            55..65 => Fate::Rescored,
            65..71 => Fate::Starts,
            71..77 => Fate::Silent,
            77..83 => Fate::Declines,
            83..87 => Fate::Bounces,
            87..92 => Fate::Expires,
            92..95 => Fate::NoAddress,
            95..97 => Fate::MovesOn,
            _ => Fate::ComesBack,
        }))
        .take(candidates)
        .collect();
    if candidates > DECK.len() {
        random.shuffle(&mut fates);
    }
    fates
}

/// What goes wrong with `--faults`.
pub(crate) fn faults() -> Vec<Rule> {
    let now_and_then = Rule::now_and_then;
    let late = Fault::CallbackLate { ms: 1500 };
    vec![
        now_and_then("eploy", 0.03, Fault::Latency { ms: 40 }),
        now_and_then("willo", 0.03, Fault::Latency { ms: 60 }),
        now_and_then(
            "eploy",
            0.002,
            Fault::TooMany {
                retry_after: Some(1),
            },
        ),
        now_and_then(
            "willo",
            0.01,
            Fault::TooMany {
                retry_after: Some(1),
            },
        ),
        now_and_then("willo", 0.005, Fault::TooMany { retry_after: None }),
        now_and_then("eploy", 0.01, Fault::ErrorBefore { status: 503 }),
        now_and_then("eploy", 0.01, Fault::DropBefore),
        now_and_then("eploy.actions", 0.02, Fault::ErrorAfter { status: 502 }),
        now_and_then("eploy.actions", 0.02, Fault::DropAfter),
        now_and_then(
            "willo.participants",
            0.02,
            Fault::ErrorBefore { status: 500 },
        ),
        now_and_then(
            "willo.participants",
            0.02,
            Fault::ErrorAfter { status: 502 },
        ),
        now_and_then("willo.participants", 0.02, Fault::DropBefore),
        now_and_then("willo.participants", 0.03, Fault::DropAfter),
        now_and_then("willo.callback", 0.10, Fault::CallbackLost),
        now_and_then("willo.callback", 0.10, Fault::CallbackTwice),
        now_and_then("willo.callback", 0.10, late),
    ]
}
