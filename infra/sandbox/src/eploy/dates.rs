//! Dates in the formats that Eploy may write and read.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Unit};

use super::quirks::Dates;

const UK: TimeZone = jiff::tz::get!("Europe/London");

/// A time at the server's precision: Eploy's dates have milliseconds at most.
pub(crate) fn kept(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at)
}

/// Writes a date.
pub(crate) fn write(at: Timestamp, dates: Dates) -> String {
    match dates {
        Dates::UtcFraction => at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string(),
        Dates::Utc => at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        Dates::UkLocal => at
            .to_zoned(UK)
            .strftime("%Y-%m-%dT%H:%M:%S.%3f")
            .to_string(),
    }
}

/// Reads a date, with or without fraction, `Z`, offset or time.
pub(crate) fn read(text: &str, dates: Dates) -> Option<Timestamp> {
    let text = text.trim();
    let wall = text.strip_suffix(['Z', 'z']).unwrap_or(text);
    if let Ok(wall) = wall.parse::<DateTime>()
        && (dates == Dates::UkLocal || !has_offset(wall, text))
    {
        let zone = match dates {
            Dates::UkLocal => UK,
            Dates::Utc | Dates::UtcFraction => TimeZone::UTC,
        };
        return Some(wall.to_zoned(zone).ok()?.timestamp());
    }
    text.parse().ok()
}

/// Whether the text has more than a wall clock time and `Z`: parsing a wall clock time skips an offset.
fn has_offset(wall: DateTime, text: &str) -> bool {
    text.parse::<Timestamp>()
        .is_ok_and(|at| at.to_zoned(TimeZone::UTC).datetime() != wall)
}

/// Whether two times are equal to the second, the precision of a date without fraction.
pub(crate) fn same_second(one: Timestamp, other: Timestamp) -> bool {
    let second = |at: Timestamp| at.round(Unit::Second).unwrap_or(at);
    one == other || (other == second(other) && one.as_second() == other.as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_reads_back() {
        for text in ["2025-07-24T09:15:00.123Z", "2025-01-24T09:15:00Z"] {
            let at: Timestamp = text.parse().unwrap();
            for dates in [Dates::UtcFraction, Dates::UkLocal] {
                assert_eq!(read(&write(at, dates), dates), Some(at));
            }
        }
        let at: Timestamp = "2025-07-24T09:15:00.123Z".parse().unwrap();
        assert_eq!(write(at, Dates::UtcFraction), "2025-07-24T09:15:00.123Z");
        assert_eq!(write(at, Dates::Utc), "2025-07-24T09:15:00Z");
        assert_eq!(write(at, Dates::UkLocal), "2025-07-24T10:15:00.123");
    }

    #[test]
    fn a_z_means_utc_or_nothing() {
        let text = "2025-07-24T10:15:00Z";
        assert_eq!(read(text, Dates::Utc), text.parse().ok());
        assert_eq!(
            read(text, Dates::UkLocal),
            "2025-07-24T09:15:00Z".parse().ok()
        );
        assert_eq!(
            read("2025-07-24T10:15:00+01:00", Dates::Utc),
            "2025-07-24T09:15:00Z".parse().ok()
        );
        assert_eq!(
            read("2025-07-24", Dates::Utc),
            "2025-07-24T00:00:00Z".parse().ok()
        );
        assert_eq!(read("yesterday", Dates::Utc), None);
    }
}
