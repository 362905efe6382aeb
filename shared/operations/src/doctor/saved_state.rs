//! Findings from the saved state of a tenant: whether polls, the stage scan and the reading of hires work, what could not
//! be read, and which mappings are broken.

use jiff::tz::TimeZone;
use stagecall_core::Timestamp;
use stagecall_core::ports::{MappingStatus, TenantState};
use stagecall_core::tenant::Tenant;

use super::feed;
use crate::broken;
use crate::finding::Finding;
use crate::time::local;

/// Failures in a row that make a problem: one or two may be temporary.
pub(super) const PROBLEM_AFTER_FAILURES: u32 = 3;

/// The findings about this state at `now`. Makes no call.
pub fn findings(
    tenant: &Tenant,
    state: &TenantState,
    of: &str,
    now: Timestamp,
    zone: &TimeZone,
) -> Vec<Finding> {
    let mut found: Vec<_> = polling(state, of, now, zone).into_iter().collect();
    found.extend(clock_ahead(state, of, now, zone));
    found.extend(feed::findings(tenant, &state.poll, of, zone));
    let hires = state
        .hires
        .as_ref()
        .and_then(|hires| hires.failure.as_ref());
    found.extend(hires.map(|failure| {
        Finding::problem(
            of,
            "hires",
            &failure.code,
            format!(
                "hires cannot be read since {}: {}",
                local(failure.first_failed_at, zone),
                failure.problem
            ),
            &failure.remedy,
        )
    }));
    found.extend(state.poll.unread.iter().map(|one| {
        Finding::problem(
            of,
            "records",
            "stagecall.record_unread",
            format!(
                "application {} could not be read at {}: {}",
                one.id.as_deref().unwrap_or("without an id"),
                local(one.at, zone),
                one.reason
            ),
            "Check the application in Eploy, and save it again; it is not invited until it can be read",
        )
    }));
    for mapping in &tenant.mappings {
        let state = state.mappings.get(&mapping.id).map(|state| &state.status);
        if let Some(MappingStatus::Broken { reason, at, .. }) = state {
            found.push(Finding::problem(
                of,
                "mappings",
                "stagecall.mapping_broken",
                format!("{} is {}", mapping.id, broken::in_words(reason, *at, zone)),
                broken::remedy(tenant.id.as_str()),
            ));
        }
    }
    found
}

/// Whether the state was saved while the clock was ahead, so that polls are due too late.
fn clock_ahead(state: &TenantState, of: &str, now: Timestamp, zone: &TimeZone) -> Option<Finding> {
    let mut right = state.clone();
    if !right.set_back(now) {
        return None;
    }
    Some(Finding::problem(
        of,
        "clock",
        "stagecall.clock_ahead",
        format!(
            "the last poll was saved by a clock that is ahead of this one, so the next is due only at {}",
            local(state.due_at, zone)
        ),
        "Correct the clocks of this machine and of the host. If this one is right, restart the host: it then checks everything that is deferred",
    ))
}

