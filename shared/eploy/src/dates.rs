//! Eploy's dates: with or without fraction and zone, in UTC or UK time (REFERENCE.md §8).

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use stagecall_core::timing::after;

use crate::dialect::{Dates, Zone};

/// How far windows overlap where nobody knows the zone: an hour of summer time and a little (REFERENCE.md §8).
const OVERLAP_UNKNOWN_ZONE: SignedDuration = SignedDuration::from_mins(65);
/// How far they overlap where the zone is known: for ties, for clocks that differ, and for changes of many records at once,
/// which are seen only minutes after the time that they are given.
const OVERLAP_KNOWN_ZONE: SignedDuration = SignedDuration::from_mins(10);

impl Zone {
    fn rules(self) -> TimeZone {
        match self {
            Self::Utc => TimeZone::UTC,
            // Compiled in: a function's environment has no time zone database.
            Self::Uk => jiff::tz::get!("Europe/London"),
        }
    }
}

impl Dates {
    /// The zone of a date without one.
    fn zone(self) -> Zone {
        match self {
            Self::Unknown | Self::Utc => Zone::Utc,
            Self::Uk => Zone::Uk,
        }
    }

    /// The time that a text denotes. With [`Dates::Unknown`] it may be an hour off, the same way each time.
    pub(crate) fn read(self, text: &str) -> Option<Timestamp> {
        read(text, self.zone())
    }

    /// The day that starts at this time, in UTC or UK time, if any.
    pub(crate) fn day_at_midnight(self, at: Timestamp) -> Option<Date> {
        // A date without a zone is in the dialect's zone.
        [self.zone(), Zone::Utc, Zone::Uk]
            .into_iter()
            .map(|zone| at.to_zoned(zone.rules()).datetime())
            .find(|local| local.time() == Time::midnight())
            .map(DateTime::date)
    }

    /// A time as the value of a filter: whole seconds, rounded down.
    pub(crate) fn filter(self, at: Timestamp) -> String {
        match self {
            Self::Unknown | Self::Utc => at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            Self::Uk => at
                .to_zoned(Zone::Uk.rules())
                .strftime("%Y-%m-%dT%H:%M:%S")
                .to_string(),
        }
    }

    /// How far before `since` a search for changes starts.
    pub(crate) fn overlap(self, since: Timestamp) -> SignedDuration {
        match self {
            Self::Unknown => OVERLAP_UNKNOWN_ZONE,
            Self::Uk if near_clock_change(since) => OVERLAP_UNKNOWN_ZONE,
            Self::Utc | Self::Uk => OVERLAP_KNOWN_ZONE,
        }
    }

    /// The start of a search for changes since `since`.
    pub(crate) fn window(self, since: Timestamp) -> Timestamp {
        since
            .checked_sub(self.overlap(since))
            .unwrap_or(Timestamp::MIN)
    }
}

/// Whether UK clocks change within a few hours: an hour of local times then happens twice, and what changed in its
/// second half looks older than what changed in its first.
fn near_clock_change(at: Timestamp) -> bool {
    let rules = Zone::Uk.rules();
    let hours = SignedDuration::from_hours(3);
    let before = at.checked_sub(hours).unwrap_or(Timestamp::MIN);
    rules.to_offset(before) != rules.to_offset(after(at, hours))
}

/// The time that a text denotes, in this zone if it names none.
fn read(text: &str, zone: Zone) -> Option<Timestamp> {
    // One customer's export has slashes (REFERENCE.md §8, documented P-GROS).
    let text = text.trim().replace('/', "-");
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at);
    }
    let local: DateTime = text.parse().ok()?;
    let zoned = zone.rules().to_ambiguous_zoned(local).compatible().ok()?;
    Some(zoned.timestamp())
}

