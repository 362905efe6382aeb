//! Whether the day's calls are used up, and until when work is deferred.

use stagecall_core::tenant::Tenant;
use stagecall_eploy::{DayShares, Inspector, Problem};

use crate::commands::finding::Finding;
use crate::output::local;

const WHAT: &str = "allowance";

/// The day's use by our own count. Makes no call.
pub(crate) async fn check(inspector: &Inspector, tenant: &Tenant, of: &str) -> Finding {
    match inspector.day_shares().await {
        Ok(shares) => usage_finding(tenant.eploy.daily_calls, &shares, of),
        Err(error) => Finding::refused(of, WHAT, &error),
    }
}

pub(crate) fn usage_finding(daily: u32, shares: &DayShares, of: &str) -> Finding {
    let used = format!(
        "{} of the {daily} calls that Stagecall may make today are used",
        shares.used
    );
    let until = local(shares.resets_at);
    let waits = match shares {
        DayShares {
            polls_spent: false,
            invitations_spent: false,
            reports_spent: false,
            ..
        } => {
            return Finding::ok(
                of,
                WHAT,
                format!("{used}; Eploy's own count, over all keys, is on its API Keys page"),
            );
        }
        DayShares {
            reports_spent: true,
            ..
        } => "invitations and reports wait until then, and polls read few pages",
        DayShares {
            invitations_spent: true,
            ..
        } => "invitations wait until then, polls read few pages, and reports continue",
        DayShares { .. } => {
            "until then polls read few pages, so bulk changes are noticed late; invitations and reports continue"
        }
    };
    Finding::problem(
        of,
        WHAT,
        Problem::AllowanceOurs.code(),
        format!("{used}, and the allowance resets at {until}: {waits}"),
        Problem::AllowanceOurs.remedy(),
    )
}

#[cfg(test)]
mod tests {
    use stagecall_core::Timestamp;

    use super::*;
    use crate::commands::finding::Verdict;

    #[test]
    fn a_spent_share_is_reported_with_what_waits_and_until_when() {
        let resets_at = Timestamp::from_second(1_800_000_000).unwrap();
        let finding = |polls_spent, invitations_spent, reports_spent| {
            let shares = DayShares {
                used: 810,
                polls_spent,
                invitations_spent,
                reports_spent,
                resets_at,
            };
            let found = usage_finding(1000, &shares, "acme");
            (found.verdict, found.found)
        };
        let (verdict, _) = finding(false, false, false);
        assert_eq!(verdict, Verdict::Ok);
        let until = local(resets_at);
        let spent = format!(
            "810 of the 1000 calls that Stagecall may make today are used, and the allowance resets at {until}: "
        );
        for (shares, waits) in [
            (
                (true, false, false),
                "until then polls read few pages, so bulk changes are noticed late; invitations and reports continue",
            ),
            (
                (true, true, false),
                "invitations wait until then, polls read few pages, and reports continue",
            ),
            (
                (false, true, false),
                "invitations wait until then, polls read few pages, and reports continue",
            ),
            (
                (true, true, true),
                "invitations and reports wait until then, and polls read few pages",
            ),
        ] {
            let (polls, invitations, reports) = shares;
            let (verdict, found) = finding(polls, invitations, reports);
            assert_eq!(verdict, Verdict::Problem);
            assert_eq!(found, format!("{spent}{waits}"));
        }
    }
}