/// Whether polls succeed.
fn polling(state: &TenantState, of: &str, now: Timestamp, zone: &TimeZone) -> Option<Finding> {
    let what = "polling";
    let last_ok = state.poll.last_ok;
    if let Some(suspended) = &state.suspended {
        let failure = &suspended.failure;
        return Some(Finding::problem(
            of,
            "suspended",
            &failure.code,
            format!(
                "{}, since {}",
                failure.problem,
                local(failure.first_failed_at, zone)
            ),
            &failure.remedy,
        ));
    }
    let worked = last_ok.map_or("none has succeeded yet".to_owned(), |at| {
        format!("the last successful one was at {}", local(at, zone))
    });
    match (&state.poll.failure, state.poll.failures) {
        (Some(failure), failures) if failures >= PROBLEM_AFTER_FAILURES => Some(Finding::problem(
            of,
            what,
            &failure.code,
            format!(
                "{failures} polls have failed since {}, {worked}: {}",
                local(failure.first_failed_at, zone),
                failure.problem
            ),
            &failure.remedy,
        )),
        (None, failures) if failures >= PROBLEM_AFTER_FAILURES => Some(Finding::problem(
            of,
            what,
            "stagecall.store",
            format!("{failures} polls have failed because of an internal error; {worked}"),
            "Check the log and the store",
        )),
        (Some(failure), _) => Some(Finding::note(
            of,
            what,
            format!(
                "the last poll failed: {} [{}]; the next is due {}",
                failure.problem,
                failure.code,
                if state.due_at > now {
                    format!("at {}", local(state.due_at, zone))
                } else {
                    "now".to_owned()
                }
            ),
        )),
        (None, _) => {
            last_ok.map(|at| Finding::ok(of, what, format!("last at {}", local(at, zone))))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use stagecall_core::invitation::Failure;

    use super::*;
    use crate::finding::Verdict;

    fn time(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn failure(code: &str, times: u32) -> Failure {
        Failure {
            code: code.to_owned(),
            problem: "Eploy, search: it asks to slow down (429)".to_owned(),
            remedy: "Wait, or give it fewer calls.".to_owned(),
            first_failed_at: time(0),
            attempts: times,
        }
    }

    fn found(change: impl FnOnce(&mut TenantState)) -> Vec<Finding> {
        let tenant: Tenant = serde_json::from_value(json!({
            "id": "acme",
            "eploy": {"base_url": "https://acme.eploy.net/"},
        }))
        .unwrap();
        let mut saved = TenantState::new(time(900));
        saved.poll.last_ok = Some(time(-60));
        change(&mut saved);
        findings(&tenant, &saved, "acme", time(60), &TimeZone::UTC)
    }

    #[test]
    fn a_failed_poll_is_a_note_and_repeated_failures_are_a_problem() {
        let failed = |failures, failure| {
            let mut all = found(|state| {
                state.poll.failures = failures;
                state.poll.failure = failure;
            });
            assert_eq!(all.len(), 1);
            let one = all.remove(0);
            (one.verdict, one.code.clone(), one.found)
        };
        let throttled = "eploy.throttled";
        let (verdict, code, _) = failed(0, None);
        assert_eq!((verdict, code), (Verdict::Ok, None));
        let (verdict, code, text) = failed(1, Some(failure(throttled, 1)));
        assert_eq!((verdict, code), (Verdict::Note, None));
        assert!(text.contains("slow down (429) [eploy.throttled]"), "{text}");
        let (verdict, code, text) = failed(3, Some(failure(throttled, 3)));
        assert_eq!(
            (verdict, code.as_deref()),
            (Verdict::Problem, Some(throttled))
        );
        assert!(text.starts_with("3 polls have failed since "), "{text}");
        let (verdict, code, _) = failed(3, None);
        assert_eq!(
            (verdict, code.as_deref()),
            (Verdict::Problem, Some("stagecall.store"))
        );
    }

    #[test]
    fn polls_deferred_by_a_clock_that_was_ahead_are_a_problem() {
        let ahead = |saved_at| {
            found(|state| {
                state.saved_at = Some(time(saved_at));
                state.due_at = time(saved_at + 60);
            })
        };
        let codes = |found: &[Finding]| -> Vec<String> {
            found.iter().filter_map(|one| one.code.clone()).collect()
        };
        assert_eq!(codes(&ahead(7200)), ["stagecall.clock_ahead"]);
        assert_eq!(codes(&ahead(60)), Vec::<String>::new());
    }

    #[test]
    fn hires_that_cannot_be_read_are_a_problem() {
        let all = found(|state| {
            let hires =
                json!({"since": time(0), "watches": "", "trouble": failure("eploy.forbidden", 1)});
            state.hires = Some(serde_json::from_value(hires).unwrap());
        });
        let problem = all.iter().find(|one| one.what == "hires").unwrap();
        assert_eq!(problem.code.as_deref(), Some("eploy.forbidden"));
    }
}
