//! Points in time as operators give them.

use jiff::civil::Date;
use jiff::{Span, Timestamp, Zoned};

/// A point in time as operators enter it: `2026-11-22T10:00:00Z`, `2026-11-22` (the start of the day in this zone), or a
/// duration ago (`2h`, `3d`).
pub(crate) fn since(text: &str) -> Result<Timestamp, String> {
    point(text, &Zoned::now())
}

/// The same, relative to `now`.
pub(crate) fn point(text: &str, now: &Zoned) -> Result<Timestamp, String> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    if let Ok(day) = text.parse::<Date>() {
        let begins = day.to_zoned(now.time_zone().clone());
        return begins
            .map(|begins| begins.timestamp())
            .map_err(|error| error.to_string());
    }
    let ago: Option<Span> = text.parse().ok();
    ago.and_then(|ago| now.checked_sub(ago).ok())
        .map(|at| at.timestamp())
        .ok_or_else(|| {
            "expected a time such as 2026-11-22T10:00:00Z, a day, or a duration ago such as 2h or 3d"
                .to_owned()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_may_be_given_in_three_ways() {
        let now: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
        let now = now.to_zoned(jiff::tz::TimeZone::UTC);
        for (text, expected) in [
            ("2026-11-21T10:00:00Z", "2026-11-21T10:00:00Z"),
            ("2026-11-22", "2026-11-22T00:00:00Z"),
            ("2h", "2026-11-22T08:00:00Z"),
            ("3d", "2026-11-19T10:00:00Z"),
        ] {
            let read = point(text, &now).map(|at| at.to_string());
            assert_eq!(read.as_deref(), Ok(expected), "{text}");
        }
        assert!(point("yesterday", &now).is_err());
    }
}
