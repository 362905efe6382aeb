//! Whether the day's calls are used up, and until when work is deferred.

use jiff::tz::TimeZone;
use stagecall_core::tenant::Tenant;
use stagecall_eploy::{DayShares, Inspector, Problem};

use crate::finding::Finding;
use crate::time::local;

const WHAT: &str = "allowance";

/// The day's use by our own count. Makes no call.
pub async fn check(inspector: &Inspector, tenant: &Tenant, of: &str, zone: &TimeZone) -> Finding {
    match inspector.day_shares().await {
        Ok(shares) => usage_finding(tenant.eploy.daily_calls, &shares, of, zone),
        Err(error) => Finding::refused(of, WHAT, &error),
    }
}

/// The finding for these shares of the day, with what waits until when.
pub fn usage_finding(daily: u32, shares: &DayShares, of: &str, zone: &TimeZone) -> Finding {
    let used = format!(
        "{} of the {daily} calls that Stagecall may make today are used",
        shares.used
    );
    let until = local(shares.resets_at, zone);
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
    use crate::finding::Verdict;

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
            let found = usage_finding(1000, &shares, "acme", &TimeZone::UTC);
            (found.verdict, found.found)
        };
        let (verdict, _) = finding(false, false, false);
        assert_eq!(verdict, Verdict::Ok);
        let until = local(resets_at, &TimeZone::UTC);
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
