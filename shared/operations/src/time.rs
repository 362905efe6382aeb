//! Times in answers.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A time in this zone, to the second.
pub fn local(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone())
        .strftime("%Y-%m-%d %H:%M:%S")
        .to_string()
}
