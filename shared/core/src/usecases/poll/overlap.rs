//! How far a reading of changes begins before the newest change seen, and when that overlap may be skipped.
//!
//! Changes of many records at once become visible later than the time that Eploy gives them, and its dates may be off
//! by an hour, so every reading overlaps with the one before. Two rules bound the cost after many records changed at
//! once:
//!
//! * Once the overlap has passed in *our* time since the newest change was seen, nothing older can still appear, so the
//!   cursor follows our time: up to the least that Eploy's clock showed when the last reading of everything began.
//! * Until then, a reading of several pages is repeated ever more rarely. In between, only what is newer than the
//!   newest change is requested: one call if there is nothing.

use jiff::{SignedDuration, Timestamp};

use crate::ports::{Overlap, PollProgress};
use crate::timing::after;

/// The maximum that the cursor follows our time: more than any overlap, and little enough for clocks that drift.
const MAX_FOLLOWED: SignedDuration = SignedDuration::from_hours(2);

/// How many readings of several pages in a row do not move the cursor because they showed something newer.
const MAX_RESTLESS: u32 = 3;

/// The state of reading the changes of one kind of record.
pub(super) struct Feed<'a> {
    /// Everything that changed up to here was read.
    pub(super) cursor: &'a mut Option<Timestamp>,
    /// The newest change that was seen.
    pub(super) reached: &'a mut Option<Timestamp>,
    /// The state of the overlap.
    pub(super) overlap: &'a mut Overlap,
}

/// The time between the end of the previous poll and the beginning of a reading, by our clock.
#[derive(Clone, Copy)]
pub(super) struct Passed {
    /// When the last poll that read everything ended.
    pub(super) last_ok: Option<Timestamp>,
    /// When the reading began.
    pub(super) began_at: Timestamp,
    /// The maximum that is believed: a clock that was set must not move the cursor.
    pub(super) most: SignedDuration,
}

impl Passed {
    fn time(self) -> SignedDuration {
        self.last_ok
            .map_or(SignedDuration::ZERO, |at| self.began_at.duration_since(at))
            .clamp(SignedDuration::ZERO, self.most)
    }
}

impl Feed<'_> {
    /// Begins a reading at its first page. `overlap_from` gives how far before a time a reading from there begins.
    pub(super) fn begin(
        &self,
        now: Timestamp,
        overlap_from: impl Fn(Timestamp) -> SignedDuration,
    ) -> PollProgress {
        let newer_only = self.reached.filter(|_| self.overlap.light_left > 0);
        PollProgress {
            since: newer_only.map_or(*self.cursor, |reached| {
                // Filters are in whole seconds, rounded down.
                let reached = next_second(reached);
                Some(after(reached, overlap_from(reached)))
            }),
            page: 1,
            newest: None,
            light: newer_only.is_some(),
            began_at: Some(now),
        }
    }

    /// Ends a reading.
    ///
    /// Eploy's order of results is not known, and a record that changes during a reading can move from an unread page
    /// to one that was read. So after a reading of several pages the cursor moves only to Eploy's time when the reading
    /// before it began: everything is read once more before the cursor passes it. Both readings may miss the same record
    /// while others keep changing, so a few readings that show something newer do not move the cursor. A single page is
    /// read at once and misses nothing.
    pub(super) fn complete(&mut self, read: &PollProgress, passed: Passed) {
        let before = *self.reached;
        let quiet = after_quiet(self.overlap, passed);
        if read.newest > before {
            *self.reached = read.newest;
            self.overlap.quiet_seconds = 0;
        } else {
            self.overlap.quiet_seconds = whole_seconds(quiet);
        }
        if read.light {
            self.overlap.light_left -= 1.min(self.overlap.light_left);
            if read.page > 1 {
                // Many at once again: more of them may appear at any moment.
                self.overlap.light_left = 0;
                self.overlap.spacing = 0;
            }
            return;
        }
        let at_least = before.map(|reached| after(reached, quiet));
        let read_once = self.overlap.read_to;
        if read.page == 1 {
            *self.cursor = (*self.cursor).max(at_least).max(*self.reached);
            self.overlap.read_to = at_least;
            self.overlap.restless = 0;
            self.overlap.light_left = 0;
            self.overlap.spacing = 0;
        } else {
            if read.newest > before && self.overlap.restless < MAX_RESTLESS {
                self.overlap.restless += 1;
                self.overlap.read_to = read_once.or(at_least);
            } else {
                self.overlap.restless = 0;
                self.overlap.read_to = at_least;
                *self.cursor = (*self.cursor).max(read_once);
            }
            self.overlap.light_left = self.overlap.spacing;
            // Rarely enough to cost no more than the polls do.
            self.overlap.spacing = (self.overlap.spacing * 2).clamp(1, read.page - 1);
        }
    }
}

/// For how long, by our clock, nothing newer was seen.
fn after_quiet(overlap: &Overlap, passed: Passed) -> SignedDuration {
    let before = SignedDuration::from_secs(overlap.quiet_seconds.into());
    (before + passed.time()).min(MAX_FOLLOWED)
}

fn whole_seconds(time: SignedDuration) -> u32 {
    u32::try_from(time.as_secs()).unwrap_or(0)
}

fn next_second(at: Timestamp) -> Timestamp {
    if at.subsec_nanosecond() == 0 {
        return at;
    }
    Timestamp::from_second(at.as_second().saturating_add(1)).unwrap_or(at)
}
