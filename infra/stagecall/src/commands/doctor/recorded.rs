//! Findings from the saved state of a tenant: whether polls, the stage scan, the reading of hires and sweeps work, what could
//! not be read, and which mappings are broken.

use std::collections::BTreeSet;

use stagecall_core::Timestamp;
use stagecall_core::ports::{ChangeFeed, MappingStatus, PollState, TenantState};
use stagecall_core::tenant::Tenant;
use stagecall_core::usecases::scan_calls_a_day;

use crate::output::local;
use stagecall_operations::Installation;
use stagecall_operations::broken;
use stagecall_operations::finding::Finding;

/// Failures in a row that make a problem: one or two may be temporary.
const PROBLEM_AFTER_FAILURES: u32 = 3;

pub(crate) fn state(
    tenant: &Tenant,
    state: &TenantState,
    of: &str,
    now: Timestamp,
) -> Vec<Finding> {
    let mut found: Vec<_> = polling(state, of, now).into_iter().collect();
    found.extend(clock_ahead(state, of, now));
    found.extend(feed(tenant, &state.poll, of));
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
                local(failure.first_failed_at),
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
                local(one.at),
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
                format!(
                    "{} is {}",
                    mapping.id,
                    broken::in_words(reason, *at, &jiff::tz::TimeZone::system())
                ),
                broken::remedy(tenant.id.as_str()),
            ));
        }
    }
    found
}

/// Whether the state was saved while the clock was ahead, so that polls are due too late.
fn clock_ahead(state: &TenantState, of: &str, now: Timestamp) -> Option<Finding> {
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
            local(state.due_at)
        ),
        "Correct the clocks of this machine and of the host. If this one is right, restart the host: it then checks everything that is deferred",
    ))
}

/// Whether polls succeed.
fn polling(state: &TenantState, of: &str, now: Timestamp) -> Option<Finding> {
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
                local(failure.first_failed_at)
            ),
            &failure.remedy,
        ));
    }
    let worked = last_ok.map_or("none has succeeded yet".to_owned(), |at| {
        format!("the last successful one was at {}", local(at))
    });
    match (&state.poll.failure, state.poll.failures) {
        (Some(failure), failures) if failures >= PROBLEM_AFTER_FAILURES => Some(Finding::problem(
            of,
            what,
            &failure.code,
            format!(
                "{failures} polls have failed since {}, {worked}: {}",
                local(failure.first_failed_at),
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
                    format!("at {}", local(state.due_at))
                } else {
                    "now".to_owned()
                }
            ),
        )),
        (None, _) => last_ok.map(|at| Finding::ok(of, what, format!("last at {}", local(at)))),
    }
}

/// The saved state of the sweeps of the platforms' lists.
pub(crate) async fn sweeps(on: &Installation, tenant: &Tenant, of: &str) -> Vec<Finding> {
    let assessments: BTreeSet<_> = tenant
        .mappings
        .iter()
        .map(|mapping| &mapping.assessment)
        .collect();
    let mut found = Vec::new();
    for assessment in assessments {
        match on.sweeps.load_sweep(&tenant.id, assessment).await {
            Err(error) => found.push(Finding::problem(
                of,
                "results",
                "stagecall.store",
                error.to_string(),
                "Check the store",
            )),
            Ok(sweep) => {
                let failing = sweep.failing.map(|failing| failing.failure);
                if let Some(failure) =
                    failing.filter(|failure| failure.attempts >= PROBLEM_AFTER_FAILURES)
                {
                    found.push(Finding::problem(
                        of,
                        "results",
                        &failure.code,
                        format!(
                            "the list of {assessment} cannot be read since {}: {}",
                            local(failure.first_failed_at),
                            failure.problem
                        ),
                        &failure.remedy,
                    ));
                }
                if sweep.set_aside > 0 {
                    found.push(Finding::problem(
                        of,
                        "results",
                        "stagecall.line_unread",
                        format!(
                            "{} lines of the list of {assessment} cannot be read",
                            sweep.set_aside
                        ),
                        "Results of those candidates arrive only by callback. Check the list on the platform for entries without an id",
                    ));
                }
            }
        }
    }
    found
}

/// How changes of stage are noticed, and whether this is known to be complete.
fn feed(tenant: &Tenant, poll: &PollState, of: &str) -> Vec<Finding> {
    let what = "change feed";
    let Some(feed) = poll.feed else {
        return Vec::new();
    };
    let by = feed.by;
    let calls = scan_calls_a_day(by, tenant.eploy.daily_calls);
    let mut found = vec![match (feed.settled, by) {
        (_, ChangeFeed::SlowFull) => Finding::note(
            of,
            what,
            format!(
                "changes of stage are noticed by {by}, which may take up to {calls} Eploy calls a day; an application that leaves a stage and comes back between two reads is not noticed"
            ),
        ),
        (true, _) => Finding::ok(
            of,
            what,
            format!("changes of stage are noticed by {by}, which is known to show all of them"),
        ),
        (false, _) => Finding::note(
            of,
            what,
            format!(
                "changes of stage are noticed by {by}; it is not known whether this shows all of them, so a stage scan looks for missed ones, with at most {calls} Eploy calls a day. To find out: stagecall probe {}",
                tenant.id
            ),
        ),
    }];
    let Some(scan) = &poll.scan else {
        return found;
    };
    if let Some(at) = scan.missed_at {
        found.push(Finding::problem(
            of,
            what,
            "stagecall.feed_misses",
            format!(
                "{by} missed {} entries that the stage scan found, the last at {}",
                scan.missed,
                local(at)
            ),
            format!(
                "Find a feed that shows every change of stage, and save it in the dialect: stagecall probe {}",
                tenant.id
            ),
        ));
    }
    if let Some(failure) = &scan.failure {
        found.push(Finding::problem(
            of,
            what,
            &failure.code,
            format!(
                "the stage scan fails: {}, since {}",
                failure.problem,
                local(failure.first_failed_at)
            ),
            &failure.remedy,
        ));
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use stagecall_core::invitation::Failure;

    use super::*;
    use stagecall_operations::finding::Verdict;

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
        state(&tenant, &saved, "acme", time(60))
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
