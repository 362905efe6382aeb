//! What readings read again, and when they stop doing so.

use jiff::SignedDuration;

use super::super::overlap::{Feed, Passed};
use super::polling::{calls, poll, polled, row_of, seen, wait};
use super::*;
use crate::fake_ports::{FakePorts, at_trigger, time};
use crate::ports::Overlap;
use crate::usecases::poll::Polled;

const MINUTE: i64 = 60;

/// The searches of this many minutes of polls, by poll.
async fn searches(fake: &FakePorts, minutes: i64) -> Vec<usize> {
    let end = fake.data().now + SignedDuration::from_mins(minutes);
    let mut made = Vec::new();
    while fake.data().now < end {
        poll(fake).await;
        let calls = calls(fake);
        made.push(
            calls
                .iter()
                .filter(|call| **call == "changed_applications")
                .count(),
        );
        wait(fake);
    }
    made
}

/// This many applications outside the mapping's stage, all changed at this second.
fn moved(many: u32, second: i64) -> Vec<ApplicationRow> {
    let row = |number: u32| seen(&number.to_string(), at("99", "1"), second);
    (0..many).map(row).collect()
}

/// On Friday evening many are moved at once; then nobody works for a day. Each poll costs its search. The moved
/// applications are read, read once more, and a few times until the overlap has passed.
#[tokio::test]
async fn a_day_after_a_bulk_move_costs_the_polls_and_a_few_readings() {
    for (many, overlap, readings) in [(50, 10, 0), (300, 10, 7), (3000, 10, 6), (3000, 65, 9)] {
        let fake = polled().await;
        fake.set(|data| {
            data.applications = moved(many, 10);
            data.overlap = SignedDuration::from_mins(overlap);
            data.allowance = 8000;
        });
        let made = searches(&fake, 24 * 60).await;
        let pages = many.div_ceil(100) as usize;
        let large = made.iter().filter(|searches| **searches > 1);
        assert!(large.clone().all(|searches| *searches == pages));
        let large = large.count();
        assert!(
            large <= readings,
            "{many} moved, {overlap} min: read {large} times"
        );
        assert!(made.len() >= 1430, "{} polls", made.len());
        let sum: usize = made.iter().sum();
        assert_eq!(sum, made.len() + large * (pages - 1));
        // In the end one page is requested, from a time that excludes all of them.
        assert_eq!(made.last(), Some(&1));
    }
}

/// Records that were changed together appear late, with the date of the others.
#[tokio::test]
async fn what_comes_up_late_is_found_however_much_there_is_beside_it() {
    for late_by in [1, 2, 4, 6, 9] {
        let fake = polled().await;
        let mut all = moved(300, 10);
        fake.data().applications = all.clone();
        searches(&fake, late_by).await;
        all.push(seen("late", at_trigger(), 10));
        fake.data().applications = all;
        searches(&fake, 1 + late_by).await;
        assert!(row_of(&fake, "late").is_some(), "{late_by} min late");
    }
}

/// Between two readings of everything, the next poll finds what is new.
#[tokio::test]
async fn what_changes_after_a_bulk_move_is_found_at_once() {
    let fake = polled().await;
    let mut all = moved(3000, 10);
    fake.data().applications = all.clone();
    let mut number = 0;
    for minute in 1..40 {
        number += 1;
        let name = format!("new-{number}");
        all.push(seen(&name, at_trigger(), minute * MINUTE + 20));
        fake.data().applications = all.clone();
        fake.data().now = time(minute * MINUTE + 30);
        fake.set(|data| data.state.as_mut().unwrap().due_at = time(0));
        assert_eq!(poll(&fake).await, Polled::Done(1), "minute {minute}");
        assert!(row_of(&fake, &name).is_some());
    }
}

/// Polls that fail after they have read everything do not count the time before them repeatedly: the cursor would pass
/// what is still to change.
#[tokio::test]
async fn the_cursor_does_not_run_ahead_of_time_while_polls_fail_after_their_reading() {
    let fake = polled().await;
    fake.data().applications = moved(1, 10);
    fake.data().now = time(30);
    fake.set(|data| data.state.as_mut().unwrap().due_at = time(0));
    poll(&fake).await;
    let last_ok = fake.data().state.as_ref().unwrap().poll.last_ok;
    for minute in 1..10 {
        fake.data().now = time(30 + minute * MINUTE);
        fake.set(|data| {
            let state = data.state.as_mut().unwrap();
            state.due_at = time(0);
            state.poll.last_ok = last_ok;
        });
        poll(&fake).await;
        let cursor = fake.data().state.as_ref().unwrap().poll.cursor;
        assert!(cursor <= Some(time(30 + minute * MINUTE)), "{cursor:?}");
    }
}

/// A reading of this many pages up to this second, begun a minute after the poll before.
fn read(pages: u32, newest: Option<i64>) -> PollProgress {
    PollProgress {
        since: None,
        page: pages,
        newest: newest.map(time),
        light: false,
        began_at: Some(time(MINUTE)),
    }
}

#[derive(Default)]
struct Kept {
    cursor: Option<Timestamp>,
    reached: Option<Timestamp>,
    overlap: Overlap,
}

impl Kept {
    fn at(cursor: i64, reached: i64) -> Self {
        Self {
            cursor: Some(time(cursor)),
            reached: Some(time(reached)),
            overlap: Overlap::default(),
        }
    }

