//! Which feed shows changes of stage (REFERENCE.md §8): whether they move the modification date of their application,
//! and whether the status history can be searched by date. Both by reading alone.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use stagecall_core::error::CallError;

use super::Certainty::{Likely, Sure};
use super::{Certainty, Probe, filter};
use crate::applications::BLOCKS as APPLICATION;
use crate::stage_changes::{BLOCKS, block_of};
use crate::wire::Record;

const HISTORY: &str = "applications/statushistory";
/// The routes that may filter the status history by date, the best first: a row cannot be created for the past.
const ROUTES: [&str; 3] = [
    "StatusHistory.CreationDate",
    "StatusHistory.ModificationDate",
    "StatusHistory.StatusDate",
];
/// Rows of the status history read at once.
const PAGE_SIZE: u32 = 100;
/// Later than any change.
const FAR_FUTURE: &str = "2999-01-01T00:00:00Z";
/// How far two dates of one change may be apart.
const TOLERANCE: SignedDuration = SignedDuration::from_mins(2);
/// A change this much later than the oldest row is not part of the application's creation.
const MIN_AGE_AT_CHANGE: SignedDuration = SignedDuration::from_mins(10);
/// Older data may have been written by another version of Eploy.
const RECENT_AGE: SignedDuration = SignedDuration::from_hours(180 * 24);
/// How many applications are compared at most, because each may cost a call.
const MAX_COMPARED: usize = 10;
/// This many have to agree before a conclusion is sure.
const MIN_AGREEING: usize = 5;
/// This many rows on either side of a date show that the filter works.
const MIN_ROWS: usize = 3;

/// What the status history says about one application.
#[derive(Clone, Copy)]
struct Seen {
    oldest: Timestamp,
    newest: Timestamp,
}

/// The result of the comparisons.
#[derive(Default)]
struct Compared {
    all: usize,
    /// Changed stage clearly later than their modification date.
    refuting: usize,
    /// Changed stage when they were last modified, long after they were created.
    supporting: usize,
    /// Those of either kind that changed lately.
    recent: usize,
    newest: Option<Timestamp>,
}

