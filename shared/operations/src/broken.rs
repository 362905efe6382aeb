//! What a broken mapping means for applications that enter its stage meanwhile; all commands use the same words.

use stagecall_core::Timestamp;

use jiff::tz::TimeZone;

use crate::time::local;

/// A broken mapping in words: the reason, and which applications are held. `at` is since when, if that is saved.
pub fn in_words(reason: &str, at: Option<Timestamp>, zone: &TimeZone) -> String {
    let Some(at) = at else {
        return format!("broken: {reason}. No application is invited until it is fixed");
    };
    let at = local(at, zone);
    format!(
        "broken since {at}: {reason}. No application is lost: those that enter its stage or its replacement from {at} on are held until it is fixed, and then invited"
    )
}

/// How to fix it so that the held applications are invited.
pub fn remedy(tenant: &str) -> String {
    format!(
        "Restore the stage or status in Eploy, or give the mapping a replacement: stagecall tenant export {tenant}, then stagecall tenant apply. If you remove the mapping and add a new one instead, the held applications become its baseline"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn held_applications_are_mentioned_if_the_time_is_known() {
        let at = Timestamp::from_second(1_800_000_000).unwrap();
        let since = in_words(
            "its trigger stage 12 is archived in Eploy",
            Some(at),
            &TimeZone::UTC,
        );
        let time = local(at, &TimeZone::UTC);
        assert_eq!(
            since,
            format!(
                "broken since {time}: its trigger stage 12 is archived in Eploy. No application is lost: those that enter its stage or its replacement from {time} on are held until it is fixed, and then invited"
            )
        );
        let before = in_words(
            "its trigger stage 12 is archived in Eploy",
            None,
            &TimeZone::UTC,
        );
        assert!(!before.contains("held"), "{before}");
    }
}