    fn feed(&mut self) -> Feed<'_> {
        Feed {
            cursor: &mut self.cursor,
            reached: &mut self.reached,
            overlap: &mut self.overlap,
        }
    }

    /// A reading that ended this many seconds after the poll before.
    fn complete(&mut self, read: &PollProgress, seconds: i64) {
        let passed = Passed {
            last_ok: Some(time(MINUTE - seconds)),
            began_at: time(MINUTE),
            most: SignedDuration::from_secs(120),
        };
        self.feed().complete(read, passed);
    }
}

#[test]
fn the_cursor_moves_only_past_what_was_gone_over() {
    let mut one = Kept::at(10, 10);
    one.complete(&read(1, Some(50)), 0);
    assert_eq!(one.cursor, Some(time(50)));
    let mut many = Kept::at(10, 20);
    many.complete(&read(7, Some(50)), 0);
    assert_eq!(
        (many.cursor, many.reached),
        (Some(time(10)), Some(time(50)))
    );
    many.complete(&read(3, Some(50)), 0);
    assert_eq!(many.cursor, Some(time(20)));
    many.complete(&read(3, Some(50)), 0);
    assert_eq!(many.cursor, Some(time(50)));
    // Never backwards.
    many.complete(&read(1, Some(5)), 0);
    assert!(many.cursor >= Some(time(50)));
}

/// What changes during two readings can push the same record out of both.
#[test]
fn while_readings_show_something_newer_the_cursor_waits_for_a_few_of_them() {
    let mut kept = Kept::at(10, 20);
    let mut cursors = Vec::new();
    for newest in [50, 60, 70, 80, 90, 90, 90] {
        kept.complete(&read(3, Some(newest)), 0);
        cursors.push(kept.cursor);
    }
    let expected = [10, 10, 10, 20, 20, 70, 90].map(|at| Some(time(at)));
    assert_eq!(cursors, expected);
}

/// A record that changes between two pages can push another one onto a page that was read already.
#[test]
fn what_slips_between_two_pages_is_in_the_next_reading() {
    let mut kept = Kept::at(10, 10);
    kept.complete(&read(1, None), 0);
    // Something changed since. The reading ends on its second page and did not see it.
    kept.complete(&read(2, None), 60);
    let next = kept.feed().begin(time(200), |_| SignedDuration::ZERO);
    assert_eq!(next.since, Some(time(10)));
}

#[test]
fn the_cursor_follows_our_time_while_nothing_is_newer() {
    let mut quiet = Kept::at(10, 10);
    quiet.complete(&read(1, None), 60);
    assert_eq!(quiet.cursor, Some(time(70)));
    // Of several pages, only what was read before is read twice.
    quiet.complete(&read(9, Some(10)), 60);
    assert_eq!(quiet.cursor, Some(time(70)));
    quiet.complete(&read(9, Some(10)), 0);
    assert_eq!(quiet.cursor, Some(time(130)));
    // Something newer: from there again.
    quiet.complete(&read(1, Some(150)), 60);
    assert_eq!(
        (quiet.cursor, quiet.overlap.quiet_seconds),
        (Some(time(190)), 0)
    );
    let mut days = Kept::at(10, 10);
    for _ in 0..10_000 {
        days.complete(&read(1, None), 60);
    }
    assert_eq!(days.cursor, Some(time(10 + 7200)), "as far as clocks agree");
}

#[test]
fn a_clock_that_is_set_does_not_move_the_cursor_along() {
    for (seconds, follows) in [(-90_000, 0), (0, 0), (120, 120), (90_000, 120)] {
        let mut kept = Kept::at(10, 10);
        kept.complete(&read(1, None), seconds);
        assert_eq!(kept.cursor, Some(time(10 + follows)), "{seconds} s");
    }
}

#[test]
fn a_reading_of_several_pages_is_repeated_ever_more_rarely() {
    let mut kept = Kept::at(10, 10);
    let mut between = Vec::new();
    for _ in 0..8 {
        kept.complete(&read(9, Some(50)), 0);
        between.push(kept.overlap.light_left);
        kept.overlap.light_left = 0;
    }
    assert_eq!(between, [0, 1, 2, 4, 8, 8, 8, 8]);
    kept.complete(&read(1, Some(50)), 0);
    assert_eq!((kept.overlap.light_left, kept.overlap.spacing), (0, 0));
}

/// In between, only what is newer is requested; and if that is much again, everything.
#[test]
fn a_light_reading_begins_where_the_newest_change_was() {
    let mut kept = Kept::at(10, 50);
    kept.reached = Some(Timestamp::from_millisecond(time(50).as_millisecond() + 500).unwrap());
    kept.overlap.light_left = 2;
    kept.overlap.spacing = 4;
    let overlap = SignedDuration::from_mins(10);
    let mut light = kept.feed().begin(time(100), |_| overlap);
    assert!(light.light);
    assert_eq!(light.since, Some(time(51 + 600)));
    light.newest = Some(time(80));
    kept.complete(&light, 0);
    assert_eq!(
        (kept.cursor, kept.reached),
        (Some(time(10)), Some(time(80)))
    );
    assert_eq!((kept.overlap.light_left, kept.overlap.spacing), (1, 4));
    light.page = 2;
    kept.complete(&light, 0);
    assert_eq!((kept.overlap.light_left, kept.overlap.spacing), (0, 0));
    let full = kept.feed().begin(time(100), |_| overlap);
    assert_eq!((full.light, full.since), (false, Some(time(10))));
}