/// A time as it is written into a record: UTC to the millisecond (REFERENCE.md §14, documented N-HERD).
pub(crate) fn written(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// Whether `text` is how [`written`] of `at` came back: to the millisecond, or to the four milliseconds that some
/// databases keep, or to the second where the fraction was dropped; in UTC, or in UK time without a zone.
pub(crate) fn came_back(text: &str, at: Timestamp) -> bool {
    let sent = at.as_millisecond();
    [Zone::Utc, Zone::Uk].into_iter().any(|zone| {
        read(text, zone).is_some_and(|found| {
            let found = found.as_millisecond();
            (found - sent).abs() <= 4
                || (found.rem_euclid(1000) == 0 && found.div_euclid(1000) == sent.div_euclid(1000))
        })
    })
}

/// The day that `now` is in, and when the next one begins.
pub(crate) fn day(now: Timestamp, zone: Zone) -> (String, Timestamp) {
    let local = now.to_zoned(zone.rules());
    let next = local
        .tomorrow()
        .and_then(|tomorrow| tomorrow.start_of_day())
        .map_or_else(
            |_| after(now, SignedDuration::from_hours(24)),
            |next| next.timestamp(),
        );
    (local.date().to_string(), next)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn dates_come_in_every_form() {
        for text in [
            "2025-06-24T09:15:00Z",
            "2025-06-24T09:15:00.000Z",
            "2025-06-24T10:15:00+01:00",
            "2025-06-24T09:15:00",
            "2025-06-24 09:15:00",
            "2025/06/24 09:15:00",
            " 2025-06-24T09:15 ",
        ] {
            assert_eq!(
                Dates::Unknown.read(text),
                Some(at("2025-06-24T09:15:00Z")),
                "{text}"
            );
        }
        assert_eq!(
            Dates::Utc.read("2025-06-24"),
            Some(at("2025-06-24T00:00:00Z"))
        );
        assert_eq!(Dates::Utc.read("yesterday"), None);
        assert_eq!(Dates::Utc.read(""), None);
    }

    #[test]
    fn uk_time_applies_only_without_a_zone() {
        assert_eq!(
            Dates::Uk.read("2025-06-24T10:15:00"),
            Some(at("2025-06-24T09:15:00Z"))
        );
        assert_eq!(
            Dates::Uk.read("2025-01-24T10:15:00"),
            Some(at("2025-01-24T10:15:00Z"))
        );
        assert_eq!(
            Dates::Uk.read("2025-06-24T10:15:00Z"),
            Some(at("2025-06-24T10:15:00Z"))
        );
    }

    #[test]
    fn filters_are_in_the_dialects_time() {
        let summer = at("2025-06-24T09:15:00.987Z");
        assert_eq!(Dates::Unknown.filter(summer), "2025-06-24T09:15:00Z");
        assert_eq!(Dates::Utc.filter(summer), "2025-06-24T09:15:00Z");
        assert_eq!(Dates::Uk.filter(summer), "2025-06-24T10:15:00");
    }

    #[test]
    fn windows_overlap_by_the_uncertainty() {
        let since = at("2025-06-24T12:00:00Z");
        assert_eq!(Dates::Unknown.window(since), at("2025-06-24T10:55:00Z"));
        assert_eq!(Dates::Utc.window(since), at("2025-06-24T11:50:00Z"));
        assert_eq!(Dates::Uk.window(since), at("2025-06-24T11:50:00Z"));
        // The clocks go back on this morning.
        let doubtful = at("2025-10-26T00:59:00Z");
        assert_eq!(Dates::Uk.window(doubtful), at("2025-10-25T23:54:00Z"));
        assert_eq!(Dates::Uk.window(Timestamp::MIN), Timestamp::MIN);
    }

    #[test]
    fn a_date_is_recognised_however_it_comes_back() {
        let sent = at("2025-06-24T09:15:00.123456Z");
        assert_eq!(written(sent), "2025-06-24T09:15:00.123Z");
        for text in [
            "2025-06-24T09:15:00.123Z",
            "2025-06-24T09:15:00.123",
            "2025-06-24T09:15:00.1233333Z",
            "2025-06-24T09:15:00.127Z",
            "2025-06-24T09:15:00Z",
            "2025-06-24T09:15:00",
            "2025-06-24T10:15:00",
        ] {
            assert!(came_back(text, sent), "{text}");
        }
        for text in [
            "2025-06-24T09:15:00.200Z",
            "2025-06-24T09:15:01Z",
            "2025-06-24T10:15:00Z",
            "",
        ] {
            assert!(!came_back(text, sent), "{text}");
        }
    }

    #[test]
    fn the_day_ends_at_the_zones_midnight() {
        let evening = at("2025-06-24T23:30:00Z");
        assert_eq!(
            day(evening, Zone::Utc),
            ("2025-06-24".to_owned(), at("2025-06-25T00:00:00Z"))
        );
        assert_eq!(
            day(evening, Zone::Uk),
            ("2025-06-25".to_owned(), at("2025-06-25T23:00:00Z"))
        );
    }
}
