//! How a tenant's changes of stage are noticed, and what that feed missed.

use jiff::tz::TimeZone;
use stagecall_core::ports::{ChangeFeed, PollState};
use stagecall_core::tenant::Tenant;
use stagecall_core::usecases::scan_calls_a_day;

use crate::finding::Finding;
use crate::time::local;

/// The feed, whether it is known to be complete, and what the stage scan found beside it.
pub(super) fn findings(
    tenant: &Tenant,
    poll: &PollState,
    of: &str,
    zone: &TimeZone,
) -> Vec<Finding> {
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
                local(at, zone)
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
                local(failure.first_failed_at, zone)
            ),
            &failure.remedy,
        ));
    }
    found
}
