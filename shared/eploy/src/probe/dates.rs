//! Whether Eploy's dates are UTC or UK time (REFERENCE.md §8). In winter nobody can tell the two apart.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::Certainty::{Likely, Sure};
use super::Probe;
use crate::dialect::Dates;
use crate::wire::Record;

/// A date this far ahead of Eploy's own clock was not written in UTC.
const UTC_TOLERANCE: SignedDuration = SignedDuration::from_mins(10);
/// A date further ahead than this was not written in UK summer time either.
const SUMMER_TIME_TOLERANCE: SignedDuration = SignedDuration::from_mins(65);

impl Probe<'_> {
    /// Concludes from the dates of the first page.
    pub(super) fn dates(&mut self) {
        let texts = |record| {
            Record::of(record)?
                .text("ModificationDate")
                .map(str::to_owned)
        };
        let texts: Vec<String> = self.applications.iter().filter_map(texts).collect();
        self.conclude_dates(&texts, None);
    }

    /// Concludes from dates, against Eploy's own clock; `changed_at` is when the newest is known to have been written.
    pub(super) fn conclude_dates(&mut self, texts: &[String], changed_at: Option<Timestamp>) {
        let name = "dates";
        // Read as if they were UTC, whatever zone they name.
        let newest = texts.iter().filter_map(|text| Dates::Utc.read(text)).max();
        let Some(newest) = newest else {
            return self.open(name, "there is no date");
        };
        let zoned = texts.iter().all(|text| text.parse::<Timestamp>().is_ok());
        let now = self
            .server_time
            .unwrap_or_else(|| self.client.connection.clock.now());
        let summer = summer(now);
        let by = newest.duration_since(now);
        if by > SUMMER_TIME_TOLERANCE {
            return self.open(
                name,
                "the newest lies further ahead of Eploy's own clock than UK summer time would, so no date is reliable",
            );
        }
        let ahead = by > UTC_TOLERANCE;
        let just_now = changed_at.is_some_and(|at| newest.duration_since(at).abs() < UTC_TOLERANCE);
        let (certainty, zone, words) = match (zoned, summer, ahead) {
            (true, true, true) => {
                return self.open(
                    name,
                    "they are written as UTC and lie ahead of Eploy's own clock, so their zone is not reliable",
                );
            }
            (true, ..) => (Likely, "utc", "each has its zone written out"),
            (false, true, true) => (
                Sure,
                "uk",
                "no zone is written, and the newest lies ahead of Eploy's clock as UK summer time would",
            ),
            (false, true, false) if just_now => (
                Sure,
                "utc",
                "no zone is written, and what was just changed has the time in UTC",
            ),
            (false, true, false) => {
                return self.open(
                    name,
                    "no zone is written, and no recent change is conclusive; try again after an application was moved",
                );
            }
            (false, false, _) => {
                return self.open(
                    name,
                    "no zone is written, and in winter UTC and UK time are the same; try again in British Summer Time. Until then windows overlap by 65 minutes",
                );
            }
        };
        self.found(name, certainty, words).set("dates", zone);
    }
}

/// Whether UK clocks are ahead of UTC.
fn summer(at: Timestamp) -> bool {
    const UK: TimeZone = jiff::tz::get!("Europe/London");
    UK.to_offset(at).seconds() != 0
}
