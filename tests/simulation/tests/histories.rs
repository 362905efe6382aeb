//! The part of the simulation that runs with the other tests. `tests/simulate` runs more.

use stagecall_simulation::{many, run};

/// Every kind of fault that a history may have.
const FAULTS: [&str; 44] = [
    "Eploy's clock apart",
    "allowance refused",
    "answer garbled",
    "answer lost",
    "answers refused for good",
    "application deleted",
    "bulk move",
    "callback forged",
    "callback lost",
    "callback made up",
    "callback repeated",
    "callback token renewed",
    "candidate erased",
    "candidate merged",
    "configuration changed",
    "credentials rotated",
    "dates do not move",
    "died after",
    "died before",
    "effect slow",
    "failed after",
    "failed before",
    "hired, taken back and hired",
    "invited by hand",
    "list not readable",
    "moved away and back",
    "our clock apart",
    "our clock set",
    "our clocks ahead",
    "outage",
    "poll or sweep cut short",
    "process died",
    "process paused",
    "queue delays",
    "queue loses",
    "queue repeats",
    "request lost",
    "server error after",
    "server error before",
    "stalled after",
    "throttled",
    "tick lost",
    "transit slow",
    "write made again",
];

#[test]
fn one_seed_is_one_history() {
    let first: Vec<_> = (1..=20).map(|seed| run(seed, false)).collect();
    let again: Vec<_> = (1..=20).map(|seed| run(seed, false)).collect();
    assert_eq!(first, again);
    for (at, ended) in first.iter().enumerate() {
        let same = first[..at]
            .iter()
            .filter(|other| other.digest == ended.digest);
        assert_eq!(same.count(), 0, "two seeds, one history");
    }
}

#[test]
fn a_thousand_histories_break_no_promise() {
    let sum = many(1, 1000, false);
    assert!(
        sum.failed.is_empty(),
        "tests/simulate --seed S --print prints the whole history: {:#?}",
        sum.failed
    );
    // A simulation without effects or without faults would prove nothing.
    assert!(sum.accepted > 900, "{} invitations", sum.accepted);
    let occurred: Vec<&str> = sum.faults.keys().copied().collect();
    assert_eq!(occurred, FAULTS);
    let faults: u64 = sum.faults.values().sum();
    assert!(faults > 10_000, "{faults} faults");
}
