//! The quick settings in every test run, and that the check can fail.

use crate::runs;

#[test]
fn every_promise_holds_in_every_history() {
    for run in runs::quick() {
        let shown = runs::explore(&run);
        assert!(shown.as_wanted, "{shown}");
    }
}

#[test]
fn whatever_is_broken_on_purpose_is_found() {
    for run in runs::broken() {
        let shown = runs::explore(&run);
        assert!(shown.as_wanted, "{shown}");
    }
}