impl Probe<'_> {
    pub(super) async fn feed(&mut self) -> Result<(), CallError> {
        let rows = self
            .search(HISTORY, json!([]), (PAGE_SIZE, 1), BLOCKS)
            .await?
            .records(1, PAGE_SIZE)
            .unwrap_or_default();
        let route = self.history_date_route(&rows).await?;
        self.change_feed(rows, route).await
    }

    /// The route that filters the status history by date, and how sure that is.
    async fn history_date_route(
        &mut self,
        rows: &[Value],
    ) -> Result<Option<(&'static str, Certainty)>, CallError> {
        let name = "status history by date";
        let mut tried = false;
        for route in ROUTES {
            let mut dates: Vec<Timestamp> = self.dates_of(rows, block_of(route));
            dates.sort_unstable();
            let Some(pivot) = dates.get(dates.len().saturating_sub(1) / 2).copied() else {
                continue;
            };
            let earlier = dates.iter().filter(|at| **at <= pivot).count();
            let later = dates.len() - earlier;
            if later == 0 {
                continue;
            }
            tried = true;
            // Filters are in whole seconds.
            let Ok(pivot) = Timestamp::from_second(pivot.as_second()) else {
                continue;
            };
            let value = self.client.connection.dialect.dates.filter(pivot);
            let after = self.history_after(route, &value).await?;
            let never = self.history_after(route, FAR_FUTURE).await?;
            let (Some(after), Some(never)) = (after, never) else {
                continue;
            };
            let found = self.dates_of(&after, block_of(route));
            let heeded = !found.is_empty()
                && found.len() == after.len()
                && found.iter().all(|at| *at > pivot)
                && never.is_empty();
            if !heeded {
                continue;
            }
            let sure = earlier >= MIN_ROWS && later >= MIN_ROWS;
            let certainty = if sure { Sure } else { Likely };
            let words = format!(
                "{route} filters by date; seen with {earlier} rows before and {later} after"
            );
            self.found(name, certainty, words)
                .set("history_date_route", route);
            return Ok(Some((route, certainty)));
        }
        if tried {
            self.found(name, Likely, "none of them filters")
                .reading("none")
                .set("history_date_route", Value::Null);
        } else {
            self.open(name, "the status history shows too little to try with");
        }
        Ok(None)
    }

    async fn history_after(
        &mut self,
        route: &str,
        value: &str,
    ) -> Result<Option<Vec<Value>>, CallError> {
        let filters = filter(route, "GreaterThan", &json!(value));
        let reply = self
            .search(HISTORY, filters, (PAGE_SIZE, 1), BLOCKS)
            .await?;
        Ok(reply.records(1, PAGE_SIZE))
    }

    fn dates_of(&self, rows: &[Value], block: &str) -> Vec<Timestamp> {
        let dates = self.client.connection.dialect.dates;
        let date = |row: &Value| dates.read(Record::of(row)?.text(block)?);
        rows.iter().filter_map(date).collect()
    }

    /// Compares when applications last changed stage, by their status history, with when they were modified.
    async fn change_feed(
        &mut self,
        mut rows: Vec<Value>,
        route: Option<(&'static str, Certainty)>,
    ) -> Result<(), CallError> {
        let now = self
            .server_time
            .unwrap_or_else(|| self.client.connection.clock.now());
        let recently = now.checked_sub(RECENT_AGE).unwrap_or(Timestamp::MIN);
        if let Some((route, _)) = route {
            let value = self.client.connection.dialect.dates.filter(recently);
            rows.extend(self.history_after(route, &value).await?.unwrap_or_default());
        }
        let mut seen: Vec<(String, Seen)> = self.changes_of(&rows).into_iter().collect();
        // The latest changes are the most conclusive.
        seen.sort_by_key(|(_, seen)| std::cmp::Reverse(seen.newest));
        let mut compared = Compared::default();
        for (id, seen) in seen.into_iter().take(MAX_COMPARED) {
            let Some(modified) = self.modified(&id).await? else {
                continue;
            };
            compared.all += 1;
            compared.newest = compared.newest.max(Some(seen.newest));
            let apart = seen.newest.duration_since(modified);
            let refutes = apart > TOLERANCE;
            let supports = apart.abs() <= TOLERANCE
                && seen.newest.duration_since(seen.oldest) >= MIN_AGE_AT_CHANGE;
            compared.refuting += usize::from(refutes);
            compared.supporting += usize::from(supports);
            compared.recent += usize::from((refutes || supports) && seen.newest >= recently);
        }
        self.conclude_feed(&compared, route);
        Ok(())
    }

    fn conclude_feed(&mut self, compared: &Compared, route: Option<(&'static str, Certainty)>) {
        let name = "change feed";
        let Compared {
            all,
            refuting,
            supporting,
            recent,
            newest,
        } = *compared;
        let newest = newest.map_or_else(|| "never".to_owned(), |at| at.strftime("%F").to_string());
        let seen = format!(
            "of {all} applications compared (the last change was on {newest}), {supporting} were modified when they changed stage, {refuting} changed stage clearly later than they were modified"
        );
        if refuting > 0 {
            let stage_route = (self.probed.experiments.iter()).find(|one| {
                one.settings
                    .get("stage_route")
                    .is_some_and(Value::is_string)
            });
            let by_stage = stage_route.map(|one| one.certainty);
            let (feed, settled) = match (route, by_stage) {
                (Some((_, certainty)), _) => ("status_history", certainty == Sure),
                (None, Some(certainty)) => ("stage_route", certainty == Sure),
                (None, None) => ("slow_full", false),
            };
            let certainty = if refuting > 1 && recent > 0 {
                Sure
            } else {
                Likely
            };
            let words = format!("{seen}: the date does not show every change; {feed} is used");
            self.found(name, certainty, words)
                .set("feed", feed)
                .set("feed_settled", settled);
            return;
        }
        let (certainty, rest) = match (supporting, recent) {
            (0, _) => {
                let why =
                    format!("{seen}: nothing conclusive; a stage scan looks for what is missed");
                return self.open(name, why);
            }
            (MIN_AGREEING.., MIN_AGREEING..) => {
                (Sure, "changes of stage move the modification date")
            }
            _ => (
                Likely,
                "changes of stage seem to move the modification date; until more was seen, a stage scan looks for what is missed",
            ),
        };
        self.found(name, certainty, format!("{seen}: {rest}"))
            .reading("modification_date")
            .set("feed", Value::Null)
            .set("feed_settled", certainty == Sure);
    }

    /// Of each application in these rows, when it first and last changed stage.
    fn changes_of(&self, rows: &[Value]) -> BTreeMap<String, Seen> {
        let dates = self.client.connection.dialect.dates;
        let mut seen: BTreeMap<String, Seen> = BTreeMap::new();
        for row in rows {
            let Some(record) = Record::of(row) else {
                continue;
            };
            let date = |name| record.text(name).and_then(|text| dates.read(text));
            let (Some(application), Some(at)) = (
                record.id("Application"),
                // A person may enter another status date; a row is created when the change is made.
                ["CreationDate", "StatusDate"].into_iter().find_map(date),
            ) else {
                continue;
            };
            let known = seen.entry(application).or_insert(Seen {
                oldest: at,
                newest: at,
            });
            known.oldest = known.oldest.min(at);
            known.newest = known.newest.max(at);
        }
        seen
    }

    /// An application's modification date.
    async fn modified(&mut self, id: &str) -> Result<Option<Timestamp>, CallError> {
        let of = |record: &Value| Record::of(record)?.own_id("ApplicationId").ok();
        let is_it = |record: &&Value| of(record).as_deref() == Some(id);
        let mut record = self.applications.iter().find(is_it).cloned();
        if record.is_none() {
            let value = self.client.connection.dialect.filter_id(id);
            let route = self.client.connection.dialect.application_id_route.clone();
            let found = self
                .search(
                    "applications",
                    filter(&route, "Equals", &value),
                    (10, 1),
                    APPLICATION,
                )
                .await?
                .records(1, 10)
                .unwrap_or_default();
            record = found.iter().find(is_it).cloned();
        }
        let date = record.and_then(|record| {
            let text = Record::of(&record)?.text("ModificationDate")?.to_owned();
            self.client.connection.dialect.dates.read(&text)
        });
        Ok(date)
    }
}
