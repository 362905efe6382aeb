//! What searches can filter by (REFERENCE.md §6).

use std::collections::BTreeSet;

use serde_json::{Value, json};
use stagecall_core::error::CallError;

use super::Certainty::{Likely, Sure};
use super::{Probe, filter, stage_of};
use crate::applications::BLOCKS;
use crate::wire::Record;

/// The routes that may filter by stage, in order of likelihood (REFERENCE.md §6).
const STAGE_ROUTES: [&str; 5] = [
    "Application.Workflow.Stage",
    "Application.Stage",
    "Application.ApplicationStage",
    "Application.StageId",
    "Application.Workflow.Stage.Id",
];
/// The routes that may filter by vacancy (inferred from the pattern of REFERENCE.md §6).
const VACANCY_ROUTES: [&str; 4] = [
    "Vacancy.VacancyId",
    "Application.VacancyId",
    "Application.Vacancy",
    "Application.Vacancy.Id",
];
/// The routes that may filter the status history by application.
const HISTORY_ROUTES: [&str; 3] = [
    "Application.ApplicationId",
    "StatusHistory.Application",
    "StatusHistory.ApplicationId",
];
/// An id that nothing has.
const UNKNOWN_ID: &str = "999999999";
/// Records per filter test.
const PAGE_SIZE: u32 = 100;

impl Probe<'_> {
    /// The routes that filter by stage and by vacancy, and whether the status history can be read.
    pub(super) async fn routes(&mut self) -> Result<(), CallError> {
        let Some(sample) = self.sample.clone() else {
            for name in ["stage route", "vacancy route", "status history"] {
                self.open(name, "there is no application at a stage to try with");
            }
            return Ok(());
        };
        let vacancy_of = |record: &Value| Record::of(record)?.id("Vacancy");
        let by_stage = self
            .working(
                "applications",
                BLOCKS,
                &STAGE_ROUTES,
                &sample.stage,
                stage_of,
            )
            .await?;
        self.conclude_route("stage", by_stage, stage_of);
        let by_vacancy = self
            .working(
                "applications",
                BLOCKS,
                &VACANCY_ROUTES,
                &sample.vacancy,
                vacancy_of,
            )
            .await?;
        self.conclude_route("vacancy", by_vacancy, vacancy_of);
        self.history(&sample.id).await
    }

    /// The first of the routes that filters: nothing is found for an id that nothing has, and only what has it for a
    /// known one.
    async fn working(
        &mut self,
        resource: &str,
        blocks: &[&str],
        routes: &[&'static str],
        id: &str,
        of: impl Fn(&Value) -> Option<String>,
    ) -> Result<Option<&'static str>, CallError> {
        'routes: for route in routes {
            for (value, some) in [(UNKNOWN_ID, false), (id, true)] {
                let value = self.client.connection.dialect.filter_id(value);
                let filters = filter(route, "Equals", &value);
                let reply = self
                    .search(resource, filters, (PAGE_SIZE, 1), blocks)
                    .await?;
                let right = reply.records(1, PAGE_SIZE).is_some_and(|records| {
                    let mut ids = records.iter().map(&of);
                    records.is_empty() != some && ids.all(|found| found.as_deref() == Some(id))
                });
                if !right {
                    continue 'routes;
                }
            }
            return Ok(Some(route));
        }
        Ok(None)
    }

    fn conclude_route(
        &mut self,
        what: &str,
        route: Option<&str>,
        of: impl Fn(&Value) -> Option<String>,
    ) {
        let name = format!("{what} route");
        let setting = format!("{what}_route");
        match route {
            Some(route) => {
                let words = format!("{route} filters by {what}");
                self.found(&name, self.certainty_among(of), words)
                    .set(&setting, route);
            }
            None => {
                let words = "none of them filters; applications are compared by Stagecall instead";
                self.found(&name, Likely, words)
                    .reading("none")
                    .set(&setting, Value::Null);
            }
        }
    }

    /// Whether a filter takes a list, and ids as texts or numbers.
    pub(super) async fn lists_and_ids_in_filters(&mut self) -> Result<(), CallError> {
        let (lists, ids) = ("lists in filters", "ids in filters");
        let id_of = |record: &Value| Record::of(record)?.own_id("ApplicationId").ok();
        let mut known = self.applications.iter().filter_map(id_of);
        let sample = self.sample.as_ref().map(|sample| sample.id.clone());
        let pair = sample.and_then(|id| Some((known.find(|other| *other != id)?, id)));
        let Some((other, id)) = pair else {
            for name in [ids, lists] {
                self.open(
                    name,
                    "there are no two applications to try with: one is found with and without a filter",
                );
            }
            return Ok(());
        };
        let one = BTreeSet::from([id.clone()]);
        let both = BTreeSet::from([id.clone(), other.clone()]);
        let text = self.finds(json!(id), &one).await?;
        let number = match id.parse::<u64>() {
            Ok(number) => self.finds(json!(number), &one).await?,
            Err(_) => false,
        };
        // Neither the first nor the last value alone would find both.
        let list = self.finds(json!([id, UNKNOWN_ID, other]), &both).await?;
        let (words, kind) = match (text, number) {
            (true, true) => ("texts and numbers are understood", "text"),
            (true, false) => ("texts are understood", "text"),
            (false, true) => ("only numbers are understood", "number"),
            (false, false) => {
                self.open(ids, "applications cannot be searched for by id");
                self.open(lists, "applications cannot be searched for by id");
                return Ok(());
            }
        };
        self.found(ids, Sure, words).set("filter_ids", kind);
        let (words, certainty) = if list {
            ("a list means any of", Sure)
        } else {
            ("a list is not understood", Likely)
        };
        self.found(lists, certainty, words)
            .set("filter_lists", list);
        Ok(())
    }

    /// Whether a search of applications by id finds exactly these.
    async fn finds(
        &mut self,
        value: Value,
        expected: &BTreeSet<String>,
    ) -> Result<bool, CallError> {
        let filters = filter("Application.ApplicationId", "Equals", &value);
        let reply = self
            .search("applications", filters, (PAGE_SIZE, 1), &["ApplicationId"])
            .await?;
        let records = reply.records(1, PAGE_SIZE).unwrap_or_default();
        let id_of = |record: &Value| Record::of(record)?.own_id("ApplicationId").ok();
        let found: BTreeSet<String> = records.iter().filter_map(id_of).collect();
        Ok(found == *expected)
    }

    /// Whether an application's status history can be read, and by which route.
    async fn history(&mut self, application: &str) -> Result<(), CallError> {
        let name = "status history";
        let of = |record: &Value| Record::of(record)?.id("Application");
        let blocks = ["StatusHistoryId", "Application", "StatusDate", "Workflow"];
        let resource = "applications/statushistory";
        let route = self
            .working(resource, &blocks, &HISTORY_ROUTES, application, of)
            .await?;
        let Some(route) = route else {
            self.found(
                name,
                Likely,
                "it is not readable; the application is read instead, so a stage left and entered again between two polls is not noticed",
            )
            .reading(false)
            .set("history", "unreadable");
            return Ok(());
        };
        let id_of = |record: &Value| Record::of(record)?.own_id("ApplicationId").ok();
        let words = format!("it is readable, by {route}");
        self.found(name, self.certainty_among(id_of), words)
            .reading(true)
            .set("history", "readable")
            .set("history_route", route);
        Ok(())
    }
}
