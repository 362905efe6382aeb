//! The quick settings, in every test run, and proof that the check can fail.

use crate::runs;

#[test]
fn every_promise_holds_in_every_history() {
    for run in runs::quick() {
        let shown = runs::explore(&run);
        assert!(shown.as_expected, "{shown}");
    }
}

#[test]
fn every_seeded_fault_is_found() {
    for run in runs::broken() {
        let shown = runs::explore(&run);
        assert!(shown.as_expected, "{shown}");
    }
}
